//! What is authentic, whatever it says.

use super::{SignedSender, changed, invoice};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_authentic_and_unreadable_is_quarantined_once() {
    let sender = SignedSender::open().await;
    for (name, body) in unreadable().into_iter().chain(unclear()) {
        for verdict in ["quarantined", "repeated"] {
            let answer = sender.post(&sender.signed(&body), body.clone()).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            let counted = format!("\"{verdict}\":1");
            assert!(answer.body.contains(&counted), "{name}: {}", answer.body);
        }
    }
    sender.harness.settle().await;
    assert_eq!(sender.harness.stack().counts().unwrap().failed_batches, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_concern_us_is_acknowledged_and_costs_no_store_request() {
    let sender = SignedSender::open().await;
    let thin = r#"{"id":"evt_1","object":"v2.core.event","type":"v2.hummed","created":"now"}"#;
    for (name, body, verdict) in [
        (
            "unknown event type",
            invoice(&[("type", json!("invoice.hummed"))]),
            "ignored",
        ),
        ("a thin event", thin.as_bytes().to_vec(), "ignored"),
        (
            "wrong mode",
            invoice(&[("livemode", json!(true))]),
            "wrong_mode",
        ),
    ] {
        let answer = sender.post(&sender.signed(&body), body).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let counted = format!("\"{verdict}\":1");
        assert!(answer.body.contains(&counted), "{name}: {}", answer.body);
        assert_eq!(sender.proxy.take_operations(), [""; 0], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_to_keep_is_413_and_no_trouble_of_the_tables() {
    let sender = SignedSender::open().await;
    let noise = noise(700_000);
    for (name, body) in [
        (
            "an invoice",
            invoice(&[("data.object.description", json!(noise))]),
        ),
        ("what can't be read", noise.clone().into_bytes()),
    ] {
        for _ in 0..2 {
            let answer = sender.post(&sender.signed(&body), body.clone()).await;
            assert_eq!(answer.status, 413, "{name}: {answer:?}");
            assert!(answer.body.contains("too large to be kept"), "{answer:?}");
            let asked = format!("{:?}", sender.proxy.take_operations());
            assert!(!asked.contains("PutItem"), "{name}: {asked}");
        }
    }
}

/// Text that packing makes a quarter smaller and no more.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let letter = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'0' + (state >> 58) as u8)
    };
    (0..length).map(letter).filter(|c| *c != '\\').collect()
}

fn unreadable() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = String::from_utf8(invoice(&[])).unwrap();
    let twice = text.replacen("\"amount_paid\"", "\"amount_paid\":1,\"amount_paid\"", 1);
    let half = text.as_bytes()[..text.len() / 2].to_vec();
    vec![
        ("invalid UTF-8", b"{\"id\":\"\xff\xfe\"}".to_vec()),
        ("NUL bytes", vec![0; 64]),
        ("a byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("duplicate keys", twice.into_bytes()),
        ("deep nesting", deep.into_bytes()),
        ("no object", b"[1, 2]".to_vec()),
        ("half of it", half),
    ]
}

fn unclear() -> Vec<(&'static str, Vec<u8>)> {
    let status = [("data.object.status", json!("hibernating"))];
    vec![
        (
            "unknown status",
            changed("customer.subscription.updated", &status),
        ),
        (
            "unknown currency",
            invoice(&[("data.object.currency", json!("qqq"))]),
        ),
        (
            "an amount as text",
            invoice(&[("data.object.amount_paid", json!("12"))]),
        ),
        ("no object in it", invoice(&[("data", json!({}))])),
    ]
}
