//! The audit's step: its place is never ahead of its work, and what it found is handed over
//! before the place is saved.

use crate::actors::{actor, after, now, seam, sends, with_appended};
use crate::fallbacks::Net;
use crate::history::{Standing, journal_of, replay};
use crate::seam::{Actor, Holds, Seam, explore};
use crate::support::{about, customer, empty, entry, naming, object, subscribed};
use domain::record::Entry;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::audit::Walk;
use store::items::customer_of;
use store::memory::{MemoryTable, TableState, partition_hash};
use store::{Item, Key, Table, WriteCondition};

const NETS: [(Net, Holds); 1] = [(Net::Sender, Holds::Settled)];

pub(crate) fn seams() -> Vec<Seam> {
    let walked = |case, base, actors| Seam {
        nets: NETS.to_vec(),
        law: place_behind_work,
        ..seam(case, base, actors)
    };
    vec![
        walked("one run", undone(3), vec![walks("audit")]),
        Seam {
            together: NETS.to_vec(),
            most_runs: 500,
            ..walked(
                "two runs at once",
                undone(1),
                vec![walks("one"), walks("other")],
            )
        },
        Seam {
            nets: Vec::new(),
            law: |_, _| Ok(()),
            ..walked(
                "a run while an event comes in",
                undone(1),
                vec![walks("audit"), sends("sends", &[empty(0, 7)])],
            )
        },
        walked(
            "a record of another digest",
            of_another_digest(),
            vec![walks("audit")],
        ),
    ]
}

/// As the calendar does; handing over is a row of its own, so that it can be seen.
fn walks(what: &'static str) -> Actor {
    actor(what, |table, _| async move {
        let walked = async {
            let Some(mut walk) = Walk::resume(&table, later()).await? else {
                return Ok("another run".into());
            };
            let mut passed_over = 0;
            loop {
                let found = walk.step(later()).await?;
                passed_over += found.passed_over.count;
                for one in &found.passed_over.named {
                    let named = handed_over(&format!("{}/passed", one.name));
                    table.put(named, WriteCondition::Absent).await?;
                }
                for row in &found.overdue_letters {
                    let handed = handed_over(&row.customer.to_string());
                    table.put(handed, WriteCondition::Absent).await?;
                }
                if !walk.save(later()).await? || found.complete {
                    return Ok(format!("walked, {passed_over} passed over"));
                }
            }
        };
        let walked: Result<String, store::StoreError> = walked.await;
        match walked.map_err(|error| error.to_string()) {
            // Whoever was passed over is met in the next round.
            Ok(walked) if walked.contains("walked, 0") || walked == "another run" => Ok(walked),
            Ok(walked) | Err(walked) => Err(walked),
        }
    })
}

/// A message in the queue, as an item.
fn handed_over(of: &str) -> Item {
    let event = about(empty(9, 1), &[&object("queue")]);
    let mut message = Entry::clone(&entry(event, "queue"));
    message.event.id = domain::ids::EventId::parse(of).unwrap();
    Item::Parked(object("queue"), Arc::new(message))
}

/// Customers of whom each has a letter that is overdue, an entry that nobody folded and another
/// that is parked under what leads to the customer.
fn undone(customers: usize) -> TableState {
    let mut base = after(&[]);
    for n in 0..customers {
        let invoice = object(&format!("in_{n}"));
        let known = MemoryTable::new(base);
        let event = naming(subscribed(n), &[&invoice]);
        crate::support::at_once(crate::support::ingest(&known, event));
        base = with_appended(known.state(), &[empty(n, 2)]);
        let parked = about(empty(9, 3 + n as i64), &[&invoice]);
        base.plant(Item::Parked(invoice, entry(parked, "parked")));
    }
    base.changes.clear();
    base
}

fn of_another_digest() -> TableState {
    let mut base = after(&[empty(0, 1)]);
    let Some(Item::Record(record)) = base.peek(&Key::record(&customer(0))) else {
        panic!("it has a record")
    };
    let mut wrong = (**record).clone();
    wrong.folded.digest = entry(empty(0, 9), "r").digest;
    base.plant(Item::from(wrong));
    base.changes.clear();
    base
}

fn later() -> Timestamp {
    now() + SignedDuration::from_hours(1)
}

/// Whoever stands before the place that was saved is in order, and was handed over.
fn place_behind_work(base: &TableState, table: &TableState) -> Result<(), String> {
    let mut round = base.items().cloned().collect::<Vec<_>>();
    round.retain(|item| matches!(item, Item::Record(_)));
    let mut place: Option<Option<Key>> = Some(None);
    replay(base, table, |standing, _, new| {
        let Some(Item::Cursor(cursor)) = new else {
            return Ok(());
        };
        let begins = cursor.stalled_runs > 0;
        let before = place.replace(cursor.after.clone()).flatten();
        if begins {
            return Ok(());
        }
        for record in &round {
            let key = record.key();
            let behind = |place: &Option<Key>| match place {
                Some(place) => order(&key) <= order(place),
                None => false,
            };
            // None at the end of a round: all of it is behind.
            let is_done = cursor.after.is_none() || behind(&cursor.after);
            if is_done && !behind(&before) {
                in_order(standing, &key)?;
            }
        }
        Ok(())
    })
}

fn order(key: &Key) -> (u64, &Key) {
    (partition_hash(&key.partition), key)
}

fn in_order(standing: &Standing, key: &Key) -> Result<(), String> {
    let customer = customer_of(&key.partition).expect("a customer's");
    let Some(Item::Record(record)) = standing.get(key) else {
        return Err("no record".into());
    };
    let journal = journal_of(standing, &customer);
    let passed = domain::ids::EventId::parse(format!("{customer}/passed")).unwrap();
    if standing.contains_key(&Key::parked(&object("queue"), &passed)) {
        return Ok(());
    }
    if record.folded.count < journal.len() as u64 {
        return Err(format!("{customer} is passed and not folded"));
    }
    let has_letter = standing
        .values()
        .any(|item| matches!(item, Item::Letter(row) if row.customer == customer));
    let id = domain::ids::EventId::parse(customer.to_string()).unwrap();
    if has_letter && !standing.contains_key(&Key::parked(&object("queue"), &id)) {
        return Err(format!("{customer}'s letter is passed and not handed over"));
    }
    Ok(())
}

#[test]
fn the_place_of_a_walk_is_never_ahead_of_its_work() {
    explore("audit", &seams());
}
