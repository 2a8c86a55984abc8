//! Money: integer minor units and a currency. Nothing here is a floating-point number.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A currency of ISO 4217. Its text is in lower case, as the providers write it: `eur`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A currency code that ISO 4217 does not list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("currency `{0}` is not in ISO 4217, so its minor unit is unknown")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// Parses a code in upper or lower case.
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

    /// The code in lower case: `eur`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The decimal places of the minor unit in ISO 4217. A provider may count otherwise: see
    /// [`exponent`].
    pub fn iso_exponent(&self) -> u8 {
        let upper = self.code().to_ascii_uppercase();
        iso_currency::Currency::from_code(&upper)
            .and_then(|currency| currency.exponent())
            .and_then(|places| u8::try_from(places).ok())
            .unwrap_or(2)
    }
}

/// The decimal places of the minor unit in which a provider counts a currency. `exceptions` lists
/// the currencies in which the provider differs from ISO 4217: code in lower case, decimal places.
pub fn exponent(currency: Currency, exceptions: &[(&str, u8)]) -> u8 {
    exceptions
        .iter()
        .find(|(code, _)| *code == currency.code())
        .map_or_else(|| currency.iso_exponent(), |(_, places)| *places)
}

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for Currency {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[a-z]{3}$" })
    }
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

/// The only rounding rule: `numerator / denominator` in minor units, rounded to the nearest whole
/// one, a half upwards. `None` when the denominator is zero or negative, or when the result does
/// not fit an `i64`.
pub fn rounded(numerator: i128, denominator: i128) -> Option<i64> {
    if denominator <= 0 {
        return None;
    }
    let twice = denominator.checked_mul(2)?;
    let shifted = numerator.checked_mul(2)?.checked_add(denominator)?;
    i64::try_from(shifted.checked_div_euclid(twice)?).ok()
}

/// An amount, counted in its provider's minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Money {
    /// How many minor units.
    #[serde(rename = "amount_minor")]
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
    /// The decimal places of the minor unit. They depend on provider and currency.
    pub exponent: u8,
}

impl Money {
    /// Whether both amounts have the same currency and the same minor unit. Providers may count
    /// one currency in different units.
    pub fn is_same_unit(self, other: Self) -> bool {
        (self.currency, self.exponent) == (other.currency, other.exponent)
    }

    /// The amount as decimal text without currency and without grouping: `12.34`.
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

/// An amount that is part of a payment: what was refunded of it, or is disputed. Whoever states it
/// may leave out the currency, and events stored before it was kept have none: then it is the
/// payment's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedAmount {
    /// How many minor units.
    pub minor: i64,
    /// The currency. `None` means the payment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The decimal places of the minor unit. `None` means the payment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exponent: Option<u8>,
}

impl StatedAmount {
    /// An amount in the currency of the payment that it is part of.
    pub fn in_currency_of_payment(minor: i64) -> Self {
        Self {
            minor,
            currency: None,
            exponent: None,
        }
    }

    /// As money. `None` when no currency is stated.
    pub fn money(self) -> Option<Money> {
        Some(Money {
            minor: self.minor,
            currency: self.currency?,
            exponent: self.exponent?,
        })
    }

    /// Whether it can be compared with the payment: it has the same currency and minor unit, or
    /// states none.
    pub fn is_in_unit_of(self, payment: Money) -> bool {
        self.money().is_none_or(|money| money.is_same_unit(payment))
    }
}

/// Whether a number of minor units is left out where it is stored.
pub(crate) fn is_zero_minor(minor: &i64) -> bool {
    *minor == 0
}

impl From<Money> for StatedAmount {
    fn from(money: Money) -> Self {
        Self {
            minor: money.minor,
            currency: Some(money.currency),
            exponent: Some(money.exponent),
        }
    }
}

/// A text that is not a valid amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMoney {
    /// The text is not a number and a currency.
    #[error("`{0}` is not a valid amount: write it as \"5.00 eur\"")]
    Unreadable(String),
    /// ISO 4217 does not list the currency.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// The number is too large, has too many decimals, or has signs that are not digits.
    #[error("`{text}` is not a valid amount: write digits only, with at most {places} decimals")]
    Digits {
        /// The start of the text.
        text: String,
        /// The currency's decimal places.
        places: u8,
    },
}

/// Parses an amount as people write it, `5.00 eur`, into the minor unit of ISO 4217. A plus or a
/// minus before it is refused.
impl FromStr for Money {
    type Err = BadMoney;

    fn from_str(text: &str) -> Result<Self, BadMoney> {
        let excerpt = || text.chars().take(32).collect::<String>();
        let mut words = text.split_whitespace();
        let (Some(number), Some(code), None) = (words.next(), words.next(), words.next()) else {
            return Err(BadMoney::Unreadable(excerpt()));
        };
        let currency = Currency::parse(code)?;
        let places = currency.iso_exponent();
        let bad = || BadMoney::Digits {
            text: excerpt(),
            places,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let width = usize::from(places);
        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction:0<width$}");
        let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > width || !only_digits || number.ends_with('.') {
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
