//! HTTP in, payload 2.0 out, and back.

use std::sync::Arc;

use axum::http::Method;
use local_cloud::routes::Route;
use local_cloud::{Stack, Wiring};
use runtime::function::Failure;
use serde_json::{Value, json};

use crate::support::{Dummy, dummy, get, http, post, silent_dummy, stack};

fn route(method: Method, path: &str, function: &Arc<Dummy>) -> Route {
    Route {
        method,
        path: path.to_owned(),
        function: Arc::<Dummy>::clone(function),
    }
}

async fn serving(function: &Arc<Dummy>) -> Stack {
    let routes = vec![
        route(Method::POST, "/webhooks/{provider}", function),
        route(Method::GET, "/webhooks/{provider}", function),
        route(Method::POST, "/webhooks/fixed", function),
    ];
    stack(|_| Wiring {
        routes,
        ..Wiring::default()
    })
    .await
}

#[tokio::test]
async fn a_request_reaches_its_function_as_a_payload_2_event() {
    let function = dummy(|_| Ok(json!({ "statusCode": 204 })));
    let stack = serving(&function).await;
    let head = "X-Twice: a\r\nX-Twice: b\r\nCookie: one=1; two=2\r\nUser-Agent: probe\r\n\
                Content-Type: application/json; charset=utf-8\r\n";
    let line = "POST /webhooks/str%C3%AFpe?a=1&b=x%20y&a=2";
    let answer = http(stack.gateway_url(), line, head, "{\"ö\":1}".as_bytes()).await;
    assert_eq!(answer.status, 204);
    let event = function.calls().remove(0);
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /webhooks/{provider}");
    assert_eq!(event["rawPath"], "/webhooks/str%C3%AFpe");
    assert_eq!(event["rawQueryString"], "a=1&b=x%20y&a=2");
    assert_eq!(
        event["queryStringParameters"],
        json!({ "a": "1,2", "b": "x y" })
    );
    assert_eq!(event["pathParameters"], json!({ "provider": "strïpe" }));
    assert_eq!(event["headers"]["x-twice"], "a,b");
    assert_eq!(event["headers"].get("cookie"), None);
    assert_eq!(event["cookies"], json!(["one=1", "two=2"]));
    assert_eq!(event["body"], "{\"ö\":1}");
    assert_eq!(event["isBase64Encoded"], false);
    let context = &event["requestContext"];
    assert_eq!(context["stage"], "$default");
    let expected = json!({
        "method": "POST", "path": "/webhooks/str%C3%AFpe", "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1", "userAgent": "probe",
    });
    assert_eq!(context["http"], expected);
    assert!(context["timeEpoch"].is_i64());
    assert!(context["time"].as_str().unwrap().ends_with(" +0000"));
}

#[tokio::test]
async fn bytes_that_are_not_text_or_not_called_text_arrive_as_base64() {
    let function = silent_dummy();
    let stack = serving(&function).await;
    let json = "Content-Type: application/json\r\n";
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    http(stack.gateway_url(), "POST /webhooks/a", json, &[0xff, 0x00]).await;
    http(stack.gateway_url(), "POST /webhooks/a", form, b"a=1").await;
    http(stack.gateway_url(), "POST /webhooks/a", "", b"").await;
    let flags: Vec<_> = function
        .calls()
        .iter()
        .map(|e| (e["body"].clone(), e["isBase64Encoded"].clone()))
        .collect();
    let expected = [
        (json!("/wA="), json!(true)),
        (json!("YT0x"), json!(true)),
        (Value::Null, json!(false)),
    ];
    assert_eq!(flags, expected);
}

#[tokio::test]
async fn an_answer_keeps_its_status_headers_cookies_and_bytes() {
    let function = dummy(|_| {
        Ok(json!({
            "statusCode": 418, "headers": { "X-Kind": "pot", "Content-Type": "image/png" },
            "cookies": ["a=1", "b=2"], "body": "/wA=", "isBase64Encoded": true,
        }))
    });
    let stack = serving(&function).await;
    let answer = get(stack.gateway_url(), "/webhooks/a").await;
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (418, [0xff, 0x00].as_slice())
    );
    assert!(answer.head.contains("x-kind: pot"));
    assert!(answer.head.contains("content-type: image/png"));
    assert!(answer.head.contains("set-cookie: a=1\r\nset-cookie: b=2"));
}

#[tokio::test]
async fn an_answer_without_a_status_is_the_body_of_a_200() {
    let stack = serving(&dummy(|_| Ok(json!({ "ok": true })))).await;
    let answer = get(stack.gateway_url(), "/webhooks/a").await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "ok": true })));
}

#[tokio::test]
async fn an_unknown_path_is_404_and_another_method_405_with_what_is_allowed() {
    let function = silent_dummy();
    let stack = serving(&function).await;
    assert_eq!(
        get(stack.gateway_url(), "/elsewhere?token=secret")
            .await
            .status,
        404
    );
    assert_eq!(get(stack.gateway_url(), "/webhooks/").await.status, 404);
    let answer = http(stack.gateway_url(), "DELETE /webhooks/a", "", b"").await;
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: post, get"), "{}", answer.head);
    assert!(function.calls().is_empty());
    let refusals = stack.state().refusals().unwrap();
    let shown: Vec<_> = refusals
        .iter()
        .map(|r| (r.status, r.path.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (405, "/webhooks/a"),
            (404, "/webhooks/"),
            (404, "/elsewhere")
        ]
    );
}

#[tokio::test]
async fn a_path_without_placeholders_goes_first() {
    let function = silent_dummy();
    let stack = serving(&function).await;
    http(stack.gateway_url(), "POST /webhooks/fixed", "", b"").await;
    assert_eq!(function.calls()[0]["routeKey"], "POST /webhooks/fixed");
}

#[tokio::test]
async fn a_body_beyond_six_megabytes_is_413_and_one_of_exactly_six_is_not() {
    let function = silent_dummy();
    let stack = serving(&function).await;
    let mut body = vec![b'a'; 6 * 1024 * 1024];
    let answer = http(stack.gateway_url(), "POST /webhooks/a", "", &body).await;
    assert_eq!(answer.status, 200);
    body.push(b'a');
    let answer = http(stack.gateway_url(), "POST /webhooks/a", "", &body).await;
    assert_eq!(answer.status, 413);
    assert_eq!(function.calls().len(), 1);
}

#[tokio::test]
async fn a_failure_and_a_panic_are_500_and_their_causes_are_kept() {
    let function = dummy(|event| match event["body"].as_str() {
        Some("fail") => Err(Failure::new("Store", "the table is gone")),
        Some("odd") => Ok(json!({ "statusCode": "many" })),
        _ => panic!("a bug"),
    });
    let stack = serving(&function).await;
    for body in ["fail", "odd", "panic"] {
        let answer = http(stack.gateway_url(), "POST /webhooks/a", "", body.as_bytes()).await;
        assert_eq!(answer.status, 500);
        assert!(
            answer
                .text()
                .starts_with("The function behind POST /webhooks/{provider} failed")
        );
    }
    let refusals = stack.state().refusals().unwrap();
    assert_eq!(refusals[0].cause, "Runtime.Panic: a bug");
    assert!(
        refusals[1]
            .cause
            .starts_with("its answer is no HTTP answer")
    );
    assert_eq!(refusals[2].cause, "Store: the table is gone");
}

#[tokio::test]
async fn a_refused_request_is_kept_without_its_query_and_with_at_most_64_kb_of_it() {
    let function = dummy(|_| Ok(json!({ "statusCode": 401, "body": "the signature is wrong" })));
    let stack = serving(&function).await;
    let body = "é".repeat(50_000);
    http(
        stack.gateway_url(),
        "POST /webhooks/a?key=secret",
        "",
        body.as_bytes(),
    )
    .await;
    let refusal = stack.state().refusals().unwrap().remove(0);
    assert_eq!(
        (refusal.path.as_str(), refusal.status),
        ("/webhooks/a", 401)
    );
    assert_eq!(refusal.cause, "the signature is wrong");
    assert_eq!(refusal.body.len(), 64 * 1024);
}

#[tokio::test]
async fn an_answer_that_has_no_body_has_no_length() {
    let response = "{\"ignored\":1}";
    let function = dummy(move |event| {
        let status: u16 = event["headers"]["x-status"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        Ok(json!({ "statusCode": status, "body": response, "headers": { "X-Kind": "quiet" } }))
    });
    let stack = serving(&function).await;
    for status in [204, 304] {
        let head = format!("X-Status: {status}\r\n");
        let answer = http(stack.gateway_url(), "POST /webhooks/a", &head, b"{}").await;
        assert_eq!((answer.status, answer.text().as_str()), (status, ""));
        assert!(answer.head.contains("x-kind: quiet"), "{}", answer.head);
        for absent in ["content-length", "content-type", "transfer-encoding"] {
            assert!(!answer.head.contains(absent), "{}", answer.head);
        }
    }
    let head = "X-Status: 103\r\n";
    let answer = http(stack.gateway_url(), "POST /webhooks/a", head, b"{}").await;
    assert_eq!(answer.status, 500, "an interim status answers nothing");
}

#[tokio::test]
async fn an_endpoint_is_reached_through_a_tunnel_and_what_it_refuses_is_listed() {
    let function = dummy(|_| Ok(json!({ "statusCode": 401, "body": "the signature is wrong" })));
    let stack = serving(&function).await;
    let head = "Host: shop.tunnel.example\r\nX-Forwarded-Host: shop.tunnel.example\r\n";
    let answer = http(stack.gateway_url(), "POST /webhooks/a", head, b"{}").await;
    assert_eq!(answer.text(), "the signature is wrong");
    let lost = http(stack.gateway_url(), "POST /elsewhere", head, b"{}").await;
    assert_eq!(lost.status, 404);
    let page = http(stack.gateway_url(), "GET /_stack/refusals", head, b"").await;
    assert_eq!(page.status, 403, "the list itself is this machine's");
    let listed = get(stack.gateway_url(), "/_stack/refusals").await.json();
    assert_eq!(listed["refusals"][0]["path"], "/elsewhere");
    assert_eq!(listed["refusals"][1]["cause"], "the signature is wrong");
}

#[tokio::test]
async fn a_refusal_says_how_far_the_stacks_clock_is_off() {
    let function = dummy(|event| match event["body"].as_str() {
        Some("text") => Ok(json!({ "statusCode": 401, "body": "too old" })),
        Some("busy") => Ok(json!({ "statusCode": 503, "body": "later" })),
        _ => Ok(json!({ "statusCode": 400, "body": "{\"error\":\"too old\"}" })),
    });
    let stack = serving(&function).await;
    let send =
        async |body: &str| http(stack.gateway_url(), "POST /webhooks/a", "", body.as_bytes()).await;
    assert_eq!(send("text").await.text(), "too old");
    let forward = json!({ "advance": "74h" });
    post(stack.gateway_url(), "/_stack/clock", &forward).await;
    let note = "this stack's clock is 3d 2h ahead of this machine's, so what was signed by the \
                real time seems too old; `orangery clock set now` sets it right";
    assert_eq!(
        send("{}").await.json(),
        json!({ "error": "too old", "stack_clock": note })
    );
    assert!(send("text").await.text().contains(note));
    assert_eq!(send("busy").await.text(), "later");
    let listed = get(stack.gateway_url(), "/_stack/refusals").await.json();
    assert!(
        listed["refusals"][1]["cause"]
            .as_str()
            .unwrap()
            .contains(note),
        "{listed}"
    );
    post(
        stack.gateway_url(),
        "/_stack/clock",
        &json!({ "set": "now" }),
    )
    .await;
    assert_eq!(send("text").await.text(), "too old");
}

#[tokio::test]
async fn further_pages_go_before_the_functions() {
    let function = silent_dummy();
    let routes = vec![route(Method::GET, "/{page}", &function)];
    let pages = axum::Router::new().route("/console", axum::routing::get(async || "a page"));
    let stack = stack(|_| Wiring {
        routes,
        pages,
        ..Wiring::default()
    })
    .await;
    assert_eq!(get(stack.gateway_url(), "/console").await.text(), "a page");
    assert!(function.calls().is_empty());
}
