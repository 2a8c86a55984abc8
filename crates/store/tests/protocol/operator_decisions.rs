//! What people decide of partners: an entry each, one however often it is typed.

use crate::support::{
    acme, at, at_once, customer, empty, ingest, naming, paid, program, record, report,
};
use domain::event::About;
use domain::ids::{PartnerId, PersonHash, Reference, ReferralCode};
use domain::partner::referral::Decision;
use store::folding::read_journal;
use store::memory::{Crash, Fault, MemoryTable, TableRequest};
use store::operator_decisions::{
    EverywhereReview, GrantOutcome, ReferralRef, ReviewOutcome, grant, referred_customers, review,
    review_everywhere,
};
use store::partners::PartnerRow;
use store::reports::{StoredReport, record_report};
use store::{Item, StoreError};

fn partner(name: &str) -> PartnerRow {
    let mut row = PartnerRow::new(PartnerId::parse(name).unwrap());
    row.set_terms(&program().into(), 0, at(0));
    row
}

fn spring() -> ReferralCode {
    ReferralCode::parse("spring").unwrap()
}

fn referral() -> ReferralRef {
    ReferralRef::new(acme(), "r-1")
}

#[tokio::test]
async fn a_code_is_given_once_on_the_same_terms() {
    let table = MemoryTable::default();
    let given = async || {
        grant(&table, &partner("acme"), &spring(), at(1))
            .await
            .unwrap()
    };
    assert_eq!(given().await, GrantOutcome::Granted);
    assert_eq!(given().await, GrantOutcome::AlreadyGranted);
    assert_eq!(table.items().len(), 1);
}

#[tokio::test]
async fn a_code_is_given_again_on_new_terms() {
    let table = MemoryTable::default();
    let mut row = partner("acme");
    grant(&table, &row, &spring(), at(1)).await.unwrap();
    let mut terms = program();
    terms.hold_days = 14;
    row.set_terms(&terms.into(), 0, at(2));
    let given = grant(&table, &row, &spring(), at(2)).await;
    assert_eq!(given, Ok(GrantOutcome::Granted));
    assert_eq!(table.items().len(), 2);
}

#[tokio::test]
async fn a_code_has_one_owner() {
    let table = MemoryTable::default();
    grant(&table, &partner("acme"), &spring(), at(1))
        .await
        .unwrap();
    let given = grant(&table, &partner("zest"), &spring(), at(2)).await;
    assert_eq!(given, Ok(GrantOutcome::OwnedByOther(acme())));
}

#[tokio::test]
async fn a_partner_without_a_program_is_given_no_code() {
    let table = MemoryTable::default();
    let given = grant(&table, &PartnerRow::new(acme()), &spring(), at(1)).await;
    assert_eq!(given, Ok(GrantOutcome::NoProgram));
    assert!(table.take_requests().is_empty());
}

#[tokio::test]
async fn of_two_who_give_a_code_at_once_one_owns_it() {
    let table = MemoryTable::default();
    let (process, other) = (table.process(), table.process());
    let mut raced = false;
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Put(..)) && !std::mem::replace(&mut raced, true) {
            let given = at_once(grant(&other, &partner("zest"), &spring(), at(2)));
            assert_eq!(given, Ok(GrantOutcome::Granted));
        }
        Fault::None
    });
    let given = grant(&process, &partner("acme"), &spring(), at(1)).await;
    assert_eq!(
        given,
        Ok(GrantOutcome::OwnedByOther(
            PartnerId::parse("zest").unwrap()
        ))
    );
}

#[tokio::test]
async fn a_decision_that_others_outrun_each_time_is_contended_and_not_throttled() {
    let table = MemoryTable::default();
    let (process, other) = (table.process(), table.process());
    let mut hold_days = 1;
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Put(Item::Parked(..), _)) {
            hold_days += 1;
            let mut row = partner("acme");
            let mut terms = program();
            terms.hold_days = hold_days;
            row.set_terms(&terms.into(), 0, at(0));
            at_once(grant(&other, &row, &spring(), at(2))).unwrap();
        }
        Fault::None
    });
    let given = grant(&process, &partner("acme"), &spring(), at(1)).await;
    assert_eq!(given, Err(StoreError::Contended));
}

#[tokio::test]
async fn a_referral_of_nobody_is_not_reviewed() {
    let table = MemoryTable::default();
    let reviewed = review(&table, &customer(1), &referral(), Decision::Void, at(1)).await;
    assert_eq!(reviewed, Ok(ReviewOutcome::NotReferred));
    assert!(table.items().is_empty());
}

#[tokio::test]
async fn a_decision_is_one_event_however_often_it_is_typed_and_the_opposite_another() {
    let table = MemoryTable::default();
    ingest(&table, report(1)).await;
    let mut outcomes = Vec::new();
    for decision in [
        Decision::Void,
        Decision::Void,
        Decision::Release,
        Decision::Void,
    ] {
        let reviewed = review(&table, &customer(1), &referral(), decision, at(1)).await;
        outcomes.push(reviewed.unwrap());
    }
    let decided = ReviewOutcome::Decided;
    assert_eq!(
        outcomes,
        [decided, ReviewOutcome::AlreadyDecided, decided, decided]
    );
    let journal = read_journal(&table, &customer(1)).await.unwrap();
    assert_eq!(journal.len(), 4);
}

#[tokio::test]
async fn a_decision_stands_after_the_one_before_it_where_a_clock_was_set_back() {
    let table = MemoryTable::default();
    ingest(&table, report(1)).await;
    for (decision, hour) in [(Decision::Void, 9), (Decision::Release, 3)] {
        review(&table, &customer(1), &referral(), decision, at(hour))
            .await
            .unwrap();
    }
    let journal = read_journal(&table, &customer(1)).await.unwrap();
    let last = journal.iter().max_by_key(|entry| entry.event.position());
    assert_eq!(&*last.unwrap().event.kind, "referral.released");
}

#[tokio::test]
async fn a_referral_reaches_those_it_was_told_on_and_a_code_those_who_showed_it() {
    let table = MemoryTable::default();
    for n in 1..3 {
        ingest(&table, report(n)).await;
    }
    let reached = referred_customers(&table, &referral()).await.unwrap();
    assert!(reached.is_empty(), "nothing is told before a payment");
    ingest(&table, paid(1, 1)).await;
    let reached = referred_customers(&table, &referral()).await.unwrap();
    assert_eq!(reached, [customer(1)].into());
    grant(&table, &partner("acme"), &spring(), at(0))
        .await
        .unwrap();
    ingest(
        &table,
        naming(empty(5, 1), &[&Reference::code("spring").unwrap()]),
    )
    .await;
    let code = ReferralRef::new(acme(), "code/Spring");
    assert!(
        referred_customers(&table, &code)
            .await
            .unwrap()
            .is_subset(&[customer(5)].into())
    );
}

#[tokio::test]
async fn a_void_strikes_the_report_that_waits_for_whoever_comes_later() {
    for voided in [false, true] {
        let table = MemoryTable::default();
        let person = Reference::person(&PersonHash::parse("nell").unwrap());
        let note = heard("m", &person);
        record_report(&table, note, b"{}").await.unwrap();
        let mut parked = report(1);
        parked.about = About::ByReference(vec![person.clone()]);
        ingest(&table, parked).await;
        if voided {
            for is_new in [true, false] {
                let reviewed = review_everywhere(&table, &referral(), Decision::Void, at(1)).await;
                let (customers, has_more) = ([].into(), false);
                let expected = EverywhereReview {
                    is_new,
                    customers,
                    has_more,
                };
                assert_eq!(reviewed, Ok(Some(expected)));
            }
        }
        ingest(&table, naming(paid(7, 1), &[&person])).await;
        let items = table.items();
        let earned = items.iter().any(|item| matches!(item, Item::Commission(_)));
        assert_eq!(earned, !voided);
        let told: Vec<&str> = items
            .iter()
            .filter_map(|item| match item {
                Item::ReferralStatus(row) => row.status.reason().or(Some(row.status.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(told, [if voided { "void" } else { "attributed" }]);
    }
    let (empty, named) = (MemoryTable::default(), referral());
    let unknown = review_everywhere(&empty, &named, Decision::Void, at(1)).await;
    assert_eq!(unknown, Ok(None), "no report says whom it names");
}

/// A report of r-1 under this id, which leads to this person.
fn heard(message: &str, person: &Reference) -> StoredReport {
    StoredReport {
        partner: acme(),
        message: message.into(),
        kind: "referral.created".into(),
        referral: "r-1".into(),
        references: vec![person.clone()],
        sub_ids: Default::default(),
        digest: message.into(),
        signed_at: at(0),
        received_at: at(0),
        content: None,
    }
}

#[tokio::test]
async fn a_decision_reaches_whom_any_report_names_however_many_pages_they_take() {
    let table = MemoryTable::with_page(1);
    let persons =
        ["nell", "olga", "pia"].map(|name| Reference::person(&PersonHash::parse(name).unwrap()));
    for (n, person) in persons.iter().enumerate() {
        let note = heard(&format!("m{n}"), person);
        record_report(&table, note, b"{}").await.unwrap();
        ingest(&table, naming(paid(n, n), &[person])).await;
    }
    let reviewed = review_everywhere(&table, &referral(), Decision::Void, at(1)).await;
    let expected = EverywhereReview {
        is_new: true,
        customers: [0, 1, 2].map(customer).into(),
        has_more: false,
    };
    assert_eq!(reviewed, Ok(Some(expected)));
}

#[tokio::test]
async fn of_two_who_decide_otherwise_at_once_the_last_one_stands() {
    let table = MemoryTable::default();
    for event in [report(1), paid(1, 1)] {
        ingest(&table, event).await;
    }
    let (process, other) = (table.process(), table.process());
    let mut raced = false;
    process.set_faults(move |request| {
        if matches!(request, TableRequest::Put(..)) && !std::mem::replace(&mut raced, true) {
            let (customer, referral) = (customer(1), referral());
            let voided = review(&other, &customer, &referral, Decision::Void, at(2));
            assert_eq!(at_once(voided), Ok(ReviewOutcome::Decided));
        }
        Fault::None
    });
    let released = review(
        &process,
        &customer(1),
        &referral(),
        Decision::Release,
        at(2),
    )
    .await;
    assert_eq!(released, Ok(ReviewOutcome::Decided));
    let state = record(&table, 1).await.folded.state.clone();
    let stands = state.decision(&acme(), "r-1");
    assert_eq!(stands, Some(Decision::Release));
}

#[tokio::test]
async fn a_void_that_died_between_two_names_waits_under_both_once_it_is_typed_again() {
    for after in 0..9 {
        let table = MemoryTable::default();
        let persons =
            ["nell", "olga"].map(|name| Reference::person(&PersonHash::parse(name).unwrap()));
        for (n, person) in persons.iter().enumerate() {
            let note = heard(&format!("m{n}"), person);
            record_report(&table, note, b"{}").await.unwrap();
        }
        let dies = table.process();
        let answer_lost = false;
        dies.set_faults(Crash { after, answer_lost }.faults());
        let _ = review_everywhere(&dies, &referral(), Decision::Void, at(1)).await;
        let again = review_everywhere(&table, &referral(), Decision::Void, at(1)).await;
        assert!(again.unwrap().is_some());
        for person in &persons {
            let partition = store::items::reference_partition(person);
            let decisions = store::port::query_all(&table, &partition, "parked#operator/");
            assert_eq!(decisions.await.unwrap().len(), 1, "died after {after}");
        }
    }
}
