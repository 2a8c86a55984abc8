//! Letters: which ones a state asks for, by the rules as people would say them, and what must be
//! true of those that stand in the table.

use super::oracle::{ExpectedRoutes, JournaledEvent};
use crate::proof::checkers::invariants::Violation;
use crate::proof::simulation::scheduler::Simulation;
use domain::event::Fact;
use domain::ids::CustomerKey;
use domain::letter::{Letter, TRIAL_NOTICE};
use domain::payment::snapshot::InvoiceState;
use domain::state::{CustomerState, Invoice, Subscription};
use domain::subscription::terms::SubscriptionStatus as Status;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use store::letters::{LetterRow, LetterState};
use store::{Item, Key};

/// How far two clocks may lie apart, and a little.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(31);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The letters that this state asks for at this moment; whoever asks whether they have been
/// written allows for clocks that are `slack` off.
pub(crate) fn expected_letters(
    customer: &CustomerKey,
    state: &CustomerState,
    now: Timestamp,
    slack: SignedDuration,
) -> BTreeSet<Key> {
    let mut due = BTreeSet::new();
    if state.person.email().is_none() {
        return due;
    }
    let mut ask = |letter, cause: String, from: Timestamp, days: i32| {
        if from + slack <= now && now + slack < from + DAY * days {
            due.insert(Key::letter(customer, letter, &cause));
        }
    };
    for (id, known) in &state.subscriptions {
        if known.terms.status.is_running() {
            ask(Letter::Welcome, id.to_string(), known.started_at, 7);
        }
        if let Some(asked) = end_requested_at(known) {
            let cause = format!("{id}@{asked}");
            ask(Letter::CancellationConfirmed, cause, asked, 7);
        }
        if let Some((from, end)) = trial_notice_window(known)
            && from + slack <= now
            && now + slack < end
        {
            let cause = format!("{id}@{end}");
            ask(Letter::TrialEnding, cause, end - TRIAL_NOTICE, 3);
        }
    }
    for (id, invoice) in &state.invoices {
        if !fails_at_checkout(state, invoice) {
            match (invoice.state, invoice.settled_at) {
                (InvoiceState::Failed | InvoiceState::ActionRequired, None) => {
                    ask(Letter::PaymentFailed, id.to_string(), invoice.failed_at, 3);
                }
                (InvoiceState::Paid, Some(paid)) => {
                    ask(Letter::PaymentRecovered, id.to_string(), paid, 3);
                }
                _ => {}
            }
        }
    }
    due
}

/// Before the checkout page no letter tells of a failure.
fn fails_at_checkout(state: &CustomerState, invoice: &Invoice) -> bool {
    let whose = invoice.subscription.as_ref();
    let known = whose.and_then(|id| state.subscriptions.get(id));
    known.is_some_and(|known| invoice.failed_at < known.started_at + DAY)
}

/// The moment at which somebody asked for the end of what had begun.
fn end_requested_at(known: &Subscription) -> Option<Timestamp> {
    let asked = known.canceled_at.filter(|at| *at > known.started_at)?;
    let terms = &known.terms;
    let began = known.activated_at.is_some() || asked >= known.started_at + DAY;
    let has_end = known.ended_at.is_some()
        || terms.cancel_at.is_some()
        || (terms.cancel_at_period_end && terms.period.is_some());
    let ends = match terms.status {
        Status::Canceled => true,
        Status::Incomplete | Status::IncompleteExpired => false,
        _ => has_end,
    };
    (began && ends).then_some(asked)
}

/// From when a trial that goes on is announced to end, and its end.
fn trial_notice_window(known: &Subscription) -> Option<(Timestamp, Timestamp)> {
    let terms = &known.terms;
    let trial = terms.trial?;
    let stays = terms.cancel_at.is_none() && !terms.cancel_at_period_end;
    let from = (trial.end - TRIAL_NOTICE).max(trial.start + DAY);
    let goes_on = terms.status == Status::Trialing && stays && from < trial.end;
    goes_on.then_some((from, trial.end))
}

impl Simulation<'_> {
    /// Each letter owed for a reason, sent at most once, and in a final state that says so.
    pub(crate) fn check_letters(&self, routes: &ExpectedRoutes<'_>) -> Result<(), Violation> {
        let mut written = BTreeSet::new();
        for item in self.table.items() {
            let Item::Letter(row) = item else { continue };
            let key = item.key();
            let sent = self.accepted_letters.get(&key).copied().unwrap_or_default();
            let told = match &row.state {
                LetterState::Sent { .. } => sent == 1,
                LetterState::Withdrawn { .. } | LetterState::Failed { .. } => sent == 0,
                LetterState::Unknown { .. } => sent <= 1,
                LetterState::Due | LetterState::Claimed { .. } => false,
            };
            if !told {
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
        for record in self.table.records() {
            let due = expected_letters(&record.customer, &record.folded.state, now, MAX_CLOCK_SKEW);
            if let Some(key) = due.difference(written).next() {
                return Err(format!("{key} is due and nobody wrote it"));
            }
        }
        Ok(())
    }
}

/// Whether an event is what a letter is about.
fn is_cause_of(event: &JournaledEvent<'_>, row: &LetterRow) -> bool {
    let (at, about) = (
        row.caused_at,
        domain::letter::plan::subject(row.letter, &row.cause),
    );
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
            _ => false,
        })
}
