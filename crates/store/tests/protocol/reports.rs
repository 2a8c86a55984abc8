//! A partner's reports: one id, one content, and nothing is overwritten.

use crate::support::{acme, at};
use jiff::Timestamp;
use store::memory::{Crash, MemoryTable};
use store::reports::{ReportOutcome, StoredReport, read_referral, record_report};

fn report(message: &str, digest: &str, signed_at: Timestamp) -> StoredReport {
    StoredReport {
        partner: acme(),
        message: message.into(),
        kind: "referral.created".into(),
        referral: "r-1".into(),
        references: Vec::new(),
        sub_ids: [].into(),
        digest: digest.into(),
        signed_at,
        received_at: signed_at,
        content: None,
    }
}

async fn told(table: &MemoryTable, digest: &str, hour: i64) -> ReportOutcome {
    let report = report("msg_1", digest, at(hour));
    record_report(table, report, b"{}").await.unwrap()
}

#[tokio::test]
async fn a_new_report_costs_two_writes() {
    let table = MemoryTable::default();
    let accepted = ReportOutcome::Accepted {
        signed_at: at(1),
        heard_at: at(1),
    };
    assert_eq!(told(&table, "d1", 1).await, accepted);
    assert_eq!(table.take_requests(), ["put", "put"]);
    assert_eq!(table.items().len(), 2);
}

#[tokio::test]
async fn the_same_report_again_is_as_of_its_first_signature() {
    let table = MemoryTable::default();
    told(&table, "d1", 1).await;
    let before = table.state();
    let accepted = ReportOutcome::Accepted {
        signed_at: at(1),
        heard_at: at(1),
    };
    assert_eq!(told(&table, "d1", 5).await, accepted);
    assert_eq!(table.state(), before);
}

#[tokio::test]
async fn another_content_under_a_known_id_is_a_conflict_and_is_kept() {
    let table = MemoryTable::default();
    told(&table, "d1", 1).await;
    for _ in 0..2 {
        assert_eq!(told(&table, "d2", 2).await, ReportOutcome::Conflict);
        assert_eq!(table.items().len(), 3);
    }
    let accepted = ReportOutcome::Accepted {
        signed_at: at(1),
        heard_at: at(1),
    };
    assert_eq!(told(&table, "d1", 3).await, accepted, "the first stands");
}

#[tokio::test]
async fn a_referral_shows_what_was_heard_of_it_and_no_conflict() {
    let table = MemoryTable::with_page(0);
    told(&table, "d1", 1).await;
    told(&table, "d2", 1).await;
    let second = report("msg_2", "d3", at(2));
    record_report(&table, second.clone(), b"{}").await.unwrap();
    table.take_requests();
    let (heard, statuses) = read_referral(&table, &acme(), "r-1").await.unwrap();
    assert_eq!(table.take_requests(), ["query", "query"]);
    let messages: Vec<_> = heard.iter().map(|report| &*report.message).collect();
    assert_eq!((messages, statuses.len()), (vec!["msg_1", "msg_2"], 0));
    let (heard, _) = read_referral(&table, &acme(), "r").await.unwrap();
    assert!(heard.is_empty(), "a longer id is another referral's");
}

#[tokio::test]
async fn wherever_an_endpoint_crashes_a_retry_finds_the_same() {
    for after in 0..2 {
        for answer_lost in [false, true] {
            let table = MemoryTable::default();
            let process = table.process();
            process.set_faults(Crash { after, answer_lost }.faults());
            let first = record_report(&process, report("msg_1", "d1", at(1)), b"{}").await;
            assert!(first.is_err());
            let known = after > 0 || answer_lost;
            let signed_at = at(if known { 1 } else { 5 });
            let accepted = ReportOutcome::Accepted {
                signed_at,
                heard_at: signed_at,
            };
            assert_eq!(told(&table, "d1", 5).await, accepted);
            assert_eq!(table.items().len(), 2);
        }
    }
}
