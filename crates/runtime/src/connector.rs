//! The one HTTP client of a function: HTTP/1.1 with pooled connections, for providers' APIs and,
//! as a connector of the SDK, for AWS. The SDK's own would bring HTTP/2, which none of the
//! endpoints here is spoken to by, and a second stack beside this one.

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector, capture_connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use std::error::Error;
use std::io;
use std::time::Duration;

/// A pool of connections; clones share it.
pub(crate) type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client with connections of its own, over TLS as configured, or none where the address says so.
pub(crate) fn client(tls: ClientConfig) -> HttpClient {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(connector)
}

/// One request of the SDK's over such a client.
///
/// # Errors
/// As the SDK's retries want them told apart: what never arrived or broke off may be sent again,
/// what can't be sent may not.
pub(crate) async fn call(
    client: &HttpClient,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x();
    let request = request.map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let Some(body) = body.bytes().map(Bytes::copy_from_slice) else {
        return Err(ConnectorError::user("a body that is not in memory".into()));
    };
    let mut request = http::Request::from_parts(parts, Full::from(body));
    let connection = capture_connection(&mut request);
    if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
        capture.set_connection_retriever(move || metadata(&connection));
    }
    let answer = client.request(request).await.map_err(connector_error)?;
    HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
        .map_err(|error| ConnectorError::other(error.into(), None))
}

/// By what the SDK closes a connection on which a request got no answer, so that the next does
/// not wait on it too.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    let metadata = ConnectionMetadata::builder().proxied(false);
    Some(metadata.poison_fn(poison).build())
}

fn connector_error(error: ClientError) -> ConnectorError {
    let of_hyper = find_cause::<hyper::Error>(&error);
    let is = |this: fn(&hyper::Error) -> bool| of_hyper.is_some_and(this);
    if is(hyper::Error::is_timeout) {
        ConnectorError::timeout(error.into())
    } else if is(hyper::Error::is_user) {
        ConnectorError::user(error.into())
    } else if error.is_connect()
        || is(hyper::Error::is_closed)
        || is(hyper::Error::is_canceled)
        || find_cause::<io::Error>(&error).is_some()
    {
        ConnectorError::io(error.into())
    } else {
        let broke_off = is(hyper::Error::is_incomplete_message);
        let kind = broke_off.then_some(ErrorKind::TransientError);
        ConnectorError::other(error.into(), kind)
    }
}

/// The first of an error's causes that is of this kind.
fn find_cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut causes = std::iter::successors(Some(error), |error| Error::source(*error));
    causes.find_map(|error| error.downcast_ref())
}

/// Until a connection stands; what it is for has its own bound.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a connection may wait for its next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
