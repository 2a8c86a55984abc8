//! The audit: every record says what its journal says after a walk, whatever was left undone.

use crate::support::{
    about, acme, at, customer, empty, entry, event_of, ingest, naming, object, paid, record,
    report, subscribed,
};
use domain::event::Fact;
use domain::ids::Reference;
use domain::letter::Letter;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::audit::{AuditReport, OVERDUE_AFTER, walk};
use store::ingest::append_or_park;
use store::letters::{ClaimOutcome, LEASE, LetterRow, LetterState, SendTask, claim};
use store::memory::{Fault, MemoryTable};
use store::notice_endpoints::set;
use store::{Item, Key, StoreError, Table, WriteCondition};

async fn whole(table: &MemoryTable, now: Timestamp) -> AuditReport {
    let report = walk(table, 99, now).await.unwrap();
    assert!(report.complete);
    report
}

fn after(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.checked_add(wait).unwrap()
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[tokio::test]
async fn an_empty_table_is_in_order() {
    let table = MemoryTable::with_page(0);
    let report = whole(&table, at(1)).await;
    assert_eq!((report.customers, report.repaired), (0, 0));
    assert_eq!(table.take_requests(), ["get", "put", "scan", "put"]);
}

#[tokio::test]
async fn what_agrees_is_left_alone() {
    let table = MemoryTable::with_page(0);
    for n in 0..3 {
        ingest(&table, subscribed(n)).await;
    }
    table.take_requests();
    let report = whole(&table, at(1)).await;
    assert_eq!((report.customers, report.repaired), (3, 0));
    assert_eq!(table.take_requests(), ["get", "put", "scan", "put"]);
}

#[tokio::test]
async fn an_entry_that_nobody_folded_is_folded() {
    let table = MemoryTable::default();
    ingest(&table, empty(1, 1)).await;
    for (n, moment) in [(1, 2), (2, 1)] {
        append_or_park(&table, &entry(empty(n, moment), "r"))
            .await
            .unwrap();
    }
    let report = whole(&table, at(3)).await;
    assert_eq!((report.customers, report.repaired), (2, 2));
    assert_eq!(record(&table, 1).await.folded.count, 2);
    assert_eq!(record(&table, 2).await.folded.count, 1);
    assert_eq!(whole(&table, at(3)).await.repaired, 0);
}

#[tokio::test]
async fn a_record_of_another_digest_is_folded_anew() {
    let table = MemoryTable::default();
    ingest(&table, empty(1, 1)).await;
    let mut wrong = (*record(&table, 1).await).clone();
    wrong.folded.digest = entry(empty(1, 9), "r").digest;
    table
        .put(Item::from(wrong), WriteCondition::Version(1))
        .await
        .unwrap();
    assert_eq!(whole(&table, at(3)).await.repaired, 1);
    assert_eq!(
        record(&table, 1).await.folded.digest,
        entry(empty(1, 1), "r").digest
    );
}

#[tokio::test]
async fn what_a_record_owes_is_put() {
    let table = MemoryTable::default();
    let process = table.process();
    process.set_faults(|request| match request {
        store::memory::TableRequest::Put(Item::Letter(_), _) => Fault::Fail(StoreError::Throttled),
        _ => Fault::None,
    });
    ingest(&process, subscribed(1)).await;
    assert_eq!(record(&table, 1).await.pending.len(), 1);
    assert_eq!(whole(&table, at(1)).await.repaired, 1);
    assert!(record(&table, 1).await.pending.is_empty());
    let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    assert!(table.get(key).await.unwrap().is_some());
}

#[tokio::test]
async fn what_waits_for_its_customer_is_counted_and_overdue_after_five_minutes() {
    let table = MemoryTable::default();
    ingest(&table, about(empty(1, 1), &[&object("in_1")])).await;
    let soon = whole(&table, after(at(1), OVERDUE_AFTER)).await;
    assert_eq!((soon.parked, soon.parked_overdue), (1, 0));
    let late = whole(&table, after(at(1), OVERDUE_AFTER + SECOND)).await;
    assert_eq!((late.parked, late.parked_overdue), (1, 1));
    assert_eq!(late.parked_age, OVERDUE_AFTER + SECOND);
}

#[tokio::test]
async fn what_is_parked_is_handed_over_where_an_alias_leads_on() {
    let table = MemoryTable::default();
    let invoice = object("in_1");
    ingest(&table, naming(empty(1, 1), &[&invoice])).await;
    let late = entry(empty(1, 2), "r");
    let parked = Item::Parked(invoice.clone(), {
        let mut late = (*late).clone();
        late.event = about(late.event, &[&invoice]);
        Arc::new(late)
    });
    table
        .put(parked.clone(), WriteCondition::Absent)
        .await
        .unwrap();
    whole(&table, at(3)).await;
    assert_eq!(record(&table, 1).await.folded.count, 2);
    assert_eq!(table.get(parked.key()).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_parked_and_unclear_in_part_is_handed_over_too() {
    let table = MemoryTable::default();
    let charge = object("ch_1");
    ingest(&table, naming(empty(1, 1), &[&charge])).await;
    let mut refunded = about(paid(9, 9), &[&charge]);
    refunded.facts.push(Fact::Unclear {
        what: "a reason".into(),
    });
    let parked = Item::Parked(charge.clone(), entry(refunded, "r"));
    table
        .put(parked.clone(), WriteCondition::Absent)
        .await
        .unwrap();
    whole(&table, at(3)).await;
    assert_eq!(record(&table, 1).await.folded.count, 2);
    assert_eq!(table.get(parked.key()).await.unwrap(), None);
    let report = whole(&table, at(4)).await;
    assert_eq!((report.quarantined, report.repaired), (1, 0));
}

#[tokio::test]
async fn what_is_shared_is_offered_again_for_three_days() {
    let days = SignedDuration::from_hours(3 * 24);
    for (wait, reached) in [(days, true), (days + SECOND, false)] {
        let table = MemoryTable::default();
        let code = Reference::code("spring").unwrap();
        ingest(&table, naming(empty(1, 1), &[&code])).await;
        let shared = entry(about(empty(9, 2), &[&code]), "r");
        let parked = Item::Parked(code.clone(), shared.clone());
        table.put(parked, WriteCondition::Absent).await.unwrap();
        let report = whole(&table, after(at(1), wait)).await;
        assert_eq!(record(&table, 1).await.folded.count == 2, reached);
        assert_eq!(report.parked, 0, "it stays, and is no news");
    }
}

#[tokio::test]
async fn what_is_quarantined_is_counted_wherever_it_stands() {
    let table = MemoryTable::default();
    let unclear = |n: usize| {
        let fact = Fact::Unclear {
            what: "a state".into(),
        };
        event_of(n, format!("stripe/test/evt_{n}"), at(1), vec![fact])
    };
    ingest(&table, unclear(1)).await;
    ingest(&table, about(unclear(2), &[&object("in_2")])).await;
    let report = whole(&table, at(9)).await;
    assert_eq!((report.quarantined, report.parked), (2, 0));
}

#[tokio::test]
async fn what_waits_for_an_api_is_counted_and_left_alone() {
    let table = MemoryTable::with_page(0);
    let fact = Fact::Waiting {
        what: "a payment".into(),
    };
    let event = event_of(1, "stripe/test/evt_1".into(), at(1), vec![fact]);
    ingest(&table, about(event, &[&object("waiting")])).await;
    table.take_requests();
    let report = whole(&table, at(99)).await;
    assert_eq!(
        (report.waiting, report.parked, report.parked_overdue),
        (1, 0, 0)
    );
    assert_eq!(table.take_requests(), ["get", "put", "scan", "put"]);
}

async fn welcome(table: &MemoryTable) -> Arc<LetterRow> {
    let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    table.get_row(key).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_letter_that_stayed_due_is_named_after_five_minutes() {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let row = welcome(&table).await;
    let soon = whole(&table, after(row.due_at, OVERDUE_AFTER)).await;
    assert!(soon.overdue_letters.is_empty());
    let late = whole(&table, after(row.due_at, OVERDUE_AFTER + SECOND)).await;
    assert_eq!(late.overdue_letters, [row]);
}

#[tokio::test]
async fn a_claim_older_than_its_lease_is_unknown_for_good() {
    let table = MemoryTable::default();
    ingest(&table, subscribed(1)).await;
    let task = SendTask::of(&*welcome(&table).await);
    let claimed = claim(&table, &task, "one", at(1)).await.unwrap();
    assert!(matches!(claimed, ClaimOutcome::Claimed { .. }));
    let soon = whole(&table, after(at(1), LEASE - SECOND)).await;
    assert_eq!(soon.unknown_letters, 0);
    let now = after(at(1), LEASE);
    assert_eq!(whole(&table, now).await.unknown_letters, 1);
    assert_eq!(
        welcome(&table).await.state,
        LetterState::Unknown { at: now }
    );
    assert_eq!(whole(&table, now).await.unknown_letters, 0);
}

#[tokio::test]
async fn a_walk_in_steps_sees_each_customer_once() {
    for page in [1, 2, 3, 5] {
        let table = MemoryTable::with_page(page);
        for n in 0..6 {
            ingest(&table, subscribed(n)).await;
        }
        let (mut customers, mut steps) = (0, 0);
        loop {
            let step = walk(&table, 1, at(1)).await.unwrap();
            customers += step.customers;
            steps += 1;
            if step.complete {
                break;
            }
        }
        assert_eq!(customers, 6, "pages of {page}");
        assert!(steps > 1);
    }
}

#[tokio::test]
async fn a_walk_that_fails_begins_again_where_it_did() {
    let table = MemoryTable::with_page(2);
    for n in 0..4 {
        ingest(&table, subscribed(n)).await;
    }
    let before = walk(&table, 1, at(1)).await.unwrap();
    let process = table.process();
    process.set_faults(|request| match request {
        store::memory::TableRequest::Scan(..) => Fault::Fail(StoreError::Throttled),
        _ => Fault::None,
    });
    assert_eq!(walk(&process, 1, at(1)).await, Err(StoreError::Throttled));
    let rest = walk(&table, 99, at(1)).await.unwrap();
    assert_eq!(before.customers + rest.customers, 4);
}

#[tokio::test]
async fn two_walks_at_once_do_all_the_work() {
    let table = MemoryTable::with_page(3).yielding();
    for n in 0..4 {
        append_or_park(&table, &entry(empty(n, 1), "r"))
            .await
            .unwrap();
    }
    let (one, other) = tokio::join!(walk(&table, 99, at(2)), walk(&table, 99, at(2)));
    let ended = [one.unwrap(), other.unwrap()].map(|report| report.complete);
    assert!(
        ended.contains(&true),
        "of two, the later one to begin goes on"
    );
    for n in 0..4 {
        assert_eq!(record(&table, n).await.folded.count, 1);
    }
    assert_eq!(whole(&table, at(2)).await.repaired, 0);
}

#[tokio::test]
async fn rows_that_a_partner_was_not_told_of_are_named_for_a_week_where_it_has_an_endpoint() {
    let table = MemoryTable::default();
    ingest(&table, report(1)).await;
    ingest(&table, paid(1, 1)).await;
    let missed = async |now| whole(&table, now).await.undelivered.len();
    assert_eq!(missed(at(3)).await, 0, "no endpoint, nobody to tell");
    set(&table, &acme(), "https://acme.example/", at(0))
        .await
        .unwrap();
    assert_eq!(missed(at(1)).await, 0, "too soon");
    assert_eq!(missed(at(3)).await, 2);
    assert_eq!(missed(at(1 + 8 * 24)).await, 0, "too long ago");
}
