//! Rates and numbers of days, as people write them.

use crate::partner::program::BadProgram;
use std::str::FromStr;

/// A part of an amount, in basis points (hundredths of a percent). Written `20%` or `12.5%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u16);

/// A number of days of 24 hours. Written `30d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(pub u16);

impl FromStr for Rate {
    type Err = BadProgram;

    fn from_str(text: &str) -> Result<Self, BadProgram> {
        let bad = || BadProgram::Rate(excerpt(text));
        let number = text.trim().strip_suffix('%').ok_or_else(bad)?;
        let (whole, fraction) = number.trim_end().split_once('.').unwrap_or((number, "0"));
        let points = |digits: &str, min, max| {
            let only_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            let valid = only_digits && (min..=max).contains(&digits.len());
            valid.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let hundreds = points(whole.trim(), 1, 3).and_then(|whole| whole.checked_mul(100));
        let hundredths = points(&format!("{fraction:0<2}"), 2, 2).filter(|_| !fraction.is_empty());
        let sum = hundreds.zip(hundredths).and_then(|(a, b)| a.checked_add(b));
        sum.map(Self).ok_or_else(bad)
    }
}

impl FromStr for Days {
    type Err = BadProgram;

    fn from_str(text: &str) -> Result<Self, BadProgram> {
        let digits = text.trim().strip_suffix('d');
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let days = digits.and_then(|digits| digits.parse().ok());
        days.map(Self)
            .ok_or_else(|| BadProgram::Days(excerpt(text)))
    }
}

/// The first 32 characters of a text, for an error message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}
