//! Whom TLS believes: a handful of pinned roots, which AWS's endpoints chain to, and only where
//! these fail all the roots that the system knows, whose parsing would cost more than a webhook.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The HTTP client of every AWS client. `bundle` is a file of PEM certificates that are believed
/// in place of the pinned ones, as `AWS_CA_BUNDLE` names it for the official tools.
pub(crate) fn http_client(bundle: Option<&str>) -> SharedHttpClient {
    let roots = match bundle.map(std::fs::read) {
        Some(Ok(pem)) => TrustStore::empty().with_pem_certificate(pem),
        Some(Err(error)) => {
            tracing::error!(what = "AWS_CA_BUNDLE", %error, "can't be read; pinned roots count");
            pinned()
        }
        None => pinned(),
    };
    SharedHttpClient::new(PinnedFirst {
        pinned: believing(roots),
        native: believing(TrustStore::default()),
        distrusted: Arc::default(),
    })
}

fn pinned() -> TrustStore {
    ROOTS.iter().fold(TrustStore::empty(), |roots, pem| {
        roots.with_pem_certificate(*pem)
    })
}

fn believing(roots: TrustStore) -> SharedHttpClient {
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        Err(_) => builder.build_https(),
    }
}

/// Tries the pinned roots until an endpoint proves itself by another, then believes the system's.
#[derive(Clone, Debug)]
struct PinnedFirst {
    pinned: SharedHttpClient,
    native: SharedHttpClient,
    distrusted: Arc<AtomicBool>,
}

impl HttpClient for PinnedFirst {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        if self.distrusted.load(Ordering::Relaxed) {
            return self.native.http_connector(settings, components);
        }
        SharedHttpConnector::new(Attempt {
            pinned: self.pinned.http_connector(settings, components),
            client: self.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct Attempt {
    pinned: SharedHttpConnector,
    client: PinnedFirst,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Attempt {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let again = request.try_clone();
        let first = self.pinned.call(request);
        let (client, settings) = (self.client.clone(), self.settings.clone());
        let components = self.components.clone();
        HttpConnectorFuture::new(async move {
            match (first.await, again) {
                // Before a handshake is done nothing of a request has left: it may be repeated.
                (Err(error), Some(again)) if is_distrust(&error) => {
                    tracing::warn!("no pinned root proves this endpoint; the system's now count");
                    client.distrusted.store(true, Ordering::Relaxed);
                    let native = client.native.http_connector(&settings, &components);
                    native.call(again).await
                }
                (answer, _) => answer,
            }
        })
    }
}

/// Whether a connection failed because nobody we believe vouches for the other side.
fn is_distrust(error: &ConnectorError) -> bool {
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(_)) = within(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// TLS errors travel inside I/O errors, which do not name them as their source.
fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let io = error.downcast_ref::<std::io::Error>();
    let inner = io.and_then(std::io::Error::get_ref);
    inner
        .and_then(|inner| inner.downcast_ref())
        .or_else(|| error.downcast_ref())
}

/// Amazon Trust Services' roots, as <https://www.amazontrust.com/repository/> publishes them.
const ROOTS: [&[u8]; 5] = [
    include_bytes!("roots/amazon_root_ca_1.pem"),
    include_bytes!("roots/amazon_root_ca_2.pem"),
    include_bytes!("roots/amazon_root_ca_3.pem"),
    include_bytes!("roots/amazon_root_ca_4.pem"),
    include_bytes!("roots/starfield_services_root_g2.pem"),
];
