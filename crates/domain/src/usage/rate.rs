//! What usage costs: pure arithmetic on whole numbers and decimals, rounded once a line.

use super::meter::MeteredUsage;
use super::price::{PriceModel, PriceTier, UsagePrice};
use super::quantity::{PARTS, PLACES, Quantity};
use crate::money::{Money, rounded};
use crate::subscription::terms::Period;

/// What a period's usage costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatedUsage {
    /// Of which period.
    pub period: Period,
    /// What was used.
    pub usage: MeteredUsage,
    /// Line by line.
    pub lines: Vec<RatedLine>,
    /// All lines together.
    pub total: Money,
}

/// One line: an exact amount, rounded once to the currency's minor unit, a half upwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatedLine {
    /// How it came about, as people read it: `250 × 0.0025 = 0.625, rounded to 0.63 EUR`.
    pub arithmetic: String,
    /// What it comes to.
    pub amount: Money,
}

/// Usage of which the price is beyond what can be computed exactly; nothing wraps or is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was used, times its price, is more than an amount can be")]
pub struct TooMuchToRate;

/// What was used in a period, at a price.
///
/// # Errors
/// [`TooMuchToRate`].
pub fn rate(
    usage: MeteredUsage,
    price: &UsagePrice,
    period: Period,
) -> Result<RatedUsage, TooMuchToRate> {
    let mut rating = Rating {
        price,
        lines: Vec::new(),
        total: 0,
    };
    rating.add_lines(usage).ok_or(TooMuchToRate)?;
    let total = rating.money(rating.total);
    Ok(RatedUsage {
        period,
        usage,
        lines: rating.lines,
        total,
    })
}

struct Rating<'a> {
    price: &'a UsagePrice,
    lines: Vec<RatedLine>,
    total: i64,
}

/// An amount in parts of a part, so that a product of two quantities is exact.
#[derive(Clone, Copy)]
struct ExactAmount(i128);

impl Rating<'_> {
    fn add_lines(&mut self, usage: MeteredUsage) -> Option<()> {
        let beyond = usage.quantity.minus(self.price.allowance)?;
        if beyond > Quantity::ZERO {
            self.add_priced(beyond, usage.events)?;
        }
        let minimum = self.bound(self.price.minimum)?;
        if let Some(minimum) = minimum.filter(|minimum| *minimum > self.total) {
            self.add_bound("minimum", minimum)?;
        }
        let cap = self.bound(self.price.cap)?;
        if let Some(cap) = cap.filter(|cap| *cap < self.total) {
            self.add_bound("cap", cap)?;
        }
        Some(())
    }

    fn add_priced(&mut self, quantity: Quantity, events: u64) -> Option<()> {
        match &self.price.model {
            PriceModel::PerUnit(unit) => {
                let exact = ExactAmount::product(quantity, *unit)?;
                self.add(format!("{quantity} × {unit}"), exact)
            }
            PriceModel::Graduated(tiers) => self.add_graduated(quantity, tiers),
            PriceModel::Volume(tiers) => {
                let mut reached = tiers.iter();
                let reached = reached.find(|tier| tier.up_to.is_none_or(|last| quantity <= last));
                self.add_tier(quantity, reached?)
            }
            PriceModel::Package { size, price } => {
                let begun = quantity.parts().checked_add(size.parts())?.checked_sub(1)?;
                let number = begun.checked_div(size.parts())?;
                let exact = number.checked_mul(price.parts())?.checked_mul(PARTS)?;
                let text = format!("{quantity} in packages of {size}: {number} × {price}");
                self.add(text, ExactAmount(exact))
            }
            PriceModel::Percentage {
                rate,
                fixed,
                at_least,
                at_most,
            } => self.add_percentage(quantity, events, (*rate, *fixed), (*at_least, *at_most)),
        }
    }

    fn add_graduated(&mut self, quantity: Quantity, tiers: &[PriceTier]) -> Option<()> {
        let mut below = Quantity::ZERO;
        for tier in tiers {
            let last = tier.up_to.map_or(quantity, |last| last.min(quantity));
            self.add_tier(last.minus(below)?, tier)?;
            below = last;
            if last == quantity {
                break;
            }
        }
        Some(())
    }

    fn add_tier(&mut self, quantity: Quantity, tier: &PriceTier) -> Option<()> {
        let exact = ExactAmount::product(quantity, tier.unit)?;
        let exact = exact.plus(ExactAmount::product(tier.flat, Quantity::ONE)?)?;
        let flat = match tier.flat.is_zero() {
            true => String::new(),
            false => format!(" + {}", tier.flat),
        };
        self.add(format!("{quantity} × {}{flat}", tier.unit), exact)
    }

    fn add_percentage(
        &mut self,
        quantity: Quantity,
        events: u64,
        (rate, fixed): (Quantity, Quantity),
        (at_least, at_most): (Option<Quantity>, Option<Quantity>),
    ) -> Option<()> {
        // A rate of 12 digits has none left for its hundredths: the amount is taken apart instead.
        let hundredths = ExactAmount::product(quantity, rate)?;
        let fees = ExactAmount::product(fixed, Quantity::whole(events))?.times(100)?;
        let exact = hundredths.plus(fees)?;
        let mut text = format!("{quantity} × {rate} %");
        if !fixed.is_zero() {
            text.push_str(&format!(" + {events} × {fixed}"));
        }
        let bound = |bound: Option<Quantity>| match bound {
            None => Some(None),
            Some(bound) => {
                let exact = ExactAmount::product(bound, Quantity::ONE)?.times(100)?;
                Some(Some((bound, exact)))
            }
        };
        let low = bound(at_least)?.filter(|(_, low)| low.0 > exact.0);
        let high = bound(at_most)?.filter(|(_, high)| high.0 < exact.0);
        let (text, exact) = match (low, high) {
            (Some((low, bound)), _) => (format!("{text}, at least {low}"), bound),
            (None, Some((high, bound))) => (format!("{text}, at most {high}"), bound),
            (None, None) => (text, exact),
        };
        self.add_divided(text, exact, 100)
    }

    fn add(&mut self, text: String, exact: ExactAmount) -> Option<()> {
        self.add_divided(text, exact, 1)
    }

    /// Adds a line of an exact amount, divided by a power of ten.
    fn add_divided(&mut self, text: String, exact: ExactAmount, divisor: i128) -> Option<()> {
        let places = u32::from(self.money(0).exponent);
        let unit = DOUBLE_PLACES.checked_sub(places)?;
        let unit = 10_i128.checked_pow(unit)?.checked_mul(divisor)?;
        let amount = self.money(rounded(exact.0, unit)?);
        let exact_text = exact.text(divisor);
        let arithmetic = match exact_text == trimmed(&amount.decimal()) {
            true => format!("{text} = {amount}"),
            false => format!("{text} = {exact_text}, rounded to {amount}"),
        };
        self.push(arithmetic, amount.minor)
    }

    fn add_bound(&mut self, name: &str, bound: i64) -> Option<()> {
        let difference = bound.checked_sub(self.total)?;
        let (bound, total) = (self.money(bound), self.money(self.total));
        let difference_text = self.money(difference);
        let arithmetic = format!("{name} {bound}: {total} and {difference_text}");
        self.push(arithmetic, difference)
    }

    fn bound(&self, amount: Option<Quantity>) -> Option<Option<i64>> {
        let Some(amount) = amount else {
            return Some(None);
        };
        let places = u32::from(self.money(0).exponent);
        let unit = 10_i128.checked_pow(u32::from(PLACES).checked_sub(places)?)?;
        rounded(amount.parts(), unit).map(Some)
    }

    fn push(&mut self, arithmetic: String, minor: i64) -> Option<()> {
        self.total = self.total.checked_add(minor)?;
        let amount = self.money(minor);
        self.lines.push(RatedLine { arithmetic, amount });
        Some(())
    }

    fn money(&self, minor: i64) -> Money {
        Money {
            minor,
            currency: self.price.currency,
            exponent: self.price.currency.iso_exponent(),
        }
    }
}

impl ExactAmount {
    fn product(one: Quantity, other: Quantity) -> Option<Self> {
        one.parts().checked_mul(other.parts()).map(Self)
    }

    fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    fn times(self, factor: i128) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }

    /// As decimal text, divided by 1 or 100.
    fn text(self, divisor: i128) -> String {
        let places: usize = if divisor == 1 { 24 } else { 26 };
        let digits = format!(
            "{:0>width$}",
            self.0.unsigned_abs(),
            width = places.saturating_add(1)
        );
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        trimmed(&format!("{sign}{whole}.{fraction}")).to_owned()
    }
}

/// Without zeros behind the last digit that counts.
fn trimmed(decimal: &str) -> &str {
    match decimal.contains('.') {
        true => decimal.trim_end_matches('0').trim_end_matches('.'),
        false => decimal,
    }
}

/// Digits after the point of a product of two quantities.
const DOUBLE_PLACES: u32 = 24;
