//! What a gateway makes of a request: in every form that AWS documents the same verdict, and no
//! request to the table where nothing was proven.

use crate::requests::{SignedRequest, referral, webhook};
use crate::test_harness::{BuiltHarness, has_log_line, invoke_http};
use lambda::{ClientRequest, HttpEventFormat};
use serde_json::{Value, json};

/// What was done to a rightly signed request on its way, and the answer's status.
struct GatewayCase {
    name: &'static str,
    change: fn(SignedRequest) -> GatewayRequest,
    status: fn(HttpEventFormat) -> u16,
}

/// As a gateway hands it over: its headers, the body as the event has it, flagged or not.
struct GatewayRequest(SignedRequest, Option<String>, bool);

const CASES: [GatewayCase; 15] = [
    case("as it is", as_it_is, 200),
    case("as base64", |request| base64(request, |body| body), 200),
    case("base64 and not flagged", unflagged, 401),
    case("flagged and not base64", flagged, 400),
    case(
        "flagged, of no alphabet",
        |request| base64(request, |_| "%%%".into()),
        400,
    ),
    case("base64, cut", |request| base64(request, cut), 400),
    case(
        "base64 of the URL's alphabet",
        |request| base64(request, for_urls),
        400,
    ),
    case(
        "without a body",
        |request| GatewayRequest(request, None, false),
        400,
    ),
    case(
        "without a body, flagged",
        |request| GatewayRequest(request, None, true),
        400,
    ),
    case("names in capitals", in_capitals, 200),
    case("a header that many relays add to", forwarded, 200),
    case("without a signature", unsigned, 401),
    case("signed under two secrets", signed_under_two_secrets, 200),
    GatewayCase {
        name: "signed at two times",
        change: signed_at_two_times,
        // The load balancer's plain form keeps the last header alone, and that one is right.
        status: |shape| {
            if shape == HttpEventFormat::LoadBalancer {
                200
            } else {
                400
            }
        },
    },
    case("a cookie of each kind", with_cookies, 200),
];

const fn case(
    name: &'static str,
    change: fn(SignedRequest) -> GatewayRequest,
    status: u16,
) -> GatewayCase {
    GatewayCase {
        name,
        change,
        status: match status {
            200 => |_| 200,
            400 => |_| 400,
            _ => |_| 401,
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_of_an_event_has_the_same_verdict() {
    let harness = BuiltHarness::open().await;
    let mut endpoint = harness.start("payment-webhook").await;
    let mut kept = 0;
    for shape in HttpEventFormat::ALL {
        for way in &CASES {
            let name = format!("{} by {shape:?}", way.name);
            let GatewayRequest(request, body, flag) = (way.change)(webhook());
            harness.aws.take_operations();
            let event = request.shaped(shape, body, flag);
            let (status, response) = invoke_http(&mut endpoint, &event).await;
            assert_eq!(status, (way.status)(shape), "{name}: {response}");
            if status == 200 {
                kept += 1;
                assert_eq!(response["applied"], 1, "{name}: {response}");
                assert!(!harness.aws.take_operations().is_empty(), "{name}");
            } else {
                assert!(response["error"].is_string(), "{name}: {response}");
                assert_eq!(harness.aws.take_operations(), [""; 0], "{name}");
            }
        }
        assert_eq!(harness.count("journal#"), kept, "{shape:?}");
    }
    println!(
        "{} events in {} forms",
        CASES.len() * HttpEventFormat::ALL.len(),
        HttpEventFormat::ALL.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_is_known_in_every_form() {
    let harness = BuiltHarness::open().await;
    let mut endpoint = harness.start("payment-webhook").await;
    for shape in HttpEventFormat::ALL {
        let request = webhook();
        for (applied, repeated) in [(1, 0), (0, 1), (0, 1)] {
            let event = request.shaped(shape, Some(request.body.clone()), false);
            let (status, response) = invoke_http(&mut endpoint, &event).await;
            assert_eq!(status, 200, "{shape:?}: {response}");
            let counted = (&response["applied"], &response["repeated"]);
            assert_eq!(
                counted,
                (&json!(applied), &json!(repeated)),
                "{shape:?}: {response}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_is_named_by_whichever_gateway_names_it() {
    let harness = BuiltHarness::open().await;
    let acme = domain::ids::PartnerId::parse("acme").unwrap();
    store::partners::add(&harness.table(), &acme).await.unwrap();
    let mut endpoint = harness.start("partner-referral").await;
    for shape in [
        HttpEventFormat::HttpApi2,
        HttpEventFormat::HttpApi1,
        HttpEventFormat::RestApi,
    ] {
        for base64 in [false, true] {
            let request = referral("acme");
            let body = if base64 {
                request.base64()
            } else {
                request.body.clone()
            };
            let event = shape.event(&ClientRequest {
                method: "POST",
                path: "/partners/acme/events",
                parameters: &[("partner", "acme")],
                headers: &request.headers,
                body: Some(body),
                base64,
            });
            let (status, response) = invoke_http(&mut endpoint, &event.unwrap()).await;
            assert_eq!(status, 202, "{shape:?}, base64 {base64}: {response}");
        }
    }
    assert_eq!(harness.count("parked#"), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_has_the_form_of_its_question_and_its_lines_tell_the_verdict() {
    let harness = BuiltHarness::open().await;
    let mut endpoint = harness.start("payment-webhook").await;
    for shape in HttpEventFormat::ALL {
        let request = webhook();
        let event = request.shaped(shape, Some(request.body.clone()), false);
        let answer = crate::test_harness::invoke(&mut endpoint, &event).await;
        let http = matches!(
            shape,
            HttpEventFormat::HttpApi2 | HttpEventFormat::FunctionUrl
        );
        assert_eq!(answer.get("cookies").is_some(), http, "{shape:?}: {answer}");
        assert_eq!(answer["isBase64Encoded"], Value::Bool(false));
        assert_eq!(answer["headers"]["content-type"], "application/json");
        let id: Value = serde_json::from_str(&request.body).unwrap();
        let id = id["id"].as_str().unwrap();
        assert!(
            has_log_line(&endpoint, &["applied", id]),
            "{}",
            endpoint.log()
        );
    }
}

fn as_it_is(request: SignedRequest) -> GatewayRequest {
    let body = request.body.clone();
    GatewayRequest(request, Some(body), false)
}

fn base64(request: SignedRequest, changed: fn(String) -> String) -> GatewayRequest {
    let body = changed(request.base64());
    GatewayRequest(request, Some(body), true)
}

fn unflagged(request: SignedRequest) -> GatewayRequest {
    let GatewayRequest(request, body, _) = base64(request, |body| body);
    GatewayRequest(request, body, false)
}

fn flagged(request: SignedRequest) -> GatewayRequest {
    let GatewayRequest(request, body, _) = as_it_is(request);
    GatewayRequest(request, body, true)
}

fn cut(mut body: String) -> String {
    body.truncate(body.len() - 3);
    body
}

/// Its two letters of its own stand for `+` and `/`; the padding makes sure that one is there.
fn for_urls(body: String) -> String {
    format!("-_{}", body.replace('+', "-").replace('/', "_"))
}

fn in_capitals(mut request: SignedRequest) -> GatewayRequest {
    for (name, _) in &mut request.headers {
        *name = name.to_ascii_uppercase().leak();
    }
    as_it_is(request)
}

fn forwarded(mut request: SignedRequest) -> GatewayRequest {
    for hop in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        request.headers.push(("X-Forwarded-For", hop.to_owned()));
    }
    as_it_is(request)
}

fn unsigned(mut request: SignedRequest) -> GatewayRequest {
    request.headers.clear();
    as_it_is(request)
}

/// As a sender does that rolls its secret; a gateway may leave two headers or join them.
fn signed_under_two_secrets(mut request: SignedRequest) -> GatewayRequest {
    let (name, right) = request.headers[0].clone();
    let (time, mac) = right.split_once(",v1=").unwrap();
    let other = format!("{time},v1={}", "0".repeat(mac.len()));
    request.headers.insert(0, (name, other));
    as_it_is(request)
}

fn signed_at_two_times(request: SignedRequest) -> GatewayRequest {
    let GatewayRequest(mut request, body, flag) = signed_under_two_secrets(request);
    request.headers[0].1.insert(2, '1');
    GatewayRequest(request, body, flag)
}

fn with_cookies(mut request: SignedRequest) -> GatewayRequest {
    request.headers.push(("Cookie", "a=1".to_owned()));
    request.headers.push(("Cookie", "b=2; c=3".to_owned()));
    as_it_is(request)
}
