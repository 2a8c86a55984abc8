//! A stack wired as `cargo run` wires it, and bare HTTP.

use domain::catalog::Catalog;
use local_cloud::{Stack, StackSettings};
use local_shop::delivery::agent;
use local_shop::samples::{CATALOG, sample_story};
use local_shop::shop::Shop;
use local_shop::shop::signers;
use local_shop::story::Story;
use orangery::wiring::wire;

/// The secret in force at the tests' endpoint.
pub(crate) const SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSBwYWdlcycgdGVzdHM";

pub(crate) fn shop() -> Shop {
    Shop {
        catalog: Catalog::parse(CATALOG).unwrap(),
        catalog_text: Some(CATALOG.to_owned()),
        secrets: [("stripe".to_owned(), vec![SECRET.to_owned()])].into(),
        ..Shop::default()
    }
}

pub(crate) async fn open(shop: &Shop) -> Stack {
    let settings = StackSettings {
        clock: Some("2026-03-01T00:00:00Z".parse().unwrap()),
        ..StackSettings::default()
    };
    Stack::start(settings, |endpoints| wire(endpoints, shop).unwrap())
        .await
        .unwrap()
}

/// Tells a sample story.
pub(crate) async fn play_story(stack: &Stack, shop: &Shop, name: &str) {
    let story = Story::parse(sample_story(name).unwrap()).unwrap();
    let table = local_shop::connection::dynamo_table(stack.endpoints()).unwrap();
    for partner in story.partners() {
        store::partners::add(&table, &partner).await.unwrap();
    }
    let now = stack.clock().now();
    let deliveries = story.deliveries(&signers(shop).unwrap(), now).unwrap();
    let gateway = stack.gateway_url().to_owned();
    let sent = blocking(move || {
        deliveries
            .iter()
            .map(|delivery| delivery.send(&gateway, now).unwrap().status)
            .collect()
    });
    let statuses: Vec<u16> = sent.await;
    assert!(
        statuses.iter().all(|status| (200..300).contains(status)),
        "{statuses:?}"
    );
    stack.settle().await.unwrap();
}

pub(crate) async fn get(stack: &Stack, path: &str) -> (u16, String) {
    let url = format!("{}{path}", stack.gateway_url());
    blocking(move || {
        let mut answer = agent(&url).get(&url).call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), text)
    })
    .await
}

/// Posts bytes under these headers.
pub(crate) async fn post(
    stack: &Stack,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> (u16, String) {
    let url = format!("{}{path}", stack.gateway_url());
    let (headers, body) = (headers.to_vec(), body.to_vec());
    blocking(move || {
        let mut request = agent(&url).post(&url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut answer = request.send(&body[..]).unwrap();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), text)
    })
    .await
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Nobody but their owner may read these files.
pub(crate) fn assert_private(files: &[&str]) {
    #[cfg(unix)]
    for file in files {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file} is open to others");
    }
}
