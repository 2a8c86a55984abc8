//! Whose key signs for PayPal: a certificate from PayPal's own host, traced to a root we pin.
//!
//! The roots are DigiCert's, who has vouched for PayPal all along (its announcement for Global
//! Root G2: October 2024). They are listed here because a pure crate has no root store, and
//! because the few that are needed prove more than all there are. An operator can add one.
//! Issuers between root and PayPal are known too, because it is unconfirmed whether PayPal sends
//! its own along; they are trusted no further than the roots vouch for them. Revocation lists
//! are not asked: each event is confirmed by PayPal's API besides.

use crate::fetch::{ApiCall, CallTarget, Method};
use crate::secret::{Secret, Secrets};
use crate::verification_error::VerificationError;
use domain::ids::Mode;
use jiff::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// The question for the certificate at that address, if it is one of PayPal's own for this
/// mode: this host, this path and a plain name, character by character. No other port, no user,
/// no query; whoever asks follows no redirect.
pub(super) fn certificate_call(text: &str, mode: Mode) -> Option<ApiCall> {
    let hosts = match mode {
        Mode::Live => ["api.paypal.com", "api-m.paypal.com"],
        Mode::Test => ["api.sandbox.paypal.com", "api-m.sandbox.paypal.com"],
    };
    let (host, path) = text.strip_prefix("https://")?.split_once('/')?;
    let name = path.strip_prefix("v1/notifications/certs/")?;
    let is_allowed = ApiCall::get(&[name]).is_some();
    (is_allowed && hosts.contains(&host)).then(|| ApiCall {
        method: Method::Get,
        target: CallTarget::Certificate(text.into()),
        body: Arc::default(),
    })
}

/// A certificate, and behind it those who vouch for it.
pub(super) struct PaypalCertificates(Vec<CertificateDer<'static>>);

impl PaypalCertificates {
    /// Reads PEM.
    pub(super) fn read(pem: &[u8]) -> Result<Self, VerificationError> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
            .take(MAX_CERTIFICATES)
            .collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Ok(Self(certificates)),
            Ok(_) | Err(_) => Err(disproved("there is no certificate at PayPal's address")),
        }
    }

    /// The first of them, if it is PayPal's for this mode at this moment.
    pub(super) fn signer(
        &self,
        mode: Mode,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<EndEntityCert<'_>, VerificationError> {
        let (first, issuers) = self.0.split_first().ok_or(UNREADABLE)?;
        let signer = EndEntityCert::try_from(first).map_err(|_| UNREADABLE)?;
        let own_roots = secrets.iter().filter_map(Secret::trusted_root);
        let roots: Vec<_> = ROOTS
            .iter()
            .cloned()
            .chain(own_roots.map(CertificateDer::from))
            .collect();
        let anchors: Vec<_> = roots
            .iter()
            .filter_map(|root| anchor_from_trusted_cert(root).ok())
            .collect();
        let issuers: Vec<_> = issuers.iter().chain(ISSUERS.iter()).cloned().collect();
        let seconds = u64::try_from(now.as_second()).map_err(|_| UNREADABLE)?;
        let traced = signer.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &anchors,
            &issuers,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            KeyUsage::server_auth(),
            None,
            None,
        );
        match traced {
            Ok(_) => {}
            Err(webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. }) => {
                return Err(disproved("the certificate is not valid at this time"));
            }
            Err(_) => return Err(disproved("no trusted root vouches for the certificate")),
        }
        if !signer
            .valid_dns_names()
            .any(|name| is_paypal_host(name, mode))
        {
            return Err(disproved("the certificate is not made out to PayPal"));
        }
        Ok(signer)
    }
}

/// Names of PayPal's sandbox sign nothing about real money.
fn is_paypal_host(name: &str, mode: Mode) -> bool {
    let name = name.to_ascii_lowercase();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let Some(host) = name.strip_suffix(".paypal.com") else {
        return false;
    };
    let sandbox = host == "sandbox" || host.ends_with(".sandbox");
    let fits = match mode {
        Mode::Live => !sandbox,
        Mode::Test => true,
    };
    fits && !host.is_empty() && host.bytes().all(is_allowed)
}

fn disproved(what: &'static str) -> VerificationError {
    VerificationError::Disproved { what }
}

fn read_pem(pem: &'static str) -> Vec<CertificateDer<'static>> {
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    certificates.filter_map(Result::ok).collect()
}

/// DigiCert Global Root CA, Global Root G2, High Assurance EV Root CA, TLS RSA4096 Root G5.
static ROOTS: LazyLock<Vec<CertificateDer<'static>>> =
    LazyLock::new(|| read_pem(include_str!("roots.pem")));

/// DigiCert SHA2 Extended Validation Server CA, EV RSA CA G2, Global G2 TLS RSA SHA256 2020 CA1.
static ISSUERS: LazyLock<Vec<CertificateDer<'static>>> =
    LazyLock::new(|| read_pem(include_str!("issuers.pem")));

const UNREADABLE: VerificationError = VerificationError::Disproved {
    what: "the certificate can't be read",
};
const MAX_CERTIFICATES: usize = 8;
