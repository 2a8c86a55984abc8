//! A customer's life, told in a few lines: what happened, and what may be used then.

use crate::scenarios::{
    at, eur, id, ids, new_event, subscription_fact, subscription_snapshot, terms,
};
use domain::catalog::Catalog;
use domain::entitlement::answer::{AccessReason, Answer, Want};
use domain::entitlement::{check, entitlements};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::PriceId;
use domain::payment::snapshot::{PaymentSnapshot, PurchasedPrice, SourceKind};
use domain::state::CustomerState;
use domain::state::fold::fold;
use domain::subscription::pricing::Pricing;
use domain::subscription::terms::{
    Period, SubscriptionItem, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
};
use jiff::Timestamp;

/// What the shop of these tests sells.
pub(crate) const SHOP: &str = r#"
[features.export]
[features.seats]
kind = "limit"
[features.support]
kind = "tier"
levels = ["none", "standard", "premium"]

[plans.seed]
name = "Seed"
prices = ["price_seed"]
features = { seats = 1 }

[plans.grove]
name = "Grove"
tier = 1
prices = ["price_grove"]
features = { export = true, seats = 5, support = "standard" }

[add_ons.seat]
name = "Seat"
prices = ["price_seat"]
features = { seats = 2 }

[add_ons.care]
name = "Care"
prices = ["price_care"]
features = { support = "premium" }

[purchases.cover]
name = "Cover"
prices = ["price_cover"]
features = { support = "premium" }
for = "24 months"

[purchases.export]
name = "Export for ever"
prices = ["price_export"]
features = { export = true, seats = 3 }
"#;

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// Events of one customer.
#[derive(Clone, Default)]
pub(crate) struct Life(pub(crate) Vec<NormalizedEvent>);

impl Life {
    /// With one more event on this day.
    pub(crate) fn on(mut self, day: i64, fact: Fact) -> Self {
        let name = format!("evt_{}", self.0.len());
        self.0.push(new_event(&name, day * DAY, 1, vec![fact]));
        self
    }

    /// With a subscription as it was on this day.
    pub(crate) fn shows(self, day: i64, terms: SubscriptionTerms) -> Self {
        self.on(day, subscription_fact(snapshot(terms)))
    }

    pub(crate) fn state(&self) -> CustomerState {
        fold(&self.0)
    }

    /// The answer of this shop on this day.
    pub(crate) fn ask(&self, shop: &str, feature: &str, day: i64) -> Answer {
        self.want(shop, feature, None, at(day * DAY))
    }

    /// The same, about so much of it, at a moment.
    pub(crate) fn want(
        &self,
        shop: &str,
        feature: &str,
        want: Option<Want>,
        now: Timestamp,
    ) -> Answer {
        let (state, catalog) = (self.state(), Catalog::parse(shop).unwrap());
        let answer = check(&state, &catalog, feature, want.as_ref(), now);
        if want.is_none() {
            let all = entitlements(&state, &catalog, now);
            let same = all.features.iter().find(|all| *all.feature == *feature);
            assert_eq!(same, Some(&answer), "both ways to ask agree");
            assert_eq!(all.as_of, now);
        }
        answer
    }

    /// Whether it is allowed, and why or why not.
    pub(crate) fn verdict(&self, shop: &str, feature: &str, day: i64) -> (bool, AccessReason) {
        let answer = self.ask(shop, feature, day);
        (answer.allowed, answer.why)
    }
}

/// A subscription's terms: its status, its items as price and quantity, and a period of thirty days
/// from this day on.
pub(crate) fn runs(
    status: SubscriptionStatus,
    items: &[(&str, u64)],
    from: i64,
) -> SubscriptionTerms {
    SubscriptionTerms {
        items: items.iter().map(|(price, n)| item(price, *n)).collect(),
        period: Some(Period {
            start: at(from * DAY),
            end: at((from + 30) * DAY),
        }),
        ..terms(status, "price_seed")
    }
}

/// An item; its id follows from its price.
pub(crate) fn item(price: &str, quantity: u64) -> SubscriptionItem {
    SubscriptionItem {
        id: id(&format!("si_{price}")),
        price: PriceId::parse(price).unwrap(),
        metered: false,
        quantity: Some(quantity),
        unit_minor: Some(1000),
        pricing: Pricing::default(),
        period: None,
    }
}

pub(crate) fn snapshot(terms: SubscriptionTerms) -> SubscriptionSnapshot {
    subscription_snapshot("sub_1", terms, None)
}

/// A payment on this day: for the subscription, or for things bought once.
pub(crate) fn paid(name: &str, minor: i64, day: i64, bought: &[(&str, u64)]) -> Fact {
    let purchased = bought.iter().map(|(price, quantity)| PurchasedPrice {
        price: PriceId::parse(*price).unwrap(),
        quantity: *quantity,
    });
    Fact::Payment(PaymentSnapshot {
        ids: ids(&[name]),
        source_kind: SourceKind::Intent,
        paid: eur(minor),
        tax_minor: None,
        paid_at: at(day * DAY),
        subscription: bought.is_empty().then(|| id("sub_1")),
        unlinked: false,
        purchased: purchased.collect(),
    })
}
