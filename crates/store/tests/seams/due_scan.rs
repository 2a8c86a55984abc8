//! The due scan: whose moment has come is planned for once more, and stays in the index until it
//! is done.

use crate::actors::{actor, after, seam, sends};
use crate::fallbacks::Net;
use crate::seam::{Actor, Holds, Seam, explore};
use crate::support::{at, ended, on_trial};
use jiff::Timestamp;
use store::Item;
use store::due_scan::scan_due;
use store::memory::TableState;

/// Whose record was written has left the index: what it owes is the stream's.
const NETS: [(Net, Holds); 4] = [
    (Net::Sender, Holds::Kept),
    (Net::DueScan, Holds::Kept),
    (Net::Stream, Holds::Settled),
    (Net::Audit, Holds::Settled),
];

/// An event that was not folded is for the stream.
const TOGETHER: [(Net, Holds); 1] = [(Net::Sender, Holds::Kept)];

pub(crate) fn seams() -> Vec<Seam> {
    let due = |case, customers: &[usize], actors| Seam {
        nets: NETS.to_vec(),
        together: NETS.to_vec(),
        later: ending(),
        law: letters_of_those_on_trial,
        ..seam(
            case,
            after(&customers.iter().map(|n| on_trial(*n)).collect::<Vec<_>>()),
            actors,
        )
    };
    vec![
        due(
            "three customers, two of them in one shard",
            &[1, 2, 9],
            vec![scans("scan")],
        ),
        due("two scans", &[1], vec![scans("one"), scans("other")]),
        Seam {
            together: TOGETHER.to_vec(),
            nets: Vec::new(),
            ..due(
                "a scan while the reason goes",
                &[1],
                vec![scans("scan"), sends("ends", &[ended(1)])],
            )
        },
    ]
}

fn ending() -> Timestamp {
    at(29 * 24)
}

fn scans(what: &'static str) -> Actor {
    actor(what, |table, _| async move {
        let found = scan_due(&table, 250, ending()).await;
        match found {
            // Who was passed over stays due: the next minute looks again.
            Ok(found) => Ok(format!("{} passed over", found.passed_over.count)),
            Err(error) => Err(error.to_string()),
        }
    })
}

/// Whoever left the index has the letter, or a record that asks for none.
fn letters_of_those_on_trial(_: &TableState, table: &TableState) -> Result<(), String> {
    for item in table.items() {
        let Item::Record(record) = item else { continue };
        let is_running = record.folded.state.subscriptions.values();
        let mut running = is_running.filter(|known| !known.terms.status.is_final());
        let partition = item.key().partition;
        let has_letter = table.with_prefix(&partition, "letter#trial_ending").next();
        let is_due = record.next_due_at.is_some_and(|at| at <= ending()) || record.owes();
        if running.next().is_some() && has_letter.is_none() && !is_due {
            return Err(format!(
                "{} has left the index without its letter",
                record.customer
            ));
        }
    }
    Ok(())
}

#[test]
fn whoever_is_due_stays_so_until_it_is_done() {
    explore("due scan", &seams());
}
