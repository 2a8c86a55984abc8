//! A provider's API that is silent for a while, at the whole stack: over HTTP, through the SDK,
//! with stream and schedules.

use crate::support::provider_api_stub::ProviderApiStub;
use domain::ids::CustomerKey;
use jiff::SignedDuration;
use local_shop::delivery::{Delivery, Signer};
use local_shop::shop::local_secret;
use orangery::wiring::DUE_SCAN;
use providers::{Provider, provider};
use serde_json::Value;
use store::folding::read_record;
use tests::harness::{TestHarness, shop};

/// Samples of each provider whose events are proven by a signature and completed by its API, and
/// whose they are.
const SAMPLES_BY_PROVIDER: [(&str, &[&str], &str); 2] = [
    (
        "gocardless",
        &[
            "mandates.created",
            "subscriptions.created",
            "payments.confirmed",
        ],
        "gocardless/test/CU000Grove01",
    ),
    (
        "mollie",
        &["sales-invoice.paid-simple"],
        "mollie/test/cst_Grove01",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_told_while_the_api_is_silent_end_as_if_it_had_answered() {
    for (name, samples, customer) in SAMPLES_BY_PROVIDER {
        let provider = provider(name).unwrap();
        let (harness, api) = harness(provider, samples).await;
        api.set_available(true);
        send(&harness, provider, samples, "applied").await;
        harness.settle().await;
        let expected = view_without_verdicts(&harness, customer).await;
        assert_eq!(expected["events"].as_array().unwrap().len(), samples.len());

        let (harness, api) = self::harness(provider, samples).await;
        send(&harness, provider, samples, "waiting").await;
        harness.settle().await;
        harness.stack().run_schedule(DUE_SCAN).await.unwrap();
        let (table, key) = (harness.table.clone(), CustomerKey::parse(customer).unwrap());
        let nobody = read_record(&table, &key).await.unwrap();
        assert!(nobody.is_none(), "{name}");
        // The last comes again before anybody has asked once more.
        api.set_available(true);
        let last = samples.len() - 1;
        send(&harness, provider, &samples[last..], "applied").await;
        harness.stack().run_schedule(DUE_SCAN).await.unwrap();
        harness.settle().await;
        assert_eq!(
            view_without_verdicts(&harness, customer).await,
            expected,
            "{name}"
        );
        // And once more, after it was completed.
        send(&harness, provider, samples, "repeated").await;
        api.set_available(false);
        send(&harness, provider, &samples[last..], "waiting").await;
        harness.advance(SignedDuration::from_hours(1)).await;
        assert_eq!(
            view_without_verdicts(&harness, customer).await,
            expected,
            "{name}"
        );
        api.set_available(true);
        harness.stack().run_schedule(DUE_SCAN).await.unwrap();
        send(&harness, provider, samples, "repeated").await;
        assert_eq!(
            view_without_verdicts(&harness, customer).await,
            expected,
            "{name}"
        );
    }
}

async fn harness(provider: &Provider, samples: &[&str]) -> (TestHarness, ProviderApiStub) {
    let api = ProviderApiStub::start_silent(provider, samples);
    let mut shop = shop();
    shop.api_urls
        .insert(provider.name().into(), api.url.clone());
    let harness = TestHarness::local_stack().shop(shop).open().await;
    (harness, api)
}

/// Delivers each, which must be answered with 2xx and this verdict.
async fn send(harness: &TestHarness, provider: &'static Provider, samples: &[&str], verdict: &str) {
    for sample in samples {
        let all = provider.samples().iter();
        let (_, body) = all.copied().find(|(known, _)| known == sample).unwrap();
        let delivery = Delivery {
            name: (*sample).to_owned(),
            path: format!("/webhooks/{}", provider.name()),
            body: body.as_bytes().to_vec(),
            signer: Signer::provider(provider, &local_secret(provider.name())).unwrap(),
        };
        let answer = harness.send(&delivery).await;
        assert!((200..300).contains(&answer.status), "{sample}: {answer:?}");
        let counts: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(counts[verdict], 1, "{sample}: {counts}");
    }
}

/// The view, whose events were received when they were.
async fn view_without_verdicts(harness: &TestHarness, customer: &str) -> Value {
    let mut view = harness.view(customer).await;
    for event in view["events"].as_array_mut().unwrap() {
        event["verdict"] = "(by arrival)".into();
    }
    view
}
