//! Retry parked: what was parked while its customer became known is offered again.

use crate::actors::{after, offers, seam, sends, with_appended};
use crate::seam::{SENDER_KEEPS, Seam, explore};
use crate::support::{about, empty, entry, naming, object};
use domain::event::NormalizedEvent;
use domain::ids::Reference;
use store::Item;
use store::memory::{MemoryTable, TableState};

pub(crate) fn seams() -> Vec<Seam> {
    let (charge, invoice) = (object("ch_1"), object("in_1"));
    let code = Reference::code("spring").unwrap();
    let offered = |case, base, event: NormalizedEvent, other| Seam {
        nets: SENDER_KEEPS.to_vec(),
        together: SENDER_KEEPS.to_vec(),
        ..seam(case, base, vec![offers("stream", event), other])
    };
    let late = about(empty(9, 2), &[&invoice]);
    let of_both = about(empty(9, 3), &[&charge, &invoice]);
    let shared = about(empty(9, 4), &[&code]);
    let known = after(&[naming(empty(1, 1), &[&invoice])]);
    let two = after(&[naming(empty(1, 1), &[&code]), naming(empty(2, 1), &[&code])]);
    vec![
        offered(
            "one whose reference leads on by now",
            parked(known.clone(), &late, &[&invoice]),
            late.clone(),
            offers("audit", late),
        ),
        offered(
            "one of two references, of which the second leads on",
            parked(known, &of_both, &[&charge, &invoice]),
            of_both,
            sends("names", &[naming(empty(1, 5), &[&charge])]),
        ),
        offered(
            "one that two customers share, and a third comes",
            parked(two, &shared, &[&code]),
            shared,
            sends("names", &[naming(empty(3, 5), &[&code])]),
        ),
        offered(
            "one whose customer becomes known meanwhile",
            with_appended(after(&[]), &[about(empty(9, 2), &[&invoice])]),
            about(empty(9, 2), &[&invoice]),
            sends("names", &[naming(empty(1, 1), &[&invoice])]),
        ),
    ]
}

/// Parked although its customer was known: the alias came in between.
fn parked(base: TableState, event: &NormalizedEvent, references: &[&Reference]) -> TableState {
    let table = MemoryTable::new(base);
    for reference in references {
        let parked = entry(event.clone(), "parked");
        table.plant(Item::Parked((*reference).clone(), parked));
    }
    table.state()
}

#[test]
fn whatever_is_parked_reaches_its_customer_and_stays_where_others_may_come() {
    explore("retry parked", &seams());
}
