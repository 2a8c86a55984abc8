//! Letters: each for a cause, inside its window, sent at most once, in a state that says so; and
//! those that the reference model asks for exist.

use crate::proof::reference_model::expected_letters::expected_letters;
use crate::proof::reference_model::facts::JournaledEvent;
use crate::proof::reference_model::oracle::ExpectedRoutes;
use crate::proof::simulation::records::Violation;
use crate::proof::simulation::state::Simulation;
use domain::event::Fact;
use domain::letter::plan::subject;
use domain::letter::{Letter, TRIAL_NOTICE};
use domain::payment::snapshot::InvoiceState;
use domain::record::Record;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use store::letters::{LetterRow, LetterState};
use store::{Item, Key};

/// How far two clocks may lie apart, and a little.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(31);

impl Simulation<'_> {
    /// The mail service takes a letter in.
    pub(crate) fn check_email(&mut self, letter: Key) {
        let row = match self.table.peek(&letter) {
            Some(Item::Letter(row)) => row.clone(),
            _ => return self.report_violation(format!("{letter} was sent and stands nowhere")),
        };
        let end = row.letter.window_end(row.caused_at).as_millisecond();
        // Two clocks may be off, and a process may have been frozen after its claim.
        if self.clock > end + 3 * 900_000 {
            self.report_violation(format!("{letter} was sent after its window"));
        }
        let state = &row.state;
        if !matches!(
            state,
            LetterState::Claimed { .. } | LetterState::Unknown { .. }
        ) {
            self.report_violation(format!("{letter} was sent while {}", state.name()));
        }
        let times = self.accepted_letters.entry(letter.clone()).or_default();
        *times += 1;
        if *times > 1 {
            self.report_violation(format!("{letter} was sent twice"));
        }
    }

    /// Each letter owed for a reason, sent at most once, and in a final state that says so.
    pub(crate) fn check_letters(&self, routes: &ExpectedRoutes<'_>) -> Result<(), Violation> {
        let mut written = BTreeSet::new();
        for item in self.table.items() {
            let Item::Letter(row) = item else { continue };
            let key = item.key();
            let sent = self.accepted_letters.get(&key).copied().unwrap_or_default();
            let was_sent = match &row.state {
                LetterState::Sent { .. } => sent == 1,
                LetterState::Withdrawn { .. } | LetterState::Failed { .. } => sent == 0,
                LetterState::Unknown { .. } => sent <= 1,
                LetterState::Due | LetterState::Claimed { .. } => false,
            };
            if !was_sent {
                return Err(format!(
                    "{key} is {} and was sent {sent} times",
                    row.state.name()
                ));
            }
            let journal = routes
                .journals
                .get(&row.customer)
                .map_or(&[][..], Vec::as_slice);
            if !journal.iter().any(|event| is_cause_of(event, row)) {
                return Err(format!("{key} has no cause"));
            }
            written.insert(key);
        }
        self.check_due_letters(&written)
    }

    fn check_due_letters(&self, written: &BTreeSet<Key>) -> Result<(), Violation> {
        let now = Timestamp::from_millisecond(self.clock).unwrap_or_default();
        for record in self.records() {
            let due = expected_letters(&record.customer, &record.folded.state, now, MAX_CLOCK_SKEW);
            let mut missing = due.difference(written);
            if let Some(key) = missing.find(|key| !self.is_confirmed_by_twin(record, key)) {
                return Err(format!("{key} is due and nobody wrote it"));
            }
        }
        Ok(())
    }

    /// Whether this letter confirms a request for an end that another letter confirms already: one
    /// that was made, taken back and made again in one moment is confirmed once.
    fn is_confirmed_by_twin(&self, record: &Record, key: &Key) -> bool {
        let letter = Letter::CancellationConfirmed;
        let mut subscriptions = record.folded.state.subscriptions.iter();
        let about = subscriptions.find_map(|(id, known)| {
            let cause = format!("{id}@{}", known.end_requests);
            let its_key = Key::letter(&record.customer, letter, &cause);
            (its_key == *key).then_some((id, known.canceled_at?))
        });
        let Some((id, asked_at)) = about else {
            return false;
        };
        self.table.items().any(|item| match item {
            Item::Letter(row) => {
                row.customer == record.customer
                    && row.letter == letter
                    && subject(letter, &row.cause) == id.as_str()
                    && row.caused_at == asked_at
                    && !matches!(row.state, LetterState::Withdrawn { .. })
            }
            _ => false,
        })
    }
}

/// Whether an event is what a letter is about.
fn is_cause_of(event: &JournaledEvent<'_>, row: &LetterRow) -> bool {
    let (at, about) = (row.caused_at, subject(row.letter, &row.cause));
    event
        .normalized
        .facts
        .iter()
        .any(|fact| match (row.letter, fact) {
            (Letter::Welcome, Fact::Subscription(seen)) => {
                seen.id.as_str() == about && seen.started_at == at && seen.terms.status.is_running()
            }
            (Letter::CancellationConfirmed, Fact::Subscription(seen)) => {
                // Where nobody says when that was asked for, a statement that sees it counts.
                let seen_at = seen.end_requested.then_some(event.normalized.occurred_at);
                seen.id.as_str() == about && seen.canceled_at.or(seen_at) == Some(at)
            }
            (Letter::TrialEnding, Fact::Subscription(seen)) => {
                let end = seen.terms.trial.map(|trial| trial.end);
                seen.id.as_str() == about && end == Some(at + TRIAL_NOTICE)
            }
            (Letter::PaymentFailed | Letter::PaymentRecovered, Fact::Invoice(seen)) => {
                let open = matches!(
                    seen.state,
                    InvoiceState::Failed | InvoiceState::ActionRequired
                );
                let failed = row.letter == Letter::PaymentFailed;
                // What is paid for all that a subscription owes names the subscription.
                let all = !failed && seen.subscription.as_ref() == Some(&seen.id);
                let named = all || seen.id.as_str() == about;
                named && event.normalized.occurred_at == at && open == failed
            }
            // Each letter is named, so that the compiler asks for the cause of a new one.
            (
                Letter::Welcome
                | Letter::PaymentFailed
                | Letter::PaymentRecovered
                | Letter::CancellationConfirmed
                | Letter::TrialEnding,
                _,
            ) => false,
        })
}
