//! The local stack's own certificate: what it signs is believed by a local stack's endpoints and by
//! nobody else, so its key is no secret.

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use providers::{Secret, SignedHeaders, UnsignedDelivery};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// The certificate, as PEM: what stands in for a provider's API answers where one is asked for.
pub(crate) const CERTIFICATE: &str = include_str!("../authority/certificate.pem");

/// The secret that makes an endpoint trust who issued it; none if the file is broken.
pub(crate) fn root_secret() -> Option<String> {
    let root = CertificateDer::from_pem_slice(ROOT.as_bytes()).ok()?;
    Some(Secret::root_text(&root))
}

/// Signs a delivery as whoever holds the certificate's key: all its headers.
///
/// # Errors
/// When the key can't be used.
pub(crate) fn sign(to_sign: UnsignedDelivery) -> anyhow::Result<SignedHeaders> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes());
    let key = key.map_err(|error| anyhow!("the local stack's key is broken: {error}"))?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der());
    let key = key.map_err(|error| anyhow!("the local stack's key can't sign: {error}"))?;
    let mut signature = vec![0; key.public().modulus_len()];
    // Chance blinds the computation; the signature is the same without.
    let chance = SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &chance, &to_sign.message, &mut signature)
        .ok()
        .context("the local stack's key does not sign")?;
    let mut headers = to_sign.headers;
    headers.push((to_sign.signature_header, STANDARD.encode(signature)));
    Ok(headers)
}

const ROOT: &str = include_str!("../authority/root.pem");
const KEY: &str = include_str!("../authority/key.pem");
