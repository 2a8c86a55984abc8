//! Payloads that nobody on this project wrote, through the whole.

use domain::ids::CustomerKey;
use local_shop::delivery::{Delivery, Signer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use store::folding::read_record;
use tests::harness::TestHarness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_envelope_of_the_old_shape_gets_a_verdict_that_is_no_failure() {
    let Some(folder) = corpus("stripe") else {
        return;
    };
    let harness = TestHarness::open().await;
    let mut table: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    let files = files(&folder);
    for (number, (name, event)) in files.iter().enumerate() {
        let mut event = event.clone();
        // Sixty-six files share two ids: as they are, most would be repetitions.
        event["id"] = format!("evt_corpus{number:03}").into();
        let verdict = verdict(&harness, name, &event).await;
        let kind = event["type"].as_str().unwrap().to_owned();
        *table.entry(kind).or_default().entry(verdict).or_default() += 1;
    }
    println!("{} envelopes of the old shape", files.len());
    print(&table);
    assert_eq!(files.len(), 66);
    assert_quiet(&harness).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_object_of_todays_shape_gets_a_verdict_that_is_no_failure_in_all_its_events() {
    let Some(folder) = corpus("stripe-current") else {
        return;
    };
    let harness = TestHarness::open().await;
    let objects: BTreeMap<String, Value> = files(&folder).into_iter().collect();
    let mut table: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    for (number, kind) in acted_upon(&harness).iter().enumerate() {
        let mut object = match object_of(kind) {
            // It stands nowhere by itself.
            "discount" => objects["customer"]["discount"].clone(),
            name => objects[name].clone(),
        };
        // The generated examples leave the one field empty that the event is about.
        if object["object"] == "invoice_payment" {
            object["payment"]["payment_intent"] = "pi_1PgafyB7WZ01zgkWSjxsAJo3".into();
        } else if object["object"] == "discount" {
            object["customer"] = objects["customer"]["id"].clone();
        }
        let event = envelope(&format!("evt_current{number:03}"), kind, &object);
        let verdict = verdict(&harness, kind, &event).await;
        // A charge that is updated says something only where it gets its customer.
        let is_expected = match kind.as_str() {
            "charge.updated" => verdict == "ignored",
            _ => ["applied", "parked"].contains(&&*verdict),
        };
        assert!(is_expected, "{kind}: {verdict}");
        *table
            .entry(kind.clone())
            .or_default()
            .entry(verdict)
            .or_default() += 1;
    }
    for (name, object) in &objects {
        let kind = format!("{name}.unheard_of");
        let event = envelope(&format!("evt_{name}"), &kind, object);
        assert_eq!(verdict(&harness, &kind, &event).await, "ignored");
    }
    println!("{} objects of today's shape", objects.len());
    print(&table);
    assert_quiet(&harness).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_subscription_gives_equal_records_in_old_and_in_todays_shape() {
    let (Some(old), Some(current)) = (corpus("stripe"), corpus("stripe-current")) else {
        return;
    };
    let harness = TestHarness::open().await;
    let old: BTreeMap<_, _> = files(&old).into_iter().collect();
    let current: BTreeMap<_, _> = files(&current).into_iter().collect();
    let events = [
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
    ];
    let mut compared = 0;
    for kind in events {
        for (from, object) in [
            ("old", &old[kind]["data"]["object"]),
            ("current", &current["subscription"]),
        ] {
            let mut states = Vec::new();
            for (shape, object) in [("old", as_old(object)), ("current", as_current(object))] {
                let customer = format!("cus_{from}{shape}{compared}");
                let mut object = object;
                object["customer"] = customer.as_str().into();
                let event = envelope(&format!("evt_{customer}"), kind, &object);
                assert_eq!(verdict(&harness, kind, &event).await, "applied");
                states.push(state(&harness, &customer).await);
            }
            let period = &states[0]["subscriptions"];
            assert!(
                period.to_string().contains("\"period\""),
                "{kind}: {period}"
            );
            assert_eq!(states[0], states[1], "{kind}, made of the {from} one");
            compared += 1;
        }
    }
    println!("{compared} subscriptions in both shapes, equal records");
}

/// What the endpoint made of it, which must be one of the verdicts.
async fn verdict(harness: &TestHarness, name: &str, event: &Value) -> String {
    let signers = harness.signers();
    let delivery = Delivery {
        name: name.to_owned(),
        path: "/webhooks/stripe".into(),
        body: event.to_string().into_bytes(),
        signer: Signer::provider(signers.provider, &signers.secret).unwrap(),
    };
    let answer = harness.send(&delivery).await;
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    let counts: BTreeMap<String, u32> = serde_json::from_str(&answer.body).unwrap();
    let counted: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    let [(verdict, 1)] = counted.as_slice() else {
        panic!("{name}: one event has one verdict: {counts:?}")
    };
    let sound = ["applied", "parked", "ignored"].contains(&verdict.as_str());
    assert!(sound, "{name}: {verdict}");
    (*verdict).clone()
}

async fn assert_quiet(harness: &TestHarness) {
    harness.settle().await;
    let counts = harness.stack().counts().unwrap();
    assert_eq!(counts.failed_batches, 0);
    assert!(
        counts.dead_letters.values().all(|dead| *dead == 0),
        "{counts:?}"
    );
    assert!(
        harness.mails().is_empty(),
        "nothing here is young enough for a letter"
    );
}

async fn state(harness: &TestHarness, customer: &str) -> Value {
    let key = CustomerKey::parse(format!("stripe/test/{customer}")).unwrap();
    let record = read_record(&harness.table, &key).await.unwrap().unwrap();
    serde_json::to_value(&record.folded.state).unwrap()
}

/// Until 2025-03-31 the period stood on the subscription.
fn as_old(subscription: &Value) -> Value {
    let mut old = subscription.clone();
    for field in PERIOD {
        let period = period(subscription, field);
        old[field] = period;
        for item in old["items"]["data"].as_array_mut().unwrap() {
            item.as_object_mut().unwrap().remove(field);
        }
    }
    old
}

/// Since then it stands on each item.
fn as_current(subscription: &Value) -> Value {
    let mut current = subscription.clone();
    for field in PERIOD {
        let period = period(subscription, field);
        current.as_object_mut().unwrap().remove(field);
        for item in current["items"]["data"].as_array_mut().unwrap() {
            item[field] = period.clone();
        }
    }
    current
}

fn period(subscription: &Value, field: &str) -> Value {
    let own = subscription[field].clone();
    if own.is_null() {
        subscription["items"]["data"][0][field].clone()
    } else {
        own
    }
}

const PERIOD: [&str; 2] = ["current_period_start", "current_period_end"];

fn envelope(id: &str, kind: &str, object: &Value) -> Value {
    json!({
        "id": id, "object": "event", "created": 1_772_000_000, "livemode": false,
        "type": kind, "data": { "object": object },
    })
}

/// Every type there is a sample of, which is every type acted upon.
fn acted_upon(harness: &TestHarness) -> BTreeSet<String> {
    let samples = harness.signers().provider.samples().iter();
    samples
        .map(|(_, body)| {
            let event: Value = serde_json::from_str(body).unwrap();
            event["type"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn object_of(kind: &str) -> &'static str {
    let known = [
        ("customer.subscription.", "subscription"),
        ("customer.discount.", "discount"),
        ("customer.", "customer"),
        ("checkout.session.", "checkout.session"),
        ("invoice.", "invoice"),
        ("invoice_payment.", "invoice_payment"),
        ("charge.dispute.", "dispute"),
        ("charge.refund.", "refund"),
        ("charge.", "charge"),
        ("refund.", "refund"),
        ("payment_intent.", "payment_intent"),
    ];
    let mut of = known.iter().filter(|(prefix, _)| kind.starts_with(prefix));
    of.next().unwrap().1
}

fn print(table: &BTreeMap<String, BTreeMap<String, u32>>) {
    for (kind, verdicts) in table {
        let verdicts: Vec<_> = verdicts
            .iter()
            .map(|(name, n)| format!("{name} {n}"))
            .collect();
        println!("{kind:<48} {}", verdicts.join(", "));
    }
}

fn files(folder: &Path) -> Vec<(String, Value)> {
    let mut files: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect();
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    files
}

fn corpus(folder: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let corpus = std::env::var_os("ORANGERY_CORPUS").map_or_else(beside, PathBuf::from);
    let path = corpus.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus beside the project; ORANGERY_CORPUS may say where it is");
    None
}
