//! Generated policies, lives and moments, on the scale of hours: few enough that they meet.

use crate::life::item;
use crate::scenarios::{
    at, eur, id, ids, new_event, subscription_fact, subscription_snapshot, terms,
};
use domain::catalog::Catalog;
use domain::event::{Fact, NormalizedEvent};
use domain::ids::PriceId;
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, PaymentSnapshot, PurchasedPrice, RefundSnapshot, RefundState,
    SourceKind,
};
use domain::subscription::terms::SubscriptionStatus::{
    self, Active, PastDue, Paused, Trialing, Unpaid,
};
use domain::subscription::terms::{Pause, Period, SubscriptionTerms, TrialFallback};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

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
pub(crate) struct Rules {
    hours: [Option<i64>; 4],
    keeps: [bool; 4],
}

const TIMED: [&str; 4] = ["past_due", "unpaid", "paused", "collection_paused"];
const UNTIMED: [&str; 4] = ["disputed", "refunded", "partly_refunded", "removed_add_on"];

impl Rules {
    pub(crate) fn catalog(&self) -> Catalog {
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

    pub(crate) fn lets(&self, rule: &str, since: Timestamp, now: Timestamp) -> bool {
        let place = TIMED.iter().position(|name| *name == rule).unwrap();
        let hours = self.hours[place];
        hours.is_some_and(|hours| now < since + SignedDuration::from_hours(hours))
    }

    pub(crate) fn keeps(&self, rule: &str) -> bool {
        self.keeps[UNTIMED.iter().position(|name| *name == rule).unwrap()]
    }
}

pub(crate) fn any_rules() -> impl Strategy<Value = Rules> {
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

pub(crate) fn any_life() -> impl Strategy<Value = Vec<NormalizedEvent>> {
    let subscription = (0..3_u8, any_terms()).prop_map(|(n, terms)| {
        subscription_fact(subscription_snapshot(&format!("sub_{n}"), terms, None))
    });
    let fact = prop_oneof![3 => subscription.boxed(), 2 => any_money_fact().boxed()];
    prop::collection::vec((0..30_i64, fact), 1..14).prop_map(|facts| {
        let event = |(n, (when, fact))| new_event(&format!("evt_{n}"), when * HOUR, 1, vec![fact]);
        facts.into_iter().enumerate().map(event).collect()
    })
}

pub(crate) fn hour(hour: i64) -> Timestamp {
    at(hour * HOUR)
}
