//! Rates and lengths of time as people write them.

use crate::partner::program::BadProgram;
use std::str::FromStr;

/// A part of an amount, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u16);

/// A length of time in whole days of 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(pub u16);

impl FromStr for Rate {
    type Err = BadProgram;

    fn from_str(text: &str) -> Result<Self, BadProgram> {
        let bad = || BadProgram::Rate(excerpt(text));
        let number = text.trim().strip_suffix('%').ok_or_else(bad)?;
        let (whole, fraction) = number.trim_end().split_once('.').unwrap_or((number, "0"));
        let points = |digits: &str, shortest, longest| {
            let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            let is_valid = is_digits && (shortest..=longest).contains(&digits.len());
            is_valid.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let hundreds = points(whole.trim(), 1, 3).and_then(|whole| whole.checked_mul(100));
        let rest = points(&format!("{fraction:0<2}"), 2, 2).filter(|_| !fraction.is_empty());
        let sum = hundreds.zip(rest).and_then(|(a, b)| a.checked_add(b));
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

/// As much of what was typed as tells it apart.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}
