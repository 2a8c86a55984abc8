//! POSTs to addresses that others gave us: each connection goes to an address that was looked at,
//! no redirect is followed, and of the answer little is read and nothing kept.

mod network_scope;

pub use network_scope::{BadDestination, NetworkScope};

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioExecutor;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;
use tower_service::Service;

/// Sends POST requests.
pub trait Post: Send + Sync {
    /// Posts JSON under these headers; `now` is what a date in `Retry-After` is counted from.
    fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        now: Timestamp,
    ) -> impl Future<Output = PostOutcome> + Send;
}

/// What became of a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostOutcome {
    /// 2xx.
    Accepted,
    /// 410: the endpoint takes nothing any more.
    Gone,
    /// Anything else, no answer, or an address that is not posted to.
    Failed {
        /// What was seen, for people.
        why: String,
        /// How long to wait, by the answer's `Retry-After`.
        retry_after: Option<SignedDuration>,
    },
}

/// Sends POST requests over HTTP. `R` looks names up.
pub struct Poster<R = GaiResolver> {
    scope: NetworkScope,
    client: Client<HttpsConnector<HttpConnector<CheckedResolver<R>>>, Full<Bytes>>,
    time_limit: Duration,
}

impl Poster {
    /// To public addresses over TLS, trusting whom this machine trusts.
    ///
    /// # Errors
    /// When the machine's root certificates can't be read.
    pub fn public() -> std::io::Result<Self> {
        Self::with_resolver(GaiResolver::new(), NetworkScope::Public)
    }

    /// To this machine alone: for the local stack and for tests.
    ///
    /// # Errors
    /// When the machine's root certificates can't be read.
    pub fn loopback() -> std::io::Result<Self> {
        Self::with_resolver(GaiResolver::new(), NetworkScope::Loopback)
    }
}

impl<R: Resolver> Poster<R> {
    /// The same, with names looked up elsewhere.
    ///
    /// # Errors
    /// When the machine's root certificates can't be read.
    pub fn with_resolver(names: R, reach: NetworkScope) -> std::io::Result<Self> {
        let mut http = HttpConnector::new_with_resolver(CheckedResolver {
            resolver: names,
            scope: reach,
        });
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        // A function that sleeps between two calls finds its connections dead.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(tls);
        Ok(Self {
            scope: reach,
            client,
            time_limit: REQUEST_TIMEOUT,
        })
    }

    async fn send(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<(StatusCode, HeaderMap), String> {
        let uri = self.scope.check(url).map_err(|error| error.to_string())?;
        let mut request = Request::post(uri)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "Orangery");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request
            .body(Full::from(body))
            .map_err(|_| "it can't be written as a request".to_owned())?;
        let whole = async {
            let answer = self.client.request(request).await;
            let (answer, rest) = answer
                .map_err(|error| failure_cause(&error).to_owned())?
                .into_parts();
            // Read to its end where that is near, so that the other side sees no reset.
            let _ = Limited::new(rest, MAX_ANSWER_BYTES).collect().await;
            Ok((answer.status, answer.headers))
        };
        let answer = timeout(self.time_limit, whole).await;
        answer.map_err(|_| "no answer in time".to_owned())?
    }
}

impl<R: Resolver> Post for Poster<R> {
    async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        now: Timestamp,
    ) -> PostOutcome {
        match self.send(url, headers, body).await {
            Ok((status, _)) if status.is_success() => PostOutcome::Accepted,
            Ok((StatusCode::GONE, _)) => PostOutcome::Gone,
            Ok((status, headers)) => PostOutcome::Failed {
                why: match headers.contains_key(LOCATION) {
                    true => format!(
                        "it answered {} elsewhere, and none is followed",
                        status.as_u16()
                    ),
                    false => format!("it answered {}", status.as_u16()),
                },
                retry_after: retry_after(&headers, now),
            },
            Err(why) => PostOutcome::Failed {
                why,
                retry_after: None,
            },
        }
    }
}

impl<R> fmt::Debug for Poster<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Poster").field(&self.scope).finish()
    }
}

/// Something that looks names up.
pub trait Resolver:
    Service<Name, Response: Iterator<Item = SocketAddr>, Error = std::io::Error, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<R> Resolver for R where
    R: Service<Name, Response: Iterator<Item = SocketAddr>, Error = std::io::Error, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// A resolver whose answers are checked. The connection goes to these addresses and no others, even
/// if the name leads elsewhere a moment later.
#[derive(Clone)]
struct CheckedResolver<R> {
    resolver: R,
    scope: NetworkScope,
}

/// A name leads to an address that is not posted to. One such address among others is enough: no
/// honest name has both.
#[derive(Debug, thiserror::Error)]
#[error("its name leads to an address that is private, this machine's own or reserved")]
struct ForbiddenAddress;

type BoxError = Box<dyn Error + Send + Sync>;
type LookupFuture = dyn Future<Output = Result<std::vec::IntoIter<SocketAddr>, BoxError>> + Send;

impl<R: Resolver> Service<Name> for CheckedResolver<R>
where
    R::Future: 'static,
{
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<LookupFuture>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.resolver.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (asked, reach) = (self.resolver.call(name), self.scope);
        Box::pin(async move {
            let found: Vec<SocketAddr> = asked.await?.collect();
            if found.iter().all(|address| reach.includes(address.ip())) {
                Ok(found.into_iter())
            } else {
                Err(ForbiddenAddress.into())
            }
        })
    }
}

/// What a person can do something about, without the address in it.
fn failure_cause(error: &(dyn Error + 'static)) -> &'static str {
    let mut inner = Some(error);
    while let Some(error) = inner {
        if error.is::<ForbiddenAddress>() {
            return "its name leads to an address that is private, this machine's own or reserved";
        }
        let cause = error.downcast_ref::<std::io::Error>();
        let cause = cause.and_then(|error| error.get_ref()?.downcast_ref());
        if let Some(rustls::Error::InvalidCertificate(_)) = cause {
            return "nobody whom we trust vouches for its certificate, or it is of another name";
        }
        inner = error.source();
    }
    "no connection, or one that broke"
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(SignedDuration::from_secs(seconds.into()));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.duration_since(now))
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The Standard Webhooks' counsel is 15 to 30 seconds; half a batch of slow ones must still fit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 4 * 1024;

#[cfg(test)]
mod tests;
