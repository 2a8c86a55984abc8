//! Prices of usage, as the catalog writes them.
//!
//! ```toml
//! [meters.requests.price]
//! currency = "eur"
//! allowance = "1000"          # so much is free
//! model = "graduated"
//! tiers = [{ up_to = "10000", unit = "0.002" }, { unit = "0.001", flat = "5" }]
//! minimum = "2"               # in euros, as all amounts here
//! cap = "500"
//! ```

use super::quantity::Quantity;
use crate::money::Currency;
use serde::Deserialize;

/// What a period's usage costs. All amounts are in whole units of the currency, as decimals.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "UsagePriceInput")]
pub struct UsagePrice {
    /// The currency.
    pub currency: Currency,
    /// So much costs nothing.
    pub allowance: Quantity,
    /// How what is beyond the allowance is priced.
    pub model: PriceModel,
    /// At least so much is due, whatever was used.
    pub minimum: Option<Quantity>,
    /// At most so much is due.
    pub cap: Option<Quantity>,
}

/// How usage is priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceModel {
    /// Each unit costs this.
    PerUnit(Quantity),
    /// Each unit costs what its own tier says.
    Graduated(Vec<PriceTier>),
    /// All units cost what the tier of the last one says.
    Volume(Vec<PriceTier>),
    /// So many units, begun ones included, cost so much.
    Package {
        /// How many units are sold together.
        size: Quantity,
        /// What they cost.
        price: Quantity,
    },
    /// A part of an amount of money that was used, as of sales.
    Percentage {
        /// In hundredths.
        rate: Quantity,
        /// For each event.
        fixed: Quantity,
        /// At least so much, where anything was used.
        at_least: Option<Quantity>,
        /// At most so much.
        at_most: Option<Quantity>,
    },
}

/// One tier of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTier {
    /// The last quantity in it. `None` for the last tier.
    #[serde(default)]
    pub up_to: Option<Quantity>,
    /// What a unit costs.
    #[serde(default)]
    pub unit: Quantity,
    /// What it costs to reach it.
    #[serde(default)]
    pub flat: Quantity,
}

/// A price that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPrice {
    /// A field that the model needs, or does not know.
    #[error(
        "the fields do not fit the model: per_unit has `unit`; graduated and volume have `tiers`; \
         package has `size` and `unit`; percentage has `rate`, and `fixed`, `at_least`, `at_most`"
    )]
    Fields,
    /// Tiers out of order.
    #[error("tiers rise from above 0 on, and the last one alone has no `up_to`")]
    Tiers,
    /// Something below zero, or a package of nothing.
    #[error("no part of a price is below zero, and a package has a size above 0")]
    Negative,
    /// Bounds that exclude each other.
    #[error("the minimum is above the cap, or `at_least` above `at_most`")]
    Bounds,
}

/// A price as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsagePriceInput {
    currency: Currency,
    #[serde(default)]
    allowance: Quantity,
    model: ModelName,
    unit: Option<Quantity>,
    tiers: Option<Vec<PriceTier>>,
    size: Option<Quantity>,
    rate: Option<Quantity>,
    fixed: Option<Quantity>,
    at_least: Option<Quantity>,
    at_most: Option<Quantity>,
    minimum: Option<Quantity>,
    cap: Option<Quantity>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModelName {
    PerUnit,
    Graduated,
    Volume,
    Package,
    Percentage,
}

impl TryFrom<UsagePriceInput> for UsagePrice {
    type Error = BadPrice;

    fn try_from(input: UsagePriceInput) -> Result<Self, BadPrice> {
        let model = input.model()?;
        let amounts = [
            Some(input.allowance),
            input.unit,
            input.size,
            input.rate,
            input.fixed,
            input.at_least,
            input.at_most,
            input.minimum,
            input.cap,
        ];
        let tiers = input.tiers.iter().flatten();
        let tiers = tiers.flat_map(|tier| [tier.unit, tier.flat]);
        let mut amounts = amounts.into_iter().flatten().chain(tiers);
        if amounts.any(Quantity::is_negative) || input.size.is_some_and(Quantity::is_zero) {
            return Err(BadPrice::Negative);
        }
        let crossed = |low: Option<Quantity>, high: Option<Quantity>| {
            low.zip(high).is_some_and(|(low, high)| low > high)
        };
        if crossed(input.minimum, input.cap) || crossed(input.at_least, input.at_most) {
            return Err(BadPrice::Bounds);
        }
        Ok(Self {
            currency: input.currency,
            allowance: input.allowance,
            model,
            minimum: input.minimum,
            cap: input.cap,
        })
    }
}

impl UsagePriceInput {
    fn model(&self) -> Result<PriceModel, BadPrice> {
        let bounds = [self.fixed, self.at_least, self.at_most];
        let has_bounds = bounds.iter().any(Option::is_some);
        match (self.model, self.unit, &self.tiers, self.size, self.rate) {
            (ModelName::Percentage, None, None, None, Some(rate)) => Ok(PriceModel::Percentage {
                rate,
                fixed: self.fixed.unwrap_or_default(),
                at_least: self.at_least,
                at_most: self.at_most,
            }),
            (ModelName::PerUnit, Some(unit), None, None, None) if !has_bounds => {
                Ok(PriceModel::PerUnit(unit))
            }
            (ModelName::Package, Some(price), None, Some(size), None) if !has_bounds => {
                Ok(PriceModel::Package { size, price })
            }
            (ModelName::Graduated, None, Some(tiers), None, None) if !has_bounds => {
                Ok(PriceModel::Graduated(rising(tiers)?))
            }
            (ModelName::Volume, None, Some(tiers), None, None) if !has_bounds => {
                Ok(PriceModel::Volume(rising(tiers)?))
            }
            (
                ModelName::PerUnit
                | ModelName::Package
                | ModelName::Graduated
                | ModelName::Volume
                | ModelName::Percentage,
                ..,
            ) => Err(BadPrice::Fields),
        }
    }
}

fn rising(tiers: &[PriceTier]) -> Result<Vec<PriceTier>, BadPrice> {
    let (last, others) = tiers.split_last().ok_or(BadPrice::Tiers)?;
    let mut below = Quantity::ZERO;
    for tier in others {
        let up_to = tier.up_to.filter(|up_to| *up_to > below);
        below = up_to.ok_or(BadPrice::Tiers)?;
    }
    match last.up_to {
        None => Ok(tiers.to_vec()),
        Some(_) => Err(BadPrice::Tiers),
    }
}
