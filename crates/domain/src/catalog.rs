//! The catalog: what the shop calls the provider's prices. A price it does not list is shown
//! under its own id, never guessed.

use crate::ids::PriceId;
use crate::partner::program::BadProgram;
use crate::partner::program_input::ProgramInput;
use crate::partner::tiers::ProgramTerms;
use crate::subscription::terms::SubscriptionItem;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Plans, add-ons and meters by the shop's own keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// What a subscription is about; the higher tier gives more.
    pub plans: BTreeMap<String, Product>,
    /// Sold beside a plan.
    pub add_ons: BTreeMap<String, Product>,
    /// Paid by use.
    pub meters: BTreeMap<String, Product>,
    /// What a partner earns with whom nothing else was agreed on.
    pub program: Option<ProgramTerms>,
    /// What else is offered to partners, by its name.
    pub programs: BTreeMap<String, ProgramTerms>,
}

/// The same as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    #[serde(default)]
    plans: BTreeMap<String, Product>,
    #[serde(default)]
    add_ons: BTreeMap<String, Product>,
    #[serde(default)]
    meters: BTreeMap<String, Product>,
    #[serde(default, deserialize_with = "complete_program")]
    program: Option<ProgramTerms>,
    /// What one does not say, the program without a name says.
    #[serde(default)]
    programs: BTreeMap<String, ProgramInput>,
}

/// A program of which everything is said: `rate = "20%"`, `months = 12`, `hold = "30d"`, …
fn complete_program<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ProgramTerms>, D::Error> {
    let program = ProgramInput::deserialize(deserializer)?.merge_onto(None);
    program.map(Some).map_err(D::Error::custom)
}

/// One thing that is sold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// What people read.
    pub name: ProductName,
    /// Its place among the plans.
    #[serde(default)]
    pub tier: u32,
    /// The providers' prices for it.
    pub prices: Vec<PriceId>,
}

/// One name for all languages, or one for each.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ProductName {
    /// The same everywhere.
    Same(String),
    /// By language: `en`, `fr`.
    ByLanguage(BTreeMap<String, String>),
}

/// What an item of a subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// The plan.
    Base,
    /// Beside the plan.
    AddOn,
    /// By use.
    Metered,
    /// The catalog does not say.
    Unlisted,
}

/// A catalog file that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCatalog {
    /// Not TOML, or not of this shape.
    #[error("the catalog can't be read: {0}")]
    Unreadable(String),
    /// Two products claim one price.
    #[error("price {0} is listed twice; a price can only be one thing")]
    DuplicatePrice(PriceId),
    /// A program by this name can't be agreed on.
    #[error("[programs.{0}] is not a program: {1}")]
    Program(String, BadProgram),
}

impl Catalog {
    /// Parses a catalog file.
    ///
    /// # Errors
    /// [`BadCatalog`].
    pub fn parse(text: &str) -> Result<Self, BadCatalog> {
        let written: CatalogFile =
            toml::from_str(text).map_err(|error| BadCatalog::Unreadable(error.to_string()))?;
        let named = |(name, wording): (String, ProgramInput)| match wording
            .merge_onto(written.program.as_ref())
        {
            Ok(offer) => Ok((name, offer)),
            Err(bad) => Err(BadCatalog::Program(name, bad)),
        };
        let programs = written.programs.into_iter().map(named);
        let programs = programs.collect::<Result<_, _>>()?;
        let catalog = Self {
            plans: written.plans,
            add_ons: written.add_ons,
            meters: written.meters,
            program: written.program,
            programs,
        };
        let mut prices: Vec<&PriceId> = catalog
            .plans
            .values()
            .chain(catalog.add_ons.values())
            .chain(catalog.meters.values())
            .flat_map(|product| &product.prices)
            .collect();
        prices.sort();
        match prices
            .windows(2)
            .find(|pair| pair.first() == pair.last())
            .and_then(|p| p.first())
        {
            Some(twice) => Err(BadCatalog::DuplicatePrice((*twice).clone())),
            None => Ok(catalog),
        }
    }

    /// What a price is: its kind, the shop's key and the product.
    pub fn product(&self, price: &PriceId) -> Option<(ItemKind, &str, &Product)> {
        [
            (ItemKind::Base, &self.plans),
            (ItemKind::AddOn, &self.add_ons),
            (ItemKind::Metered, &self.meters),
        ]
        .into_iter()
        .flat_map(|(kind, products)| products.iter().map(move |(key, p)| (kind, key, p)))
        .find(|(_, _, product)| product.prices.contains(price))
        .map(|(kind, key, product)| (kind, key.as_str(), product))
    }

    /// What an item is. Of items that the catalog does not list, usage shows by itself, and one
    /// that stands alone can only be the base.
    pub fn kind(&self, item: &SubscriptionItem, among: &[SubscriptionItem]) -> ItemKind {
        match self.product(&item.price) {
            Some((kind, _, _)) => kind,
            None if item.metered => ItemKind::Metered,
            None if among.iter().filter(|other| !other.metered).count() == 1 => ItemKind::Base,
            None => ItemKind::Unlisted,
        }
    }

    /// The item a subscription's plan is named by: the listed base of the highest tier, else
    /// the only one that can be it.
    pub fn base<'a>(&self, items: &'a [SubscriptionItem]) -> Option<&'a SubscriptionItem> {
        let tier =
            |item: &SubscriptionItem| self.product(&item.price).map_or(0, |(_, _, p)| p.tier);
        items
            .iter()
            .filter(|item| self.kind(item, items) == ItemKind::Base)
            .max_by_key(|i| tier(i))
    }
}

impl Product {
    /// The name in a language, else in English, else any.
    pub fn name_in(&self, language: &str) -> &str {
        match &self.name {
            ProductName::Same(name) => name,
            ProductName::ByLanguage(names) => names
                .get(language)
                .or_else(|| names.get("en"))
                .or_else(|| names.values().next())
                .map_or("", String::as_str),
        }
    }
}
