//! What must hold of every change that was made, and of a table in which the work is done.

use domain::event::{About, NormalizedEvent};
use domain::ids::{CustomerKey, Reference};
use domain::letter::plan::{DueLetter, plan};
use domain::record::{Effect, Entry, Record};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::items::{FirstPaymentRow, JOURNAL, customer_partition, reference_partition};
use store::letters::{LEASE, LetterRow, LetterState};
use store::memory::TableState;
use store::{Item, Key};

/// What stood in a table at one moment.
pub(crate) type Standing = BTreeMap<Key, Item>;

/// Replays what changed since `base`: `look` sees each change with what stood before it.
pub(crate) fn replay(
    base: &TableState,
    table: &TableState,
    mut look: impl FnMut(&Standing, &Key, Option<&Item>) -> Result<(), String>,
) -> Result<(), String> {
    let mut standing: Standing = base
        .items()
        .map(|item| (item.key(), item.clone()))
        .collect();
    for change in table.changes.iter().skip(base.changes.len()) {
        let key = &change.key;
        look(&standing, key, change.new.as_ref()).map_err(|law| format!("{key}: {law}"))?;
        match &change.new {
            Some(item) => standing.insert(key.clone(), item.clone()),
            None => standing.remove(key),
        };
    }
    Ok(())
}

/// Laws of single changes, whoever makes them.
pub(crate) fn check_history(base: &TableState, table: &TableState) -> Result<(), String> {
    replay(base, table, |standing, key, new| {
        let before = standing.get(key);
        check_version(before, new)?;
        match (before, new) {
            (Some(Item::Parked(_, entry)), None) => check_handed_over(standing, entry),
            (Some(_), None) => Err("only parked entries are ever deleted".into()),
            (_, Some(Item::Record(record))) => check_record(standing, before, record),
            (before, Some(Item::Letter(row))) => check_letter(standing, before, row),
            (Some(Item::DeliveryState(before)), Some(Item::DeliveryState(now))) => {
                let told = |kind| now.delivered.contains_key(kind);
                match before.delivered.keys().all(told) {
                    true => Ok(()),
                    false => Err("it forgets what a partner was told".into()),
                }
            }
            (Some(Item::NoticeEndpoint(before)), Some(Item::NoticeEndpoint(now)))
                if now.key < before.key =>
            {
                Err("it signs with a secret that was rotated out".into())
            }
            (Some(Item::Partner(before)), Some(Item::Partner(now)))
                if !now.codes.is_superset(&before.codes) =>
            {
                Err("it loses a code".into())
            }
            (Some(before), Some(_)) if before.version().is_none() => {
                Err("what has no version never changes".into())
            }
            (_, Some(Item::Commission(_) | Item::ReferralStatus(_))) => {
                check_decided(standing, new)
            }
            (_, _) => Ok(()),
        }
    })
}

fn check_version(before: Option<&Item>, new: Option<&Item>) -> Result<(), String> {
    let Some(version) = new.and_then(Item::version) else {
        return Ok(());
    };
    let before = before.and_then(Item::version).unwrap_or_default();
    match version == before + 1 {
        true => Ok(()),
        false => Err(format!("version {version} over version {before}")),
    }
}

/// A parked entry goes when it stands in a journal, or when what it waited for was taken in.
fn check_handed_over(standing: &Standing, entry: &Entry) -> Result<(), String> {
    let id = &entry.event.id;
    let is_kept = standing
        .values()
        .any(|item| matches!(item, Item::Entry(_, kept) if kept.event.id == *id));
    match is_kept {
        true => Ok(()),
        false => Err(format!("{id} is deleted and in no journal")),
    }
}

fn check_record(standing: &Standing, before: Option<&Item>, now: &Record) -> Result<(), String> {
    let journal = journal_of(standing, &now.customer);
    let count = u64::try_from(journal.len()).unwrap_or(u64::MAX);
    if now.folded.count > count {
        return Err(format!("it has {} of {count} entries", now.folded.count));
    }
    let Some(Item::Record(before)) = before else {
        return Ok(());
    };
    if now.folded.count < before.folded.count {
        return Err("it forgets entries".into());
    }
    let cleared = |effect: &&Effect| !now.pending.contains(effect);
    for effect in before.pending.iter().filter(cleared) {
        if !is_put(standing, before, effect) {
            return Err(format!("cleared and not put: {effect:?}"));
        }
    }
    Ok(())
}

/// Whether what follows from a record stands in the table.
fn is_put(standing: &Standing, record: &Record, effect: &Effect) -> bool {
    let customer = &record.customer;
    let stands = |key: &Key| standing.contains_key(key);
    match effect {
        Effect::Alias(reference) => stands(&Item::Alias(reference.clone(), customer.clone()).key()),
        Effect::Letter(due) => stands(&Key::letter(customer, due.letter, &due.cause)),
        Effect::Commission(row) => stands(&Key::commission(row)),
        Effect::ReferralStatus(row) => stands(&Key::referral_status(row)),
        Effect::HandOver(owner) => {
            let theirs = journal_of(standing, owner);
            let theirs: BTreeSet<_> = theirs.iter().map(|entry| &entry.event.id).collect();
            let mine = journal_of(standing, customer);
            // Of those it had folded: what came since owes it once more.
            let mut told = mine.iter().filter(|entry| {
                record.remembers(entry.digest) && *entry.event.kind != *"guest.identified"
            });
            told.all(|entry| theirs.contains(&entry.event.id))
        }
        Effect::FirstPayment(announced) => announced.names.iter().all(|name| {
            let row = FirstPaymentRow {
                reference: name.clone(),
                customer: customer.clone(),
                paid_at: announced.paid_at,
                decided_at: announced.at,
                version: 1,
            };
            stands(&Item::from(row).key())
        }),
    }
}

/// A letter is claimed once at most, for a reason that stands at that moment, and what it ends in
/// stands for good.
fn check_letter(standing: &Standing, before: Option<&Item>, now: &LetterRow) -> Result<(), String> {
    let Some(Item::Letter(before)) = before else {
        return match now.state {
            LetterState::Due => Ok(()),
            _ => Err("a letter begins as one that is due".into()),
        };
    };
    if before.state.is_final() {
        return Err(format!(
            "{} after {}",
            now.state.name(),
            before.state.name()
        ));
    }
    if let (LetterState::Claimed { claimed_at, .. }, LetterState::Unknown { at }) =
        (&before.state, &now.state)
        && at.duration_since(*claimed_at) < jiff::SignedDuration::from_mins(15)
        && at != claimed_at
    {
        return Err("its sender may still be at it".into());
    }
    let LetterState::Claimed { claimed_at, .. } = &now.state else {
        return Ok(());
    };
    if before.state != LetterState::Due {
        return Err(format!("claimed while {}", before.state.name()));
    }
    let Some(Item::Record(record)) = standing.get(&Key::record(&now.customer)) else {
        return Err("claimed without a record".into());
    };
    let due = DueLetter {
        letter: now.letter,
        cause: now.cause.clone(),
        caused_at: now.caused_at,
    };
    let planned = plan(&record.folded.state, *claimed_at);
    match due.is_timely(*claimed_at) && planned.due.iter().any(|other| other.is_same(&due)) {
        true => Ok(()),
        false => Err("claimed although its reason is gone".into()),
    }
}

/// A row of a ledger stands in the record, as written, before it is put.
fn check_decided(standing: &Standing, row: Option<&Item>) -> Result<(), String> {
    let is_decided = standing.values().any(|item| match item {
        Item::Record(record) => record.pending.iter().any(|effect| match (effect, row) {
            (Effect::Commission(decided), Some(Item::Commission(row))) => **decided == **row,
            (Effect::ReferralStatus(decided), Some(Item::ReferralStatus(row))) => {
                **decided == **row
            }
            (_, _) => false,
        }),
        _ => false,
    });
    // Seams of ledgers and payouts put rows of their own.
    let is_planted = !standing
        .values()
        .any(|item| matches!(item, Item::Record(_)));
    match is_decided || is_planted {
        true => Ok(()),
        false => Err("no record as written decided it".into()),
    }
}

/// A customer's journal as it stood.
pub(crate) fn journal_of(standing: &Standing, customer: &CustomerKey) -> Vec<Arc<Entry>> {
    let first = Key::new(customer_partition(customer), JOURNAL);
    let partition = first.partition.clone();
    standing
        .range(first..)
        .take_while(|(key, _)| key.partition == partition && key.sort.starts_with(JOURNAL))
        .filter_map(|(_, item)| match item {
            Item::Entry(_, entry) => Some(entry.clone()),
            _ => None,
        })
        .collect()
}

/// What was answered is durable: in its customer's journal, or under each of its references, or
/// in the journal of whom one of them leads to.
pub(crate) fn check_kept<'a>(
    table: &TableState,
    events: impl Iterator<Item = &'a NormalizedEvent>,
) -> Result<(), String> {
    for event in events {
        let is_kept = match &event.about {
            About::Customer(customer) => table.peek(&Key::entry(customer, &event.id)).is_some(),
            About::ByReference(references) => {
                let parked = references
                    .iter()
                    .all(|reference| table.peek(&Key::parked(reference, &event.id)).is_some());
                let shared = references.iter().any(domain::ids::Reference::is_shared);
                let taken_in = || {
                    table.items().any(
                        |item| matches!(item, Item::Entry(_, entry) if entry.event.id == event.id),
                    )
                };
                parked || (!shared && taken_in())
            }
        };
        if !is_kept {
            return Err(format!("answered, and {} is nowhere", event.id));
        }
    }
    Ok(())
}

/// Every record is the fold of its journal and owes nothing, what is parked has nobody whom it
/// leads to, and no claim has outlived its lease.
pub(crate) fn check_settled(table: &TableState, now: Timestamp) -> Result<(), String> {
    let standing: Standing = table
        .items()
        .map(|item| (item.key(), item.clone()))
        .collect();
    let mut looked_at: BTreeSet<&CustomerKey> = BTreeSet::new();
    for (key, item) in &standing {
        let settled = match item {
            // A journal is folded once, not for each of its entries.
            Item::Entry(customer, _) if looked_at.insert(customer) => {
                is_folded(table, &standing, customer, now)
            }
            Item::Record(record) if record.owes() => {
                Err(format!("owes {:?} {:?}", record.pending, record.remainder))
            }
            Item::Parked(reference, entry) => {
                let partition = reference_partition(reference);
                let mut aliases = table.with_prefix(&partition, "alias#");
                let missing = aliases.find(|alias| match alias {
                    Item::Alias(_, customer) => {
                        table.peek(&Key::entry(customer, &entry.event.id)).is_none()
                            && !is_on_its_way(table, reference, entry, customer)
                    }
                    _ => false,
                });
                match missing {
                    Some(_) if !entry.event.is_waiting() => {
                        Err(format!("it leads on: {missing:?}"))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            Item::Letter(row) => match &row.state {
                LetterState::Claimed { claimed_at, .. }
                    if now.duration_since(*claimed_at) >= LEASE =>
                {
                    Err("claimed for longer than anybody sends".into())
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        };
        settled.map_err(|law| format!("{key}: {law}"))?;
    }
    Ok(())
}

/// Whether a fan-out has yet to come to this customer.
pub(crate) fn is_on_its_way(
    table: &TableState,
    reference: &Reference,
    entry: &Entry,
    customer: &CustomerKey,
) -> bool {
    let mut fan_outs = table.with_prefix(&reference_partition(reference), "fanout#");
    fan_outs.any(|item| match item {
        Item::FanOut(row) => {
            row.event == entry.event.id
                && row.next_due_at.is_some()
                && row.after.as_ref() < Some(customer)
        }
        _ => false,
    })
}

fn is_folded(
    table: &TableState,
    standing: &Standing,
    customer: &CustomerKey,
    now: Timestamp,
) -> Result<(), String> {
    let Some(Item::Record(record)) = table.peek(&Key::record(customer)) else {
        return Err("an entry without a record".into());
    };
    let journal = journal_of(standing, customer);
    let folded = Record::new(customer.clone()).rebuild(&journal, &[], now);
    let folded = folded.map(|record| record.folded).unwrap_or_default();
    match record.folded == folded {
        true => Ok(()),
        false => Err(format!(
            "the record of {customer} has {} of {} entries, or another state",
            record.folded.count, folded.count
        )),
    }
}
