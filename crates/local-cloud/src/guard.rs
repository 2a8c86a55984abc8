//! Who may speak to the stack: this machine, and pages that this machine served.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses a request whose `Host` is not a loopback name.
///
/// A page of a foreign site can point its own name at 127.0.0.1 (DNS rebinding) and would then
/// read the mailbox as its own origin; the name it came by gives it away.
pub async fn loopback_only(request: Request, next: Next) -> Response {
    let uri_host = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned());
    let host = uri_host
        .as_deref()
        .or_else(|| text(request.headers(), header::HOST));
    match host {
        Some(host) if is_loopback(host) => next.run(request).await,
        Some(_) | None => {
            let words = "This stack answers only to localhost, 127.0.0.1 and [::1].\n";
            (StatusCode::FORBIDDEN, words).into_response()
        }
    }
}

/// Refuses to change anything for a page of another origin.
pub async fn own_pages_only(request: Request, next: Next) -> Response {
    let origin = text(request.headers(), header::ORIGIN);
    let foreign = origin.is_some_and(|origin| {
        origin
            .split_once("://")
            .is_none_or(|(_, authority)| !is_loopback(authority))
    });
    if foreign && request.method() != Method::GET {
        let words = "Pages of other sites may not steer this stack.\n";
        return (StatusCode::FORBIDDEN, words).into_response();
    }
    next.run(request).await
}

/// Whether an authority, with or without a port, is a loopback name.
pub fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority
            .split_once(':')
            .map_or(authority, |(host, _)| host),
    };
    let host = host.to_ascii_lowercase();
    host == "localhost" || host == "127.0.0.1" || host == "::1" || host.ends_with(".localhost")
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
