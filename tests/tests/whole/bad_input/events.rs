//! Lambda's own events.

use super::{SignedSender, WEBHOOK_PATH, invoice};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lambda_event_that_is_none_or_lies_about_base64_is_a_400_and_no_panic() {
    let sender = SignedSender::open().await;
    let body = invoice(&[]);
    let signature = sender.header(&body, &sender.secret, sender.now());
    let event = |body: &str, flagged: bool| {
        json!({
            "version": "2.0", "rawPath": WEBHOOK_PATH, "body": body, "isBase64Encoded": flagged,
            "headers": { "Stripe-Signature": signature },
            "requestContext": { "requestId": "r-1", "http": { "method": "POST" } },
        })
        .to_string()
    };
    let text = String::from_utf8(body.clone()).unwrap();
    let packed = STANDARD.encode(&body);
    for route in &sender.harness.wiring().routes {
        for (name, payload) in [
            ("bad base64", event("%%% no base64 %%%", true)),
            ("plain text flagged base64", event(&text, true)),
            (
                "cut base64",
                event(packed.strip_suffix('=').unwrap_or("a"), true),
            ),
            ("no HTTP event", json!({ "Records": [] }).to_string()),
            ("no JSON", "orange".into()),
            ("nothing", String::new()),
        ] {
            let answer = route.function.invoke(payload.as_bytes()).await.unwrap();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(
                answer["statusCode"], 400,
                "{name} at {}: {answer}",
                route.path
            );
            assert_eq!(sender.proxy.take_operations(), [""; 0], "{name}");
        }
    }
    let mut routes = sender.harness.wiring().routes.iter();
    let endpoint = &routes
        .find(|route| route.path == WEBHOOK_PATH)
        .unwrap()
        .function;
    for (payload, status) in [
        (event(&packed, false), 401),
        (event(&packed, true), 200),
        (event(&text, false), 200),
    ] {
        let answer = endpoint.invoke(payload.as_bytes()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["statusCode"], status, "{answer}");
    }
}
