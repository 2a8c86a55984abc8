//! Whom TLS believes: a handful of pinned roots, which AWS's endpoints chain to, and only where
//! these fail all the roots that the system knows, whose parsing would cost more than a webhook.

use crate::connector::{HttpClient, call, client};
use aws_smithy_runtime_api::client::http::{
    HttpClient as SdkClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use hyper_rustls::ConfigBuilderExt;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The HTTP client of every AWS client. `bundle` is a file of PEM certificates that are believed
/// in place of the pinned ones, as `AWS_CA_BUNDLE` names it for the official tools.
///
/// # Errors
/// When TLS can't be had at all.
pub(crate) fn http_client(bundle: Option<&str>) -> Result<SharedHttpClient, rustls::Error> {
    let roots = match bundle.map(std::fs::read) {
        Some(Ok(pem)) => roots(&[&pem]),
        Some(Err(error)) => {
            tracing::error!(what = "AWS_CA_BUNDLE", %error, "can't be read; pinned roots count");
            roots(&PINNED_ROOTS)
        }
        None => roots(&PINNED_ROOTS),
    };
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(SharedHttpClient::new(PinnedFirst(Arc::new(
        TrustedClients {
            pinned: client(tls),
            native: OnceLock::new(),
            is_distrusted: AtomicBool::new(false),
        },
    ))))
}

/// A client that believes whom this machine believes.
///
/// # Errors
/// When it believes nobody.
pub(crate) fn native_client() -> io::Result<HttpClient> {
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_native_roots()?
        .with_no_client_auth();
    Ok(client(tls))
}

/// Every certificate of these files; what is none vouches for nobody.
fn roots(files: &[&[u8]]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for file in files {
        for root in CertificateDer::pem_slice_iter(file) {
            if root.ok().and_then(|root| roots.add(root).ok()).is_none() {
                tracing::error!(
                    what = "AWS_CA_BUNDLE",
                    "holds a certificate that can't be read"
                );
            }
        }
    }
    roots
}

/// Tries the pinned roots until an endpoint proves itself by another, then believes the system's.
#[derive(Clone, Debug)]
struct PinnedFirst(Arc<TrustedClients>);

#[derive(Debug)]
struct TrustedClients {
    pinned: HttpClient,
    native: OnceLock<HttpClient>,
    is_distrusted: AtomicBool,
}

impl SdkClient for PinnedFirst {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for PinnedFirst {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(trust) = self.clone();
        HttpConnectorFuture::new(async move { trust.call(request).await })
    }
}

impl TrustedClients {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        if self.is_distrusted.load(Ordering::Relaxed) {
            return self.call_native(request).await;
        }
        let again = request.try_clone();
        match (call(&self.pinned, request).await, again) {
            // Before a handshake is done nothing of a request has left: it may be repeated.
            (Err(error), Some(again)) if is_distrust(&error) => {
                tracing::warn!("no pinned root proves this endpoint; the system's now count");
                self.is_distrusted.store(true, Ordering::Relaxed);
                self.call_native(again).await
            }
            (answer, _) => answer,
        }
    }

    /// By the system's roots, after which there are no others.
    async fn call_native(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let answer = call(self.native()?, request).await;
        answer.map_err(|error| {
            if !is_distrust(&error) {
                return error;
            }
            tracing::error!(
                what = "certificate",
                "no root that is known here proves this endpoint, so nothing is sent to it; if it \
                 is yours, name its root by AWS_CA_BUNDLE"
            );
            // No I/O error, which would be tried again: the same certificate would come.
            ConnectorError::other(error.into_source(), None)
        })
    }

    /// Made when it is first needed.
    fn native(&self) -> Result<&HttpClient, ConnectorError> {
        if let Some(made) = self.native.get() {
            return Ok(made);
        }
        let made = native_client().map_err(|error| ConnectorError::user(error.into()))?;
        Ok(self.native.get_or_init(|| made))
    }
}

/// Whether a connection failed because nobody we believe vouches for the other side.
fn is_distrust(error: &ConnectorError) -> bool {
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(_)) = tls_error(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// TLS errors travel inside I/O errors, one in the other, which do not name them as their source.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let Some(io) = error.downcast_ref::<io::Error>() else {
        return error.downcast_ref();
    };
    io.get_ref().and_then(|inner| tls_error(inner))
}

/// Amazon Trust Services' roots, as <https://www.amazontrust.com/repository/> publishes them.
const PINNED_ROOTS: [&[u8]; 5] = [
    include_bytes!("roots/amazon_root_ca_1.pem"),
    include_bytes!("roots/amazon_root_ca_2.pem"),
    include_bytes!("roots/amazon_root_ca_3.pem"),
    include_bytes!("roots/amazon_root_ca_4.pem"),
    include_bytes!("roots/starfield_services_root_g2.pem"),
];
