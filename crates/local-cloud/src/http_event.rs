//! HTTP as API Gateway hands it to Lambda: payload format 2.0, both ways.
//!
//! Shapes: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs".

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::engine::ACCOUNT;
use crate::ids;

/// What the gateway knows of a request besides its parts and its body.
pub(crate) struct RequestContext<'a> {
    /// `POST /webhooks/{provider}`.
    pub(crate) route_key: String,
    /// The placeholders of the route, by name.
    pub(crate) parameters: Vec<(&'a str, String)>,
    /// Who connected.
    pub(crate) source: IpAddr,
    /// The stack's time.
    pub(crate) at: Timestamp,
}

/// The event of a request.
pub(crate) fn event(parts: &Parts, body: &[u8], arrival: &RequestContext<'_>) -> Value {
    let headers = joined_headers(&parts.headers);
    let path = parts.uri.path();
    let agent = headers.get("user-agent").cloned().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": arrival.route_key,
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "orangery",
            "domainName": parts.headers.get(header::HOST).map(header_text).unwrap_or_default(),
            "domainPrefix": "orangery",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": arrival.source.to_string(),
                "userAgent": agent,
            },
            "requestId": ids::fresh(),
            "routeKey": arrival.route_key,
            "stage": "$default",
            "time": arrival.at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": arrival.at.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    let mut put = |name: &str, value: Value| {
        if let Some(fields) = event.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        put("cookies", json!(cookies));
    }
    let query = query(&parts.uri);
    if !query.is_empty() {
        put("queryStringParameters", Value::Object(query));
    }
    if !arrival.parameters.is_empty() {
        let pairs = arrival.parameters.iter();
        put(
            "pathParameters",
            pairs.map(|(name, value)| (*name, value.clone())).collect(),
        );
    }
    match (body, std::str::from_utf8(body), is_textual(&parts.headers)) {
        ([], _, _) => {}
        (_, Ok(text), true) => put("body", json!(text)),
        (bytes, _, _) => {
            put("body", json!(STANDARD.encode(bytes)));
            put("isBase64Encoded", json!(true));
        }
    }
    event
}

/// The HTTP answer that a function's answer stands for.
///
/// # Errors
/// In words, if the answer is none that API Gateway would understand.
pub(crate) fn answer(payload: &[u8]) -> Result<Response<Body>, String> {
    let value: Value =
        serde_json::from_slice(payload).map_err(|cause| format!("no JSON: {cause}"))?;
    if value.get("statusCode").is_none() {
        // Format 2.0 takes an answer without a status for the body of a 200.
        let content = HeaderValue::from_static("application/json");
        let mut response = Response::new(Body::from(payload.to_vec()));
        response.headers_mut().insert(header::CONTENT_TYPE, content);
        return Ok(response);
    }
    let answer: LambdaResponse =
        serde_json::from_value(value).map_err(|cause| format!("no HTTP answer: {cause}"))?;
    answer.into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LambdaResponse {
    status_code: u16,
    headers: Option<Map<String, Value>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

impl LambdaResponse {
    fn into_response(self) -> Result<Response<Body>, String> {
        let body = self.body.unwrap_or_default();
        let bytes = if self.is_base64_encoded.unwrap_or(false) {
            STANDARD
                .decode(body)
                .map_err(|_| "its body is not base64 as it says".to_owned())?
        } else {
            body.into_bytes()
        };
        let status = StatusCode::from_u16(self.status_code)
            .ok()
            .filter(|status| !status.is_informational())
            .ok_or_else(|| format!("{} is no status of an answer", self.status_code))?;
        let has_body = ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
        let mut response = Response::new(if has_body {
            Body::from(bytes)
        } else {
            Body::empty()
        });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let plain_text = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, plain_text);
        for (name, value) in self.headers.unwrap_or_default() {
            // A number or a boolean stands for its text.
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let wrong = || format!("`{name}` is no header");
            let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
            headers.insert(
                name.clone(),
                HeaderValue::try_from(text).map_err(|_| wrong())?,
            );
        }
        for cookie in self.cookies.unwrap_or_default() {
            let cookie = HeaderValue::try_from(cookie).map_err(|_| "a cookie is no header")?;
            headers.append(header::SET_COOKIE, cookie);
        }
        // The server frames the body itself.
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::TRANSFER_ENCODING);
        if !has_body {
            headers.remove(header::CONTENT_TYPE);
        }
        Ok(response)
    }
}

fn joined_headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined = Map::new();
    for name in headers.keys().filter(|name| **name != header::COOKIE) {
        let values: Vec<String> = headers.get_all(name).iter().map(header_text).collect();
        joined.insert(name.as_str().to_owned(), json!(values.join(",")));
    }
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter().map(header_text);
    lines
        .flat_map(|line| line.split("; ").map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn query(uri: &Uri) -> Map<String, Value> {
    let mut joined: Map<String, Value> = Map::new();
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    for (name, value) in pairs.map(|Query(pairs)| pairs).unwrap_or_default() {
        let value = match joined.get(&name).and_then(Value::as_str) {
            Some(former) => format!("{former},{value}"),
            None => value,
        };
        joined.insert(name, json!(value));
    }
    joined
}

/// What API Gateway passes on as text; a form is not among it.
fn is_textual(headers: &HeaderMap) -> bool {
    let Some(content) = headers.get(header::CONTENT_TYPE).map(header_text) else {
        return true;
    };
    let kind = content
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind.is_empty()
        || kind.starts_with("text/")
        || [
            "application/json",
            "application/xml",
            "application/javascript",
        ]
        .contains(&&*kind)
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

fn header_text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
