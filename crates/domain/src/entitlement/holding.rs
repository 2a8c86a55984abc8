//! What a customer has or had, and what each of it gives at a moment.

use super::access_at::{self, Access};
use super::answer::{AccessReason, EntitlementSourceKind};
use super::basis::AccessBasis;
use crate::catalog::feature::FeatureGrants;
use crate::catalog::{Catalog, ItemKind, PurchaseProduct};
use crate::ids::{ObjectId, PriceId};
use crate::payment::kept_purchase::{KeptPurchase, PaymentStanding};
use crate::state::CustomerState;
use crate::subscription::state::Subscription;
use jiff::Timestamp;

/// One product of a customer's, at a moment.
pub(super) struct Holding<'a> {
    /// What it is.
    pub(super) kind: EntitlementSourceKind,
    /// The shop's key for it.
    pub(super) key: &'a str,
    /// What one of it gives.
    pub(super) grants: &'a FeatureGrants,
    /// How many there are.
    pub(super) quantity: u64,
    /// Its subscription.
    pub(super) subscription: Option<&'a ObjectId>,
    /// Its payment.
    pub(super) payment: Option<ObjectId>,
    /// Whether it gives that, or why not.
    pub(super) access: Result<Access, AccessReason>,
}

/// What a customer's state comes to, worked out once: what became of each thing's money.
pub(super) struct Portfolio<'a> {
    catalog: &'a Catalog,
    subscriptions: Vec<(&'a ObjectId, &'a Subscription, PaymentStanding)>,
    purchases: Vec<KeptPurchase>,
}

impl<'a> Portfolio<'a> {
    pub(super) fn new(state: &'a CustomerState, catalog: &'a Catalog) -> Self {
        let payments = &state.payments;
        let subscriptions = state.subscriptions.iter();
        let subscriptions = subscriptions.map(|(id, subscription)| {
            let money = access_at::money_for(id, subscription, payments);
            (id, subscription, money)
        });
        Self {
            catalog,
            subscriptions: subscriptions.collect(),
            purchases: payments.purchases().collect(),
        }
    }

    /// The same of a basis that was kept.
    pub(super) fn of_basis(basis: &'a AccessBasis, catalog: &'a Catalog) -> Self {
        let subscriptions = basis.subscriptions.iter();
        let subscriptions = subscriptions.map(|(id, kept)| (id, &kept.subscription, kept.standing));
        Self {
            catalog,
            subscriptions: subscriptions.collect(),
            purchases: basis.purchases.clone(),
        }
    }

    /// The moments after this one at which something may change by itself, the first of them first,
    /// and at most [`MAX_MOMENTS`] of them.
    pub(super) fn changes_after(&self, now: Timestamp) -> Vec<Timestamp> {
        let policy = &self.catalog.access;
        let subscriptions = self.subscriptions.iter();
        let of_subscriptions = subscriptions
            .flat_map(|(_, subscription, _)| access_at::changes_of(subscription, policy));
        let of_purchases = self.purchases.iter().flat_map(|purchase| {
            let products = purchase.purchased.iter();
            let products = products.filter_map(|line| self.catalog.purchase(&line.price));
            products.map(|(_, product)| end_of(purchase, product))
        });
        let all = of_subscriptions.chain(of_purchases);
        let mut later: Vec<Timestamp> = all
            .filter(|moment| *moment > now && *moment < Timestamp::MAX)
            .collect();
        later.sort();
        later.dedup();
        later.truncate(MAX_MOMENTS);
        later
    }

    /// Everything at this moment.
    pub(super) fn at(&self, at: Timestamp) -> Vec<Holding<'a>> {
        let mut holdings = Vec::new();
        for (id, subscription, money) in &self.subscriptions {
            self.add_items(&mut holdings, id, subscription, *money, at);
        }
        for purchase in &self.purchases {
            for line in &purchase.purchased {
                let Some((key, product)) = self.catalog.purchase(&line.price) else {
                    continue;
                };
                let (end, policy) = (end_of(purchase, product), &self.catalog.access);
                holdings.push(Holding {
                    kind: EntitlementSourceKind::Purchase,
                    key,
                    grants: &product.features,
                    quantity: line.quantity,
                    subscription: None,
                    payment: Some(purchase.payment.clone()),
                    access: access_at::of_purchase(end, purchase.standing, policy, at),
                });
            }
        }
        holdings
    }

    fn add_items(
        &self,
        holdings: &mut Vec<Holding<'a>>,
        id: &'a ObjectId,
        subscription: &'a Subscription,
        money: PaymentStanding,
        at: Timestamp,
    ) {
        let policy = &self.catalog.access;
        let access = access_at::of_subscription(subscription, money, policy, at);
        let mut add = |price: &PriceId, quantity: Option<u64>, access, is_removed: bool| {
            let Some((kind, key, product)) = self.catalog.product(price) else {
                return;
            };
            let kind = match kind {
                ItemKind::Base if !is_removed => EntitlementSourceKind::Plan,
                ItemKind::AddOn => EntitlementSourceKind::AddOn,
                ItemKind::Base | ItemKind::Metered | ItemKind::Unlisted => return,
            };
            holdings.push(Holding {
                kind,
                key,
                grants: &product.features,
                quantity: quantity.unwrap_or(1),
                subscription: Some(id),
                payment: None,
                access,
            });
        };
        for item in &subscription.terms.items {
            add(&item.price, item.quantity, access, false);
        }
        for item in &subscription.removed_items {
            let access = access
                .and_then(|own| own.ending(item.until, at, AccessReason::Expired))
                .and_then(|own| own.under(policy.removed_add_on, at, at, AccessReason::None));
            add(&item.price, item.quantity, access, true);
        }
    }
}

/// How many moments at which something changes by itself are looked ahead. An answer about a
/// customer with more of them changes, as far as it says, at the last of these at the latest.
pub(super) const MAX_MOMENTS: usize = 64;

/// When the time of a purchase is over.
fn end_of(purchase: &KeptPurchase, product: &PurchaseProduct) -> Timestamp {
    let lasts = product.lasts;
    lasts.map_or(Timestamp::MAX, |lasts| lasts.after(purchase.paid_at))
}
