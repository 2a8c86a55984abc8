//! Hand-over: what waits under a reference goes to the customer it leads to, and a guest's
//! entries to whom the guest turns out to be.

use crate::actors::{after, of, seam, sends, settled, with_appended};
use crate::seam::{SENDER_KEEPS, Seam, explore};
use crate::support::{about, empty, naming, object, paid, refunded, subscribed};
use domain::event::NormalizedEvent;
use domain::ids::{CustomerKey, EventId};
use store::memory::MemoryTable;

pub(crate) fn seams() -> Vec<Seam> {
    let told = |case, base, senders| Seam {
        nets: SENDER_KEEPS.to_vec(),
        together: SENDER_KEEPS.to_vec(),
        most_runs: 1_500,
        ..seam(case, base, senders)
    };
    let invoice = object("in_1");
    let parked = [2, 3, 4].map(|n| about(empty(9, n), &[&invoice]));
    let waits = settled(&MemoryTable::new(with_appended(after(&[]), &parked)));
    vec![
        told(
            "three that wait, and one that comes meanwhile",
            waits.clone(),
            vec![
                sends("names", &[naming(subscribed(1), &[&invoice])]),
                sends("parks", &[about(empty(9, 5), &[&invoice])]),
            ],
        ),
        told(
            "three that wait, and two who name it",
            waits,
            vec![
                sends("one", &[naming(subscribed(1), &[&invoice])]),
                sends("other", &[naming(empty(1, 6), &[&invoice])]),
            ],
        ),
        told(
            "a guest who turns out to be a customer",
            after(&[of_guest(paid(1, 1))]),
            vec![
                sends("names", &[of_customer()]),
                sends("as a guest", &[of_guest(refunded(1, 1, 400))]),
            ],
        ),
        told(
            "a customer's payment that is told of as a guest's",
            after(&[of_customer()]),
            vec![
                sends("paid", &[of_guest(paid(1, 1))]),
                sends("refunded", &[of_guest(refunded(1, 1, 400))]),
            ],
        ),
    ]
}

/// As a guest's: its partition is the payment.
fn of_guest(event: NormalizedEvent) -> NormalizedEvent {
    let guest = CustomerKey::parse("stripe/test/pi_1").unwrap();
    of(guest, naming(event, &[&object("ch_1"), &object("pi_1")]))
}

/// A later event that names the customer and the payment.
fn of_customer() -> NormalizedEvent {
    let mut again = naming(paid(1, 1), &[&object("pi_1")]);
    again.id = EventId::parse("stripe/test/evt_cs_1").unwrap();
    again
}

#[test]
fn what_waits_reaches_its_customer_whoever_dies() {
    explore("hand over", &seams());
}
