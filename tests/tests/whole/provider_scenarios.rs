//! One customer's life, told by each provider in its own words: the records agree, in every
//! order and repetition.

use crate::event_orders::{SplitMixRng, each_order};
use crate::support::expect::first_difference;
use domain::catalog::Catalog;
use domain::event::About;
use domain::ids::CustomerKey;
use domain::record::{Effect, Entry, Folded, Record};
use engagement_email::Sender;
use engagement_email::render::render_letter;
use local_shop::delivery::{Delivery, Signer};
use local_shop::shop::local_secret;
use providers::{PROVIDERS, Provider};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use store::folding::read_record;
use store::ingest::ingest_entries;
use store::letters::LetterRow;
use store::memory::MemoryTable;
use tests::harness::entries::entries;
use tests::harness::{TestHarness, start_time};

/// Providers that tell the life.
fn scripted_providers() -> impl Iterator<Item = &'static Provider> {
    let tells = |provider: &&&Provider| !provider.scenario().is_empty();
    PROVIDERS.iter().filter(tells).copied()
}

#[tokio::test]
async fn one_life_told_by_each_provider_ends_in_records_that_agree_field_by_field() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lives/record.json");
    let record: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut delivered = 0;
    for provider in scripted_providers() {
        let entries = provider_entries(provider);
        let harness = TestHarness::in_process().without_attributes().open();
        for entry in &entries {
            harness.ingest(entry).await;
        }
        harness.settle().await;
        let view = harness.view(customer(&entries).as_str()).await;
        let mut seen = comparable_view(&view);
        let untold = unreported_fields(provider);
        for (pointer, reason) in &untold {
            let expected = record.pointer(pointer);
            let expected = expected.unwrap_or_else(|| panic!("{provider:?}: no {pointer}"));
            let is_told = seen.pointer(pointer) == Some(expected);
            assert!(
                !is_told,
                "{provider:?}: {pointer} is told, though \"{reason}\""
            );
            fill(&mut seen, pointer, expected);
        }
        let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
        assert!(
            seen == record,
            "{provider:?}: {}",
            first_difference(&text(&record), &text(&seen))
        );
        println!(
            "{provider:?}: {} events, {} fields untold",
            entries.len(),
            untold.len()
        );
        delivered += 1;
    }
    assert!(delivered >= 3, "only {delivered} tell it");
}

#[test]
fn every_order_of_seven_events_of_each_telling_ends_in_the_same_record() {
    for provider in scripted_providers() {
        let all = provider_entries(provider);
        // Evenly over the life, the first and the last among them.
        let spread = |place: usize| all[place * (all.len() - 1) / 6].clone();
        let seven: Vec<_> = (0..7).map(spread).collect();
        let customer = customer(&seven);
        let mut first: Option<Folded> = None;
        let mut orders = 0;
        each_order(&mut vec![1; 7], &mut Vec::new(), &mut |order| {
            let delivered: Vec<_> = order.iter().map(|place| seven[*place].clone()).collect();
            let folded = folded(&delivered, &customer);
            let first = first.get_or_insert_with(|| folded.clone());
            assert_eq!(&folded, first, "{provider:?} told in the order {order:?}");
            orders += 1;
        });
        println!("{provider:?}: {orders} orders of 7 events");
        assert_eq!(orders, 5040);
    }
}

#[test]
fn sampled_orders_and_repetitions_of_each_whole_telling_end_in_the_same_record() {
    for provider in scripted_providers() {
        let all = provider_entries(provider);
        let customer = customer(&all);
        let expected = folded(&all, &customer);
        assert_eq!(
            usize::try_from(expected.count).unwrap(),
            all.len(),
            "{provider:?}"
        );
        let mut dice = SplitMixRng(7);
        for sample in 0..SAMPLES {
            let mut delivered = all.clone();
            for _ in 0..dice.below(all.len()) {
                delivered.push(all[dice.below(all.len())].clone());
            }
            dice.shuffle(&mut delivered);
            assert_eq!(
                folded(&delivered, &customer),
                expected,
                "{provider:?}, sample {sample}"
            );
        }
        println!("{provider:?}: {SAMPLES} orders of {} events", all.len());
    }
}

#[test]
fn every_letter_that_a_telling_asks_for_can_be_written() {
    let (catalog, sender) = (Catalog::default(), sender());
    for provider in scripted_providers() {
        let all = provider_entries(provider);
        let customer = customer(&all);
        let mut written = BTreeSet::new();
        for count in 1..=all.len() {
            let delivered = &all[..count];
            let now = delivered.iter().map(|entry| entry.event.occurred_at).max();
            let now = now.expect("one at least");
            let record = Record::new(customer.clone()).rebuild(delivered, delivered, now);
            let record = record.expect("is more than nothing");
            for effect in &record.pending {
                let Effect::Letter(decided) = effect else {
                    continue;
                };
                let row = LetterRow::due(customer.clone(), decided, now);
                let mail = render_letter(&row, &record, &catalog, &sender, now);
                assert!(mail.is_ok(), "{provider:?}: {decided:?}: {:?}", mail.err());
                written.insert(decided.letter.as_str());
            }
        }
        println!("{provider:?}: {written:?}");
        assert!(written.contains("payment_failed"), "{provider:?}");
    }
}

const SAMPLES: usize = 400;

/// A shop with nothing but a name and an address.
fn sender() -> Sender {
    Sender {
        shop: "Orangerie".into(),
        from: "orangerie@example.com".into(),
        ..Sender::default()
    }
}

/// The telling, as the endpoint reads it.
fn provider_entries(provider: &'static Provider) -> Vec<Arc<Entry>> {
    let signer = Signer::provider(provider, &local_secret(provider.name())).unwrap();
    let delivery = |(name, body): &(&str, &str)| Delivery {
        name: format!("scenario/{name}"),
        path: format!("/webhooks/{}", provider.name()),
        body: body.as_bytes().to_vec(),
        signer: signer.clone(),
    };
    let deliveries = provider.scenario().iter().map(delivery);
    deliveries
        .flat_map(|delivered| entries(&delivered))
        .collect()
}

/// The one customer that some of them name.
fn customer(entries: &[Arc<Entry>]) -> CustomerKey {
    let named = entries.iter().filter_map(|entry| match &entry.event.about {
        About::Customer(customer) => Some(customer.clone()),
        About::ByReference(_) => None,
    });
    let mut named: Vec<_> = named.collect();
    named.dedup();
    assert_eq!(named.len(), 1, "one life is one customer's");
    named.remove(0)
}

/// The folded record once all of these were told, one request each.
fn folded(delivered: &[Arc<Entry>], customer: &CustomerKey) -> Folded {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let table = MemoryTable::without_attributes();
        for entry in delivered {
            ingest_entries(&table, std::slice::from_ref(entry), start_time())
                .await
                .unwrap();
        }
        let record = read_record(&table, customer).await.unwrap();
        record.expect("is folded").folded.clone()
    })
}

/// What a provider does not tell of this life, by the pointer into the record, and why.
fn unreported_fields(provider: &Provider) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/providers/fixtures")
        .join(provider.name())
        .join("scenario/unsupported.txt");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let (pointer, reason) = line.split_once(' ').expect("a pointer, a blank, a reason");
        (pointer.to_owned(), reason.trim().to_owned())
    };
    text.lines().map(line).collect()
}

/// Puts what a provider does not tell in its place: another value, the next of a list, or a field
/// that is left out where it is empty.
fn fill(seen: &mut Value, pointer: &str, expected: &Value) {
    if let Some(own) = seen.pointer_mut(pointer) {
        *own = expected.clone();
        return;
    }
    let (parent, name) = pointer.rsplit_once('/').expect("begins with a slash");
    match seen.pointer_mut(parent) {
        Some(Value::Array(list)) => list.push(expected.clone()),
        Some(Value::Object(fields)) => {
            fields.insert(name.to_owned(), expected.clone());
        }
        _ => panic!("{pointer} has no list or object to stand in"),
    }
}

/// A view without the provider's own ids, without events and letters, and with moments to the
/// second: what two providers can agree on.
fn comparable_view(view: &Value) -> Value {
    let mut view = view.clone();
    for part in ["events", "letters", "attribution"] {
        view.as_object_mut().unwrap().remove(part);
    }
    strip(&mut view);
    view
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let own = ["id", "ids", "price", "ambiguous"];
            let kept = std::mem::take(fields).into_iter();
            *fields = kept
                .filter(|(name, _)| !own.contains(&name.as_str()))
                .map(|(name, mut value)| {
                    if name == "subscription" {
                        value = value.is_string().into();
                    }
                    strip(&mut value);
                    (name, value)
                })
                .collect::<Map<_, _>>();
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        Value::String(text) => {
            if let Ok(at) = text.parse::<jiff::Timestamp>() {
                *text = jiff::Timestamp::from_second(at.as_second())
                    .unwrap()
                    .to_string();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
