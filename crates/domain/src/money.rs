//! Money: integer minor units and a currency; nothing here is ever a float.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A currency known to ISO 4217, lower case as the providers write it: `eur`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A code that ISO 4217 does not list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("currency `{0}` is not in ISO 4217; amounts in it have no known minor unit")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// Parses a code in either case.
    ///
    /// # Errors
    /// [`UnknownCurrency`] when ISO 4217 does not list it.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        let unknown = || UnknownCurrency(code.chars().take(8).collect());
        let upper = code.to_ascii_uppercase();
        iso_currency::Currency::from_code(&upper).ok_or_else(unknown)?;
        let bytes: [u8; 3] = code
            .to_ascii_lowercase()
            .into_bytes()
            .try_into()
            .map_err(|_| unknown())?;
        Ok(Self(bytes))
    }

    /// The code, lower case.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Decimal places of the minor unit in ISO 4217. A provider may differ: see [`exponent`].
    pub fn iso_exponent(&self) -> u8 {
        let upper = self.code().to_ascii_uppercase();
        iso_currency::Currency::from_code(&upper)
            .and_then(|currency| currency.exponent())
            .and_then(|places| u8::try_from(places).ok())
            .unwrap_or(2)
    }
}

/// Decimal places of the minor units in which a provider counts a currency.
/// `exceptions` are the provider's own departures from ISO 4217.
pub fn exponent(currency: Currency, exceptions: &[(&str, u8)]) -> u8 {
    exceptions
        .iter()
        .find(|(code, _)| *code == currency.code())
        .map_or_else(|| currency.iso_exponent(), |(_, places)| *places)
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The rounding rule, the only one there is: a fraction of minor units becomes whole, half of one
/// goes up. None for a denominator that is not positive, and beyond what an amount can be.
pub fn rounded(numerator: i128, denominator: i128) -> Option<i64> {
    if denominator <= 0 {
        return None;
    }
    let twice = denominator.checked_mul(2)?;
    let shifted = numerator.checked_mul(2)?.checked_add(denominator)?;
    i64::try_from(shifted.checked_div_euclid(twice)?).ok()
}

/// An amount in the minor units in which its provider counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    #[serde(rename = "amount_minor")]
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
    /// Decimal places of the minor unit: a function of provider and currency.
    pub exponent: u8,
}

impl Money {
    /// Whether both are counted in the same unit. A currency may have two: providers differ.
    pub fn is_same_unit(self, other: Self) -> bool {
        (self.currency, self.exponent) == (other.currency, other.exponent)
    }

    /// The amount as decimal text, `12.34`, with no currency and no grouping.
    pub fn decimal(&self) -> String {
        let places = usize::from(self.exponent);
        let digits = format!(
            "{:0>width$}",
            self.minor.unsigned_abs(),
            width = places.saturating_add(1)
        );
        let sign = if self.minor < 0 { "-" } else { "" };
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// A text that is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMoney {
    /// Not a number and a currency.
    #[error("`{0}` is not an amount: write it as \"5.00 eur\"")]
    Unreadable(String),
    /// Nobody knows the currency.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// More decimals than the currency has, or more than an amount can be.
    #[error("`{text}` is not an amount: write {places} decimals at most, and no sign")]
    Digits {
        /// What was seen.
        text: String,
        /// Decimal places of the currency.
        places: u8,
    },
}

/// An amount as people write it, `5.00 eur`, in the minor unit of ISO 4217. Without a sign.
impl FromStr for Money {
    type Err = BadMoney;

    fn from_str(text: &str) -> Result<Self, BadMoney> {
        let seen = || text.chars().take(32).collect::<String>();
        let mut words = text.split_whitespace();
        let (Some(number), Some(code), None) = (words.next(), words.next(), words.next()) else {
            return Err(BadMoney::Unreadable(seen()));
        };
        let currency = Currency::parse(code)?;
        let places = currency.iso_exponent();
        let bad = || BadMoney::Digits {
            text: seen(),
            places,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let width = usize::from(places);
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction:0<width$}");
        let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > width || !is_digits || number.ends_with('.') {
            return Err(bad());
        }
        Ok(Self {
            minor: digits.parse().map_err(|_| bad())?,
            currency,
            exponent: places,
        })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.currency.code().to_ascii_uppercase();
        write!(f, "{} {code}", self.decimal())
    }
}
