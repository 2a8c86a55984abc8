//! The catalog: the shop's names for the provider's prices, what each product lets a customer use,
//! and the programs that the shop offers to partners. A price that is not listed is shown under its
//! own id; its meaning is never guessed.

pub mod product_name;
pub mod calendar_duration;
pub mod feature;
pub mod access;
pub mod meter_input;

use crate::catalog::access::AccessPolicy;
use crate::catalog::calendar_duration::CalendarDuration;
use crate::catalog::feature::{
    BadFeature, Feature, FeatureGrants, FeatureInput, GrantInputs, read_features, read_grants,
};
use crate::catalog::meter_input::{BadMeter, MeterInput};
use crate::catalog::product_name::ProductName;
use crate::ids::{MeterName, PriceId};
use crate::partner::program::BadProgram;
use crate::partner::program_input::ProgramInput;
use crate::partner::tiers::ProgramTerms;
use crate::subscription::terms::SubscriptionItem;
use crate::usage::meter::Meter;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Plans, add-ons and meters, each by the shop's key for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Base products of subscriptions. A plan of a higher tier gives more.
    pub plans: BTreeMap<String, Product>,
    /// Products sold beside a plan.
    pub add_ons: BTreeMap<String, Product>,
    /// Products paid by use.
    pub meters: BTreeMap<String, Product>,
    /// How usage is counted, of the meters that are counted here.
    pub counted: BTreeMap<MeterName, Meter>,
    /// Products bought once.
    pub purchases: BTreeMap<String, PurchaseProduct>,
    /// What the shop's own code may ask about.
    pub features: BTreeMap<String, Feature>,
    /// What a customer may use while a payment fails, is disputed or went back.
    pub access: AccessPolicy,
    /// The program of partners with whom nothing else was agreed.
    pub program: Option<ProgramTerms>,
    /// Other programs for partners, by name.
    pub programs: BTreeMap<String, ProgramTerms>,
}

/// The shape of the catalog file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogFile {
    #[serde(default)]
    plans: BTreeMap<String, ProductInput>,
    #[serde(default)]
    add_ons: BTreeMap<String, ProductInput>,
    #[serde(default)]
    meters: BTreeMap<String, MeterInput>,
    #[serde(default)]
    purchases: BTreeMap<String, PurchaseInput>,
    #[serde(default)]
    features: BTreeMap<String, Spanned<FeatureInput>>,
    #[serde(default)]
    access: AccessPolicy,
    #[serde(default, deserialize_with = "complete_program")]
    program: Option<ProgramTerms>,
    /// Terms that one of these leaves out are those of `program`.
    #[serde(default)]
    programs: BTreeMap<String, ProgramInput>,
}

/// Reads a program that must state every term: `rate = "20%"`, `months = 12`, `hold = "30d"`, …
fn complete_program<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ProgramTerms>, D::Error> {
    let program = ProgramInput::deserialize(deserializer)?.merge_onto(None);
    program.map(Some).map_err(D::Error::custom)
}

/// A plan or an add-on as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductInput {
    name: ProductName,
    #[serde(default)]
    tier: u32,
    prices: Vec<PriceId>,
    #[serde(default)]
    features: GrantInputs,
}

/// A product bought once, as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PurchaseInput {
    name: ProductName,
    prices: Vec<PriceId>,
    #[serde(default)]
    features: GrantInputs,
    #[serde(default, rename = "for")]
    lasts: Option<CalendarDuration>,
}

/// One product of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The name that people read.
    pub name: ProductName,
    /// Its rank among the plans; 0 is the lowest.
    pub tier: u32,
    /// The providers' ids of its prices.
    pub prices: Vec<PriceId>,
    /// What one of it gives.
    pub features: FeatureGrants,
}

/// A product that is bought once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseProduct {
    /// The name that people read.
    pub name: ProductName,
    /// The providers' ids of its prices.
    pub prices: Vec<PriceId>,
    /// What one of it gives.
    pub features: FeatureGrants,
    /// For how long after its payment it gives that. `None` is for ever.
    pub lasts: Option<CalendarDuration>,
}

/// What an item of a subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// It is the plan.
    Base,
    /// It is sold beside the plan.
    AddOn,
    /// It is paid by use.
    Metered,
    /// The catalog does not list its price, and the item could be several things.
    Unlisted,
}

/// Why a catalog file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCatalog {
    /// The file is not TOML, or does not have the shape of a catalog.
    #[error("the catalog can't be read: {0}")]
    Unreadable(String),
    /// Two products list the same price.
    #[error("price {0} is listed twice; a price belongs to one product")]
    DuplicatePrice(PriceId),
    /// A feature, or what a product gives of one, is not valid.
    #[error("the catalog can't be used: {0}")]
    Feature(#[from] BadFeature),
    /// The meter of this name is not valid.
    #[error("[meters.{0}] is not a valid meter: {1}")]
    Meter(String, BadMeter),
    /// The program of this name is not valid.
    #[error("[programs.{0}] is not a valid program: {1}")]
    Program(String, BadProgram),
}

impl Catalog {
    /// Parses a catalog file.
    ///
    /// # Errors
    /// [`BadCatalog`] when the text is not a catalog, a price is listed twice or a program is not
    /// valid.
    pub fn parse(text: &str) -> Result<Self, BadCatalog> {
        let file: CatalogFile =
            toml::from_str(text).map_err(|error| BadCatalog::Unreadable(error.to_string()))?;
        let parse_program =
            |(name, input): (String, ProgramInput)| match input.merge_onto(file.program.as_ref()) {
                Ok(terms) => Ok((name, terms)),
                Err(bad) => Err(BadCatalog::Program(name, bad)),
            };
        let programs = file.programs.into_iter().map(parse_program);
        let programs = programs.collect::<Result<_, _>>()?;
        let features = read_features(text, file.features)?;
        let products = |inputs: BTreeMap<String, ProductInput>, section: &str| {
            let read = |(key, input): (String, ProductInput)| {
                let place = || format!("{section}.{key}");
                let product = Product {
                    features: read_grants(text, &features, place, input.features)?,
                    name: input.name,
                    tier: input.tier,
                    prices: input.prices,
                };
                Ok((key, product))
            };
            inputs
                .into_iter()
                .map(read)
                .collect::<Result<_, BadFeature>>()
        };
        let purchases = file.purchases.into_iter().map(|(key, input)| {
            let place = || format!("purchases.{key}");
            let product = PurchaseProduct {
                features: read_grants(text, &features, place, input.features)?,
                name: input.name,
                prices: input.prices,
                lasts: input.lasts,
            };
            Ok((key, product))
        });
        let catalog = Self {
            plans: products(file.plans, "plans")?,
            add_ons: products(file.add_ons, "add_ons")?,
            counted: counted(&file.meters)?,
            meters: file.meters.into_iter().map(metered_product).collect(),
            purchases: purchases.collect::<Result<_, BadFeature>>()?,
            features,
            access: file.access,
            program: file.program,
            programs,
        };
        match catalog.duplicate_price() {
            Some(duplicate) => Err(BadCatalog::DuplicatePrice(duplicate.clone())),
            None => Ok(catalog),
        }
    }

    fn duplicate_price(&self) -> Option<&PriceId> {
        let products = [&self.plans, &self.add_ons, &self.meters];
        let products = products.into_iter().flat_map(BTreeMap::values);
        let purchases = self.purchases.values();
        let mut prices: Vec<&PriceId> = products
            .flat_map(|product| &product.prices)
            .chain(purchases.flat_map(|product| &product.prices))
            .collect();
        prices.sort();
        let twice = prices.windows(2).find(|pair| pair.first() == pair.last());
        twice.and_then(|pair| pair.first()).copied()
    }

    /// The product bought once that the catalog lists a price as, by the shop's key.
    pub fn purchase(&self, price: &PriceId) -> Option<(&str, &PurchaseProduct)> {
        let listed = self.purchases.iter();
        let mut listed = listed.filter(|(_, product)| product.prices.contains(price));
        listed.next().map(|(key, product)| (key.as_str(), product))
    }

    /// Features that no product gives: perhaps a name was misspelled.
    pub fn features_without_product(&self) -> Vec<&str> {
        let products = self.plans.values().chain(self.add_ons.values());
        let purchases = self.purchases.values().map(|product| &product.features);
        let all = products.map(|product| &product.features).chain(purchases);
        let given: BTreeSet<&String> = all.flat_map(BTreeMap::keys).collect();
        let features = self.features.keys();
        let unused = features.filter(|feature| !given.contains(feature));
        unused.map(String::as_str).collect()
    }

    /// What the catalog lists a price as: the kind of its items, the shop's key and the product.
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

    /// The kind of one item of a subscription, whose items are `items`. An item with an unlisted
    /// price is metered if the provider says so; it is the base if all other items are metered.
    pub fn kind(&self, item: &SubscriptionItem, items: &[SubscriptionItem]) -> ItemKind {
        match self.product(&item.price) {
            Some((kind, _, _)) => kind,
            None if item.metered => ItemKind::Metered,
            None if items.iter().filter(|other| !other.metered).count() == 1 => ItemKind::Base,
            None => ItemKind::Unlisted,
        }
    }

    /// The item that names a subscription's plan: the base item of the highest tier, listed or not.
    /// `None` when no item is a base item.
    pub fn base<'a>(&self, items: &'a [SubscriptionItem]) -> Option<&'a SubscriptionItem> {
        let tier =
            |item: &SubscriptionItem| self.product(&item.price).map_or(0, |(_, _, p)| p.tier);
        items
            .iter()
            .filter(|item| self.kind(item, items) == ItemKind::Base)
            .max_by_key(|i| tier(i))
    }
}

fn counted(
    inputs: &BTreeMap<String, MeterInput>,
) -> Result<BTreeMap<MeterName, Meter>, BadCatalog> {
    let mut counted = BTreeMap::new();
    for (key, input) in inputs {
        let bad = |bad| BadCatalog::Meter(key.clone(), bad);
        let Some(meter) = input.meter().map_err(bad)? else {
            continue;
        };
        let name = MeterName::parse(&**key).map_err(|_| bad(BadMeter::Name))?;
        counted.insert(name, meter);
    }
    Ok(counted)
}

fn metered_product((key, input): (String, MeterInput)) -> (String, Product) {
    let product = Product {
        name: input.name,
        tier: input.tier,
        prices: input.prices,
        features: FeatureGrants::new(),
    };
    (key, product)
}

impl Product {
    /// The name in this language, else in English, else in any language.
    pub fn name_in(&self, language: &str) -> &str {
        self.name.in_language(language)
    }
}
