//! Store requests counted where they go over the wire.

use domain::ids::PartnerId;
use local_shop::delivery::{Delivery, Signer, sample, set};
use local_shop::shop::LOCAL_MASTER;
use local_shop::shop::signers;
use local_shop::story::Story;
use providers::{Secret, partner, partner_secret, standard};
use serde_json::Value;
use std::collections::BTreeMap;
use tests::harness::{TestHarness, shop, start_time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_event_costs_three_requests_a_repetition_one_a_refused_one_none() {
    let harness = TestHarness::local_stack().counted().open().await;
    let wire = harness.proxy().clone();
    harness
        .send_all(&sample_deliveries(&harness, &["customer.created"]))
        .await;
    wire.take_operations();
    // It names its customer alone, so nothing follows from it.
    let deleted = sample_deliveries(&harness, &["customer.deleted"]);
    harness.send_all(&deleted).await;
    assert_eq!(wire.take_operations(), ["PutItem", "GetItem", "PutItem"]);
    harness.send_all(&deleted).await;
    assert_eq!(wire.take_operations(), ["PutItem"]);
    let mut forged = deleted[0].clone();
    let secret = "whsec_of_somebody_else_entirely";
    forged.signer = Signer::provider(harness.signers().provider, secret).unwrap();
    assert_eq!(harness.send(&forged).await.status, 401);
    assert_eq!(wire.take_operations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_concerns_nobody_costs_no_request() {
    let harness = TestHarness::local_stack().counted().open().await;
    let wire = harness.proxy().clone();
    for (field, value) in [
        ("type", "product.created".into()),
        ("livemode", true.into()),
    ] {
        let mut body: Value = serde_json::from_str(&body("invoice.paid")).unwrap();
        set(&mut body, field, value).unwrap();
        let delivery = Delivery {
            body: body.to_string().into_bytes(),
            ..sample_deliveries(&harness, &["invoice.paid"])[0].clone()
        };
        let answer = harness.send(&delivery).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(wire.take_operations(), [""; 0], "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partners_door_reads_the_partner_once_and_nothing_for_a_forgery() {
    let harness = TestHarness::local_stack().counted().open().await;
    let wire = harness.proxy().clone();
    harness.add_partner("acme").await;
    let reports: Vec<Delivery> = ["r-1", "r-2"].map(|id| report(&harness, id)).into();
    let mut forged = reports[0].clone();
    forged.signer = report_of(&harness, "other", "r-1").signer;
    assert_eq!(harness.send(&forged).await.status, 401);
    assert_eq!(wire.take_operations(), [""; 0]);
    harness.send_all(&reports[..1]).await;
    // The partner once a minute; then how many reports wait under the name, and the report is noted
    // by its id and by its referral's. Nobody is known yet, so it is parked, and looked for once.
    let first = wire.take_operations();
    let report = ["Query", "PutItem", "PutItem", "PutItem", "Query"];
    assert_eq!(first, [&["GetItem"][..], &report].concat());
    harness.send_all(&reports[1..]).await;
    assert_eq!(wire.take_operations(), report);
    // The same once more is the same again, since nobody knows how far the first one came.
    harness.send_all(&reports[1..]).await;
    assert_eq!(wire.take_operations(), report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_costs_two_requests_a_conflict_three_and_a_forged_one_none() {
    let harness = TestHarness::local_stack().counted().open().await;
    let wire = harness.proxy().clone();
    harness.add_partner("acme").await;
    let (acme, master) = (
        PartnerId::parse("acme").unwrap(),
        Secret::new(LOCAL_MASTER).unwrap(),
    );
    let secret = partner_secret(&master, &acme, 1).unwrap();
    let report = |id: &str| {
        format!(r#"{{"type":"lead.created","data":{{"referral_id":"{id}","code":"c"}}}}"#)
    };
    let path = "/partners/acme/referrals/r-1";
    let asked = partner::status_request_text(&acme, "r-1");
    let post = ["GetItem", "Query", "PutItem", "PutItem", "PutItem", "Query"];
    for (method, path, body, signed, status, cost) in [
        ("POST", EVENTS, report("r-1"), report("r-1"), 202, &post[..]),
        (
            "POST",
            EVENTS,
            report("r-2"),
            report("r-2"),
            409,
            &["Query", "PutItem", "PutItem"],
        ),
        ("POST", EVENTS, report("r-2"), report("r-1"), 401, &[]),
        ("GET", path, String::new(), asked, 200, &["Query", "Query"]),
        ("GET", path, String::new(), report("r-1"), 401, &[]),
    ] {
        let headers = standard::sign("msg_1", signed.as_bytes(), &secret, harness.now());
        let answer = harness
            .post(method, path, &headers, body.into_bytes())
            .await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(wire.take_operations(), cost, "{method} {status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_names_nothing_new_costs_three_requests_and_its_repetition_one() {
    let harness = TestHarness::local_stack().counted().open().await;
    let wire = harness.proxy().clone();
    let mut total = 0;
    for (delivery, cost) in sample_deliveries(&harness, &CHECKOUT).iter().zip(COSTS) {
        harness.send_all(std::slice::from_ref(delivery)).await;
        let seen = wire.take_operations();
        println!("{:<42} {:>2} {}", delivery.name, seen.len(), counts(&seen));
        assert_eq!(seen.len(), cost, "{}", delivery.name);
        total += seen.len();
    }
    println!("a checkout of {} events: {total} requests", CHECKOUT.len());
    for delivery in sample_deliveries(&harness, &CHECKOUT) {
        harness.send_all(std::slice::from_ref(&delivery)).await;
        let seen = wire.take_operations();
        // What names its customer only by its payment must be looked up first.
        let expected: &[&str] = match &*delivery.name {
            "invoice_payment.paid" => &["Query", "PutItem"],
            _ => &["PutItem"],
        };
        assert_eq!(seen, expected, "{}", delivery.name);
    }
}

const EVENTS: &str = "/partners/acme/events";

fn counts(operations: &[String]) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for operation in operations {
        *counts.entry(operation).or_default() += 1;
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(name, n)| format!("{name} {n}"))
        .collect();
    counts.join(", ")
}

const CHECKOUT: [&str; 9] = [
    "customer.created",
    "checkout.session.completed-subscription",
    "customer.subscription.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "customer.subscription.updated",
    "invoice_payment.paid",
    "invoice.payment_succeeded",
    "invoice.paid",
];

/// What each of them costs the first time: three, one to write that effects are done, one for
/// a letter, and two for each reference that nobody had named before.
const COSTS: [usize; 9] = [8, 14, 3, 8, 3, 5, 4, 3, 3];

fn sample_deliveries(harness: &TestHarness, samples: &[&str]) -> Vec<Delivery> {
    let delivered: Vec<String> = samples
        .iter()
        .map(|sample| format!("[[events]]\nsample = \"{sample}\"\n"))
        .collect();
    story(&delivered.concat())
        .deliveries(&harness.signers(), start_time())
        .unwrap()
}

fn report(harness: &TestHarness, id: &str) -> Delivery {
    report_of(harness, "acme", id)
}

fn report_of(harness: &TestHarness, partner: &str, id: &str) -> Delivery {
    let text = format!(
        "[[events]]\nsample = \"referral.created\"\npartner = \"{partner}\"\n\
         set = {{ \"data.referral_id\" = \"{id}\" }}\n"
    );
    let mut deliveries = story(&text)
        .deliveries(&harness.signers(), start_time())
        .unwrap();
    let mut delivery = deliveries.remove(0);
    delivery.path = EVENTS.into();
    delivery
}

fn story(delivered: &str) -> Story {
    Story::parse(&format!("title = \"t\"\nbegins = \"2m\"\n{delivered}")).unwrap()
}

fn body(name: &str) -> String {
    sample(signers(&shop()).unwrap().provider.samples(), name).unwrap()
}
