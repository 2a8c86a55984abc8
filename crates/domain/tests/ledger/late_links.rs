//! An invoice and its charge, of which nothing says at first that they are one payment.

use crate::model_table::{LedgerTable, day, money, new_event, program, report};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::ObjectId;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use jiff::SignedDuration;

fn unlinked(id: &str, source_kind: SourceKind, seconds: i64) -> NormalizedEvent {
    let at = day(3, 3) + SignedDuration::from_secs(seconds);
    let snapshot = PaymentSnapshot {
        ids: vec![ObjectId::parse(id).unwrap()],
        source_kind,
        paid: money(1_000, "eur"),
        tax_minor: Some(0),
        paid_at: at,
        subscription: None,
        unlinked: true,
        purchased: Vec::new(),
    };
    new_event(id, at, vec![Fact::Payment(snapshot)])
}

fn linked() -> NormalizedEvent {
    let ids = ["in_1", "pi_1"]
        .map(|id| ObjectId::parse(id).unwrap())
        .into();
    let at = day(3, 3) + SignedDuration::from_secs(9);
    new_event("linked", at, vec![Fact::SamePayment { ids }])
}

#[test]
fn a_payment_that_is_linked_late_is_told_of_once_in_every_order() {
    let events = [
        unlinked("in_1", SourceKind::Invoice, 0),
        unlinked("pi_1", SourceKind::Intent, 2),
        linked(),
    ];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let mut table = LedgerTable::new();
        table.deliver(&report("acme", day(3, 1), &program()), day(3, 1));
        for (n, event) in order.into_iter().enumerate() {
            let now = day(3, 4) + SignedDuration::from_secs(n as i64);
            table.deliver(&events[event], now);
        }
        let amounts: Vec<i64> = table.rows().iter().map(|row| row.amount.minor).collect();
        assert_eq!(amounts, [200], "{order:?}");
        assert!(table.rows().iter().all(|row| row.sub_ids.is_empty()));
    }
}
