//! Faults of the design that the proof found, each kept as a story.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a story that can't begin fails"
)]

use domain::billing::{PaymentSeen, RefundSeen, RefundState, Teller};
use domain::fold::fold;
use domain::ids::{Account, Mode, ObjectId, Reference};
use domain::money::{Currency, Money};
use domain::reading::{About, Fact, Reading};
use domain::record::{Entry, Record, Step};
use jiff::Timestamp;
use std::sync::Arc;

const ACCOUNT: Account = Account {
    provider: "stripe",
    mode: Mode::Test,
};

fn told(id: &str, second: i64, fact: Fact) -> Reading {
    Reading {
        id: ACCOUNT.event(id),
        kind: "told".into(),
        occurred_at: Timestamp::from_second(second).unwrap(),
        rank: 3,
        about: About::Customer(ACCOUNT.customer("cus_1")),
        facts: vec![fact],
        references: Vec::<Reference>::new(),
    }
}

fn ids(names: &[&str]) -> Vec<ObjectId> {
    names.iter().map(|name| ObjectId::new(*name)).collect()
}

fn charge(second: i64) -> Fact {
    let paid = Money {
        minor: 1000,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    };
    Fact::Payment(PaymentSeen {
        ids: ids(&["ch_1", "pi_1"]),
        teller: Teller::Charge,
        paid,
        tax_minor: None,
        paid_at: Timestamp::from_second(second).unwrap(),
        subscription: None,
    })
}

#[test]
fn two_refunds_of_one_second_are_both_counted_whatever_their_events_are_called() {
    for (first, second) in [("evt_a", "evt_b"), ("evt_b", "evt_a")] {
        let so_far = |minor| Fact::RefundedSoFar {
            ids: ids(&["ch_1", "pi_1"]),
            minor,
        };
        let readings = [
            told("evt_0", 100, charge(100)),
            told(first, 200, so_far(500)),
            told(second, 200, so_far(750)),
        ];
        let state = fold(&readings);
        assert_eq!(state.payments.open[0].refunded_minor(), 750);
    }
}

#[test]
fn a_refund_told_by_two_ids_before_they_are_one_payment_folds_alike_in_steps_and_at_once() {
    let refund = |name: &str, state| {
        Fact::Refund(RefundSeen {
            id: ObjectId::new("re_1"),
            payment: ids(&[name]),
            minor: 350,
            state,
            created_at: Timestamp::from_second(150).unwrap(),
        })
    };
    let readings = [
        told("evt_1", 150, refund("pi_1", RefundState::Pending)),
        told("evt_2", 160, refund("ch_1", RefundState::Succeeded)),
        told("evt_3", 170, charge(100)),
    ];
    let at_once = fold(&readings);
    let mut record = Record::new(ACCOUNT.customer("cus_1"));
    for reading in &readings {
        let entry = Entry::new(
            reading.clone(),
            Arc::from(&b"{}"[..]),
            1,
            reading.occurred_at,
            "r".into(),
        );
        match record.advance(&[Arc::new(entry)], reading.occurred_at) {
            Step::Next(next) => record = *next,
            step @ (Step::Folded | Step::ReadJournal) => panic!("these stand in order: {step:?}"),
        }
    }
    assert_eq!(record.folded.state, at_once);
}
