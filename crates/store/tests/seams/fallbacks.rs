//! Those who finish what was begun, each by itself: a later one hides a broken first one.

use crate::alone::run_alone;
use crate::seam::Seam;
use crate::support::at_once;
use jiff::Timestamp;
use store::audit::walk;
use store::due_scan::scan_due;
use store::folding::{FoldStatus, fold, replan};
use store::ingest::retry_parked;
use store::memory::{MemoryTable, TableState};
use store::{Item, StoreError};

/// Who finishes the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Net {
    /// Nobody.
    Nobody,
    /// Whoever was not answered tries again.
    Sender,
    /// The stream tells of every change, one by one, also of those that this makes.
    Stream,
    /// A whole round of the audit, after which another finds nothing to mend.
    Audit,
    /// The next due scan.
    DueScan,
}

impl Net {
    /// As the table in the README has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Sender => "sender",
            Self::Stream => "stream",
            Self::Audit => "audit",
            Self::DueScan => "due scan",
        }
    }

    /// The table after it.
    pub(crate) fn run(
        self,
        seam: &Seam,
        table: TableState,
        unanswered: &[usize],
    ) -> Result<TableState, String> {
        match self {
            Self::Nobody => Ok(table),
            Self::Sender => try_again(seam, table, unanswered),
            Self::Stream => tell_changes(table, seam.later).map_err(|error| error.to_string()),
            Self::Audit => audit(table, seam.later),
            Self::DueScan => {
                let table = MemoryTable::new(table);
                let scanned = at_once(scan_due(&table, 250, seam.later));
                scanned.map_err(|error| error.to_string())?;
                Ok(table.state())
            }
        }
    }
}

fn try_again(
    seam: &Seam,
    mut table: TableState,
    unanswered: &[usize],
) -> Result<TableState, String> {
    for number in unanswered {
        for tried in 1.. {
            let (next, answer) = run_alone(&seam.actors[*number], table, tried);
            table = next;
            match answer {
                Ok(_) => break,
                Err(error) if tried > 3 => return Err(format!("tried again: {error}")),
                Err(_) => {}
            }
        }
    }
    Ok(table)
}

/// As `journal-fold` does, with batches of one.
fn tell_changes(table: TableState, now: Timestamp) -> Result<TableState, StoreError> {
    let table = MemoryTable::new(table);
    for told in 0.. {
        let Some(change) = table.changes(told).into_iter().next() else {
            break;
        };
        at_once(tell(&table, change.item?, now))?;
    }
    Ok(table.state())
}

async fn tell(table: &MemoryTable, item: Option<Item>, now: Timestamp) -> Result<(), StoreError> {
    let status = match item {
        Some(Item::Entry(customer, entry)) => fold(table, &customer, vec![entry], now).await?,
        Some(Item::Record(record)) if record.owes() => replan(table, &record.customer, now).await?,
        Some(Item::Parked(_, entry)) => {
            for customer in retry_parked(table, &entry).await? {
                fold(table, &customer, vec![entry.clone()], now).await?;
            }
            FoldStatus::Done
        }
        Some(_) | None => FoldStatus::Done,
    };
    assert_eq!(status, FoldStatus::Done, "nobody is in between");
    Ok(())
}

fn audit(table: TableState, now: Timestamp) -> Result<TableState, String> {
    let table = MemoryTable::new(table);
    for round in 0..2 {
        // A run that died left its place; the rest of its round is the first one here.
        let begun_in_between = round == 0;
        let found = at_once(walk(&table, u32::MAX, now)).map_err(|error| error.to_string())?;
        if !found.complete || found.passed_over.count > 0 {
            return Err(format!("an audit that does not end well: {found:?}"));
        }
        if !begun_in_between && found.repaired > 0 {
            return Err(format!("{} to mend after an audit", found.repaired));
        }
    }
    Ok(table.state())
}
