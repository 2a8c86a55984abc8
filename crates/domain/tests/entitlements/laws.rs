//! Laws of the answers, over generated lives, policies and moments.

use crate::life::item;
use crate::scenarios::{
    at, eur, id, ids, new_event, subscription_fact, subscription_snapshot, terms,
};
use domain::catalog::Catalog;
use domain::entitlement::answer::{AccessReason, Answer, EntitlementSourceKind};
use domain::entitlement::{check, entitlements};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::PriceId;
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, PaymentSnapshot, PurchasedPrice, RefundSnapshot, RefundState,
    SourceKind,
};
use domain::state::CustomerState;
use domain::state::fold::fold;
use domain::subscription::state::Subscription;
use domain::subscription::terms::SubscriptionStatus::{
    self, Active, PastDue, Paused, Trialing, Unpaid,
};
use domain::subscription::terms::{Pause, Period, SubscriptionTerms, TrialFallback};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeSet;

const HOUR: i64 = 3_600;

const PRODUCTS: &str = r#"
[features.n]
kind = "limit"
[features.flag]
[features.tier]
kind = "tier"
levels = ["none", "low", "high"]
[plans.p]
name = "P"
prices = ["price_p"]
features = { n = 1, flag = true, tier = "low" }
[add_ons.a]
name = "A"
prices = ["price_a"]
features = { n = 100, tier = "high" }
[purchases.o]
name = "O"
prices = ["price_o"]
features = { n = 10000, flag = true }
for = "30 hours"
"#;

/// The rules of a policy as this test reads them: hours to go on, none to stop, endless as 9,999.
#[derive(Clone, Debug)]
struct Rules {
    hours: [Option<i64>; 4],
    keeps: [bool; 4],
}

const TIMED: [&str; 4] = ["past_due", "unpaid", "paused", "collection_paused"];
const UNTIMED: [&str; 4] = ["disputed", "refunded", "partly_refunded", "removed_add_on"];

impl Rules {
    fn catalog(&self) -> Catalog {
        let mut text = format!("{PRODUCTS}[access]\n");
        for (name, hours) in TIMED.iter().zip(self.hours) {
            let rule = match hours {
                None => "\"stop\"".to_owned(),
                Some(9_999) => "\"keep\"".to_owned(),
                Some(hours) => format!("{{ keep = \"{hours} hours\" }}"),
            };
            text.push_str(&format!("{name} = {rule}\n"));
        }
        for (name, keeps) in UNTIMED.iter().zip(self.keeps) {
            let rule = if keeps { "keep" } else { "stop" };
            text.push_str(&format!("{name} = \"{rule}\"\n"));
        }
        Catalog::parse(&text).unwrap()
    }

    fn lets(&self, rule: &str, since: Timestamp, now: Timestamp) -> bool {
        let place = TIMED.iter().position(|name| *name == rule).unwrap();
        let hours = self.hours[place];
        hours.is_some_and(|hours| now < since + SignedDuration::from_hours(hours))
    }

    fn keeps(&self, rule: &str) -> bool {
        self.keeps[UNTIMED.iter().position(|name| *name == rule).unwrap()]
    }
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let hours = prop_oneof![Just(None), Just(Some(9_999)), (1..40_i64).prop_map(Some)];
    (
        prop::array::uniform4(hours),
        prop::array::uniform4(any::<bool>()),
    )
        .prop_map(|(hours, keeps)| Rules { hours, keeps })
}

fn any_status() -> impl Strategy<Value = SubscriptionStatus> {
    prop_oneof![
        4 => Just(Active),
        2 => Just(Trialing),
        2 => Just(PastDue),
        1 => Just(Unpaid),
        1 => Just(Paused),
        1 => Just(SubscriptionStatus::Incomplete),
        1 => Just(SubscriptionStatus::Canceled),
    ]
}

fn any_terms() -> impl Strategy<Value = SubscriptionTerms> {
    let end = || prop::option::of(20..60_i64);
    let fallback = prop_oneof![
        Just(None),
        Just(Some(TrialFallback::Ends)),
        Just(Some(TrialFallback::Pauses)),
        Just(Some(TrialFallback::Other)),
    ];
    let pause = prop::option::weighted(0.3, end());
    let parts = (
        any_status(),
        0..3_u64,
        0..3_u64,
        0..20_i64,
        end(),
        end(),
        fallback,
        pause,
    );
    (parts, any::<bool>()).prop_map(|(parts, at_period_end)| {
        let (status, plans, add_ons, start, cancel_at, trial_end, fallback, pause) = parts;
        let of = |price: &str, quantity: u64| (quantity > 0).then(|| item(price, quantity));
        let items = [of("price_p", plans), of("price_a", add_ons)];
        let span = |end: i64| Period {
            start: hour(start),
            end: hour(end),
        };
        SubscriptionTerms {
            items: items.into_iter().flatten().collect(),
            period: Some(span(start + 25)),
            trial: trial_end.map(span),
            trial_fallback: fallback,
            cancel_at: cancel_at.filter(|_| start > 12).map(hour),
            cancel_at_period_end: at_period_end && start > 10,
            pause: pause.map(|end| Pause {
                behavior: "void".into(),
                resumes_at: end.map(hour),
            }),
            ..terms(status, "price_p")
        }
    })
}

fn any_money_fact() -> impl Strategy<Value = Fact> {
    let payment = || (0..4_u8).prop_map(|n| ids(&[&format!("pi_{n}")]));
    let dispute_state = prop_oneof![
        Just(DisputeState::Open),
        Just(DisputeState::Won),
        Just(DisputeState::Lost),
        Just(DisputeState::Inquiry),
    ];
    let refund_state =
        prop_oneof![3 => Just(RefundState::Succeeded), 1 => Just(RefundState::Failed)];
    prop_oneof![
        3 => (payment(), 0..30_i64, 0..3_u8, 0..3_u64).prop_map(|(ids, paid, sub, bought)| {
            Fact::Payment(PaymentSnapshot {
                ids, source_kind: SourceKind::Intent, paid: eur(100), tax_minor: None,
                paid_at: hour(paid), subscription: (bought == 0).then(|| id(&format!("sub_{sub}"))),
                unlinked: false,
                purchased: (bought > 0).then(|| PurchasedPrice {
                    price: PriceId::parse("price_o").unwrap(), quantity: bought,
                }).into_iter().collect(),
            })
        }),
        1 => (payment(), 0..3_u8, prop_oneof![Just(40_i64), Just(100)], refund_state).prop_map(
            |(payment, n, minor, state)| Fact::Refund(RefundSnapshot {
                id: id(&format!("re_{n}")), payment, amount: eur(minor).into(), tax_minor: None,
                state, created_at: hour(1),
            })
        ),
        1 => (payment(), dispute_state).prop_map(|(payment, state)| {
            Fact::Dispute(DisputeSnapshot {
                id: id(&format!("dp_{}", payment[0])), payment, amount: eur(100).into(), state,
            })
        }),
    ]
}

fn any_life() -> impl Strategy<Value = Vec<NormalizedEvent>> {
    let subscription = (0..3_u8, any_terms()).prop_map(|(n, terms)| {
        subscription_fact(subscription_snapshot(&format!("sub_{n}"), terms, None))
    });
    let fact = prop_oneof![3 => subscription.boxed(), 2 => any_money_fact().boxed()];
    prop::collection::vec((0..30_i64, fact), 1..14).prop_map(|facts| {
        let event = |(n, (when, fact))| new_event(&format!("evt_{n}"), when * HOUR, 1, vec![fact]);
        facts.into_iter().enumerate().map(event).collect()
    })
}

fn hour(hour: i64) -> Timestamp {
    at(hour * HOUR)
}

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
        payment.subscription() == Some(id) && payment.paid_at().unwrap() >= period.start
    });
    let mine: Vec<_> = mine.map(|payment| &**payment).collect();
    by_status && !ended && !paused && money_allows(&mine, rules)
}

/// What is disputed stops by one rule, what is all gone by another, what is gone in part by a third.
fn money_allows(payments: &[&domain::payment::payments::Payment], rules: &Rules) -> bool {
    let has = |state| {
        move |p: &&&domain::payment::payments::Payment| {
            p.disputes.values().any(|d| d.state == state)
        }
    };
    if payments.iter().any(|p| has(DisputeState::Open)(&p)) {
        return rules.keeps("disputed");
    }
    let left = |p: &&domain::payment::payments::Payment| {
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
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn the_answer_is_the_same_in_every_order_of_events(
        (life, mixed) in any_life().prop_flat_map(|life| (Just(life.clone()), Just(life).prop_shuffle())),
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
        let level = if of(&["price_a"]) { "high" } else if of(&["price_p"]) { "low" } else { "none" };
        let tier = answer("tier").level;
        prop_assert_eq!(tier.as_deref(), Some(level));
        prop_assert_eq!(answer("n").sources.len(), givers.len());
    }

    #[test]
    fn nothing_changes_before_its_moment_and_something_does_then(
        life in any_life(), rules in any_rules(), now in 0..80_i64, between in 0.0..1.0_f64,
    ) {
        let (state, catalog, now) = (fold(&life), rules.catalog(), hour(now));
        for feature in ["n", "flag", "tier"] {
            let ask = |moment| check(&state, &catalog, feature, None, moment);
            let first = ask(now);
            let second = SignedDuration::from_secs(1);
            let last = first.next_change.map_or(hour(10_000), |change| change - second);
            let some = now.duration_since(Timestamp::UNIX_EPOCH).as_secs();
            let span = last.duration_since(now).as_secs();
            let inside = Timestamp::from_second(some + (span as f64 * between) as i64).unwrap();
            for moment in [inside, last] {
                let later = Answer { until: first.until, ..ask(moment) };
                prop_assert_eq!(Answer { as_of: now, ..later }, first.clone());
            }
            if let Some(change) = first.next_change {
                prop_assert!(change > now);
                let next_change = first.next_change;
                prop_assert_ne!(timeless(Answer { next_change, ..ask(change) }), timeless(first.clone()));
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
                prop_assert_eq!((source.subscription.is_some(), source.payment.is_some()), (!bought, bought));
            }
        }
    }
}
