//! Who may speak to the three ports: this machine's programs and the stack's own pages.

use local_cloud::guard::is_loopback;
use local_cloud::{Stack, Wiring};
use serde_json::json;

use crate::support::{RawResponse, dynamodb, http, put, stack};

/// One request to each port that changes something or tells everything.
const REQUESTS: [(&str, &str, &str); 7] = [
    ("gateway", "GET /mailbox.json", ""),
    ("gateway", "GET /_stack/refusals", ""),
    ("gateway", "POST /_stack/clock", r#"{"advance":"3d"}"#),
    ("gateway", "GET /console", ""),
    ("table", "POST /", r#"{"TableName":"orangery"}"#),
    ("aws", "POST /", r#"{"QueueName":"letters"}"#),
    ("aws", "POST /v2/email/outbound-emails", "{}"),
];

const LIKE_AN_SDK: &str = "Content-Type: application/x-amz-json-1.0\r\n\
     X-Amz-Target: DynamoDB_20120810.Scan\r\nX-Amz-Date: 20260301T000000Z\r\n\
     Authorization: AWS4-HMAC-SHA256 Credential=a/20260301/b/dynamodb/aws4_request, \
     SignedHeaders=host, Signature=c\r\n";

async fn with_a_page() -> Stack {
    let pages = axum::Router::new().route("/console", axum::routing::get(async || "a page"));
    stack(|_| Wiring {
        pages,
        ..Wiring::default()
    })
    .await
}

async fn send(stack: &Stack, request: (&str, &str, &str), head: &str) -> RawResponse {
    let (port, line, body) = request;
    let url = match port {
        "gateway" => stack.gateway_url(),
        "table" => &stack.endpoints().table_url,
        _ => stack.aws_endpoint(),
    };
    let json = match port {
        "gateway" => "Content-Type: application/json\r\n",
        _ => LIKE_AN_SDK,
    };
    http(url, line, &format!("{json}{head}"), body.as_bytes()).await
}

#[tokio::test]
async fn every_port_answers_this_machines_names_alone() {
    let stack = with_a_page().await;
    put(stack.engine(), "a customer");
    for request in REQUESTS {
        for head in [
            "Host: evil.example\r\n",
            "Host: 127.0.0.1.evil.example\r\n",
            "Host: localhost.evil.example:80\r\n",
            "Host: [::1].evil.example\r\n",
            "Host: 127.0.0.1:9200@evil.example\r\n",
            "Host: evil@localhost\r\n",
            "Host: evil.example/.localhost\r\n",
            "Host: localhost:http\r\n",
            "Host: localhost:99999\r\n",
            "Host: 0.0.0.0\r\n",
            "Host: \r\n",
            "Host: localhost\r\nHost: evil.example\r\n",
            "Host: localhost\r\nX-Forwarded-Host: shop.tunnel.example\r\n",
        ] {
            let answer = send(&stack, request, head).await;
            assert!(
                [400, 403].contains(&answer.status),
                "{request:?} {head}: {answer:?}"
            );
            assert!(!answer.text().contains("customer"), "{request:?} {head}");
        }
        for head in [
            "Host: localhost\r\n",
            "Host: 127.0.0.1:8080\r\n",
            "Host: [::1]:8080\r\n",
            "Host: Shop.localhost\r\n",
        ] {
            let answer = send(&stack, request, head).await;
            assert_ne!(answer.status, 403, "{request:?} {head}: {answer:?}");
        }
    }
    let (line, other) = (
        "GET http://evil.example/mailbox.json",
        "Host: localhost\r\n",
    );
    let absolute = http(stack.gateway_url(), line, other, b"").await;
    assert_eq!(absolute.status, 403, "the name in the line counts too");
}

#[tokio::test]
async fn no_page_of_another_site_reads_or_changes_anything_at_any_port() {
    let stack = with_a_page().await;
    put(stack.engine(), "a customer");
    let before = stack.clock().offset();
    for request in REQUESTS {
        for head in [
            "Origin: https://evil.example\r\n",
            "Origin: null\r\n",
            "Origin: http://localhost.evil.example\r\n",
            "Origin: http://localhost@evil.example\r\n",
            "Origin: http://localhost:3000\r\n",
            "Origin: https://localhost\r\n",
            "Origin: http://localhost\r\nOrigin: https://evil.example\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
            "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n",
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
            "Connection: upgrade\r\nUpgrade: websocket\r\nOrigin: https://evil.example\r\n",
        ] {
            let answer = send(&stack, request, head).await;
            assert_eq!(answer.status, 403, "{request:?} {head}: {answer:?}");
            assert!(!answer.head.contains("access-control-"), "{answer:?}");
        }
        let (port, line, _) = request;
        let (_, path) = line.split_once(' ').unwrap();
        let preflight = format!("OPTIONS {path}");
        let head = "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\
                    Access-Control-Request-Headers: x-amz-target\r\n";
        let answer = send(&stack, (port, &preflight, ""), head).await;
        assert_eq!(answer.status, 403, "{preflight}: {answer:?}");
        assert!(!answer.head.contains("access-control-"), "{answer:?}");
        let own = send(&stack, request, "Origin: http://localhost\r\n").await;
        assert_ne!(own.status, 403, "{request:?}: {own:?}");
        assert!(
            own.head
                .contains("cross-origin-resource-policy: same-origin"),
            "{own:?}"
        );
    }
    // The pages' own request above is all that moved it.
    assert_eq!(stack.clock().offset() / 1_000, before / 1_000 + 3 * 86_400);
}

#[tokio::test]
async fn a_link_from_elsewhere_opens_a_page_and_posts_no_form() {
    let stack = with_a_page().await;
    let head = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\
                Sec-Fetch-Dest: document\r\n";
    let page = send(&stack, ("gateway", "GET /console", ""), head).await;
    assert_eq!((page.status, page.text().as_str()), (200, "a page"));
    let posted = send(&stack, ("gateway", "POST /_stack/settle", ""), head).await;
    assert_eq!(posted.status, 403);
}

#[tokio::test]
async fn the_tables_port_wants_what_no_form_can_send_and_still_serves_the_sdk() {
    let stack = with_a_page().await;
    let url = stack.endpoints().table_url.clone();
    for head in [
        "Content-Type: text/plain\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\n",
        "Content-Type: application/x-amz-json-1.0\r\n",
        "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.Nothing\r\n",
        "Content-Type: application/json\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\n",
    ] {
        let answer = http(&url, "POST /", head, b"{}").await;
        assert_eq!(answer.status, 400, "{head}: {answer:?}");
        assert!(answer.json()["__type"].is_string(), "{answer:?}");
    }
    let garbled = send(&stack, ("table", "POST /", "{\"TableName\":1}"), "").await;
    assert!(
        garbled.text().contains("SerializationException"),
        "{garbled:?}"
    );
    let nameless = send(&stack, ("table", "POST /", "{}"), "").await;
    assert!(
        nameless.text().contains("ValidationException"),
        "{nameless:?}"
    );
    let listed = dynamodb(&stack).list_tables().send().await.unwrap();
    assert_eq!(json!(listed.table_names()), json!(["orangery"]));
}

#[test]
fn an_authority_is_a_name_and_a_port_and_nothing_else() {
    for own in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:80",
    ] {
        assert!(is_loopback(own), "{own}");
    }
    for other in [
        "",
        ":80",
        "::1",
        "[::1",
        "[::1].evil.example",
        "[::1]evil",
        "[::1]:",
        "[localhost]",
        "localhost:",
        "localhost:+80",
        "127.0.0.1:9200@evil.example",
        "localhost@evil.example",
        "evil.example#.localhost",
        "a..localhost",
        ".localhost",
        "localhost.",
    ] {
        assert!(!is_loopback(other), "{other}");
    }
}
