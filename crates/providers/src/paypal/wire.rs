//! How PayPal writes things: amounts as decimal text, words in capitals, links.

use crate::draft::decimal;
use crate::wire::{Id, UnclearValue};
use domain::money::Money;
use serde::Deserialize;
use std::sync::Arc;

/// An amount of subscriptions, captures and disputes.
#[derive(Deserialize)]
pub(super) struct PaypalAmount {
    value: Arc<str>,
    currency_code: Arc<str>,
}

impl PaypalAmount {
    /// As money; `place` names the field.
    pub(super) fn money(&self, place: &str) -> Result<Money, UnclearValue> {
        money(&self.value, &self.currency_code, place)
    }

    /// As what goes back.
    pub(super) fn refunded(&self, place: &str) -> Result<Money, UnclearValue> {
        refunded(&self.value, &self.currency_code, place)
    }

    /// The currency alone.
    pub(super) fn code(&self) -> &str {
        &self.currency_code
    }
}

/// Decimal text as money.
pub(super) fn money(text: &str, code: &str, place: &str) -> Result<Money, UnclearValue> {
    let code = code.to_ascii_lowercase();
    decimal(text, &code, place, EXPONENTS)
}

/// An amount that goes back: with or without a sign, it is the same.
pub(super) fn refunded(text: &str, code: &str, place: &str) -> Result<Money, UnclearValue> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    money(unsigned, code, place)
}

/// A word of PayPal's that we do not know.
pub(super) fn unknown_word(place: &str, word: &str) -> UnclearValue {
    UnclearValue::unknown_word(place, &word.to_ascii_lowercase())
}

/// A link of a resource to another.
#[derive(Deserialize)]
pub(super) struct Link {
    rel: Arc<str>,
    href: Arc<str>,
}

/// The id in the first link of this relation to an object of this kind.
pub(super) fn linked_id(links: &[Link], rel: &str, kind: &str) -> Option<Id> {
    let mut links = links.iter().filter(|link| *link.rel == *rel);
    let (_, id) = links.find_map(|link| link.href.rsplit_once(kind))?;
    Id::parse(id)
}

/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
