//! Ingest: an event becomes durable before its sender is answered, and is folded.

use crate::actors::{after, seam, sends};
use crate::fallbacks::Net;
use crate::seam::{Holds, SENDER_KEEPS, Seam, explore};
use crate::support::{about, empty, ended, naming, object, paid, subscribed};
use domain::event::NormalizedEvent;
use domain::ids::Reference;

pub(crate) fn seams() -> Vec<Seam> {
    let told = |case, base: &[NormalizedEvent], senders| Seam {
        nets: SENDER_KEEPS.to_vec(),
        together: SENDER_KEEPS.to_vec(),
        ..seam(case, after(base), senders)
    };
    let first = || naming(subscribed(1), &[&object("sub_1")]);
    let mut seams = vec![
        told(
            "an event that comes twice",
            &[],
            vec![sends("one", &[first()]), sends("other", &[first()])],
        ),
        told(
            "two events, the second one late",
            &[subscribed(1)],
            vec![sends("later", &[ended(1)]), sends("earlier", &[paid(1, 1)])],
        ),
        told(
            "two late events",
            &[subscribed(1), empty(1, 9)],
            vec![sends("one", &[empty(1, 2)]), sends("other", &[empty(1, 5)])],
        ),
        Seam {
            together: Vec::new(),
            ..told(
                "three at once",
                &[],
                vec![
                    sends("one", &[empty(1, 2)]),
                    sends("other", &[empty(1, 1)]),
                    sends("third", &[empty(1, 3)]),
                ],
            )
        },
    ];
    seams.extend(of_references());
    seams
}

/// Of events that name whom they are about by a reference.
fn of_references() -> Vec<Seam> {
    let told = |case, base: &[NormalizedEvent], senders| Seam {
        nets: SENDER_KEEPS.to_vec(),
        together: SENDER_KEEPS.to_vec(),
        ..seam(case, after(base), senders)
    };
    let code = Reference::code("spring").unwrap();
    vec![
        told(
            "an event that is parked, and whom it is about",
            &[],
            vec![
                sends("parks", &[about(empty(9, 2), &[&object("in_1")])]),
                sends("names", &[naming(empty(1, 1), &[&object("in_1")])]),
            ],
        ),
        told(
            "one that is parked under what several share",
            &[naming(empty(2, 1), &[&code])],
            vec![
                sends("parks", &[about(empty(9, 2), &[&code])]),
                sends("names", &[naming(empty(1, 1), &[&code])]),
            ],
        ),
        Seam {
            nets: PARTS.to_vec(),
            together: PARTS.to_vec(),
            ..seam(
                "one that is parked under two references",
                after(&[]),
                vec![
                    sends(
                        "parks",
                        &[about(empty(9, 2), &[&object("ch_1"), &object("in_1")])],
                    ),
                    sends("names", &[naming(empty(1, 1), &[&object("in_1")])]),
                ],
            )
        },
        Seam {
            nets: PARTS.to_vec(),
            ..seam(
                "a request of three events",
                after(&[]),
                vec![sends("sends", &[paid(1, 1), empty(2, 1), empty(1, 3)])],
            )
        },
    ]
}

/// Of what was not answered a part may be there, which its sender completes.
const PARTS: [(Net, Holds); 3] = [
    (Net::Sender, Holds::Kept),
    (Net::Stream, Holds::Settled),
    (Net::Audit, Holds::Settled),
];

#[test]
fn what_was_answered_is_kept_and_what_was_appended_is_folded() {
    explore("ingest", &seams());
}
