//! What events cost the shop: requests and capacity, counted; infra/README.md does the sums.

use crate::deployed_harness::{ask, deliver_story, invoke, make_shop_key, open};
use crate::template::Template;
use domain::shop_key::KeyScope;
use local_shop::samples::sample_story;
use tests::harness::TestHarness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkout_a_renewal_and_an_idle_minute_cost_no_more_than_the_readme_says() {
    let template = Template::read();
    let (harness, functions) = open(&template).await;
    deliver_story(&harness, sample_story("ada").unwrap()).await;
    harness.settle().await;
    let (writes, reads) = take_units(&harness, "a checkout: nine events in twelve, a welcome");
    assert!(
        writes <= 58 && reads <= 40,
        "{writes} writes, {reads} reads"
    );
    deliver_story(&harness, RENEWAL).await;
    harness.settle().await;
    let (writes, reads) = take_units(&harness, "a renewal: six events");
    assert!(
        writes <= 40 && reads <= 37,
        "{writes} writes, {reads} reads"
    );
    let key = make_shop_key(&harness, "backend", KeyScope::Read).await;
    let body = r#"{"customer":"stripe/test/cus_ada","feature":"export"}"#;
    ask(&harness, &key, "POST", "/v1/check", body).await;
    harness.recorder().take_capacity();
    let answer = ask(&harness, &key, "POST", "/v1/check", body).await;
    println!("{} bytes: {}", answer.body.len(), answer.body);
    assert_eq!(take_units(&harness, "a question by our key"), (0, 1));
    invoke(&functions, "Calendar", r#"{"job":"due_scan"}"#).await;
    let idle = take_units(&harness, "a sweep that finds nobody");
    // Half a unit for each shard of the index, one for each API that something may wait for; in an
    // hour's first minute one more, for the audit's age.
    assert!([(0, 7), (0, 8)].contains(&idle), "{idle:?}");
}

/// Prints what was spent since it was last asked; gives write and read units.
fn take_units(harness: &TestHarness, what: &str) -> (u64, u64) {
    println!("{what}");
    let (mut writes, mut reads) = (0, 0);
    for ((who, action), (calls, halves)) in harness.recorder().take_capacity() {
        let units = halves / 2;
        println!("  {who:<16} {action:<20} {calls:>3} calls {units:>4} units");
        match action.as_str() {
            "PutItem" | "DeleteItem" | "TransactWriteItems" => writes += halves,
            _ => reads += halves,
        }
    }
    (writes / 2, reads / 2)
}

const RENEWAL: &str = r#"
title = "Ada's second month"
begins = "1m"
rename = { Grove0 = "Ada1", Valencia01 = "ada", sub_Ada11 = "sub_Ada01" }
[[events]]
sample = "invoice.paid"
[[events]]
sample = "invoice.payment_succeeded"
[[events]]
sample = "charge.succeeded"
[[events]]
sample = "payment_intent.succeeded"
[[events]]
sample = "invoice_payment.paid"
[[events]]
sample = "customer.subscription.updated"
"#;
