//! What many are to get: an entry that waits for more customers than hear of it at once reaches
//! each of them, from scan to scan, and whoever comes meanwhile.

use crate::actors::{actor, after, heard, now, seam, sends, settled};
use crate::decisions::{partner, spring, spring_code};
use crate::fallbacks::Net;
use crate::history::is_on_its_way;
use crate::seam::{ALL_WHOLE, Actor, Holds, Seam, explore};
use crate::support::{at_once, naming, paid};
use store::due_scan::scan_due;
use store::ingest::MAX_AT_ONCE;
use store::memory::{MemoryTable, TableState};
use store::operator_decisions::grant;
use store::{Item, Key};

/// Whoever gives the code leaves a fan-out behind, or an entry that brings stream and audit to it.
/// The next scan goes on; whoever could not be folded is left to stream and audit.
const OF_SCANS: [(Net, Holds); 4] = [
    (Net::Sender, Holds::Kept),
    (Net::DueScan, Holds::Kept),
    (Net::Stream, Holds::Settled),
    (Net::Audit, Holds::Settled),
];

pub(crate) fn seams() -> Vec<Seam> {
    let given = |case, actors| Seam {
        nets: OF_SCANS.to_vec(),
        together: OF_SCANS.to_vec(),
        law: all_have_it_or_will,
        most_runs: 200,
        ..seam(case, granted(), actors)
    };
    vec![
        Seam {
            nets: ALL_WHOLE.to_vec(),
            ..seam("a code that many showed", shown(), vec![grants()])
        },
        given("a scan", vec![scans("scan")]),
        given("two scans", vec![scans("one"), scans("other")]),
        given(
            "a scan while one more shows the code",
            vec![
                scans("scan"),
                sends("shows", &[naming(paid(0, 0), &[&spring()])]),
            ],
        ),
    ]
}

fn scans(what: &'static str) -> Actor {
    actor(what, |table, _| async move {
        let found = scan_due(&table, 250, now()).await;
        heard(found.map(|found| found.passed_over.count))
    })
}

fn grants() -> Actor {
    actor("grants", |table, _| async move {
        heard(grant(&table, &partner("acme"), &spring_code(), now()).await)
    })
}

/// One customer more than hear of it at once has shown the code.
fn shown() -> TableState {
    let show = |n| naming(paid(n, n), &[&spring()]);
    after(&(1..=MAX_AT_ONCE + 1).map(show).collect::<Vec<_>>())
}

/// And it was given since.
fn granted() -> TableState {
    let table = MemoryTable::new(shown());
    at_once(grant(&table, &partner("acme"), &spring_code(), now())).unwrap();
    settled(&table)
}

/// Whoever showed the code has what waits under it, or a fan-out is on its way there, or the
/// record that led there has yet to look.
fn all_have_it_or_will(_: &TableState, table: &TableState) -> Result<(), String> {
    for item in table.items() {
        let Item::Parked(reference, entry) = item else {
            continue;
        };
        for alias in table.with_prefix(&item.key().partition, "alias#") {
            let Item::Alias(_, customer) = alias else {
                continue;
            };
            let has_it = table.peek(&Key::entry(customer, &entry.event.id)).is_some();
            let looks = match table.peek(&Key::record(customer)) {
                Some(Item::Record(record)) => record.owes(),
                _ => false,
            };
            if !has_it && !looks && !is_on_its_way(table, reference, entry, customer) {
                return Err(format!("{customer} never hears of {}", entry.event.id));
            }
        }
    }
    Ok(())
}

#[test]
fn what_many_are_to_get_reaches_each_of_them() {
    explore("fan out", &seams());
}
