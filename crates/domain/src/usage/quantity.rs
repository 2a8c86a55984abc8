//! Quantities: exact decimals. Nothing here is a floating-point number.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An exact decimal number: at most 26 digits before the point and 12 after it. As text it has no
/// exponent, no plus and no zeros behind the last digit that counts: `12.5`, `-0.000000000001`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quantity(i128);

/// Text that is not a quantity. It never holds the text, which a stranger may have chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuantity {
    /// Not a decimal number.
    #[error("it is not a decimal number: write digits, with a point if need be, as in \"12.5\"")]
    NotDecimal,
    /// Digits that could not be kept.
    #[error("it has more than 12 digits after the point, and none may be lost: round it yourself")]
    TooFine,
    /// A number beyond all that can be added up.
    #[error("it has more than 26 digits before the point")]
    TooLarge,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole.
    pub const ONE: Self = Self(PARTS);

    /// So many parts of which [`PARTS`] are one whole.
    pub const fn from_parts(parts: i128) -> Self {
        Self(parts)
    }

    /// How many parts it is, of which [`PARTS`] are one whole.
    pub const fn parts(self) -> i128 {
        self.0
    }

    /// A whole number.
    pub fn whole(number: u64) -> Self {
        Self(i128::from(number).saturating_mul(PARTS))
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Both together. `None` beyond the bounds of a quantity.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::bounded)
    }

    /// What is left when the other is taken off. `None` beyond the bounds of a quantity.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::bounded)
    }

    /// All of them together. `None` beyond the bounds of a quantity: never a wrong sum.
    pub fn sum(quantities: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut quantities = quantities.into_iter();
        quantities.try_fold(Self::ZERO, Self::plus)
    }

    /// The digits after the point that count, and the number without its point.
    pub(super) fn mantissa(self) -> (u8, i128) {
        let (mut places, mut mantissa) = (PLACES, self.0);
        while places > 0 && mantissa.checked_rem(10) == Some(0) {
            mantissa = mantissa.checked_div(10).unwrap_or_default();
            places = places.saturating_sub(1);
        }
        (places, mantissa)
    }

    /// The quantity of a number without its point; `None` beyond the bounds of a quantity.
    pub(super) fn from_mantissa(places: u8, mantissa: i128) -> Option<Self> {
        let missing = PLACES.checked_sub(places)?;
        let factor = 10_i128.checked_pow(u32::from(missing))?;
        mantissa.checked_mul(factor).and_then(Self::bounded)
    }

    fn bounded(parts: i128) -> Option<Self> {
        (parts.unsigned_abs() < TOO_MANY_PARTS).then_some(Self(parts))
    }
}

impl FromStr for Quantity {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return Err(BadQuantity::NotDecimal);
        }
        let width = usize::from(PLACES);
        let fraction = fraction.trim_end_matches('0');
        let whole = whole.trim_start_matches('0');
        if fraction.len() > width {
            return Err(BadQuantity::TooFine);
        }
        let parts: i128 = format!("0{whole}{fraction:0<width$}")
            .parse()
            .map_err(|_| BadQuantity::TooLarge)?;
        let parts = if is_negative {
            parts.saturating_neg()
        } else {
            parts
        };
        Self::bounded(parts).ok_or(BadQuantity::TooLarge)
    }
}

impl TryFrom<String> for Quantity {
    type Error = BadQuantity;

    fn try_from(text: String) -> Result<Self, BadQuantity> {
        text.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (places, mantissa) = self.mantissa();
        let places = usize::from(places);
        let width = places.saturating_add(1);
        let digits = format!("{:0>width$}", mantissa.unsigned_abs());
        let sign = if mantissa < 0 { "-" } else { "" };
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        match fraction.is_empty() {
            true => write!(f, "{sign}{whole}"),
            false => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let pattern = r"^-?[0-9]+(\.[0-9]+)?$";
        schemars::json_schema!({ "type": "string", "pattern": pattern })
    }
}

/// Digits after the point.
pub const PLACES: u8 = 12;

/// The parts of one whole.
pub const PARTS: i128 = 1_000_000_000_000;

/// From so many parts on it is no quantity: 38 digits in all.
const TOO_MANY_PARTS: u128 = 100_000_000_000_000_000_000_000_000_000_000_000_000;
