//! Another endpoint, another tenant, other money, another certificate.

use super::{Tampering, breaking, flipped, preserving};
use crate::delivery_format::ProofKind;
use crate::genuine::{CERTIFICATES, certificate};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::borrow::Cow;

#[rustfmt::skip] // a table
pub(super) const TAMPERINGS: &[Tampering] = &[
    breaking("at another provider's endpoint", |bent, ground, rng| {
        let endpoint = rng.choice(ground.endpoints)?;
        let whose = |name: &str| name.split(',').next().unwrap_or_default().to_owned();
        (whose(&endpoint.name) != whose(&ground.endpoint.name)).then_some(())?;
        bent.endpoint = endpoint;
        bent.secrets = &endpoint.own_tenant().secrets;
        Some(())
    }),
    breaking("at another tenant's endpoint", |bent, ground, _| {
        (!ground.endpoint.is_api_confirmed()).then_some(())?;
        bent.secrets = &ground.endpoint.tenants[1].secrets;
        Some(())
    }),
    breaking("at the endpoint of the other money", |bent, ground, _| {
        bent.mode = Mode::Live;
        bent.secrets = &ground.endpoint.tenants[3].secrets;
        Some(())
    }),
    breaking("after the secret went out of force", |bent, ground, _| {
        (!ground.endpoint.is_api_confirmed()).then_some(())?;
        bent.secrets = &ground.endpoint.tenants[2].secrets;
        Some(())
    }),
    preserving("while the secret rolls", |bent, ground, _| {
        std::ptr::eq(bent.secrets, &ground.endpoint.own_tenant().secrets).then_some(())?;
        bent.secrets = &ground.endpoint.rolling;
        Some(())
    }),
    breaking("another certificate", |bent, _, rng| {
        (bent.endpoint.delivery_format.proof == ProofKind::Rsa).then_some(())?;
        let (name, pem) = rng.choice(CERTIFICATES)?;
        // The live one is its sender's too, and vouches for the same key.
        (!["sandbox", "live"].contains(name)).then_some(())?;
        bent.certificate = Some(Cow::Borrowed(pem));
        Some(())
    }),
    breaking("one bit of the certificate", |bent, _, rng| {
        (bent.endpoint.delivery_format.proof == ProofKind::Rsa).then_some(())?;
        let right = CertificateDer::from_pem_slice(certificate("sandbox").as_bytes()).ok()?;
        let text = STANDARD.encode(flipped(&right, rng)?);
        let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        let rest = certificate("sandbox").split_once(end)?.1;
        bent.certificate = Some(format!("{begin}\n{text}\n{end}{rest}").into());
        Some(())
    }),
    breaking("another address of the certificate", |bent, _, rng| {
        let value = bent.header("paypal-cert-url")?;
        let (from, to) = *rng.choice(ADDRESSES)?;
        *value = value.replacen(from, to, 1);
        Some(())
    }),
    breaking("another algorithm by name", |bent, _, rng| {
        *bent.header("paypal-auth-algo")? = (*rng.choice(ALGORITHMS)?).to_owned();
        Some(())
    }),
];

const ADDRESSES: &[(&str, &str)] = &[
    ("https", "http"),
    ("https://", "https://api.sandbox.paypal.com@"),
    ("paypal.com", "paypal.com.example"),
    ("paypal.com", "paypa1.com"),
    ("paypal.com", "p\u{430}ypal.com"),
    ("paypal.com", "paypal.com:8443"),
    ("paypal.com", "paypal.com."),
    ("sandbox.", ""),
    ("sandbox", "SANDBOX"),
    ("/v1", "/../v1"),
    ("/v1", "//v1"),
    ("/v1", "\\v1"),
    ("certs/", "certs/../"),
    ("certs/", "certs/%2e%2e/"),
    ("CERT-", "CERT-0"),
    ("CERT-", "CERT-?x="),
    ("CERT-", "#"),
    ("CERT-", ""),
];

const ALGORITHMS: &[&str] = &[
    "none",
    "",
    "SHA1withRSA",
    "SHA256withrsa",
    "SHA256withECDSA",
    "HmacSHA256",
    "SHA256withRSA ",
    "SHA256withRSA\0",
    "SHA256withRSA,none",
    "\u{405}HA256withRSA",
];
