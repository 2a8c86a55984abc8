//! A partner's report and the customer's payment: whichever comes first, one attribution.

use local_shop::delivery::Delivery;
use local_shop::story::Story;
use serde_json::{Value, json};
use tests::harness::{TestHarness, start_time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn referral_first_and_payment_first_end_in_one_attribution_and_equal_views() {
    for (named, how, expected) in [
        (
            "by e-mail",
            r#"{ email = " Tangelo@Example.com " }"#,
            attribution(),
        ),
        (
            "by the shop's customer id",
            r#"{ id = "shop-tangelo" }"#,
            attribution(),
        ),
        // The code was never given to this partner, so it proves nothing.
        ("by code", r#"{ code = "tangelo-blog" }"#, Value::Null),
    ] {
        let mut views = Vec::new();
        for report_at in [0, 3, 6] {
            let harness = TestHarness::open().await;
            harness.add_partner("acme").await;
            let delivered = deliveries(&harness, how, report_at);
            harness.send_all(&delivered).await;
            harness.settle().await;
            views.push((report_at, harness.view("stripe/test/cus_tangelo").await));
        }
        for (report_at, view) in &views {
            assert_eq!(view["attribution"], expected, "{named}, report {report_at}");
            let reports = events(view)
                .filter(|kind| kind == "referral.created")
                .count();
            assert_eq!(reports, 1, "{named}");
        }
        let [(_, before), rest @ ..] = views.as_mut_slice() else {
            panic!("nothing was seen")
        };
        without_arrival(before);
        for (report_at, view) in rest {
            without_arrival(view);
            assert_eq!(view, before, "{named}, report {report_at}");
        }
        println!("{named}: the report before, amid and after the payment, one attribution");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_repeated_before_and_after_the_payment_counts_once() {
    let harness = TestHarness::open().await;
    harness.add_partner("acme").await;
    let how = r#"{ email = "tangelo@example.com" }"#;
    let delivered = deliveries(&harness, how, 0);
    let report = delivered[0].clone();
    let now = harness.now();
    // One webhook-id: what a sender's retry keeps, `send` makes of body and second.
    for _ in 0..2 {
        assert_eq!(sent_at(&harness, &report, now).await, "202");
    }
    harness.send_all(&delivered[1..]).await;
    assert_eq!(sent_at(&harness, &report, now).await, "202");
    harness.settle().await;
    let view = harness.view("stripe/test/cus_tangelo").await;
    let reports = events(&view)
        .filter(|kind| kind == "referral.created")
        .count();
    assert_eq!((reports, &view["attribution"]), (1, &attribution()));
}

async fn sent_at(harness: &TestHarness, report: &Delivery, now: jiff::Timestamp) -> String {
    let (report, gateway) = (report.clone(), harness.stack().gateway_url().to_owned());
    let send = move || report.send(&gateway, now).unwrap().status.to_string();
    tests::harness::requests::blocking(send).await
}

/// A customer's first events, and among them a report that names the customer so.
fn deliveries(harness: &TestHarness, how: &str, report_at: usize) -> Vec<Delivery> {
    let checkout = [
        "customer.created",
        "checkout.session.completed-subscription",
        "customer.subscription.created",
        "customer.subscription.updated",
        "invoice.paid",
        "payment_intent.succeeded",
    ];
    let mut delivered: Vec<String> = checkout
        .iter()
        .map(|sample| format!("[[events]]\nsample = \"{sample}\"\n"))
        .collect();
    let report = format!(
        "[[events]]\nsample = \"referral.created\"\npartner = \"acme\"\n\
         set = {{ \"data.customer\" = {how}, \"data.occurred_at\" = \"@@-1h\" }}\n"
    );
    delivered.insert(report_at, report);
    let rename = r#"{ "Grove0" = "Tangelo0", "Valencia01" = "tangelo",
        "nell@example.com" = "tangelo@example.com", "1207" = "tangelo",
        "citrus-blog" = "tangelo-blog", "r-2207" = "r-tangelo" }"#;
    let rename = rename.replace('\n', " ");
    let text = format!(
        "title = \"t\"\nbegins = \"2m\"\nrename = {rename}\n{}",
        delivered.concat()
    );
    let story = Story::parse(&text).unwrap();
    story.deliveries(&harness.signers(), start_time()).unwrap()
}

fn attribution() -> Value {
    json!({
        "partner": "acme",
        "referral": "r-tangelo",
        "referred_at": "2026-02-28T23:00:00Z",
    })
}

fn events(view: &Value) -> impl Iterator<Item = String> {
    let kind = |event: &Value| event["type"].as_str().unwrap().to_owned();
    view["events"].as_array().unwrap().iter().map(kind)
}

/// A webhook-id is made of the moment of sending, and the verdict tells the order of arrival.
fn without_arrival(view: &mut Value) {
    for event in view["events"].as_array_mut().unwrap() {
        event["verdict"] = "(as it came)".into();
        if event["type"] == "referral.created" {
            event["id"] = "(the sender's)".into();
            event["occurred_at"] = "(when it was heard)".into();
        }
    }
}
