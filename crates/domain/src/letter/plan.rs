//! What is due: derived from the state and the moment, never queued.
//!
//! Each letter says of a state what it asks for, and from when; nothing else is kept. So a
//! reminder is one more request with a later moment, and whoever pays, cancels or comes back
//! ends it by no longer asking.

use crate::ids::ObjectId;
use crate::letter::{Letter, TRIAL_NOTICE};
use crate::payment::invoice::Invoice;
use crate::payment::snapshot::InvoiceState;
use crate::state::CustomerState;
use crate::subscription::state::Subscription;
use crate::subscription::terms::SubscriptionStatus;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A letter and its cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DueLetter {
    /// Which letter.
    pub letter: Letter,
    /// What it is about, in business terms: a subscription, an invoice.
    pub cause: Arc<str>,
    /// When the cause came to be.
    pub caused_at: Timestamp,
}

/// What is due now, and when to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Letters due now.
    pub due: Vec<DueLetter>,
    /// The next moment at which something may fall due by itself.
    pub next_due_at: Option<Timestamp>,
}

/// A letter that a state asks for.
struct LetterRequest {
    letter: DueLetter,
    /// Not before this moment; without one it is due as soon as it is asked for.
    from: Option<Timestamp>,
}

/// What is due to a customer in this state at this moment. A cause older than its letter's
/// window is expired: an old shop's first day, a replay and a repair write to nobody.
pub fn plan(state: &CustomerState, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    if state.person.email().is_none() {
        // An address is an event of its own, on which all this is planned again.
        return plan;
    }
    for letter in Letter::ALL {
        let requests = match letter {
            Letter::Welcome => welcomes(state),
            Letter::PaymentFailed => failed_payments(state),
            Letter::PaymentRecovered => recovered_payments(state),
            Letter::CancellationConfirmed => cancellations(state),
            Letter::TrialEnding => trial_ends(state),
        };
        for request in requests {
            match request.from.filter(|from| now < *from) {
                Some(later) => {
                    let sooner = plan
                        .next_due_at
                        .is_none_or(|next_due_at| later < next_due_at);
                    plan.next_due_at = if sooner {
                        Some(later)
                    } else {
                        plan.next_due_at
                    };
                }
                None if request.letter.is_timely(now) => plan.due.push(request.letter),
                None => {}
            }
        }
    }
    plan
}

/// The object that a letter's cause is about; what a cause says beyond it (the moment of a
/// request, of an end) makes a second such request a cause of its own.
pub fn subject(letter: Letter, cause: &str) -> &str {
    match letter {
        // The object's own id, which may have any sign in it.
        Letter::Welcome | Letter::PaymentFailed | Letter::PaymentRecovered => cause,
        Letter::CancellationConfirmed | Letter::TrialEnding => {
            cause.rsplit_once('@').map_or(cause, |(object, _)| object)
        }
    }
}

impl DueLetter {
    /// Whether its window is open at this moment. A cause in the future is a provider's clock
    /// ahead of ours, and no reason to wait.
    pub fn is_timely(&self, now: Timestamp) -> bool {
        now < self.letter.window_end(self.caused_at)
    }
}

/// A subscription that runs welcomes its customer, counted from its start: a subscription that
/// began long ago is no news, whenever we first hear of it.
fn welcomes(state: &CustomerState) -> Vec<LetterRequest> {
    let running = state
        .subscriptions
        .iter()
        .filter(|(_, subscription)| subscription.terms.status.is_running());
    running
        .map(|(id, subscription)| immediate_request(Letter::Welcome, id, subscription.started_at))
        .collect()
}

/// An invoice that can't be collected causes a letter at its first failure, not at its last.
fn failed_payments(state: &CustomerState) -> Vec<LetterRequest> {
    let open = |invoice: &Invoice| match invoice.state {
        InvoiceState::Failed | InvoiceState::ActionRequired => invoice.settled_at.is_none(),
        InvoiceState::Uncollectible | InvoiceState::Voided | InvoiceState::Paid => false,
    };
    state
        .invoices
        .iter()
        .filter(|(_, invoice)| open(invoice) && !is_checkout(state, invoice))
        .map(|(id, invoice)| immediate_request(Letter::PaymentFailed, id, invoice.failed_at))
        .collect()
}

/// Invoices in the state have all failed once: those that are paid have recovered.
fn recovered_payments(state: &CustomerState) -> Vec<LetterRequest> {
    let recovered = |(id, invoice): (&ObjectId, &Invoice)| {
        let settled_at = invoice.settled_at?;
        let paid = invoice.state == InvoiceState::Paid && !is_checkout(state, invoice);
        paid.then(|| immediate_request(Letter::PaymentRecovered, id, settled_at))
    };
    state.invoices.iter().filter_map(recovered).collect()
}

/// Somebody whose first payment fails sits before the checkout page, which says so and takes
/// another card; a letter would only arrive after it.
fn is_checkout(state: &CustomerState, invoice: &Invoice) -> bool {
    let subscription = invoice.subscription.as_ref();
    subscription
        .and_then(|id| state.subscriptions.get(id))
        .is_some_and(|known| invoice.failed_at < after(known.started_at, CHECKOUT_WINDOW))
}

/// An end that somebody asked for is confirmed, whether it lies ahead or came at once.
///
/// Its cause is the moment of asking, not the end asked for: whoever takes it back and asks
/// again means the same end of period, and is to be told again. An end agreed with the very
/// start is a fixed term and no cancellation. Whether the provider ended it for want of payment
/// the record does not know; then the letter says what is true in any case.
fn cancellations(state: &CustomerState) -> Vec<LetterRequest> {
    let asked = |(id, known): (&ObjectId, &Subscription)| {
        let asked_at = known.canceled_at.filter(|at| *at > known.started_at)?;
        let began =
            known.activated_at.is_some() || asked_at >= after(known.started_at, CHECKOUT_WINDOW);
        let ends = match known.terms.status {
            SubscriptionStatus::Canceled => true,
            SubscriptionStatus::IncompleteExpired | SubscriptionStatus::Incomplete => false,
            SubscriptionStatus::Trialing
            | SubscriptionStatus::Active
            | SubscriptionStatus::PastDue
            | SubscriptionStatus::Unpaid
            | SubscriptionStatus::Paused => known.ends_at().is_some(),
        };
        (began && ends).then(|| LetterRequest {
            letter: DueLetter {
                letter: Letter::CancellationConfirmed,
                cause: dated_cause(id, asked_at),
                caused_at: asked_at,
            },
            from: None,
        })
    };
    state.subscriptions.iter().filter_map(asked).collect()
}

/// A trial that will turn into a paid subscription says so three days ahead. A shorter one says
/// so a day after its beginning: the welcome, which names the end too, has just been read. One
/// that lasts a day or less leaves it at the welcome.
fn trial_ends(state: &CustomerState) -> Vec<LetterRequest> {
    let ending = |(id, known): (&ObjectId, &Subscription)| {
        let trial = known.terms.trial?;
        let goes_on = known.terms.status == SubscriptionStatus::Trialing
            && known.terms.cancel_at.is_none()
            && !known.terms.cancel_at_period_end;
        let notice_at = trial.end.checked_sub(TRIAL_NOTICE).unwrap_or(trial.end);
        let from = notice_at.max(after(trial.start, AFTER_WELCOME));
        (goes_on && from < trial.end).then(|| LetterRequest {
            letter: DueLetter {
                letter: Letter::TrialEnding,
                cause: dated_cause(id, trial.end),
                caused_at: notice_at,
            },
            from: Some(from),
        })
    };
    state.subscriptions.iter().filter_map(ending).collect()
}

fn immediate_request(letter: Letter, object: &ObjectId, caused_at: Timestamp) -> LetterRequest {
    let letter = DueLetter {
        letter,
        cause: object.as_str().into(),
        caused_at,
    };
    LetterRequest { letter, from: None }
}

fn dated_cause(object: &ObjectId, moment: Timestamp) -> Arc<str> {
    format!("{object}@{moment}").into()
}

fn after(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// How long a first payment may be tried at checkout; providers give up within a day.
const CHECKOUT_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// How long after a trial's beginning its end is not announced a second time.
const AFTER_WELCOME: SignedDuration = SignedDuration::from_hours(24);
