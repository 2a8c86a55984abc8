//! An invoice and a charge that may be one payment count once while nothing links them.

use crate::scenarios::{dispute, ids, new_event, paid, refund};
use domain::event::Fact;
use domain::payment::payments::OPEN_PAYMENTS;
use domain::payment::snapshot::{DisputeState, RefundState, SourceKind};
use domain::state::CustomerState;
use domain::state::fold::fold;
use proptest::prelude::*;

fn unlinked(kind: SourceKind, names: &[&str], minor: i64, second: i64) -> (i64, Fact) {
    let Fact::Payment(mut snapshot) = paid(kind, names, minor, second) else {
        panic!("it is a payment");
    };
    snapshot.unlinked = true;
    (second, Fact::Payment(snapshot))
}

fn invoice(name: &str, minor: i64, second: i64) -> (i64, Fact) {
    unlinked(SourceKind::Invoice, &[name], minor, second)
}

fn charge(name: &str, minor: i64, second: i64) -> (i64, Fact) {
    unlinked(SourceKind::Charge, &[name], minor, second)
}

fn state(facts: Vec<(i64, Fact)>) -> CustomerState {
    let events = facts.into_iter().enumerate();
    let events: Vec<_> = events
        .map(|(n, (second, fact))| new_event(&format!("evt_{n}"), second, 1, vec![fact]))
        .collect();
    fold(&events)
}

/// Amount and whether it is unlinked, of each payment.
fn settled(facts: Vec<(i64, Fact)>) -> Vec<(i64, bool)> {
    let state = state(facts);
    let settled = state.payments.settled();
    let shown = |payment: &domain::payment::unlinked::SettledPayment<'_>| {
        (payment.paid().unwrap().minor, payment.unlinked)
    };
    settled.map(|payment| shown(&payment)).collect()
}

#[test]
fn an_invoice_and_a_charge_of_one_minute_count_once_with_what_went_back_of_either() {
    let state = state(vec![
        charge("ch_1", 1200, 100),
        invoice("in_1", 1200, 130),
        (
            200,
            refund("re_1", &["ch_1"], 500, RefundState::Succeeded, 200),
        ),
        (300, dispute(&["ch_1"], 700, DisputeState::Open)),
    ]);
    let settled: Vec<_> = state.payments.settled().collect();
    assert_eq!(settled.len(), 1, "{settled:#?}");
    let payment = &settled[0];
    assert!(payment.unlinked);
    assert_eq!(payment.paid().unwrap().minor, 1200);
    assert_eq!(payment.refunded_minor(), 500);
    assert_eq!(payment.disputed_minor(), 700);
}

#[test]
fn what_cannot_be_one_payment_is_two() {
    let two = [(1200, false), (1200, false)];
    let late = vec![charge("ch_1", 1200, 100), invoice("in_1", 1200, 161)];
    assert_eq!(settled(late), two, "more than a minute apart");
    let other = vec![charge("ch_1", 1300, 100), invoice("in_1", 1200, 100)];
    assert_eq!(settled(other).len(), 2, "of other amounts");
    let charges = vec![charge("ch_1", 1200, 100), charge("ch_2", 1200, 100)];
    assert_eq!(settled(charges), two, "two charges");
    let known = vec![
        charge("ch_1", 1200, 100),
        (100, paid(SourceKind::Invoice, &["in_1"], 1200, 100)),
    ];
    assert_eq!(settled(known), two, "the invoice names its charge");
}

#[test]
fn each_invoice_has_one_charge_and_each_charge_one_invoice() {
    let facts = vec![
        charge("ch_1", 1200, 100),
        charge("ch_2", 1200, 101),
        charge("ch_3", 1200, 102),
        invoice("in_1", 1200, 103),
        invoice("in_2", 1200, 104),
    ];
    assert_eq!(
        settled(facts),
        [(1200, true), (1200, true), (1200, false)],
        "three payments arrived, and two invoices tell of two of them"
    );
}

#[test]
fn once_a_link_is_told_it_is_a_payment_like_others() {
    let mut facts = vec![charge("ch_1", 1200, 100), invoice("in_1", 1200, 100)];
    assert_eq!(settled(facts.clone()), [(1200, true)]);
    let ids = ids(&["in_1", "ch_1"]);
    facts.push((110, Fact::SamePayment { ids }));
    assert_eq!(settled(facts), [(1200, false)]);
}

#[test]
fn the_halves_of_a_payment_leave_the_record_together() {
    let mut facts = vec![charge("ch_1", 1200, 100), invoice("in_1", 1200, 101)];
    let later = i64::try_from(OPEN_PAYMENTS).unwrap() - 1;
    let others = |count: i64| {
        let one = |n: i64| {
            let name = format!("ch_later_{n}");
            let charge = paid(SourceKind::Charge, &[&name], 500, 1_000 * n);
            (1_000 * n, charge)
        };
        (1..=count).map(one).collect::<Vec<_>>()
    };
    facts.extend(others(later));
    let kept = state(facts.clone());
    assert_eq!(
        (kept.payments.closed, kept.payments.open.len()),
        (0, OPEN_PAYMENTS + 1)
    );
    facts.truncate(2);
    facts.extend(others(later + 1));
    let closed = state(facts);
    assert_eq!(
        (closed.payments.closed, closed.payments.open.len()),
        (2, OPEN_PAYMENTS)
    );
}

proptest! {
    /// Worked out a second time, one by one: each invoice with the first charge of its amount
    /// that is near enough and has no invoice yet.
    #[test]
    fn as_many_are_one_as_can_be_paired_one_by_one(
        invoices in prop::collection::vec((1..3_i64, 0..400_i64), 0..6),
        charges in prop::collection::vec((1..3_i64, 0..400_i64), 0..6),
    ) {
        let mut facts = Vec::new();
        for (n, (amount, second)) in invoices.iter().enumerate() {
            facts.push(invoice(&format!("in_{n}"), amount * 100, *second));
        }
        for (n, (amount, second)) in charges.iter().enumerate() {
            facts.push(charge(&format!("ch_{n}"), amount * 100, *second));
        }
        let (mut of_invoices, mut of_charges) = (invoices.clone(), charges.clone());
        of_invoices.sort_by_key(|(_, second)| *second);
        of_charges.sort_by_key(|(_, second)| *second);
        let mut pairs = 0;
        for (amount, second) in of_invoices {
            let near = |charge: &(i64, i64)| charge.0 == amount && (charge.1 - second).abs() <= 60;
            if let Some(found) = of_charges.iter().position(near) {
                of_charges.remove(found);
                pairs += 1;
            }
        }
        let shown = settled(facts);
        let all = invoices.len() + charges.len();
        if all <= OPEN_PAYMENTS {
            prop_assert_eq!(shown.iter().filter(|(_, unlinked)| *unlinked).count(), pairs);
            prop_assert_eq!(shown.len(), all - pairs);
        }
    }
}
