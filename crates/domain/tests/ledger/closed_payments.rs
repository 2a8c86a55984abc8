//! The ledger of payments that left the record, and of records that were lost.

use crate::model_table::{
    LedgerTable, customer, day, profile, program, refunded, report, report_of,
};
use crate::rules::{pays, summary_in_both_orders};
use domain::event::NormalizedEvent;
use domain::ids::PartnerId;
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{CommissionDuration, Program};
use domain::record::{AdvanceOutcome, Record};

/// Fifteen monthly payments, of which three have left the record.
fn long_life() -> Vec<NormalizedEvent> {
    let payments = (0..15_i8).map(|n| pays(&format!("pi_{n:02}"), 3 + n / 2, 1 + n, 1_000));
    payments.collect()
}

#[test]
fn payments_that_left_the_record_keep_their_rows_and_hear_of_refunds_and_reports() {
    let mut story = vec![report("acme", day(3, 1), &program())];
    story.extend(long_life());
    assert_eq!(summary_in_both_orders(&story).len(), 15);
    let record = LedgerTable::after(&story).record;
    assert_eq!(
        record.ledger.balances.len(),
        12,
        "the record does not keep what left it"
    );
    story.push(refunded("re_1", "pi_00", day(12, 1), 500));
    assert_eq!(summary_in_both_orders(&story)[0], "acme/eur/due/pi_00 100");
    // The report comes last, long after the first payments left the record.
    let late = report_of(
        "acme",
        day(3, 1),
        day(4, 1),
        &program(),
        PartnerIdentity::default(),
    );
    let events = [long_life(), vec![late]].concat();
    assert_eq!(LedgerTable::after(&events).summary().len(), 15);
    let first = Program {
        duration: CommissionDuration::FirstPayment,
        ..program()
    };
    let events = [
        vec![report("acme", day(3, 1), &first)],
        long_life(),
        vec![profile("a@b.fr", day(12, 2))],
    ];
    assert_eq!(
        summary_in_both_orders(&events.concat()),
        ["acme/eur/due/pi_00 200"]
    );
}

#[test]
fn a_record_that_the_first_payment_left_still_knows_who_sent_the_customer() {
    // 58 days before the first payment, 92 before the earliest one that stayed in the record.
    let mut story = vec![report("acme", day(1, 2), &program())];
    story.extend(long_life());
    let state = LedgerTable::after(&story).record.folded.state;
    assert_eq!(state.payments.closed, 3);
    let counts = state.attribution().map(|counts| &counts.referral.partner);
    assert_eq!(counts, Some(&PartnerId::parse("acme").unwrap()));
}

#[test]
fn a_record_that_was_lost_is_folded_again_and_owes_nothing_twice() {
    let mut story = vec![report("acme", day(3, 1), &program())];
    story.extend(long_life());
    story.push(refunded("re_1", "pi_00", day(12, 1), 500));
    let mut books = LedgerTable::after(&story);
    let (rows, sums) = (books.rows.len(), books.sums());
    books.record = Record::new(customer());
    books.rebuild(&[], day(12, 2));
    assert!(books.record.pending.is_empty());
    books.deliver(&refunded("re_2", "pi_01", day(12, 3), 1_000), day(12, 3));
    assert_eq!(books.rows.len(), rows + 1);
    assert_eq!(books.sums().len(), sums.len() - 1);
}

#[test]
fn a_record_that_begins_with_what_earns_asks_for_its_rows_first() {
    let story = [
        report("acme", day(3, 1), &program()),
        pays("pi_1", 3, 3, 1_000),
    ];
    let journal = LedgerTable::after(&story).journal;
    let begun = Record::new(customer()).advance(&journal, day(3, 4));
    assert!(
        matches!(begun, AdvanceOutcome::ReadJournal),
        "an earlier record may have decided rows"
    );
}

#[test]
fn a_record_is_the_same_after_a_stay_in_the_table() {
    let mut story = vec![report("acme", day(3, 1), &program())];
    story.extend(long_life());
    let mut books = LedgerTable::after(&story);
    books.fold(&refunded("re_1", "pi_05", day(12, 1), 500), day(12, 1));
    assert!(!books.record.pending.is_empty());
    let text = serde_json::to_string(&books.record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), books.record);
}
