//! Random payloads by the published schemas, read and folded: fields missing, null, of every value,
//! of other types, unknown ones beside them, numbers at their bounds.
//!
//! `ORANGERY_READINGS=100000 cargo test -p providers random` tries that many of each provider; a
//! failure names the seed, `ORANGERY_READINGS_SEED` repeats it.

use super::super::arbitrary::assert_sound;
use super::deliveries::{Delivery, samples, scenario};
use super::schema::{self, Published};
use super::sites::{Site, sites};
use domain::event::{Fact, NormalizedEvent};
use domain::money::{Money, StatedAmount};
use domain::payment::payments::Payment;
use domain::payment::snapshot::RefundState;
use domain::state::fold::fold_with_all_payments;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn whatever_a_schema_allows_is_read_and_folded_without_a_fault() {
    let tries = number("ORANGERY_READINGS").unwrap_or(TRIES);
    let only = number("ORANGERY_READINGS_SEED");
    for (provider, published) in schema::all() {
        let told = scenario(provider);
        let mut samples = samples(provider);
        samples.extend(told.iter().cloned());
        let places: Vec<_> = samples.iter().map(|one| sites(one, &published)).collect();
        let scenario: Vec<_> = told.iter().flat_map(Delivery::events).collect();
        for seed in only.map_or(0..tries, |seed| seed..seed + 1) {
            let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let sample = chance.below(samples.len());
            let changed = change(&samples[sample], &places[sample], &published, &mut chance);
            let shown = || format!("{provider:?}, seed {seed}: {}", changed.parts);
            let events = std::panic::catch_unwind(|| changed.events());
            let events = events.unwrap_or_else(|_| panic!("panics: {}", shown()));
            check(&events, &changed.parts, &shown);
            // Among what is known of the same objects, which may say another currency.
            let mut history = events;
            if chance.below(3) == 0 {
                history.extend(samples[sample].events());
                history.extend(scenario.iter().cloned());
            }
            check_fold(&history, &shown);
        }
    }
}

/// A sample with one to six of its fields changed.
fn change(
    sample: &Delivery,
    places: &[Site],
    published: &Published,
    chance: &mut Chance,
) -> Delivery {
    let mut parts = sample.parts.clone();
    for _ in 0..=chance.below(6) {
        if places.is_empty() {
            break;
        }
        let site = &places[chance.below(places.len())];
        let value = any_value(site, &parts, published, chance);
        parts = site.set(&parts, value);
        if chance.below(12) == 0 {
            let mut beside = site.clone();
            beside.field = "a_field_that_nobody_knows".to_owned();
            parts = beside.set(&parts, Some(json!([{ "is": 1 }])));
        }
    }
    if chance.below(3) == 0 {
        in_dollars(&mut parts);
    }
    sample.with(parts)
}

/// Whatever is in euros, in dollars.
fn in_dollars(value: &mut Value) {
    match value {
        Value::String(code) if code == "eur" => *value = "usd".into(),
        Value::String(code) if code == "EUR" => *value = "USD".into(),
        Value::Object(fields) => fields.values_mut().for_each(in_dollars),
        Value::Array(items) => items.iter_mut().for_each(in_dollars),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Something that may stand in a field, or not: nothing, null, what is published, or what is not.
fn any_value(
    site: &Site,
    parts: &Value,
    published: &Published,
    chance: &mut Chance,
) -> Option<Value> {
    let told = &site.told;
    let numbers = [
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(0),
        json!(-1),
        json!(1.5),
        json!("9223372036854775807"),
        json!("-1"),
        json!("99999999999999999999.99"),
        json!("0.001"),
        json!(1),
        json!("12.34"),
    ];
    let words = [
        "",
        "usd",
        "JPY",
        "kwd",
        "EUR",
        "xxx",
        "a/b",
        "2026-02-30",
        "\u{0}",
        "é",
    ];
    Some(match chance.below(9) {
        0 => return None,
        1 => Value::Null,
        2 if !told.values.is_empty() => told.values[chance.below(told.values.len())].clone().into(),
        2 | 3 => numbers[chance.below(numbers.len())].clone(),
        4 => words[chance.below(words.len())].into(),
        5 => published.value(&site.field, told, 2),
        6 => json!([site.get(parts), site.get(parts)]),
        7 => json!({ "id": "a_1", "value": "1.00", "amount": 1 }),
        _ => match chance.below(3) {
            0 => json!([]),
            1 => json!(true),
            _ => format!("2026-0{}-01T00:00:00Z", chance.below(9) + 1).into(),
        },
    })
}

/// One note at most of what is unclear, nothing below zero, no currency that is not in the payload.
fn check(events: &[NormalizedEvent], parts: &Value, shown: &dyn Fn() -> String) {
    let text = parts.to_string().to_ascii_lowercase();
    for event in events {
        assert_sound(event);
        let amounts = event.facts.iter().flat_map(amounts);
        for amount in amounts.filter_map(StatedAmount::money) {
            let code = format!("\"{}\"", amount.currency.code());
            assert!(text.contains(&code), "{amount:?} from nowhere: {}", shown());
            assert!(amount.minor >= 0, "{amount:?} is below zero: {}", shown());
        }
    }
}

fn amounts(fact: &Fact) -> Vec<StatedAmount> {
    let value = serde_json::to_value(fact).expect("is JSON");
    let mut found = Vec::new();
    stated(&value, &mut found);
    found
}

/// Every amount with a currency in a fact, by the names that facts are kept under.
fn stated(value: &Value, found: &mut Vec<StatedAmount>) {
    if let Ok(money) = serde_json::from_value::<Money>(value.clone()) {
        found.push(money.into());
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|inner| stated(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| stated(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The fold digests all of them, and adds up nothing of two currencies.
fn check_fold(events: &[NormalizedEvent], shown: &dyn Fn() -> String) {
    let state = fold_with_all_payments(events);
    let unclear = events.iter().filter(|event| event.is_unclear()).count();
    let counted = usize::try_from(state.unclear).expect("is few");
    assert!(
        counted <= unclear,
        "the fold steps over an event: {}",
        shown()
    );
    for payment in &state.payments.open {
        check_sums(payment, shown);
    }
}

/// What goes back is at most what was said of it in one currency: by a second way of adding up.
fn check_sums(payment: &Payment, shown: &dyn Fn() -> String) {
    let refunds = payment.refunds.values();
    let refunds = refunds.filter(|one| one.state != RefundState::Failed);
    let refunds = refunds.map(|one| one.amount);
    let sums = payment.cumulative_refunds.values().map(|sum| sum.amount);
    let most = most_of_one_unit(refunds.chain(sums), payment.paid());
    assert!(
        payment.refunded_minor() <= most,
        "refunds of two currencies: {}",
        shown()
    );
    let disputes = payment.disputes.values().map(|one| one.amount);
    let most = most_of_one_unit(disputes, payment.paid());
    assert!(
        payment.disputed_minor() <= most,
        "disputes of two currencies: {}",
        shown()
    );
}

/// The largest sum there is in one unit, which is the payment's where that is known.
fn most_of_one_unit(amounts: impl Iterator<Item = StatedAmount>, paid: Option<Money>) -> i64 {
    let mut by_unit: BTreeMap<Option<(String, u8)>, i64> = BTreeMap::new();
    let unit = |money: Money| (money.currency.code().to_owned(), money.exponent);
    for amount in amounts {
        let own = amount.money().map(unit);
        let sum = by_unit.entry(own).or_default();
        *sum = sum.saturating_add(amount.minor.max(0));
    }
    // An amount that says no currency is in the payment's.
    let unsaid = by_unit.remove(&None).unwrap_or_default();
    let most = match paid {
        Some(paid) => by_unit.get(&Some(unit(paid))).copied(),
        None => by_unit.values().copied().max(),
    };
    most.unwrap_or_default().saturating_add(unsaid)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("is a number"))
}

/// Numbers that follow from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    /// One of `0..end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end as u64).expect("is below")
    }
}

/// How many payloads of each provider are tried unless the environment says otherwise.
const TRIES: u64 = 250;
