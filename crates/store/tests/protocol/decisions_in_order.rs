//! Of what was decided one after the other the last one stands: however many there were, and
//! whatever a clock says.

use crate::support::{acme, at, program};
use domain::event::Fact;
use domain::ids::{PersonHash, Reference, ReferralCode};
use domain::partner::referral::Decision;
use jiff::Timestamp;
use store::Item;
use store::memory::MemoryTable;
use store::operator_decisions::{GrantOutcome, ReferralRef, grant, review_everywhere};
use store::partners::PartnerRow;
use store::reports::{StoredReport, record_report};

/// More than one digit counts.
const MANY: u16 = 11;

fn person() -> Reference {
    Reference::person(&PersonHash::parse("nell").unwrap())
}

fn spring() -> ReferralCode {
    ReferralCode::parse("spring").unwrap()
}

fn holding(days: u16) -> PartnerRow {
    let mut terms = program();
    terms.hold_days = days;
    let mut row = PartnerRow::new(acme());
    row.set_terms(&terms.into(), 0, at(0));
    row
}

async fn reported() -> MemoryTable {
    let table = MemoryTable::default();
    let report = StoredReport {
        partner: acme(),
        message: "m1".into(),
        kind: "referral.created".into(),
        referral: "r-1".into(),
        references: vec![person()],
        sub_ids: [].into(),
        digest: "d".into(),
        signed_at: at(0),
        received_at: at(0),
        content: None,
    };
    record_report(&table, report, b"{}").await.unwrap();
    table
}

async fn decides(table: &MemoryTable, decision: Decision, hour: i64) -> bool {
    let named = ReferralRef::new(acme(), "r-1");
    let decided = review_everywhere(table, &named, decision, at(hour)).await;
    decided.unwrap().unwrap().is_new
}

/// When what stands under a reference counts, in the order of its numbers.
fn moments(table: &MemoryTable) -> Vec<Timestamp> {
    let items = table.items();
    let decided = items.iter().filter_map(|item| match item {
        Item::Parked(_, entry) => Some((entry.event.id.clone(), entry.event.occurred_at)),
        _ => None,
    });
    let mut decided: Vec<_> = decided.collect();
    decided.sort();
    decided.into_iter().map(|(_, at)| at).collect()
}

#[tokio::test]
async fn the_last_of_many_decisions_stands() {
    let table = reported().await;
    for n in 0..MANY {
        let decision = match n % 2 {
            0 => Decision::Void,
            _ => Decision::Release,
        };
        assert!(decides(&table, decision, i64::from(n)).await);
    }
    assert!(
        !decides(&table, Decision::Void, 99).await,
        "it was the last"
    );
    assert!(decides(&table, Decision::Release, 99).await);
}

#[tokio::test]
async fn the_last_of_many_grants_stands() {
    let table = MemoryTable::default();
    for days in 0..MANY {
        let given = grant(&table, &holding(days), &spring(), at(days.into())).await;
        assert_eq!(given, Ok(GrantOutcome::Granted));
    }
    let again = grant(&table, &holding(MANY - 1), &spring(), at(99)).await;
    assert_eq!(again, Ok(GrantOutcome::AlreadyGranted));
}

#[tokio::test]
async fn a_decision_for_all_counts_from_the_one_before_it_where_a_clock_was_set_back() {
    let table = reported().await;
    decides(&table, Decision::Void, 5).await;
    decides(&table, Decision::Release, 3).await;
    assert_eq!(moments(&table), [at(5), at(5)]);
}

#[tokio::test]
async fn a_grant_counts_from_the_one_before_it_where_a_clock_was_set_back() {
    let table = MemoryTable::default();
    grant(&table, &holding(1), &spring(), at(5)).await.unwrap();
    grant(&table, &holding(2), &spring(), at(3)).await.unwrap();
    assert_eq!(moments(&table), [at(5), at(5)]);
}

#[tokio::test]
async fn a_code_is_given_on_terms_that_are_in_force() {
    let table = MemoryTable::default();
    let mut row = holding(7);
    let mut later = program();
    later.hold_days = 70;
    row.set_terms(&later.into(), 0, at(10));
    grant(&table, &row, &spring(), at(1)).await.unwrap();
    let items = table.items();
    let given = items.iter().find_map(|item| match item {
        Item::Parked(_, entry) => entry.event.facts.first(),
        _ => None,
    });
    let Some(Fact::CodeGranted(given)) = given else {
        panic!("{given:?}")
    };
    assert_eq!(given.program.hold_days, 7);
}
