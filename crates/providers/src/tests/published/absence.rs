//! What is not said is unknown, and never zero: an amount that is left out, or null, is read
//! otherwise than one of nothing. Where it is not, the table says why (`absent_as_zero`).

use super::deliveries::{Delivery, Said, samples};
use super::schema::{self, Published};
use super::sites::{Site, sites};
use crate::Provider;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[derive(Deserialize)]
struct Decisions {
    /// Fields, each with the reason.
    absent_as_zero: BTreeMap<String, String>,
}

#[test]
fn an_absent_number_is_not_read_as_zero() {
    let mut faults = Vec::new();
    for (provider, published) in schema::all() {
        let found = absent_as_zero(provider, &published);
        let text = fs::read_to_string(schema::path(provider, "decisions.json"));
        let decided: Decisions =
            serde_json::from_str(&text.expect("is there")).expect("is a table");
        let decided = decided.absent_as_zero;
        let new = found.iter().filter(|field| !decided.contains_key(*field));
        faults.extend(new.map(|field| format!("{provider:?}: `{field}` absent is read as zero")));
        let gone = decided
            .iter()
            .filter(|(field, why)| !found.contains(*field) || why.is_empty());
        let gone =
            gone.map(|(field, _)| format!("{provider:?}: `{field}`: no longer so, or no why"));
        faults.extend(gone);
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

fn absent_as_zero(provider: &'static Provider, published: &Published) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut asked: BTreeMap<(String, String), usize> = BTreeMap::new();
    for delivery in samples(provider) {
        for site in sites(&delivery, published) {
            let Some((zero, other)) = site.get(&delivery.parts).and_then(zero_and_other) else {
                continue;
            };
            let often = asked.entry((delivery.kind(), site.path())).or_default();
            *often += 1;
            if *often <= OFTEN && is_absent_as_zero(&delivery, &site, zero, other) {
                found.insert(site.path());
            }
        }
    }
    found
}

fn is_absent_as_zero(delivery: &Delivery, site: &Site, zero: Value, other: Value) -> bool {
    let said = |value: Option<Value>| delivery.with(site.set(&delivery.parts, value)).said();
    let of_zero = said(Some(zero));
    if of_zero == said(Some(other)) || of_zero.iter().any(Said::is_unclear) {
        return false;
    }
    said(None) == of_zero || said(Some(Value::Null)) == of_zero
}

/// Zero as this value writes it, and another such value; none where it is no number.
fn zero_and_other(value: &Value) -> Option<(Value, Value)> {
    match value {
        Value::Number(number) => Some((0.into(), (number.as_i64()? + 1).into())),
        Value::String(text) => {
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            if whole.is_empty() || whole.len() > 8 || !digits(whole) || !digits(fraction) {
                return None;
            }
            let more = format!("1{text}");
            let zero: String = text
                .chars()
                .map(|c| if c == '.' { c } else { '0' })
                .collect();
            let zero = if fraction.is_empty() {
                "0".to_owned()
            } else {
                zero
            };
            Some((zero.into(), more.into()))
        }
        Value::Object(amount) => {
            let name = ["value", "total", "amount"];
            let name = name.into_iter().find(|name| amount.contains_key(*name))?;
            let (zero, other) = zero_and_other(&amount[name])?;
            let with = |number: Value| {
                let mut amount = amount.clone();
                amount.insert(name.to_owned(), number);
                json!(amount)
            };
            Some((with(zero), with(other)))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

/// In how many samples of one type a field is tried.
const OFTEN: usize = 2;
