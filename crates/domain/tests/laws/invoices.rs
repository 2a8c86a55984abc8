//! An invoice that failed, and how it was settled.

use crate::scenarios::{at, eur, id, new_event};
use domain::event::Fact;
use domain::payment::snapshot::InvoiceState::{Failed, Paid, Uncollectible, Voided};
use domain::payment::snapshot::{InvoiceSnapshot, InvoiceState, NextAttempt};
use domain::state::fold::fold;
use jiff::Timestamp;

/// How it stands and since when, after these states, a second after the other.
fn settled(states: &[InvoiceState]) -> (InvoiceState, Option<Timestamp>) {
    let seen = states.iter().zip(1..).map(|(state, second)| {
        let snapshot = InvoiceSnapshot {
            id: id("in_1"),
            subscription: None,
            state: *state,
            due: eur(1_000),
            attempts: 1,
            next_attempt: NextAttempt::Unknown,
            paid: None,
        };
        let facts = vec![Fact::Invoice(snapshot)];
        new_event(&format!("evt_{second}"), second, 1, facts)
    });
    let events: Vec<_> = seen.collect();
    let state = fold(&events);
    let invoice = &state.invoices[&id("in_1")];
    (invoice.state, invoice.settled_at)
}

#[test]
fn a_later_and_better_settlement_wins() {
    let given_up = settled(&[Failed, Uncollectible]);
    assert_eq!(given_up, (Uncollectible, Some(at(2))));
    let recovered = settled(&[Failed, Uncollectible, Paid]);
    assert_eq!(recovered, (Paid, Some(at(3))), "it is paid when it is paid");
    assert_eq!(settled(&[Failed, Voided, Paid]), (Paid, Some(at(3))));
    let told_twice = settled(&[Failed, Paid, Paid, Uncollectible]);
    assert_eq!(told_twice, (Paid, Some(at(2))), "and nothing undoes that");
}
