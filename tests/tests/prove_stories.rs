//! Faults of the design that the proof found, each kept as a story.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a story that can't begin fails"
)]

use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{Mode, ObjectId, ProviderAccount, Reference};
use domain::money::{Currency, Money, StatedAmount};
use domain::payment::snapshot::{PaymentSnapshot, RefundSnapshot, RefundState, SourceKind};
use domain::person::Profile;
use domain::record::{AdvanceOutcome, Entry, Record};
use domain::state::fold::fold;
use domain::subscription::terms::{SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::audit::walk;
use store::folding::{FoldStatus, read_record, replan};
use store::ingest::ingest_entries;
use store::letters::{ClaimOutcome, SendTask, claim};
use store::memory::MemoryTable;

const ACCOUNT: ProviderAccount = ProviderAccount {
    provider: "stripe",
    mode: Mode::Test,
};

fn event_of(id: &str, second: i64, fact: Fact) -> NormalizedEvent {
    NormalizedEvent {
        id: ACCOUNT.event(&ObjectId::parse(id).unwrap()),
        kind: "told".into(),
        occurred_at: Timestamp::from_second(second).unwrap(),
        rank: 3,
        about: About::Customer(ACCOUNT.customer(&ObjectId::parse("cus_1").unwrap())),
        facts: vec![fact],
        references: Vec::<Reference>::new(),
    }
}

fn ids(names: &[&str]) -> Vec<ObjectId> {
    names
        .iter()
        .map(|name| ObjectId::parse(*name).unwrap())
        .collect()
}

fn charge(second: i64) -> Fact {
    let paid = Money {
        minor: 1000,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    };
    Fact::Payment(PaymentSnapshot {
        ids: ids(&["ch_1", "pi_1"]),
        source_kind: SourceKind::Charge,
        paid,
        tax_minor: None,
        paid_at: Timestamp::from_second(second).unwrap(),
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    })
}

#[test]
fn two_refunds_of_one_second_are_both_counted_whatever_their_events_are_called() {
    for (first, second) in [("evt_a", "evt_b"), ("evt_b", "evt_a")] {
        let so_far = |minor| Fact::CumulativeRefund {
            ids: ids(&["ch_1", "pi_1"]),
            amount: StatedAmount::in_currency_of_payment(minor),
            released_minor: 0,
        };
        let readings = [
            event_of("evt_0", 100, charge(100)),
            event_of(first, 200, so_far(500)),
            event_of(second, 200, so_far(750)),
        ];
        let state = fold(&readings);
        assert_eq!(state.payments.open[0].refunded_minor(), 750);
    }
}

#[test]
fn a_refund_told_by_two_ids_before_they_are_one_payment_folds_alike_in_steps_and_at_once() {
    let refund = |name: &str, state| {
        Fact::Refund(RefundSnapshot {
            id: ObjectId::parse("re_1").unwrap(),
            payment: ids(&[name]),
            amount: StatedAmount::in_currency_of_payment(350),
            tax_minor: None,
            state,
            created_at: Timestamp::from_second(150).unwrap(),
        })
    };
    let readings = [
        event_of("evt_1", 150, refund("pi_1", RefundState::Pending)),
        event_of("evt_2", 160, refund("ch_1", RefundState::Succeeded)),
        event_of("evt_3", 170, charge(100)),
    ];
    let at_once = fold(&readings);
    let mut record = Record::new(ACCOUNT.customer(&ObjectId::parse("cus_1").unwrap()));
    for reading in &readings {
        let entry = Entry::new(
            reading.clone(),
            Arc::from(&b"{}"[..]),
            1,
            reading.occurred_at,
            "r".into(),
        );
        match record.advance(&[Arc::new(entry)], reading.occurred_at) {
            AdvanceOutcome::Next(next) => record = *next,
            step @ (AdvanceOutcome::AlreadyFolded | AdvanceOutcome::ReadJournal) => {
                panic!("these stand in order: {step:?}")
            }
        }
    }
    assert_eq!(record.folded.state, at_once);
}

fn entry(reading: NormalizedEvent) -> Arc<Entry> {
    let (raw, at) = (Arc::from(&b"{}"[..]), reading.occurred_at);
    Arc::new(Entry::new(reading, raw, 1, at, "r".into()))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Somebody with an address, whose subscription runs.
fn subscriber() -> [NormalizedEvent; 2] {
    let profile = Profile {
        email: Some("ada@example.org".into()),
        ..Profile::default()
    };
    let running = SubscriptionSnapshot {
        id: ObjectId::parse("sub_1").unwrap(),
        started_at: at(200),
        currency: None,
        terms: SubscriptionTerms {
            status: SubscriptionStatus::Active,
            items: Vec::new(),
            period: None,
            trial: None,
            trial_fallback: None,
            cancel_at: None,
            cancel_at_period_end: false,
            items_partial: false,
            pause: None,
        },
        canceled_at: None,
        end_requested: false,
        end_reason: None,
        ended_at: None,
        previous_attributes: None,
    };
    [
        event_of("evt_1", 100, Fact::Profile(profile)),
        event_of("evt_2", 200, Fact::Subscription(Box::new(running))),
    ]
}

#[tokio::test]
async fn a_message_delivered_twice_under_one_count_is_claimed_once() {
    let table = MemoryTable::without_attributes();
    let entries = subscriber().map(entry);
    ingest_entries(&table, &entries, at(300)).await.unwrap();
    let order = SendTask {
        customer: ACCOUNT.customer(&ObjectId::parse("cus_1").unwrap()),
        letter: domain::letter::Letter::Welcome,
        cause: "sub_1".into(),
    };
    let owner = "message#1";
    let first = claim(&table, &order, owner, at(301)).await.unwrap();
    assert!(matches!(first, ClaimOutcome::Claimed { .. }), "{first:?}");
    let second = claim(&table, &order, owner, at(302)).await.unwrap();
    assert!(matches!(second, ClaimOutcome::Busy), "{second:?}");
}

#[tokio::test]
async fn an_event_that_makes_the_fold_panic_stops_none_of_its_customers_others() {
    let mut poison = event_of("evt_0", 150, charge(150));
    poison.kind = "poison".into();
    let [who, runs] = subscriber();
    let table = MemoryTable::without_attributes();
    let customer = ACCOUNT.customer(&ObjectId::parse("cus_1").unwrap());
    for reading in [who, poison, runs] {
        ingest_entries(&table, &[entry(reading)], at(300))
            .await
            .unwrap();
    }
    let record = read_record(&table, &customer)
        .await
        .unwrap()
        .expect("there");
    assert_eq!((record.folded.count, record.folded.state.unclear), (3, 1));
    assert_eq!(record.folded.state.subscriptions.len(), 1);
    let again = replan(&table, &customer, at(400)).await.unwrap();
    assert_eq!(again, FoldStatus::Done);
}

#[tokio::test]
async fn what_stays_under_a_shared_name_is_new_to_the_first_customer_and_to_no_audit() {
    let table = MemoryTable::without_attributes();
    let [mut who, _] = subscriber();
    who.references.push(Reference::code("spring").unwrap());
    let mut reported = event_of("evt_9", 100, charge(100));
    reported.about = About::ByReference(vec![Reference::code("spring").unwrap()]);
    ingest_entries(&table, &[entry(who), entry(reported)], at(300))
        .await
        .unwrap();
    let customer = ACCOUNT.customer(&ObjectId::parse("cus_1").unwrap());
    let record = read_record(&table, &customer)
        .await
        .unwrap()
        .expect("there");
    assert_eq!(record.folded.count, 2);
    let hour = SignedDuration::from_hours(1);
    for walked_at in [at(300), at(300) + hour, at(300) + hour * 200] {
        let report = walk(&table, u32::MAX, walked_at).await.unwrap();
        assert_eq!((report.customers, report.repaired), (1, 0), "{walked_at}");
    }
}
