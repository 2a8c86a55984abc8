//! What many customers are to get is durable with a few requests, and handed to them in the
//! background: within a budget, exactly once, whoever dies at whatever request.

use crate::support::{about, acme, at, event_of, ingest, naming, paid, program, record, report};
use domain::event::Fact;
use domain::ids::{Reference, ReferralCode};
use domain::partner::referral::Decision;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;
use store::due_scan::{DueScanReport, MAX_FANNED_OUT, scan_due};
use store::folding::{fold, read_journal};
use store::ingest::{MAX_AT_ONCE, retry_parked};
use store::memory::{Crash, MemoryTable};
use store::operator_decisions::{GrantOutcome, ReferralRef, grant, review_everywhere};
use store::partners::PartnerRow;
use store::{Item, Key, StoreError};

/// A minute after everything was ingested.
fn later() -> Timestamp {
    at(2)
}

fn code() -> ReferralCode {
    ReferralCode::parse("spring").unwrap()
}

async fn given(table: &MemoryTable) -> Result<GrantOutcome, StoreError> {
    let mut partner = PartnerRow::new(acme());
    partner.set_terms(&program().into(), 0, at(-1));
    grant(table, &partner, &code(), at(1)).await
}

/// This customer shows the code.
async fn shows(table: &MemoryTable, n: usize) {
    let shown = Fact::ReferralCode { code: code() };
    let shown = event_of(n, format!("stripe/test/evt_shown_{n}"), at(0), vec![shown]);
    ingest(table, naming(shown, &[&Reference::from(&code())])).await;
}

async fn shown_by(customers: usize, page: usize) -> MemoryTable {
    let table = MemoryTable::with_page(page);
    for n in 0..customers {
        shows(&table, n).await;
    }
    table
}

/// Who has what the operator decided: in the journal, and folded.
async fn who_has_it(table: &MemoryTable, customers: usize) -> usize {
    let mut all = 0;
    for n in 0..customers {
        let journal = read_journal(table, &crate::support::customer(n)).await;
        let journal = journal.unwrap();
        let decided = |id: &str| id.starts_with("operator/");
        let given = journal.iter().filter(|e| decided(e.event.id.as_str()));
        let given = given.count();
        let folded = record(table, n).await.folded.count == journal.len() as u64;
        all += usize::from(given == 1 && folded);
    }
    all
}

fn fan_outs(table: &MemoryTable) -> usize {
    let items = table.items().into_iter();
    items.filter(|item| matches!(item, Item::FanOut(_))).count()
}

#[tokio::test]
async fn a_code_that_many_showed_is_given_with_four_requests_and_handed_out_within_a_budget() {
    const MANY: usize = 500;
    let table = shown_by(MANY, 0).await;
    let command = table.process();
    assert_eq!(given(&command).await, Ok(GrantOutcome::Granted));
    let asked = command.take_requests();
    assert_eq!(asked, ["query", "put", "query", "put"]);
    assert_eq!(who_has_it(&table, MANY).await, 0);
    let (mut runs, mut handed) = (0, Vec::new());
    loop {
        let calendar = table.process();
        let swept = scan_due(&calendar, 250, later()).await.unwrap();
        let asked = calendar.take_requests().len();
        println!(
            "run {runs}: {} customers, {asked} requests",
            swept.fanned_out
        );
        assert!(asked <= 3 * MAX_FANNED_OUT as usize + 30, "{asked}");
        handed.push(swept.fanned_out);
        runs += 1;
        if swept.complete {
            break;
        }
    }
    assert_eq!(handed, [200, 200, 100]);
    assert_eq!(who_has_it(&table, MANY).await, MANY);
    let calendar = table.process();
    let swept = scan_due(&calendar, 250, later()).await.unwrap();
    assert_eq!(calendar.take_requests(), ["due"; 8], "nothing is left");
    assert_eq!(swept.fanned_out, 0);
}

#[tokio::test]
async fn few_customers_get_it_at_once() {
    let table = shown_by(MAX_AT_ONCE, 0).await;
    assert_eq!(given(&table).await, Ok(GrantOutcome::Granted));
    assert_eq!(who_has_it(&table, MAX_AT_ONCE).await, MAX_AT_ONCE);
    assert_eq!(fan_outs(&table), 0);
}

/// Who finishes what somebody began who died.
#[derive(Clone, Copy, Debug)]
enum Finisher {
    Command,
    Stream,
    Audit,
}

#[tokio::test]
async fn whoever_dies_at_whatever_request_everybody_who_shows_the_code_gets_it_once() {
    const MANY: usize = 12;
    let mut deaths = 0;
    for page in 1..=5 {
        for after in 0.. {
            let mut survived = false;
            for finisher in [Finisher::Command, Finisher::Stream, Finisher::Audit] {
                let table = shown_by(MANY, page).await;
                let mortal = table.process();
                let answer_lost = after % 2 == 1;
                mortal.set_faults(Crash { after, answer_lost }.faults());
                let died = given(&mortal).await.is_err();
                survived |= !died;
                deaths += u32::from(died);
                finish(&table, finisher).await;
                deaths += scan_dying(&table).await;
                let place = format!("page {page}, after {after}, {finisher:?}");
                let is_durable = table.items().iter().any(|i| matches!(i, Item::Parked(..)));
                if is_durable {
                    shows(&table, MANY + 1).await;
                    assert_eq!(who_has_it(&table, MANY + 2).await, MANY + 2, "{place}");
                    assert_eq!(record(&table, MANY + 1).await.folded.count, 2, "{place}");
                    assert_eq!(fan_outs(&table), 1, "{place}");
                }
            }
            if survived {
                break;
            }
        }
    }
    println!("{deaths} deaths");
    assert!(deaths > 300, "{deaths}");
}

async fn finish(table: &MemoryTable, finisher: Finisher) {
    match finisher {
        Finisher::Command => drop(given(table).await.unwrap()),
        Finisher::Stream => {
            for change in table.changes(0) {
                if let Ok(Some(Item::Parked(_, entry))) = change.item {
                    for customer in retry_parked(table, &entry).await.unwrap() {
                        fold(table, &customer, vec![entry.clone()], at(1))
                            .await
                            .unwrap();
                    }
                }
            }
        }
        Finisher::Audit => drop(store::audit::walk(table, 1_000, at(1)).await.unwrap()),
    }
}

/// Due scans that die, each a few requests later than the last, until one has nothing left. While
/// they do, another customer shows the code.
async fn scan_dying(table: &MemoryTable) -> u32 {
    let mut deaths = 0;
    for n in 0.. {
        let mortal = table.process();
        let (after, answer_lost) = (n * 5, n % 2 == 0);
        mortal.set_faults(Crash { after, answer_lost }.faults());
        match scan_due(&mortal, 250, later()).await {
            Ok(DueScanReport {
                complete: true,
                passed_over,
                ..
            }) if passed_over.count == 0 => break,
            Ok(_) | Err(_) => deaths += 1,
        }
        if n == 1 {
            shows(table, 12).await;
        }
    }
    deaths
}

#[tokio::test]
async fn runs_that_die_early_each_time_get_to_everybody_all_the_same() {
    const MANY: usize = 40;
    let table = shown_by(MANY, 3).await;
    given(&table).await.unwrap();
    let mut runs = 0;
    while who_has_it(&table, MANY).await < MANY {
        let mortal = table.process();
        let answer_lost = runs % 2 == 0;
        mortal.set_faults(
            Crash {
                after: 30,
                answer_lost,
            }
            .faults(),
        );
        let _ = scan_due(&mortal, 250, later()).await;
        runs += 1;
        assert!(runs < 30, "no run gets further");
    }
    println!("{runs} runs of 30 requests for {MANY} customers");
}

#[tokio::test]
async fn what_a_partner_reports_and_what_is_decided_for_many_is_handed_out_too() {
    const MANY: usize = 20;
    let table = shown_by(MANY, 0).await;
    given(&table).await.unwrap();
    scan_due(&table, 250, later()).await.unwrap();
    for n in 0..MANY {
        ingest(&table, paid(n, n)).await;
    }
    let endpoint = table.process();
    let reported = about(report(1), &[&Reference::from(&code())]);
    ingest(&endpoint, reported).await;
    assert_eq!(endpoint.take_requests(), ["put", "query", "put"]);
    let command = table.process();
    let named = ReferralRef::new(acme(), "code/SPRING");
    let voided = review_everywhere(&command, &named, Decision::Void, later()).await;
    let voided = voided.unwrap().unwrap();
    assert!(voided.is_new && voided.has_more && voided.customers.is_empty());
    let asked = command.take_requests();
    assert!(asked.len() <= 8, "{asked:?}");
    let again = review_everywhere(&table, &named, Decision::Void, later()).await;
    assert!(!again.unwrap().unwrap().is_new);
    scan_due(&table, 250, later()).await.unwrap();
    for n in 0..MANY {
        let record = record(&table, n).await;
        let state = &record.folded.state;
        assert_eq!(state.decision(&acme(), "code/spring"), Some(Decision::Void));
        assert_eq!(
            record.folded.count, 5,
            "shown, given, paid, reported, decided"
        );
    }
}

#[tokio::test]
async fn a_customer_whose_work_fails_is_passed_over_and_the_others_get_it() {
    const MANY: usize = 20;
    let table = shown_by(MANY, 0).await;
    let sick = Key::record(&crate::support::customer(3));
    crate::support::reshape(&table, &sick, |image| {
        image["format"] = json!({ "N": "99" })
    });
    given(&table).await.unwrap();
    let swept = scan_due(&table, 250, later()).await.unwrap();
    assert_eq!((swept.fanned_out, swept.passed_over.count), (20, 1));
    assert!(swept.complete);
    // It is in the journal of the sick one too, for whoever can read its record.
    let mut have = BTreeSet::new();
    for n in 0..MANY {
        let journal = read_journal(&table, &crate::support::customer(n)).await;
        have.extend((journal.unwrap().len() == 2).then_some(n));
    }
    assert_eq!(have.len(), MANY);
}

#[tokio::test]
async fn a_scan_that_asks_for_one_in_each_shard_forgets_no_fan_out() {
    let count = MAX_AT_ONCE + 1;
    let table = shown_by(count, 0).await;
    given(&table).await.unwrap();
    for _ in 0..9 {
        scan_due(&table, 1, later()).await.unwrap();
    }
    assert_eq!(who_has_it(&table, count).await, count);
}

#[tokio::test]
async fn what_two_crowded_codes_lead_to_comes_to_all_of_both_wherever_the_budget_ends() {
    // The budget ends in the middle of what is saved at once.
    const MANY: usize = 2 * MAX_FANNED_OUT as usize + 3;
    let few = MAX_AT_ONCE + 1;
    let table = MemoryTable::with_page(0);
    let codes = ["autumn", "spring"].map(|code| Reference::code(code).unwrap());
    for n in 0..few + MANY {
        let shown = event_of(n, format!("stripe/test/evt_shown_{n}"), at(0), vec![]);
        let code = &codes[usize::from(n >= few)];
        ingest(&table, naming(shown, &[code])).await;
    }
    let [autumn, spring] = &codes;
    let both = about(crate::support::empty(9_999, 1), &[autumn, spring]);
    ingest(&table, both.clone()).await;
    assert_eq!(fan_outs(&table), 2);
    for _ in 0..4 {
        scan_due(&table, 250, later()).await.unwrap();
    }
    let has_it = |n: &usize| {
        let key = Key::entry(&crate::support::customer(*n), &both.id);
        table.state().peek(&key).is_some()
    };
    assert_eq!((0..few + MANY).filter(has_it).count(), few + MANY);
}
