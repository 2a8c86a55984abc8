//! A payment that several sources state counts once, and so do its refunds and disputes.

use crate::scenarios::{at, dispute, eur, id, new_event, paid, refund};
use domain::event::Fact;
use domain::money::{Currency, Money, StatedAmount};
use domain::payment::amounts::OtherCurrencyPart;
use domain::payment::payments::Payment;
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, RefundSnapshot, RefundState, SourceKind,
};
use domain::state::fold::fold;

fn payments(facts: Vec<(i64, Fact)>) -> Vec<Payment> {
    let events: Vec<_> = facts
        .into_iter()
        .enumerate()
        .map(|(n, (second, fact))| new_event(&format!("evt_{n}"), second, 1, vec![fact]))
        .collect();
    let state = fold(&events);
    let settled = state.payments.settled();
    settled.map(|payment| payment.into_payment()).collect()
}

fn one(facts: Vec<(i64, Fact)>) -> Payment {
    let mut payments = payments(facts);
    assert_eq!(payments.len(), 1, "they are one payment: {payments:#?}");
    payments.remove(0)
}

#[test]
fn invoice_intent_and_charge_that_share_ids_are_one_payment() {
    let payment = one(vec![
        (1, paid(SourceKind::Charge, &["ch_1", "pi_1"], 2880, 1)),
        (1, paid(SourceKind::Intent, &["pi_1"], 2880, 1)),
        (2, paid(SourceKind::Invoice, &["in_1"], 2880, 2)),
        (
            3,
            Fact::SamePayment {
                ids: crate::scenarios::ids(&["in_1", "pi_1"]),
            },
        ),
    ]);
    assert_eq!(payment.paid().unwrap().minor, 2880);
    assert_eq!(payment.id().unwrap().as_str(), "pi_1");
}

#[test]
fn without_a_link_they_are_two() {
    let facts = vec![
        (1, paid(SourceKind::Intent, &["pi_1"], 2880, 1)),
        (2, paid(SourceKind::Invoice, &["in_1"], 2880, 2)),
    ];
    assert_eq!(payments(facts).len(), 2);
}

#[test]
fn an_invoice_paid_in_two_parts_is_worth_what_the_invoice_says() {
    let payment = one(vec![
        (1, paid(SourceKind::Intent, &["pi_1"], 1000, 1)),
        (1, paid(SourceKind::Intent, &["pi_2"], 1880, 1)),
        (
            2,
            Fact::SamePayment {
                ids: crate::scenarios::ids(&["in_1", "pi_1"]),
            },
        ),
        (
            2,
            Fact::SamePayment {
                ids: crate::scenarios::ids(&["in_1", "pi_2"]),
            },
        ),
    ]);
    assert_eq!(
        payment.paid().unwrap().minor,
        2880,
        "parts add up until the invoice states the amount"
    );
}

#[test]
fn what_fails_after_all_never_arrived_until_it_is_tried_again() {
    let charge = |minor, second| paid(SourceKind::Charge, &["ch_1"], minor, second);
    let count = |facts: &[(i64, Fact)]| payments(facts.to_vec()).len();
    let failed = [(1, charge(2880, 1)), (2, charge(0, 2))];
    assert_eq!(count(&failed), 0);
    assert_eq!(count(&[(1, charge(0, 1))]), 0, "it never seemed to arrive");
    let others = [
        &failed[..],
        &[(2, paid(SourceKind::Charge, &["ch_2"], 960, 2))],
    ];
    assert_eq!(count(&others.concat()), 1, "another's stays");
    let tried_again = [&failed[..], &[(3, charge(2880, 3))]].concat();
    assert_eq!(one(tried_again).paid().unwrap().minor, 2880);
}

#[test]
fn a_refund_in_a_sum_and_by_itself_counts_once() {
    let payment = one(vec![
        (1, paid(SourceKind::Charge, &["ch_1"], 2880, 1)),
        (5, refund("re_1", &["ch_1"], 960, RefundState::Succeeded, 5)),
        (
            5,
            Fact::CumulativeRefund {
                ids: crate::scenarios::ids(&["ch_1"]),
                amount: eur(960).into(),
                released_minor: 0,
            },
        ),
    ]);
    assert_eq!(payment.refunded_minor(), 960);
}

#[test]
fn a_refund_after_the_sum_adds_to_it() {
    let payment = one(vec![
        (1, paid(SourceKind::Charge, &["ch_1"], 2880, 1)),
        (
            5,
            Fact::CumulativeRefund {
                ids: crate::scenarios::ids(&["ch_1"]),
                amount: eur(960).into(),
                released_minor: 0,
            },
        ),
        (9, refund("re_2", &["ch_1"], 100, RefundState::Pending, 9)),
    ]);
    assert_eq!(payment.refunded_minor(), 1060);
}

#[test]
fn a_refund_that_failed_after_the_sum_is_taken_off_again() {
    let payment = one(vec![
        (1, paid(SourceKind::Charge, &["ch_1"], 2880, 1)),
        (5, refund("re_1", &["ch_1"], 960, RefundState::Succeeded, 5)),
        (
            5,
            Fact::CumulativeRefund {
                ids: crate::scenarios::ids(&["ch_1"]),
                amount: eur(960).into(),
                released_minor: 0,
            },
        ),
        (9, refund("re_1", &["ch_1"], 960, RefundState::Failed, 5)),
    ]);
    assert_eq!(payment.refunded_minor(), 0);
}

#[test]
fn a_failed_refund_stays_failed_whatever_comes_later() {
    let payment = one(vec![
        (1, paid(SourceKind::Charge, &["ch_1"], 2880, 1)),
        (5, refund("re_1", &["ch_1"], 960, RefundState::Failed, 5)),
        (9, refund("re_1", &["ch_1"], 960, RefundState::Succeeded, 5)),
    ]);
    assert_eq!(payment.refunded_minor(), 0);
}

#[test]
fn a_dispute_holds_the_money_until_it_is_won() {
    let disputed = |states: &[DisputeState]| {
        let mut facts = vec![(1, paid(SourceKind::Charge, &["ch_1"], 2880, 1))];
        let steps = states.iter().zip(5..);
        facts.extend(steps.map(|(state, second)| (second, dispute(&["ch_1"], 2880, *state))));
        one(facts).disputed_minor()
    };
    use DisputeState::{Closed, Inquiry, InquiryClosed, Lost, Open, Won};
    assert_eq!(disputed(&[Open]), 2880);
    assert_eq!(disputed(&[Open, Closed]), 0, "over, and nobody says how");
    assert_eq!(disputed(&[Open, Closed, Open]), 2880, "another may follow");
    assert_eq!(disputed(&[Open, Closed, Lost]), 2880);
    assert_eq!(disputed(&[Open, Won]), 0);
    assert_eq!(disputed(&[Open, Lost]), 2880);
    assert_eq!(
        disputed(&[Open, Won, Open]),
        0,
        "a decided dispute does not open again"
    );
    assert_eq!(disputed(&[Inquiry]), 0);
    assert_eq!(disputed(&[Inquiry, InquiryClosed]), 0);
    assert_eq!(disputed(&[Inquiry, Open]), 2880);
}

#[test]
fn a_refund_before_its_payment_waits_for_it() {
    let refunded = || (1, refund("re_1", &["ch_1"], 960, RefundState::Succeeded, 1));
    assert_eq!(payments(vec![refunded()]).len(), 0);
    let payment = one(vec![
        refunded(),
        (5, paid(SourceKind::Charge, &["ch_1"], 2880, 5)),
    ]);
    assert_eq!(payment.refunded_minor(), 960);
}

#[test]
fn a_record_keeps_the_latest_payments_and_counts_the_rest() {
    let events: Vec<_> = (0..30)
        .map(|n| {
            let names = format!("pi_{n}");
            new_event(
                &format!("evt_{n}"),
                n,
                1,
                vec![paid(SourceKind::Intent, &[&names], 100, n)],
            )
        })
        .collect();
    let state = fold(&events);
    assert_eq!((state.payments.open.len(), state.payments.closed), (12, 18));
    assert_eq!(
        domain::state::fold::fold_with_all_payments(&events)
            .payments
            .open
            .len(),
        30
    );
}

#[test]
fn a_refund_that_named_two_payments_makes_them_one() {
    // If two payments had the same refund, the order of arrival would decide how they merge.
    let payment = one(vec![
        (1, paid(SourceKind::Charge, &["ch_1"], 2880, 1)),
        (1, paid(SourceKind::Intent, &["pi_1"], 2880, 1)),
        (5, refund("re_1", &["ch_1"], 960, RefundState::Pending, 5)),
        (6, refund("re_1", &["pi_1"], 960, RefundState::Succeeded, 5)),
    ]);
    assert_eq!(
        (payment.paid().unwrap().minor, payment.refunded_minor()),
        (2880, 960)
    );
}

#[test]
fn an_amount_in_another_currency_is_shown_and_never_added() {
    let yen = |minor| Money {
        minor,
        currency: Currency::parse("jpy").unwrap(),
        exponent: 0,
    };
    let own = |amount: StatedAmount, name: &str| {
        Fact::Dispute(DisputeSnapshot {
            id: id(name),
            payment: crate::scenarios::ids(&["ch_1"]),
            amount,
            state: DisputeState::Open,
        })
    };
    let back = |amount: StatedAmount, name: &str| {
        Fact::Refund(RefundSnapshot {
            id: id(name),
            payment: crate::scenarios::ids(&["ch_1"]),
            amount,
            tax_minor: None,
            state: RefundState::Succeeded,
            created_at: at(5),
        })
    };
    let sum = |amount: StatedAmount| Fact::CumulativeRefund {
        ids: crate::scenarios::ids(&["ch_1"]),
        amount,
        released_minor: 0,
    };
    let payment = one(vec![
        (1, paid(SourceKind::Charge, &["ch_1"], 10_000, 1)),
        (2, own(yen(9_000).into(), "dp_yen")),
        (3, own(StatedAmount::in_currency_of_payment(500), "dp_own")),
        (4, sum(yen(7_000).into())),
        (5, back(yen(7_000).into(), "re_yen")),
        (6, back(eur(300).into(), "re_own")),
    ]);
    assert_eq!(payment.disputed_minor(), 500);
    assert_eq!(payment.refunded_minor(), 300);
    let shown: Vec<_> = payment
        .amounts_in_other_currencies()
        .iter()
        .map(|other| (other.part, other.id.as_str(), other.money))
        .collect();
    let expected = [
        (OtherCurrencyPart::Refund, "ch_1", yen(7_000)),
        (OtherCurrencyPart::Refund, "re_yen", yen(7_000)),
        (OtherCurrencyPart::Dispute, "dp_yen", yen(9_000)),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn amounts_stored_before_their_currency_was_kept_are_the_payments() {
    let facts = [
        r#"{"refund":{"id":"re_1","payment":["ch_1"],"minor":300,"state":"succeeded",
            "created_at":"1970-01-01T00:00:02Z"}}"#,
        r#"{"dispute":{"id":"dp_1","payment":["ch_1"],"minor":500,"state":"open"}}"#,
        r#"{"cumulative_refund":{"ids":["ch_1"],"minor":300}}"#,
    ];
    let stored = facts.map(|text| serde_json::from_str::<Fact>(text).unwrap());
    for fact in &stored {
        let again = serde_json::to_string(fact).unwrap();
        assert!(again.contains(r#""minor""#), "older code reads it: {again}");
    }
    let mut facts = vec![(1, paid(SourceKind::Charge, &["ch_1"], 10_000, 1))];
    facts.extend((2..).zip(stored));
    let payment = one(facts);
    assert_eq!(
        (payment.refunded_minor(), payment.disputed_minor()),
        (300, 500)
    );
    let state = r#"{"minor":500,"state":"open"}"#;
    assert!(serde_json::from_str::<domain::payment::payments::Dispute>(state).is_ok());
}

#[test]
fn what_was_never_taken_is_no_refund() {
    let sum = |amount: i64| Fact::CumulativeRefund {
        ids: crate::scenarios::ids(&["ch_1", "pi_1"]),
        amount: eur(amount).into(),
        released_minor: 2_000,
    };
    let taken = (1, paid(SourceKind::Charge, &["ch_1", "pi_1"], 3_000, 1));
    let released = refund("re_0", &["ch_1"], 2_000, RefundState::Succeeded, 1);
    let with_release = vec![taken.clone(), (1, sum(2_000)), (1, released)];
    assert_eq!(one(with_release.clone()).refunded_minor(), 0);
    let real = refund("re_1", &["ch_1"], 500, RefundState::Succeeded, 9);
    let then_refunded = [with_release, vec![(9, real), (9, sum(2_500))]].concat();
    assert_eq!(one(then_refunded).refunded_minor(), 500);
    let alone = one(vec![taken, (9, sum(2_500))]);
    assert_eq!(alone.refunded_minor(), 500);
}

#[test]
fn parts_of_an_invoice_add_up_with_their_tax() {
    let part = |name: &str, minor: i64, tax: Option<i64>, second: i64| {
        let Fact::Payment(mut snapshot) = paid(SourceKind::Invoice, &[name, "in_1"], minor, second)
        else {
            panic!("it is a payment");
        };
        snapshot.tax_minor = tax;
        (second, Fact::Payment(snapshot))
    };
    let both = one(vec![
        part("pay_1", 6_000, Some(1_000), 1),
        part("pay_2", 4_000, Some(600), 2),
    ]);
    assert_eq!(both.paid().unwrap().minor, 10_000);
    assert_eq!(both.tax_minor(), Some(1_600));
    let one_unknown = one(vec![
        part("pay_1", 6_000, Some(1_000), 1),
        part("pay_2", 4_000, None, 2),
    ]);
    assert_eq!(one_unknown.tax_minor(), None);
}
