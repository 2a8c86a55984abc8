//! Tax within payments and refunds: nobody earns on it, and what is not known of it is said.

use crate::model_table::{LedgerTable, day, money, new_event, program, report, taxed};
use crate::rules::summary_in_both_orders;
use domain::event::{Fact, NormalizedEvent};
use domain::ids::ObjectId;
use domain::money::{Currency, Money, StatedAmount};
use domain::partner::program::{Program, Reward};
use domain::partner::statement::statement;
use domain::payment::snapshot::{RefundSnapshot, RefundState};

/// A refund of `pi_1`, of which `tax` is tax.
fn refund(id: &str, minor: i64, tax: Option<i64>) -> NormalizedEvent {
    let amount = Money {
        minor,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    };
    let snapshot = RefundSnapshot {
        id: ObjectId::parse(id).unwrap(),
        payment: vec![ObjectId::parse("pi_1").unwrap()],
        amount: StatedAmount::from(amount),
        tax_minor: tax,
        state: RefundState::Succeeded,
        created_at: day(3, 5),
    };
    new_event(id, day(3, 5), vec![Fact::Refund(snapshot)])
}

/// What 20 % of 28.80 with 4.80 tax come to after these refunds.
fn after(refunds: &[NormalizedEvent]) -> Vec<String> {
    let payment = taxed("pi_1", day(3, 3), money(2_880, "eur"), Some(480));
    let story = [&[report("acme", day(3, 1), &program()), payment], refunds].concat();
    summary_in_both_orders(&story)
}

#[test]
fn a_refund_of_tax_alone_takes_nothing_back() {
    assert_eq!(
        after(&[refund("r1", 480, Some(480))]),
        ["acme/eur/due/pi_1 480"]
    );
    // Where nobody says that it is tax, it is a part like any other.
    assert_eq!(after(&[refund("r1", 480, None)]), ["acme/eur/due/pi_1 400"]);
}

#[test]
fn whatever_goes_back_with_its_tax_leaves_what_is_left_without_tax() {
    assert_eq!(
        after(&[refund("r1", 1_200, Some(0))]),
        ["acme/eur/due/pi_1 240"]
    );
    assert_eq!(
        after(&[refund("r1", 1_440, Some(240))]),
        ["acme/eur/due/pi_1 240"]
    );
    let whole = [refund("r1", 480, Some(480)), refund("r2", 2_400, Some(0))];
    assert!(after(&whole).is_empty());
    let rest_unknown = [refund("r1", 480, Some(480)), refund("r2", 2_400, None)];
    assert!(after(&rest_unknown).is_empty());
    // More tax than there is says nothing.
    assert_eq!(
        after(&[refund("r1", 960, Some(960))]),
        ["acme/eur/due/pi_1 320"]
    );
}

#[test]
fn a_fixed_amount_follows_what_is_left_without_tax_too() {
    let program = Program {
        reward: Reward::Fixed(money(500, "eur")),
        ..program()
    };
    let story = |refund| {
        let payment = taxed("pi_1", day(3, 3), money(2_880, "eur"), Some(480));
        summary_in_both_orders(&[report("acme", day(3, 1), &program), payment, refund])
    };
    assert_eq!(
        story(refund("r1", 480, Some(480))),
        ["acme/eur/due/pi_1 500"]
    );
    assert_eq!(
        story(refund("r1", 1_200, Some(0))),
        ["acme/eur/due/pi_1 250"]
    );
    assert_eq!(story(refund("r1", 1_440, None)), ["acme/eur/due/pi_1 250"]);
}

#[test]
fn a_statement_says_where_the_tax_is_not_known() {
    for (tax, text) in [
        (
            None,
            "20 % for the payment of 2026-03-03: 12.00 EUR, tax not stated",
        ),
        (
            Some(0),
            "20 % for the payment of 2026-03-03: 12.00 EUR without tax",
        ),
    ] {
        let payment = taxed("pi_1", day(3, 3), money(1_200, "eur"), tax);
        let table = LedgerTable::after(&[report("acme", day(3, 1), &program()), payment]);
        let statement = statement(&table.rows(), &[], day(3, 4));
        assert_eq!(statement.rows[0].text, text);
        assert_eq!(statement.rows[0].referral_id.as_deref(), Some("r-acme"));
    }
}
