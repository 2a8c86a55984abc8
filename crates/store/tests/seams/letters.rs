//! A letter's claim and its outcome: one owner, for a reason that stands, and never twice.

use crate::actors::{actor, after, now, seam, sends};
use crate::fallbacks::Net;
use crate::seam::{Actor, Holds, Seam, explore};
use crate::support::{at_once, customer, ended, subscribed};
use domain::letter::Letter;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::audit::walk;
use store::letters::{ClaimOutcome, LetterRow, LetterState, SendTask, claim, transition};
use store::memory::{MemoryTable, TableState};
use store::{Item, Key};

pub(crate) fn claims() -> Vec<Seam> {
    let due = || after(&[subscribed(1)]);
    let settled = [(Net::Sender, Holds::Kept), (Net::Audit, Holds::Settled)];
    let claimed = |case, base, actors| Seam {
        nets: settled.to_vec(),
        together: settled.to_vec(),
        later: an_hour_later(),
        law: one_claim,
        in_order: true,
        ..seam(case, base, actors)
    };
    vec![
        claimed(
            "two senders",
            due(),
            vec![sends_letter("one", now()), sends_letter("other", now())],
        ),
        claimed(
            "a sender while the reason goes",
            due(),
            vec![sends_letter("one", now()), sends("ends", &[ended(1)])],
        ),
        Seam {
            together: Vec::new(),
            ..claimed(
                "two senders while the reason goes",
                due(),
                vec![
                    sends_letter("one", now()),
                    sends_letter("other", now()),
                    sends("ends", &[ended(1)]),
                ],
            )
        },
        claimed(
            "a sender a minute before the lease of another ends",
            held_since(now() - SignedDuration::from_mins(14)),
            vec![sends_letter("one", now())],
        ),
    ]
}

pub(crate) fn outcomes() -> Vec<Seam> {
    let settled = [(Net::Sender, Holds::Kept), (Net::Audit, Holds::Settled)];
    let ending = |case, actors| Seam {
        nets: settled.to_vec(),
        together: settled.to_vec(),
        later: an_hour_later(),
        law: one_claim,
        in_order: true,
        ..seam(case, held_since(now()), actors)
    };
    vec![
        ending(
            "the outcome, and a sender after the lease",
            vec![saves("sent"), sends_letter("late", an_hour_later())],
        ),
        ending("the outcome, and the audit", vec![saves("sent"), audits()]),
        ending(
            "a sender and the audit after the lease",
            vec![sends_letter("late", an_hour_later()), audits()],
        ),
    ]
}

fn an_hour_later() -> Timestamp {
    now() + SignedDuration::from_hours(1)
}

fn task() -> SendTask {
    SendTask {
        customer: customer(1),
        letter: Letter::Welcome,
        cause: "sub_1".into(),
    }
}

/// As the function does, with a mail service that takes everything.
fn sends_letter(owner: &'static str, at: Timestamp) -> Actor {
    actor(owner, move |table, tried| async move {
        let owner = format!("{owner} {tried}");
        let claimed = claim(&table, &task(), &owner, at).await;
        match claimed.map_err(|error| error.to_string())? {
            ClaimOutcome::Claimed { row, .. } => {
                save_sent(&table, &row, at).await;
                Ok("sent".into())
            }
            ClaimOutcome::Done(state) => Ok(state.name().into()),
            // The message comes again, when somebody else's turn is over.
            ClaimOutcome::Busy => Ok("busy".into()),
        }
    })
}

/// What was sent is written down, three times if need be.
async fn save_sent(table: &impl store::Table, row: &LetterRow, at: Timestamp) {
    let message_id: Arc<str> = "m".into();
    for _ in 0..3 {
        let sent = LetterState::Sent {
            at,
            message_id: message_id.clone(),
        };
        if transition(table, row, sent).await.is_ok() {
            return;
        }
    }
}

/// Whoever has the claim of [`held_since`] has sent it.
fn saves(what: &'static str) -> Actor {
    let row = claimed_row(&held_since(now()));
    actor(what, move |table, _| {
        let row = row.clone();
        async move {
            save_sent(&table, &row, now()).await;
            Ok("saved".into())
        }
    })
}

fn audits() -> Actor {
    actor("audit", |table, _| async move {
        let found = walk(&table, u32::MAX, an_hour_later()).await;
        found
            .map(|_| "walked".into())
            .map_err(|error| error.to_string())
    })
}

/// A letter that somebody claimed then.
fn held_since(then: Timestamp) -> TableState {
    let table = MemoryTable::new(after(&[subscribed(1)]));
    let claimed = at_once(claim(&table, &task(), "holder", then)).unwrap();
    assert!(matches!(claimed, ClaimOutcome::Claimed { .. }));
    let mut state = table.state();
    state.changes.clear();
    state
}

fn claimed_row(table: &TableState) -> Arc<LetterRow> {
    let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    match table.peek(&key) {
        Some(Item::Letter(row)) => row.clone(),
        other => panic!("{other:?}"),
    }
}

/// However it ends, the letter was claimed once at most.
fn one_claim(base: &TableState, table: &TableState) -> Result<(), String> {
    let key = Key::letter(&customer(1), Letter::Welcome, "sub_1");
    let is_claimed = |item: Option<&Item>| match item {
        Some(Item::Letter(row)) => matches!(row.state, LetterState::Claimed { .. }),
        Some(_) | None => false,
    };
    let before = usize::from(is_claimed(base.peek(&key)));
    let changes = table.changes.iter().skip(base.changes.len());
    let claims = changes.filter(|change| change.key == key && is_claimed(change.new.as_ref()));
    match before + claims.count() {
        0 | 1 => Ok(()),
        claims => Err(format!("{claims} claims")),
    }
}

#[test]
fn a_letter_is_claimed_once_and_only_while_its_reason_stands() {
    explore("claim", &claims());
}

#[test]
fn what_a_letter_came_to_stands() {
    explore("outcome", &outcomes());
}
