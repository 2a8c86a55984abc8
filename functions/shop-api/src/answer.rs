//! An answer as it leaves: its digest, and nothing of it where whoever asks has it already.

use runtime::http::{HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A weak validator of what an answer says: it leaves out when it was said.
pub(crate) fn etag_of(says: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(says).unwrap_or_default();
    let digest = hex::encode(Sha256::digest(&bytes));
    let short = digest.get(..ETAG_DIGITS).unwrap_or(&digest);
    format!("W/\"{short}\"")
}

/// 200 with the answer, or 304 to whoever has one of this digest. It may be kept by who asked, and
/// is asked for again before it is used again.
pub(crate) fn json_answer(
    body: &impl Serialize,
    etag: String,
    request: &HttpRequest,
) -> HttpResponse {
    let status = if has_already(request, &etag) {
        304
    } else {
        200
    };
    HttpResponse::json(status, body)
        .with_header("etag", etag)
        .with_header("cache-control", "private, no-cache")
}

/// Whether `if-none-match` names this digest, weakly compared (RFC 9110, 13.1.2).
fn has_already(request: &HttpRequest, etag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let own = plain(etag);
    let mut offered = request.headers.all("if-none-match");
    offered.any(|value| {
        value
            .split(',')
            .any(|tag| tag.trim() == "*" || plain(tag) == own)
    })
}

const ETAG_DIGITS: usize = 32;

/// What every answer has beside its own: nobody keeps it unless it says so, and a page of another
/// address may read it. Nothing is believed that a browser would send by itself, so no page gains
/// by asking.
pub(crate) fn finished(response: HttpResponse) -> HttpResponse {
    let kept = response.headers.contains_key("cache-control");
    let response = match kept {
        true => response,
        false => response.with_header("cache-control", "no-store"),
    };
    response
        .with_header("access-control-allow-origin", "*")
        .with_header("access-control-expose-headers", "etag")
        .with_header("vary", "authorization")
}

/// 204: a browser may ask, with a token.
pub(crate) fn preflight() -> HttpResponse {
    HttpResponse::json(204, &())
        .with_header("access-control-allow-origin", "*")
        .with_header("access-control-allow-methods", "GET, POST")
        .with_header(
            "access-control-allow-headers",
            "authorization, content-type, if-none-match",
        )
        .with_header("access-control-max-age", "7200")
}
