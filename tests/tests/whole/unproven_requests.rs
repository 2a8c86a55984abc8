//! What strangers can make the whole of it do: calls to a provider, and answers without content.

use axum::Router;
use axum::http::{StatusCode, Uri};
use local_shop::shop::local_secret;
use providers::{Secret, provider};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use tests::harness::requests::blocking;
use tests::harness::{TestHarness, shop};

const SEGMENT: &str = "b7Qx-0mW_4tRz9KdLs2E";

/// An API of Mollie's that knows nothing, and remembers what it was asked.
async fn unknowing_api() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let counter = Arc::clone(&asked);
    let answer = move |uri: Uri| async move {
        counter.lock().unwrap().push(uri.path().to_owned());
        (
            StatusCode::NOT_FOUND,
            r#"{"status":404,"title":"Not Found"}"#,
        )
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, asked)
}

/// The statuses of so many forms sent to this path, each with an id of its own.
async fn flood(harness: &TestHarness, path: &str, forms: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for id in 0..forms {
        let form = format!("id=tr_Unknown{id}").into_bytes();
        statuses.push(harness.post("POST", path, &[], form).await.status);
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_forms_asks_mollie_twenty_times_and_none_beside_its_own_address() {
    for (secret, own, calls) in [
        (None, "/webhooks/mollie".to_owned(), 20),
        (Some(SEGMENT), format!("/webhooks/mollie/{SEGMENT}"), 20),
        (Some(SEGMENT), "/webhooks/mollie".to_owned(), 0),
        (
            Some(SEGMENT),
            "/webhooks/mollie/another-segment".to_owned(),
            0,
        ),
    ] {
        let (url, asked) = unknowing_api().await;
        let mut shop = shop();
        shop.api_urls.insert("mollie".into(), url);
        let secrets = secret.map(|segment| format!("path:{segment}"));
        let secrets = secrets.into_iter().chain([local_secret("mollie")]);
        shop.secrets.insert("mollie".into(), secrets.collect());
        let harness = TestHarness::local_stack().shop(shop).counted().open().await;
        let wire = harness.proxy().clone();
        wire.take_operations();
        let statuses = flood(&harness, &own, 100).await;
        let count = |status: u16| statuses.iter().filter(|given| **given == status).count();
        assert_eq!(asked.lock().unwrap().len(), calls, "{own}");
        if calls == 0 {
            assert_eq!(count(401), 100, "{own}: {statuses:?}");
        } else {
            // Mollie says of the first twenty that they are unknown; the others may come again.
            assert_eq!((count(200), count(503)), (20, 80), "{own}: {statuses:?}");
        }
        assert_eq!(wire.take_operations(), [""; 0], "{own} cost store requests");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_certificate_names_asks_paypal_twenty_times() {
    let (url, asked) = unknowing_api().await;
    let mut shop = shop();
    shop.api_urls.insert("paypal".into(), url);
    let harness = TestHarness::local_stack().shop(shop).open().await;
    let mut statuses = Vec::new();
    for number in 0..100 {
        let certificates = "https://api.sandbox.paypal.com/v1/notifications/certs";
        let headers = [
            ("paypal-transmission-id", format!("made-up-{number}")),
            ("paypal-transmission-time", harness.now().to_string()),
            ("paypal-transmission-sig", "AAAA".to_owned()),
            ("paypal-cert-url", format!("{certificates}/CERT-{number}")),
            ("paypal-auth-algo", "SHA256withRSA".to_owned()),
        ];
        let body = b"{}".to_vec();
        let answer = harness.post("POST", "/webhooks/paypal", &headers, body);
        statuses.push(answer.await.status);
    }
    assert_eq!(asked.lock().unwrap().len(), 20);
    let count = |status: u16| statuses.iter().filter(|given| **given == status).count();
    assert_eq!((count(401), count(503)), (20, 80), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_content_has_no_length() {
    let body =
        include_str!("../../../crates/providers/fixtures/gocardless/ignored-unknown-type.json");
    let harness = TestHarness::local_stack().open().await;
    let gocardless = provider("gocardless").unwrap();
    let secret = Secret::new(&local_secret("gocardless")).unwrap();
    let headers = gocardless
        .sign(body.as_bytes(), &secret, harness.now())
        .unwrap();
    let host = harness
        .stack()
        .gateway_url()
        .trim_start_matches("http://")
        .to_owned();
    let mut request = format!(
        "POST /webhooks/gocardless HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("\r\n{body}");
    let answer = blocking(move || {
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.to_ascii_lowercase()
    });
    let answer = answer.await;
    assert!(answer.starts_with("http/1.1 204 "), "{answer}");
    assert!(!answer.contains("content-length"), "{answer}");
    assert!(!answer.contains("transfer-encoding"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}
