//! A catalog to begin with: every price that events have named so far, as what it looks like.

use domain::catalog::Catalog;
use domain::event::Fact;
use domain::ids::PriceId;
use domain::money::{Currency, Money, exponent};
use domain::record::Entry;
use domain::subscription::pricing::{BillingInterval, IntervalUnit};
use std::collections::BTreeMap;
use std::fmt::Write;
use store::{Item, StoreError, Table};

/// What a price looks like, the likeliest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PriceKind {
    Purchase,
    AddOn,
    Meter,
    Plan,
}

/// A price that an event named.
#[derive(Clone, Debug)]
struct SeenPrice {
    kind: PriceKind,
    costs: Option<String>,
}

/// The prices that one provider's events have named.
#[derive(Clone, Debug, Default)]
pub struct CatalogDraft(BTreeMap<PriceId, SeenPrice>);

impl CatalogDraft {
    /// Reads every entry of the table that is of this provider. It reads the whole table, which is
    /// a small one on this machine and would be paid for elsewhere.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read<T: Table>(table: &T, provider: &str) -> Result<Self, StoreError> {
        let (mut draft, mut after) = (Self::default(), None);
        let begins = format!("{provider}/");
        loop {
            let page = table.scan(after, SCAN_PAGE).await?;
            for item in page.items {
                if let Item::Entry(_, entry) | Item::Parked(_, entry) = item
                    && entry.event.id.as_str().starts_with(&begins)
                {
                    draft.add(&entry, provider);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(draft);
            }
        }
    }

    /// How many prices were seen.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no price was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A catalog file with those that another one does not name; none where it names all.
    pub fn text(&self, known: &Catalog) -> Option<String> {
        let is_new =
            |price: &PriceId| known.product(price).is_none() && known.purchase(price).is_none();
        let mut text = String::new();
        for (kind, section, what) in SECTIONS {
            let of_kind = self
                .0
                .iter()
                .filter(|(price, seen)| seen.kind == kind && is_new(price));
            for (n, (price, seen)) in of_kind.enumerate() {
                let quoted = toml::Value::from(price.as_str()).to_string();
                let costs = seen
                    .costs
                    .as_deref()
                    .unwrap_or("by use, by tiers or not said");
                if n == 0 {
                    // Writing to a string can't fail.
                    let _ = writeln!(text, "# {what}");
                }
                let tier = if kind == PriceKind::Plan {
                    format!("tier = {}\n", n.saturating_add(1))
                } else {
                    String::new()
                };
                let _ = writeln!(
                    text,
                    "[{section}.{quoted}]  # {costs}\nname = {quoted}\n{tier}prices = [{quoted}]\n"
                );
            }
        }
        (!text.is_empty()).then(|| text.trim_end().to_owned())
    }

    fn add(&mut self, entry: &Entry, provider: &str) {
        for fact in &entry.event.facts {
            if let Fact::Subscription(snapshot) = fact {
                let mut is_first = true;
                for item in &snapshot.terms.items {
                    let kind = match (item.metered, is_first) {
                        (true, _) => PriceKind::Meter,
                        (false, true) => PriceKind::Plan,
                        (false, false) => PriceKind::AddOn,
                    };
                    is_first &= item.metered;
                    let unit = item.unit_minor.zip(snapshot.currency);
                    let costs = unit.map(|(minor, currency)| {
                        costs(provider, minor, currency, item.pricing.interval)
                    });
                    self.see(&item.price, kind, costs);
                }
            } else if let Fact::Payment(payment) = fact {
                for bought in &payment.purchased {
                    self.see(
                        &bought.price,
                        PriceKind::Purchase,
                        Some("bought once".into()),
                    );
                }
            }
        }
    }

    fn see(&mut self, price: &PriceId, kind: PriceKind, costs: Option<String>) {
        let seen = self.0.entry(price.clone());
        let seen = seen.or_insert(SeenPrice { kind, costs: None });
        seen.kind = seen.kind.max(kind);
        seen.costs = costs.or(seen.costs.take());
    }
}

fn costs(
    provider: &str,
    minor: i64,
    currency: Currency,
    interval: Option<BillingInterval>,
) -> String {
    let own = providers::provider(provider).map_or(&[][..], |known| known.exponents());
    let amount = crate::amounts::money(Money {
        minor,
        currency,
        exponent: exponent(currency, own),
    });
    let every = interval.map(|BillingInterval { unit, count }| {
        let unit = match unit {
            IntervalUnit::Day => "day",
            IntervalUnit::Week => "week",
            IntervalUnit::Month => "month",
            IntervalUnit::Year => "year",
        };
        match count {
            1 => format!(" every {unit}"),
            count => format!(" every {count} {unit}s"),
        }
    });
    [amount, every.unwrap_or_default()].concat()
}

const SCAN_PAGE: u32 = 1000;
const SECTIONS: [(PriceKind, &str, &str); 4] = [
    (
        PriceKind::Plan,
        "plans",
        "Subscriptions; a plan of a higher tier gives more.",
    ),
    (PriceKind::AddOn, "add_ons", "Seen beside a plan."),
    (PriceKind::Meter, "meters", "Paid by use."),
    (PriceKind::Purchase, "purchases", "Bought once."),
];
