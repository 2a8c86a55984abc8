//! What of a state decides what a customer may use, without the catalog that says what it gives.
//! So a row can keep it: what it comes to under a catalog can be worked out later.

use super::access_at;
use crate::ids::ObjectId;
use crate::payment::kept_purchase::{KeptPurchase, PaymentStanding};
use crate::state::CustomerState;
use crate::subscription::pricing::Pricing;
use crate::subscription::state::Subscription;
use crate::subscription::terms::SubscriptionItem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a customer has and had: subscriptions and one-off purchases, and what became of the money.
/// Two states with equal bases give the same under every catalog, but for dates of the next
/// renewal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessBasis {
    /// Subscriptions that began, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscriptions: BTreeMap<ObjectId, BasisSubscription>,
    /// One-off purchases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchases: Vec<KeptPurchase>,
}

/// A subscription, as far as it decides what a customer may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasisSubscription {
    /// It, without what gives nothing: amounts, and a period that renews itself.
    pub subscription: Subscription,
    /// What became of its money.
    #[serde(default, skip_serializing_if = "PaymentStanding::is_kept")]
    pub standing: PaymentStanding,
}

/// How many ended subscriptions a basis has at most: they give nothing, and only say why.
const ENDED: usize = 2;

/// How many subscriptions and purchases a basis may have together.
const MAX_HOLDINGS: usize = 64;

impl AccessBasis {
    /// The basis of a state. `None` for a customer who has too much to be kept in a row.
    pub fn of(state: &CustomerState) -> Option<Self> {
        let begun =
            |(_, subscription): &(&ObjectId, &Subscription)| subscription.terms.status.has_begun();
        let (mut ended, mut kept): (Vec<_>, Vec<_>) = state
            .subscriptions
            .iter()
            .filter(begun)
            .partition(|(_, subscription)| subscription.terms.status.is_final());
        ended.sort_by_key(|(id, ended)| (ended.ended_at.unwrap_or(ended.as_of), *id));
        kept.extend(ended.into_iter().rev().take(ENDED));
        let purchases: Vec<KeptPurchase> = state.payments.purchases().collect();
        if kept.len().saturating_add(purchases.len()) > MAX_HOLDINGS {
            return None;
        }
        let of_one = |(id, subscription): (&ObjectId, &Subscription)| {
            let standing = access_at::money_for(id, subscription, &state.payments);
            let subscription = trimmed(subscription);
            let basis = BasisSubscription {
                subscription,
                standing,
            };
            (id.clone(), basis)
        };
        Some(Self {
            subscriptions: kept.into_iter().map(of_one).collect(),
            purchases,
        })
    }
}

impl AccessBasis {
    /// What tells it from another basis, as text.
    pub(crate) fn parts(&self) -> Vec<String> {
        let subscriptions = self.subscriptions.iter().map(|(id, kept)| {
            let (of, standing) = (&kept.subscription, kept.standing);
            let items = of.terms.items.iter();
            let items: Vec<String> = items
                .map(|item| format!("{} {:?}", item.price, item.quantity))
                .collect();
            let (status, ends_at) = (of.terms.status.as_str(), of.ends_at());
            let removed = of.removed_items.len();
            format!("{id} {status} {ends_at:?} {standing:?} {items:?} {removed}")
        });
        let purchases = self.purchases.iter();
        let purchases = purchases.map(|of| format!("{} {:?}", of.payment, of.standing));
        subscriptions.chain(purchases).collect()
    }
}

/// A subscription with nothing in it that gives nothing: two that give the same are equal.
fn trimmed(subscription: &Subscription) -> Subscription {
    let mut terms = subscription.terms.clone();
    // Its end is all that a period says of what may be used.
    terms.period = terms.period.filter(|_| terms.cancel_at_period_end);
    let items = terms.items.into_iter();
    terms.items = items
        .map(|item| SubscriptionItem {
            unit_minor: None,
            pricing: Pricing::default(),
            period: None,
            ..item
        })
        .collect();
    let interrupted = terms.interruption().map(|_| subscription.as_of);
    Subscription {
        started_at: subscription.started_at,
        currency: None,
        terms,
        canceled_at: None,
        end_requests: 0,
        end_reason: None,
        ended_at: subscription.ended_at,
        activated_at: None,
        began_incomplete: false,
        interrupted_at: subscription.interrupted_at.or(interrupted),
        removed_items: subscription.removed_items.clone(),
        as_of: subscription.started_at,
        ambiguous: false,
    }
}
