//! What the shop is told: the same end in every order, nothing twice, nothing of long ago.

use crate::scenarios::{any_scenario, at, customer};
use domain::event::NormalizedEvent;
use domain::ids::ObjectId;
use domain::notice::shop::content::{PaymentContent, ShopNoticeContent, SubscriptionContent};
use domain::notice::shop::plan::{RecordChange, shop_notices};
use domain::notice::shop::row::{ShopNoticeKind, ShopNoticeRow};
use domain::state::CustomerState;
use domain::state::fold::fold_with_all_payments;
use domain::subscription::terms::SubscriptionStatus::Incomplete;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The rows that events decide which arrive in this order, each folded by itself.
pub(crate) fn rows(events: &[NormalizedEvent], now: Timestamp) -> Vec<ShopNoticeRow> {
    let mut before = CustomerState::default();
    let mut rows = Vec::new();
    for n in 1..=events.len() {
        let after = fold_with_all_payments(&events[..n]);
        let times = events[..n].iter().map(|event| event.occurred_at);
        let change = RecordChange {
            customer: &customer(),
            sequence: u64::try_from(n).unwrap(),
            before: &before,
            after: &after,
            events: &[&events[n - 1]],
            last: times.max().unwrap(),
        };
        rows.extend(shop_notices(&change, now));
        before = after;
    }
    rows
}

/// What a shop knows that keeps what it was told last.
#[derive(Default)]
pub(crate) struct Shop {
    subscriptions: BTreeMap<ObjectId, SubscriptionContent>,
    payments: Vec<PaymentContent>,
}

impl Shop {
    pub(crate) fn told(rows: &[ShopNoticeRow]) -> Self {
        let mut shop = Self::default();
        for row in rows {
            if let ShopNoticeContent::Subscription(content) = &row.content {
                let content = SubscriptionContent::clone(content);
                shop.subscriptions.insert(content.id.clone(), content);
            } else if let ShopNoticeContent::Payment(content) = &row.content {
                shop.payments
                    .retain(|known| !content.ids.contains(&known.id));
                if content.paid.minor != 0 {
                    shop.payments.push(PaymentContent::clone(content));
                }
            }
        }
        shop
    }
}

type Amounts = Vec<(i64, i64)>;

pub(crate) fn agrees(shop: &Shop, state: &CustomerState) -> Result<(), TestCaseError> {
    for (id, subscription) in &state.subscriptions {
        let Some(told) = shop.subscriptions.get(id) else {
            let waits = matches!(subscription.terms.status, Incomplete);
            prop_assert!(waits, "{id:?} was not told");
            continue;
        };
        prop_assert_eq!(told.status, subscription.terms.status);
        prop_assert_eq!(told.ends_at, subscription.ends_at());
        prop_assert_eq!(told.items.len(), subscription.terms.items.len());
    }
    let mut told: Amounts = Vec::new();
    told.extend(
        shop.payments
            .iter()
            .map(|of| (of.paid.minor, of.refunded_minor)),
    );
    let settled = state.payments.settled();
    let mut kept: Amounts = settled
        .map(|payment| (payment.paid().unwrap().minor, payment.refunded_minor()))
        .collect();
    told.sort_unstable();
    kept.sort_unstable();
    prop_assert_eq!(told, kept);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(200)
    })]

    #[test]
    fn a_shop_that_keeps_what_it_was_told_last_knows_what_the_record_says_in_every_order(
        events in any_scenario(14).prop_shuffle()
    ) {
        let shop = Shop::told(&rows(&events, at(60)));
        agrees(&shop, &fold_with_all_payments(&events))?;
    }

    #[test]
    fn no_key_stands_for_two_different_things(events in any_scenario(14).prop_shuffle()) {
        let mut by_key = BTreeMap::new();
        for row in rows(&events, at(60)) {
            let kind = row.kind;
            // What started is told once, whatever it was found to have started as.
            if matches!(kind, ShopNoticeKind::AccessChanged | ShopNoticeKind::SubscriptionStarted) {
                continue;
            }
            let key = (kind, row.at, row.cause.clone());
            if let ShopNoticeContent::Subscription(content) = row.content {
                let told = (content.status, content.items, content.ends_at, content.paused);
                let before = by_key.insert(key, told.clone());
                prop_assert_eq!(before.unwrap_or(told.clone()), told);
            }
        }
    }

    #[test]
    fn what_happened_long_ago_is_told_to_nobody(events in any_scenario(14).prop_shuffle()) {
        prop_assert_eq!(rows(&events, at(8 * 86_400)), Vec::new());
    }
}
