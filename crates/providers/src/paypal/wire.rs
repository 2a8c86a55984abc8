//! How PayPal writes things: amounts as decimal text, words in capitals, links.

use crate::draft::decimal;
use crate::wire::{Id, Part, UnclearValue};
use domain::money::Money;
use serde::Deserialize;
use std::sync::Arc;

/// An amount. Sales, and all objects of the first version of the API, have other names in it than
/// captures, subscriptions and disputes.
#[derive(Deserialize)]
pub(super) struct PaypalAmount {
    #[serde(alias = "total")]
    value: Arc<str>,
    #[serde(alias = "currency")]
    currency_code: Arc<str>,
    #[serde(default)]
    details: Part<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    tax: Part<Arc<str>>,
}

impl PaypalAmount {
    /// Decimal text in a currency.
    pub(super) fn new(value: Arc<str>, currency_code: Arc<str>) -> Self {
        Self {
            value,
            currency_code,
            details: Part::Absent,
        }
    }

    /// As money; `place` names the field.
    pub(super) fn money(&self, place: &str) -> Result<Money, UnclearValue> {
        money(&self.value, &self.currency_code, place)
    }

    /// As what goes back: with or without a sign, it is the same.
    pub(super) fn refunded(&self, place: &str) -> Result<Money, UnclearValue> {
        money(unsigned(&self.value), &self.currency_code, place)
    }

    /// The tax within it, minor units. `None` where it is not said, or is more than the amount.
    pub(super) fn tax_minor(&self, place: &str) -> Result<Option<i64>, UnclearValue> {
        let place = format!("{place}.details.tax");
        let details = self.details.as_ref().read(&place)?;
        let tax = details.map(|details| details.tax.as_ref().read(&place));
        let Some(tax) = tax.transpose()?.flatten() else {
            return Ok(None);
        };
        let tax = money(unsigned(tax), &self.currency_code, &place)?.minor;
        let whole = self.refunded(&place)?.minor;
        Ok(Some(tax).filter(|tax| *tax <= whole))
    }

    /// Whether it is nothing.
    pub(super) fn is_zero(&self) -> bool {
        let digits = |byte: &u8| byte.is_ascii_digit();
        self.value.bytes().filter(digits).all(|byte| byte == b'0')
    }

    /// The currency alone.
    pub(super) fn code(&self) -> &str {
        &self.currency_code
    }
}

/// Decimal text as money.
fn money(text: &str, code: &str, place: &str) -> Result<Money, UnclearValue> {
    let code = code.to_ascii_lowercase();
    decimal(text, &code, place, EXPONENTS)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix('-').unwrap_or(text)
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
pub(super) fn linked_id(links: &Part<Vec<Link>>, rel: &str, kind: &str) -> Option<Id> {
    let links = links.as_ref().readable()?;
    let mut links = links.iter().filter(|link| *link.rel == *rel);
    let (_, id) = links.find_map(|link| link.href.rsplit_once(kind))?;
    Id::parse(id)
}

/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
