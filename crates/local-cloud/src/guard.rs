//! Who may speak to the stack: this machine's own programs, and pages that this stack served.
//!
//! A page of any site can have a reader's browser send requests to 127.0.0.1, and can point its
//! own name there (DNS rebinding) to read the answers as well. The names that a request carries
//! give it away. Endpoints that are meant for the world, as webhooks are, stand outside of this.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers this machine's programs and the stack's own pages; refuses everybody else, whatever
/// they ask for.
pub async fn own_machine_only(request: Request, next: Next) -> Response {
    if let Err(words) = check(&request) {
        return (StatusCode::FORBIDDEN, words).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // Nor is an answer of use to whoever embeds it as a picture or a script.
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Whether an authority, with or without a port, is a name of this machine and nothing else.
pub fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) => (host, port),
            None => return false,
        },
        None => match authority.find(':') {
            Some(colon) => authority.split_at(colon),
            None => (authority, ""),
        },
    };
    let is_port = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
        }
        None => port.is_empty(),
    };
    is_port && is_loopback_host(&host.to_ascii_lowercase(), authority.starts_with('['))
}

fn is_loopback_host(host: &str, bracketed: bool) -> bool {
    if bracketed {
        return host == "::1";
    }
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !label.is_empty() && label.bytes().all(is_allowed)
    };
    host == "localhost"
        || host == "127.0.0.1"
        // Browsers keep these names on this machine, and nobody can register one.
        || host.strip_suffix(".localhost").is_some_and(|name| name.split('.').all(is_label))
}

fn check(request: &Request) -> Result<(), &'static str> {
    let headers = request.headers();
    let own_host = own_host(request).ok_or(FOREIGN_NAME)?;
    let mut origins = headers.get_all(ORIGIN).iter();
    if let Some(origin) = origins.next() {
        let host = origin.to_str().ok().and_then(|o| o.strip_prefix("http://"));
        let own = host.is_some_and(|host| host.eq_ignore_ascii_case(own_host));
        return match (own, origins.next()) {
            (true, None) => Ok(()),
            (true, Some(_)) | (false, _) => Err(FOREIGN_PAGE),
        };
    }
    // Not every request of a browser names an origin; where it comes from, each one says.
    match headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) if is_followed_link(request.method(), headers) => Ok(()),
        Some(_) => Err(FOREIGN_PAGE),
    }
}

/// The one name that a request came by, if every name it carries is this machine's.
fn own_host(request: &Request) -> Option<&str> {
    let mut names = request.headers().get_all(HOST).iter();
    let host = match (names.next(), names.next()) {
        (Some(host), None) => Some(host.to_str().ok()?),
        (None, None) => None,
        (_, Some(_)) => return None,
    };
    let absolute = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    // A tunnel may have put its own name out of sight.
    let forwarded = request.headers().get_all(FORWARDED_HOST).iter();
    let forwarded = forwarded.map(|name| name.to_str().unwrap_or_default());
    let all_own = host
        .into_iter()
        .chain(absolute)
        .chain(forwarded)
        .all(is_loopback);
    absolute.or(host).filter(|_| all_own)
}

/// Somebody followed a link from another site: the page opens, and that site learns nothing.
fn is_followed_link(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name, value: &str| headers.get(name).is_some_and(|found| found == value);
    method == Method::GET && is(SEC_FETCH_MODE, "navigate") && is(SEC_FETCH_DEST, "document")
}

const FOREIGN_NAME: &str = "This stack answers only to localhost, 127.0.0.1 and [::1]; through a \
     tunnel it takes webhooks and partners' requests alone.\n";
const FOREIGN_PAGE: &str = "Pages of other sites may neither read nor steer this stack.\n";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
