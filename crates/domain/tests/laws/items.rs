//! What an event can't show of a subscription's items leaves those that are known.

use crate::scenarios::{at, id, new_event, subscription_fact, subscription_snapshot, terms};
use domain::ids::PriceId;
use domain::state::fold::fold;
use domain::subscription::pricing::Pricing;
use domain::subscription::state::Subscription;
use domain::subscription::terms::{SubscriptionItem, SubscriptionStatus, SubscriptionTerms};
use jiff::Timestamp;

#[test]
fn an_event_with_a_part_of_the_items_ends_a_subscription_and_takes_none_away() {
    let ended = SubscriptionTerms {
        items: vec![item("si_2", "price_extra")],
        items_partial: true,
        ..terms(SubscriptionStatus::Canceled, "price_basic")
    };
    let subscription = last(vec![running(), ended], Some(at(9)));
    assert_eq!(subscription.terms.status, SubscriptionStatus::Canceled);
    assert_eq!(subscription.ended_at, Some(at(9)));
    assert_eq!(prices(&subscription), ["price_extra", "price_basic"]);
    assert!(subscription.terms.items_partial);
}

#[test]
fn items_that_are_all_known_again_are_all_there_are() {
    let part = SubscriptionTerms {
        items: Vec::new(),
        items_partial: true,
        ..running()
    };
    let whole = SubscriptionTerms {
        items: vec![item("si_3", "price_other")],
        ..running()
    };
    let subscription = last(vec![running(), part.clone()], None);
    assert_eq!(prices(&subscription), ["price_basic"]);
    let subscription = last(vec![running(), part, whole], None);
    assert_eq!(prices(&subscription), ["price_other"]);
    assert!(!subscription.terms.items_partial);
}

fn running() -> SubscriptionTerms {
    terms(SubscriptionStatus::Active, "price_basic")
}

fn item(name: &str, price: &str) -> SubscriptionItem {
    SubscriptionItem {
        id: id(name),
        price: PriceId::parse(price).unwrap(),
        metered: false,
        quantity: Some(1),
        unit_minor: None,
        pricing: Pricing::default(),
        period: None,
    }
}

/// The subscription after events of these terms, one a second.
fn last(told: Vec<SubscriptionTerms>, ended_at: Option<Timestamp>) -> Subscription {
    let events = told.into_iter().zip(1..).map(|(terms, second)| {
        let mut snapshot = subscription_snapshot("sub_1", terms, None);
        snapshot.ended_at = ended_at.filter(|_| snapshot.terms.status.is_final());
        let facts = vec![subscription_fact(snapshot)];
        new_event(&format!("evt_{second}"), second, 1, facts)
    });
    let events: Vec<_> = events.collect();
    let mut state = fold(&events);
    state.subscriptions.remove(&id("sub_1")).unwrap()
}

fn prices(subscription: &Subscription) -> Vec<&str> {
    let items = subscription.terms.items.iter();
    items.map(|item| item.price.as_str()).collect()
}
