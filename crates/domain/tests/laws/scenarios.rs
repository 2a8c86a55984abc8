//! Events for the tests, made by hand or generated.

use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId, PriceId, Reference};
use domain::money::{Currency, Money};
use domain::partner::referral::ReferralSnapshot;
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot,
    PurchasedPrice, RefundSnapshot, RefundState, SourceKind,
};
use domain::person::Profile;
use domain::record::Entry;
use domain::subscription::pricing::Pricing;
use domain::subscription::terms::{
    Period, PreviousAttributes, SubscriptionItem, SubscriptionSnapshot, SubscriptionStatus,
    SubscriptionTerms,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

pub(crate) fn eur(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    }
}

pub(crate) fn id(text: &str) -> ObjectId {
    ObjectId::parse(text).unwrap()
}

pub(crate) fn ids(texts: &[&str]) -> Vec<ObjectId> {
    texts.iter().map(|text| id(text)).collect()
}

pub(crate) fn customer() -> CustomerKey {
    CustomerKey::parse("stripe/test/cus_1").unwrap()
}

pub(crate) fn new_event(name: &str, second: i64, rank: u8, facts: Vec<Fact>) -> NormalizedEvent {
    NormalizedEvent {
        id: EventId::parse(format!("stripe/test/{name}")).unwrap(),
        kind: "made.up".into(),
        occurred_at: at(second),
        rank,
        about: About::Customer(customer()),
        facts,
        references: vec![Reference::parse(format!("stripe/test/ref_{name}")).unwrap()],
    }
}

pub(crate) fn entry(event: NormalizedEvent) -> Arc<Entry> {
    let raw: Arc<[u8]> = event.id.as_str().as_bytes().into();
    Arc::new(Entry::new(event, raw, 1, at(0), "receipt".into()))
}

pub(crate) fn terms(status: SubscriptionStatus, price: &str) -> SubscriptionTerms {
    SubscriptionTerms {
        status,
        items: vec![SubscriptionItem {
            id: id("si_1"),
            price: PriceId::parse(price).unwrap(),
            metered: false,
            quantity: Some(1),
            unit_minor: Some(1000),
            pricing: Pricing::default(),
            period: None,
        }],
        period: Some(Period {
            start: at(0),
            end: at(2_592_000),
        }),
        trial: None,
        trial_fallback: None,
        cancel_at: None,
        cancel_at_period_end: false,
        items_partial: false,
        pause: None,
    }
}

pub(crate) fn subscription_snapshot(
    name: &str,
    terms: SubscriptionTerms,
    before: Option<PreviousAttributes>,
) -> SubscriptionSnapshot {
    SubscriptionSnapshot {
        id: id(name),
        started_at: at(0),
        currency: Some(Currency::parse("eur").unwrap()),
        terms,
        canceled_at: None,
        end_requested: false,
        end_reason: None,
        ended_at: None,
        previous_attributes: before.map(Box::new),
    }
}

pub(crate) fn subscription_fact(snapshot: SubscriptionSnapshot) -> Fact {
    Fact::Subscription(Box::new(snapshot))
}

pub(crate) fn paid(source_kind: SourceKind, names: &[&str], minor: i64, second: i64) -> Fact {
    Fact::Payment(PaymentSnapshot {
        ids: ids(names),
        source_kind,
        paid: eur(minor),
        tax_minor: None,
        paid_at: at(second),
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    })
}

pub(crate) fn refund(
    name: &str,
    payment: &[&str],
    minor: i64,
    state: RefundState,
    made: i64,
) -> Fact {
    Fact::Refund(RefundSnapshot {
        id: id(name),
        payment: ids(payment),
        amount: eur(minor).into(),
        tax_minor: None,
        state,
        created_at: at(made),
    })
}

pub(crate) fn dispute(payment: &[&str], minor: i64, state: DisputeState) -> Fact {
    Fact::Dispute(DisputeSnapshot {
        id: id("dp_1"),
        payment: ids(payment),
        amount: eur(minor).into(),
        state,
    })
}

pub(crate) fn email(address: &str) -> Fact {
    Fact::Profile(Profile {
        complete: true,
        email: Some(address.into()),
        ..Profile::default()
    })
}

/// A generated fact of any kind. There are few objects, so that many facts are about the same ones.
pub(crate) fn any_fact() -> impl Strategy<Value = Fact> {
    let object = |prefix: &'static str| (0..4_u8).prop_map(move |n| format!("{prefix}_{n}"));
    let payment_ids = (object("in"), object("pi"), object("ch"), 0..7_u8);
    let names = payment_ids.prop_map(|(invoice, intent, charge, which)| {
        let all = [invoice, intent, charge];
        let picked: Vec<ObjectId> = (0..3)
            .filter(|bit| which & (1 << bit) != 0)
            .map(|bit| id(&all[bit]))
            .collect();
        if picked.is_empty() {
            vec![id(&all[0])]
        } else {
            picked
        }
    });
    prop_oneof![
        3 => any_subscription_fact(object("sub").boxed()),
        4 => (names.clone(), any_source_kind(), 1..5_i64, 0..60_i64, any::<bool>()).prop_map(
            |(ids, source_kind, minor, second, unlinked)| Fact::Payment(PaymentSnapshot {
                ids, source_kind, paid: eur(minor * 100), tax_minor: None, paid_at: at(second),
                subscription: None, unlinked,
                purchased: (minor > 2).then(once).into_iter().collect(),
            })
        ),
        2 => names.clone().prop_map(|ids| Fact::SamePayment { ids }),
        2 => (names.clone(), 0..3_000_i64, 0..2_i64).prop_map(|(ids, minor, released)| {
            let released_minor = released * 100;
            Fact::CumulativeRefund { ids, amount: eur(minor).into(), released_minor }
        }),
        2 => (object("re"), names.clone(), 1..900_i64, any_refund_state(), 0..60_i64).prop_map(
            |(name, payment, minor, state, made)| Fact::Refund(RefundSnapshot {
                id: id(&name), payment, amount: eur(minor).into(), tax_minor: None, state,
                created_at: at(made),
            })
        ),
        2 => (names, 1..900_i64, any_dispute_state()).prop_map(|(payment, minor, state)| {
            Fact::Dispute(DisputeSnapshot {
                id: id("dp_1"), payment, amount: eur(minor).into(), state,
            })
        }),
        1 => (object("in"), any_invoice_state()).prop_map(|(name, state)| {
            Fact::Invoice(InvoiceSnapshot {
                id: id(&name), subscription: None, state, due: eur(1000), attempts: 1,
                next_attempt: NextAttempt::Unknown, paid: None,
            })
        }),
        1 => ("[a-c]", any::<bool>()).prop_map(|(name, whole)| Fact::Profile(Profile {
            complete: whole, email: Some(format!("{name}@example.com").into()), ..Profile::default()
        })),
        1 => (0..3_u8, 0..60_i64, prop::option::of(0..60_i64)).prop_map(|(n, second, heard)| {
            Fact::Referral(ReferralSnapshot {
                partner: PartnerId::parse("acme").unwrap(), referral: format!("r{n}").into(),
                referred_at: at(second), reported_at: heard.map(at), names: Vec::new(),
                sub_ids: Default::default(),
            })
        }),
        1 => (0..3_u8).prop_map(|n| Fact::ReferralCanceled {
            partner: PartnerId::parse("acme").unwrap(), referral: format!("r{n}").into(),
        }),
        1 => Just(Fact::CustomerDeleted),
        1 => Just(Fact::Unclear { what: "unknown status".into() }),
    ]
}

/// Generated events of one customer. There are few instants, so that many events tie.
pub(crate) fn any_scenario(max: usize) -> impl Strategy<Value = Vec<NormalizedEvent>> {
    let one = (0..6_i64, 0..3_u8, prop::collection::vec(any_fact(), 1..3));
    prop::collection::vec(one, 1..max).prop_map(|events| {
        events
            .into_iter()
            .enumerate()
            .map(|(n, (second, rank, facts))| new_event(&format!("evt_{n}"), second, rank, facts))
            .collect()
    })
}

fn once() -> PurchasedPrice {
    PurchasedPrice {
        price: PriceId::parse("price_once").unwrap(),
        quantity: 1,
    }
}

fn any_subscription_fact(name: BoxedStrategy<String>) -> impl Strategy<Value = Fact> {
    let before = prop::option::of(prop::option::of(any_status()));
    let parts = (name, any_status(), 0..3_u8, any::<bool>(), before);
    parts.prop_map(|(name, status, price, has_add_on, before)| {
        let before = before.map(|status| PreviousAttributes {
            status,
            ..PreviousAttributes::default()
        });
        let mut terms = terms(status, &format!("price_{price}"));
        let add_on = SubscriptionItem {
            id: id("si_2"),
            price: PriceId::parse("price_add_on").unwrap(),
            ..terms.items[0].clone()
        };
        terms.items.extend(has_add_on.then_some(add_on));
        subscription_fact(subscription_snapshot(&name, terms, before))
    })
}

fn any_status() -> impl Strategy<Value = SubscriptionStatus> {
    prop_oneof![
        Just(SubscriptionStatus::Incomplete),
        Just(SubscriptionStatus::Trialing),
        Just(SubscriptionStatus::Active),
        Just(SubscriptionStatus::PastDue),
        Just(SubscriptionStatus::Canceled),
    ]
}

fn any_source_kind() -> impl Strategy<Value = SourceKind> {
    prop_oneof![
        Just(SourceKind::Session),
        Just(SourceKind::Charge),
        Just(SourceKind::Intent),
        Just(SourceKind::Invoice)
    ]
}

fn any_refund_state() -> impl Strategy<Value = RefundState> {
    prop_oneof![
        Just(RefundState::Pending),
        Just(RefundState::Succeeded),
        Just(RefundState::Failed)
    ]
}

fn any_dispute_state() -> impl Strategy<Value = DisputeState> {
    prop_oneof![
        Just(DisputeState::Inquiry),
        Just(DisputeState::InquiryClosed),
        Just(DisputeState::Open),
        Just(DisputeState::Closed),
        Just(DisputeState::Won),
        Just(DisputeState::Lost)
    ]
}

fn any_invoice_state() -> impl Strategy<Value = InvoiceState> {
    prop_oneof![
        Just(InvoiceState::Failed),
        Just(InvoiceState::Paid),
        Just(InvoiceState::Voided),
        Just(InvoiceState::ActionRequired),
        Just(InvoiceState::Uncollectible)
    ]
}
