//! Notices and endpoints: what a partner was told is written down after it was taken, what it
//! was not told is marked, and whoever changes its endpoint loses nothing of either.

use crate::actors::{actor, after, now, seam, settled};
use crate::fallbacks::Net;
use crate::seam::{Actor, Answer, Holds, Seam, explore};
use crate::support::{acme, at, at_once, paid, report};
use domain::notice::GIVE_UP_AFTER;
use jiff::Timestamp;
use std::sync::Arc;
use store::due_scan::scan_due;
use store::memory::{MemoryTable, TableState};
use store::notice_endpoints::{
    enable, read_endpoint, record_disabled, record_failure, record_success, rotate, set,
};
use store::notices::{DeliveryPlan, NoticeTask, clear_due, plan_delivery, save_delivered};
use store::{Item, Table};

const SENDER: [(Net, Holds); 1] = [(Net::Sender, Holds::Whole)];

/// Who rotates a secret and is not answered may find that it was rotated.
const KEPT: [(Net, Holds); 1] = [(Net::Sender, Holds::Kept)];

pub(crate) fn deliveries() -> Vec<Seam> {
    let told = |case, base: TableState, actors| Seam {
        nets: SENDER.to_vec(),
        together: SENDER.to_vec(),
        law: due_or_told,
        ..seam(case, base, actors)
    };
    vec![
        told(
            "two deliveries of one row",
            earned(),
            vec![delivers("one", now()), delivers("other", now())],
        ),
        told(
            "a delivery and the due scan's hand-over",
            marked(),
            vec![delivers("one", now()), hands_over()],
        ),
        told(
            "a delivery while its mark is taken off",
            marked(),
            vec![delivers("one", now()), clears()],
        ),
        told("two due scans", marked(), vec![hands_over(), hands_over()]),
    ]
}

pub(crate) fn endpoints() -> Vec<Seam> {
    let changed = |case, base: TableState, actors| Seam {
        nets: SENDER.to_vec(),
        together: SENDER.to_vec(),
        ..seam(case, base, actors)
    };
    vec![
        Seam {
            nets: KEPT.to_vec(),
            together: KEPT.to_vec(),
            ..changed(
                "one that is enabled and rotated",
                disabled(),
                vec![enables(), rotates()],
            )
        },
        changed(
            "one that is enabled while a row is told of",
            earned(),
            vec![enables(), delivers("one", now())],
        ),
        changed(
            "one that is set for the first time, twice",
            after(&[report(1), paid(1, 1), paid(1, 2)]),
            vec![sets("https://one.example/"), sets("https://other.example/")],
        ),
        changed(
            "one that fails and is moved",
            failing(),
            vec![fails(), sets("https://other.example/")],
        ),
        changed(
            "one that is gone and is enabled",
            earned(),
            vec![goes(), enables()],
        ),
    ]
}

/// An endpoint that was there before its partner's rows, and two rows.
fn earned() -> TableState {
    let table = MemoryTable::new(after(&[]));
    at_once(set(&table, &acme(), "https://acme.example/", at(0))).unwrap();
    for event in [report(1), paid(1, 1), paid(1, 2)] {
        at_once(crate::support::ingest(&table, event));
    }
    settled(&table)
}

/// The same, with each row marked as one of which there is something to tell.
fn marked() -> TableState {
    let table = MemoryTable::new(earned());
    at_once(enable(&table, &acme(), at(2))).unwrap();
    settled(&table)
}

fn disabled() -> TableState {
    let table = MemoryTable::new(earned());
    let endpoint = at_once(read_endpoint(&table, &acme())).unwrap().unwrap();
    assert!(at_once(record_disabled(&table, &endpoint, at(2))).unwrap());
    settled(&table)
}

fn failing() -> TableState {
    let table = MemoryTable::new(earned());
    let endpoint = at_once(read_endpoint(&table, &acme())).unwrap().unwrap();
    let long_ago = now() - GIVE_UP_AFTER;
    assert!(!at_once(record_failure(&table, &endpoint, long_ago)).unwrap());
    settled(&table)
}

fn tasks(table: &TableState) -> Vec<NoticeTask> {
    table.items().filter_map(NoticeTask::of).collect()
}

/// As the function does, with a partner who takes everything: each row in turn.
fn delivers(what: &'static str, at: Timestamp) -> Actor {
    let tasks = tasks(&earned());
    actor(what, move |table, _| {
        let tasks = tasks.clone();
        async move {
            for task in &tasks {
                deliver(&table, task, at).await?;
            }
            Ok("told".into())
        }
    })
}

async fn deliver(table: &impl Table, task: &NoticeTask, at: Timestamp) -> Answer {
    // Whoever lost a race is delivered again.
    for _ in 0..4 {
        let plan = plan_delivery(table, task, at).await;
        let DeliveryPlan::Deliver(work) = plan.map_err(|error| error.to_string())? else {
            return Ok("nothing".into());
        };
        let mut state = work.state;
        for notice in &work.due {
            state.delivered.insert(notice.kind.into(), at);
        }
        state.next_due_at = work.next_due_at;
        let noted = record_success(table, &work.endpoint).await;
        noted.map_err(|error| error.to_string())?;
        let saved = save_delivered(table, state).await;
        if saved.map_err(|error| error.to_string())? {
            return Ok("told".into());
        }
    }
    Err("raced".into())
}

/// As the calendar does: each due row to the queue, then out of the index.
fn hands_over() -> Actor {
    actor("due scan", |table, _| async move {
        let found = scan_due(&table, 9, now()).await;
        for state in found.map_err(|error| error.to_string())?.due_notices {
            // The queue is the faster one.
            deliver(&table, &state.task(), now()).await?;
            let cleared = clear_due(&table, &state).await;
            cleared.map_err(|error| error.to_string())?;
        }
        Ok("handed over".into())
    })
}

/// The same, where the queue's message comes from another's delivery.
fn clears() -> Actor {
    actor("due scan", |table, _| async move {
        let found = scan_due(&table, 9, now()).await;
        for state in found.map_err(|error| error.to_string())?.due_notices {
            let cleared = clear_due(&table, &state).await;
            cleared.map_err(|error| error.to_string())?;
        }
        Ok("cleared".into())
    })
}

fn enables() -> Actor {
    actor("enables", |table, _| async move {
        is_said(enable(&table, &acme(), now()).await)
    })
}

fn rotates() -> Actor {
    actor("rotates", |table, _| async move {
        is_said(rotate(&table, &acme(), now()).await)
    })
}

fn sets(url: &'static str) -> Actor {
    actor(url, move |table, _| async move {
        is_said(set(&table, &acme(), url, now()).await)
    })
}

/// Somebody else changed it: say it again.
fn is_said<T>(said: Result<Option<T>, store::StoreError>) -> Answer {
    match said {
        Ok(Some(_)) => Ok("said".into()),
        Ok(None) => Err("raced".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn fails() -> Actor {
    attempt("fails", |table, endpoint| async move {
        record_failure(&table, &endpoint, now()).await
    })
}

fn goes() -> Actor {
    attempt("goes", |table, endpoint| async move {
        record_disabled(&table, &endpoint, now()).await
    })
}

/// An attempt at the endpoint that is there, once.
fn attempt<F>(
    what: &'static str,
    note: impl Fn(store::memory::SteppedTable, Arc<store::notice_endpoints::NoticeEndpoint>) -> F
    + Copy
    + Send
    + Sync
    + 'static,
) -> Actor
where
    F: Future<Output = Result<bool, store::StoreError>> + Send + 'static,
{
    actor(what, move |table, _| async move {
        let endpoint = read_endpoint(&table, &acme()).await;
        let Some(endpoint) = endpoint.map_err(|error| error.to_string())? else {
            return Ok("none".into());
        };
        let noted = note(table, endpoint).await;
        noted
            .map(|_| "noted".into())
            .map_err(|error| error.to_string())
    })
}

/// A row of which there is more to tell stands in the index once somebody has told of it.
fn due_or_told(_: &TableState, table: &TableState) -> Result<(), String> {
    for item in table.items() {
        let Item::DeliveryState(told) = item else {
            continue;
        };
        let Some(row) = table.peek(&told.task().key()) else {
            continue;
        };
        let untold = row.notices();
        let mut untold = untold
            .iter()
            .filter(|notice| !told.delivered.contains_key(notice.kind));
        if !told.delivered.is_empty() && untold.next().is_some() && told.next_due_at.is_none() {
            return Err(format!("nobody will tell more of {}", told.row));
        }
    }
    Ok(())
}

#[test]
fn what_a_partner_was_told_is_known_and_what_it_was_not_is_marked() {
    explore("notice", &deliveries());
}

#[test]
fn whoever_changes_an_endpoint_loses_nothing() {
    explore("endpoint", &endpoints());
}
