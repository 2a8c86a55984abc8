//! Laws of the answers, over generated lives, policies and moments.

use crate::generated::{Rules, any_life, any_rules, hour};
use domain::entitlement::answer::{AccessReason, Answer, EntitlementSourceKind};
use domain::entitlement::{check, entitlements};
use domain::event::NormalizedEvent;
use domain::payment::payments::Payment;
use domain::payment::snapshot::DisputeState;
use domain::state::CustomerState;
use domain::state::fold::fold;
use domain::subscription::state::Subscription;
use domain::subscription::terms::TrialFallback;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Without what says when it was asked.
fn timeless(answer: Answer) -> Answer {
    let as_of = Timestamp::MIN;
    Answer {
        as_of,
        until: None,
        ..answer
    }
}

/// Who gives something, by the words of the law: each subscription's items and each purchase.
fn givers(state: &CustomerState, rules: &Rules, now: Timestamp) -> BTreeSet<(String, String, u64)> {
    let mut givers = BTreeSet::new();
    for (id, subscription) in &state.subscriptions {
        if !gives(state, id, subscription, rules, now) {
            continue;
        }
        for item in &subscription.terms.items {
            let quantity = item.quantity.unwrap();
            givers.insert((id.to_string(), item.price.to_string(), quantity));
        }
        for item in &subscription.removed_items {
            let is_add_on = item.price.as_str() == "price_a";
            if is_add_on && item.until > now && rules.keeps("removed_add_on") {
                givers.insert((id.to_string(), "price_a".into(), item.quantity.unwrap()));
            }
        }
    }
    for payment in state.payments.settled() {
        let over = now >= payment.paid_at().unwrap() + SignedDuration::from_hours(30);
        for bought in payment.purchased() {
            if !over && money_allows(&[&payment], rules) {
                let payment = payment.id().unwrap().to_string();
                givers.insert((payment, bought.price.to_string(), bought.quantity));
            }
        }
    }
    givers
}

fn gives(
    state: &CustomerState,
    id: &domain::ids::ObjectId,
    subscription: &Subscription,
    rules: &Rules,
    now: Timestamp,
) -> bool {
    let terms = &subscription.terms;
    let since = subscription.interrupted_at;
    let by_status = match terms.status.as_str() {
        "active" => true,
        "trialing" => {
            let nothing_follows = matches!(
                terms.trial_fallback,
                Some(TrialFallback::Ends | TrialFallback::Pauses)
            );
            !nothing_follows || terms.trial.is_none_or(|trial| now < trial.end)
        }
        "past_due" => rules.lets("past_due", since.unwrap(), now),
        "unpaid" => rules.lets("unpaid", since.unwrap(), now),
        "paused" => rules.lets("paused", since.unwrap(), now),
        "canceled" | "incomplete" | "incomplete_expired" => false,
        other => panic!("{other}"),
    };
    let period = terms.period.unwrap();
    let ended = terms.cancel_at.is_some_and(|end| end <= now)
        || (terms.cancel_at.is_none() && terms.cancel_at_period_end && period.end <= now);
    let pause = terms.pause.as_ref().filter(|_| terms.status.is_running());
    let paused = pause.is_some_and(|pause| {
        pause.resumes_at.is_none_or(|end| end > now)
            && !rules.lets("collection_paused", since.unwrap(), now)
    });
    let settled: Vec<_> = state.payments.settled().collect();
    let mine = settled.iter().filter(|payment| {
        let is_disputed = payment
            .disputes
            .values()
            .any(|d| d.state == DisputeState::Open);
        let is_running = payment.paid_at().unwrap() >= period.start;
        payment.subscription() == Some(id) && (is_running || is_disputed)
    });
    let mine: Vec<_> = mine.map(|payment| &**payment).collect();
    by_status && !ended && !paused && money_allows(&mine, rules)
}

/// What is disputed stops by one rule, what is all gone by another, what is gone in part by a
/// third.
fn money_allows(payments: &[&Payment], rules: &Rules) -> bool {
    let has = |state| move |p: &&&Payment| p.disputes.values().any(|d| d.state == state);
    if payments.iter().any(|p| has(DisputeState::Open)(&p)) {
        return rules.keeps("disputed");
    }
    let left = |p: &&Payment| {
        let paid = p.paid().unwrap().minor;
        (paid - p.refunded_minor() - p.disputed_minor()).max(0)
    };
    let paid: i64 = payments.iter().map(|p| p.paid().unwrap().minor).sum();
    let left: i64 = payments.iter().map(left).sum();
    match left {
        _ if left == paid => true,
        0 => rules.keeps("refunded"),
        _ => rules.keeps("partly_refunded"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1_000)
    })]

    #[test]
    fn the_answer_is_the_same_in_every_order_of_events(
        (life, mixed) in any_life()
            .prop_flat_map(|life| (Just(life.clone()), Just(life).prop_shuffle())),
        rules in any_rules(),
        now in 0..80_i64,
    ) {
        let catalog = rules.catalog();
        let answers = |events: &[NormalizedEvent]| entitlements(&fold(events), &catalog, hour(now));
        prop_assert_eq!(answers(&life), answers(&mixed));
    }

    #[test]
    fn an_entitlement_is_what_the_record_says_by_the_words_of_the_law(
        life in any_life(), rules in any_rules(), now in 0..80_i64,
    ) {
        let (state, catalog, now) = (fold(&life), rules.catalog(), hour(now));
        let givers = givers(&state, &rules, now);
        let n: u64 = givers.iter().map(|(_, price, quantity)| match price.as_str() {
            "price_p" => *quantity,
            "price_a" => 100 * quantity,
            _ => 10_000 * quantity,
        }).sum();
        let of = |prices: &[&str]| givers.iter().any(|(_, price, _)| prices.contains(&&**price));
        let answer = |feature: &str| check(&state, &catalog, feature, None, now);
        prop_assert_eq!(answer("n").limit, Some(n));
        prop_assert_eq!(answer("n").allowed, n > 0);
        prop_assert_eq!(answer("flag").allowed, of(&["price_p", "price_o"]));
        let level = match (of(&["price_a"]), of(&["price_p"])) {
            (true, _) => "high",
            (false, true) => "low",
            (false, false) => "none",
        };
        let tier = answer("tier").level;
        prop_assert_eq!(tier.as_deref(), Some(level));
        prop_assert_eq!(answer("n").sources.len(), givers.len());
    }

    #[test]
    fn nothing_changes_before_its_moment_and_something_does_then(
        life in any_life(), rules in any_rules(), now in 0..80_i64, between in 0..100_i64,
    ) {
        let (state, catalog, now) = (fold(&life), rules.catalog(), hour(now));
        for feature in ["n", "flag", "tier"] {
            let ask = |moment| check(&state, &catalog, feature, None, moment);
            let first = ask(now);
            let second = SignedDuration::from_secs(1);
            let last = first.next_change.map_or(hour(10_000), |change| change - second);
            let some = now.duration_since(Timestamp::UNIX_EPOCH).as_secs();
            let span = last.duration_since(now).as_secs();
            let inside = Timestamp::from_second(some + span * between / 100).unwrap();
            for moment in [inside, last] {
                let later = Answer { until: first.until, ..ask(moment) };
                prop_assert_eq!(Answer { as_of: now, ..later }, first.clone());
            }
            if let Some(change) = first.next_change {
                prop_assert!(change > now);
                let next_change = first.next_change;
                let then = Answer { next_change, ..ask(change) };
                prop_assert_ne!(timeless(then), timeless(first.clone()));
            }
            if let Some(until) = first.until {
                prop_assert!(first.allowed && !ask(until).allowed && ask(until - second).allowed);
            }
        }
    }

    #[test]
    fn an_answer_says_what_it_rests_on(
        life in any_life(), rules in any_rules(), now in 0..80_i64,
    ) {
        let (state, catalog, now) = (fold(&life), rules.catalog(), hour(now));
        let all = entitlements(&state, &catalog, now);
        prop_assert_eq!(all.features.len(), 3);
        prop_assert_eq!(all.next_change, all.features.iter().filter_map(|a| a.next_change).min());
        for answer in all.features {
            prop_assert_eq!(&answer, &check(&state, &catalog, &answer.feature, None, now));
            prop_assert_eq!(answer.allowed, !answer.sources.is_empty());
            prop_assert_eq!(answer.allowed, answer.why <= AccessReason::GracePastDue);
            for source in &answer.sources {
                prop_assert!(source.until.is_none_or(|until| until > now));
                let bought = source.kind == EntitlementSourceKind::Purchase;
                prop_assert_eq!(source.subscription.is_some(), !bought);
                prop_assert_eq!(source.payment.is_some(), bought);
            }
        }
    }
}
