//! A verified body that no item of the table can hold.

use local_shop::shop::local_secret;
use providers::{PROVIDERS, Provider, Secret};
use serde_json::Value;
use tests::harness::{TestHarness, shop};

/// Text that hardly packs: more than 400 KB of it are left.
fn noise() -> String {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                [(state % 64) as usize],
        )
    };
    (0..600_000).map(|_| next()).collect()
}

/// A sample of a provider's that is JSON, with noise in the item that the journal keeps.
fn noisy(provider: &Provider) -> Vec<u8> {
    let mut samples = provider.samples().iter();
    let (_, body) = samples.find(|(_, body)| body.starts_with('{')).unwrap();
    let mut body: Value = serde_json::from_str(body).unwrap();
    let item = match body.pointer_mut("/events/0") {
        Some(item) => item,
        None => &mut body,
    };
    item["noise"] = noise().into();
    body.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verified_body_too_large_to_keep_is_a_413_at_every_endpoint() {
    // As the providers' own secrets: the shop of other tests has one of its own.
    let mut shop = shop();
    shop.secrets.clear();
    let harness = TestHarness::local_stack().shop(shop).open().await;
    let mut tried = Vec::new();
    for provider in PROVIDERS.iter().copied() {
        // Who signs with a certificate is asked for the body, and answers with 256 KiB at most.
        if provider.signs_with_certificate() {
            continue;
        }
        let body = noisy(provider);
        let secrets = provider
            .secrets([local_secret(provider.name()).as_str()])
            .unwrap();
        let secret: &Secret = secrets.first().unwrap();
        let headers = provider.sign(&body, secret, harness.now()).unwrap();
        let path = format!("/webhooks/{}", provider.name());
        let answer = harness.post("POST", &path, &headers, body).await;
        assert_eq!(answer.status, 413, "{path}: {answer:?}");
        assert!(answer.body.contains("too large to be kept"), "{answer:?}");
        tried.push(provider.name());
    }
    assert_eq!(tried.len(), PROVIDERS.len() - 1, "{tried:?}");
}
