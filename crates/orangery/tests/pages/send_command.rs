//! What `send` sends of a provider whose API is asked, with no such API anywhere.

use super::parsed_page::ParsedPage;
use super::support::{blocking, get, open, post, shop};
use domain::ids::CustomerKey;
use local_cloud::Stack;
use local_shop::connection::dynamo_table;
use orangery::send::{SendOptions, run};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sample_and_a_life_of_a_thin_provider_are_whole_without_its_api() {
    let shop = shop();
    let stack = open(&shop).await;
    for (provider, what, customer) in [
        ("mollie", "payment.paid", "mollie/test/cst_Grove01"),
        (
            "mollie",
            "sales-invoice.paid-simple",
            "mollie/test/cst_Grove01",
        ),
        (
            "gocardless",
            "payments.confirmed",
            "gocardless/test/CU000Grove01",
        ),
        (
            "paypal",
            "PAYMENT.SALE.COMPLETED",
            "paypal/test/NELLPAYER0001",
        ),
    ] {
        run(&send(&stack, provider, what)).await.unwrap();
        let view = view(&stack, customer).await;
        let events = view["events"].as_array().unwrap();
        assert_eq!(events.last().unwrap()["verdict"], "applied", "{view:#}");
        assert!(
            events.iter().all(|event| event["verdict"] != "quarantined"),
            "{view:#}"
        );
        // As if it happened now, in the stack, where the first of March is.
        let paid_at = view["payments"][0]["paid_at"].as_str().unwrap();
        assert!(
            paid_at.starts_with("2026-0") && paid_at > "2026-02-2",
            "{what}: {paid_at}"
        );
    }
    for customer in ["mollie/test/cst_Grove01", "gocardless/test/CU000Grove01"] {
        for event in view(&stack, customer).await["events"].as_array().unwrap() {
            let (account, _) = customer.rsplit_once('/').unwrap();
            let id = event["id"].as_str().unwrap();
            let form = format!("id={account}/{id}").into_bytes();
            let (_, page) = post(&stack, "/event/replay", &urlencoded(), &form).await;
            let repeated = page.contains("&quot;repeated&quot;:1");
            assert!(
                repeated && ParsedPage::read(&page).replay_changed_nothing(),
                "{event}: {page}"
            );
        }
    }
    for (provider, customer, payments) in [
        ("mollie", "mollie/test/cst_Nell01", 4),
        ("gocardless", "gocardless/test/CU000Nell01", 4),
        ("paypal", "paypal/test/NELLPAYER0001", 5),
    ] {
        let mut scenario = send(&stack, provider, "scenario");
        (scenario.duplicate, scenario.shuffle) = (true, true);
        run(&scenario).await.unwrap();
        let view = view(&stack, customer).await;
        assert_eq!(
            view["payments"].as_array().unwrap().len(),
            payments,
            "{view:#}"
        );
        assert_eq!(view["subscriptions"][0]["status"], "canceled", "{view:#}");
    }
    let (_, page) = get(&stack, "/").await;
    assert_eq!(ParsedPage::read(&page).count_of("waiting"), "0", "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_sent_just_before_the_clock_moves_is_neither_lost_nor_late() {
    let stack = open(&shop()).await;
    run(&send(&stack, "mollie", "payment.paid")).await.unwrap();
    let gateway = stack.gateway_url().to_owned();
    let moved = blocking(move || local_shop::clock::advance(&gateway, "3d").unwrap()).await;
    assert!(moved.to_string().starts_with("2026-03-04"), "{moved}");
    stack.settle().await.unwrap();
    let counts = stack.counts().unwrap();
    assert_eq!(
        counts.failed_batches,
        0,
        "{:?}",
        stack.state().failed_batches()
    );
    assert!(
        counts.stream_lag.values().all(|lag| *lag == 0),
        "{counts:?}"
    );
    let gateway = stack.gateway_url().to_owned();
    blocking(move || local_shop::clock::set(&gateway, "now").unwrap()).await;
    assert_eq!(stack.clock().offset(), 0);
    let view = view(&stack, "mollie/test/cst_Grove01").await;
    assert_eq!(view["payments"].as_array().unwrap().len(), 1, "{view:#}");
}

fn urlencoded() -> Vec<(String, String)> {
    let kind = "application/x-www-form-urlencoded";
    vec![("content-type".into(), kind.into())]
}

fn send(stack: &Stack, provider: &str, what: &str) -> SendOptions {
    SendOptions {
        gateway: stack.gateway_url().to_owned(),
        provider: provider.into(),
        content: what.into(),
        set: Vec::new(),
        secret: None,
        table_port: None,
        duplicate: false,
        shuffle: false,
        drop: false,
        seed: 7,
    }
}

async fn view(stack: &Stack, customer: &str) -> Value {
    stack.settle().await.unwrap();
    let table = dynamo_table(stack.endpoints()).unwrap();
    let customer = CustomerKey::parse(customer).unwrap();
    let told = orangery::customer::view(&table, &customer, &shop().catalog).await;
    serde_json::to_value(told.unwrap()).unwrap()
}
