//! Which letters are due: derived from the state and the moment, never queued.
//!
//! For each kind of letter a function lists the letters that a state asks for, and from when. No
//! list of future letters is stored. So a reminder is one more request with a later moment, and
//! when the customer pays or cancels, the state no longer asks for it.

use crate::ids::ObjectId;
use crate::letter::address::is_address;
use crate::letter::{Letter, TRIAL_NOTICE};
use crate::payment::invoice::Invoice;
use crate::payment::snapshot::InvoiceState;
use crate::state::CustomerState;
use crate::subscription::state::Subscription;
use crate::subscription::terms::SubscriptionStatus;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A letter that is due, and its cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DueLetter {
    /// The kind of letter.
    pub letter: Letter,
    /// What it is about: the id of a subscription or invoice. Where one object can cause several
    /// letters, `id@time` names a trial's end and `id@number` a request. A letter is sent once for
    /// each cause, so nothing is named by what a later event may move.
    pub cause: Arc<str>,
    /// When the cause happened; the letter's window is counted from it.
    pub caused_at: Timestamp,
}

/// Which letters are due now, and when to plan again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The letters due now.
    pub due: Vec<DueLetter>,
    /// The next moment at which a letter may fall due without a new event. `None` if there is none.
    pub next_due_at: Option<Timestamp>,
}

/// A letter that a state asks for.
struct LetterRequest {
    letter: DueLetter,
    /// It is due from this moment on. `None` means at once.
    from: Option<Timestamp>,
}

/// Which letters are due to a customer with this state at the moment `now`. A cause older than its
/// letter's window is expired. So the first day of an old shop, a replay and a repair send no
/// letters.
pub fn plan(state: &CustomerState, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    if !state.person.email().is_some_and(is_address) {
        // An address comes with an event, and that event plans again.
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

/// The id of the object that a letter's cause is about. Some causes also have a time or a number
/// (`id@…`), so that a second request about the same object is a cause of its own.
pub fn subject(letter: Letter, cause: &str) -> &str {
    match letter {
        // The id alone, which may contain `@` itself.
        Letter::Welcome | Letter::PaymentFailed | Letter::PaymentRecovered => cause,
        Letter::CancellationConfirmed | Letter::TrialEnding => {
            cause.rsplit_once('@').map_or(cause, |(object, _)| object)
        }
    }
}

impl DueLetter {
    /// Whether both are one letter for one cause. Requests were once named by their time; what was
    /// decided under such a name is not decided again.
    pub fn is_same(&self, other: &Self) -> bool {
        let about = |due: &Self| (subject(due.letter, &due.cause).to_owned(), due.caused_at);
        self.letter == other.letter && (self.cause == other.cause || about(self) == about(other))
    }

    /// Whether its window is open at this moment. A cause in the future counts as open: then the
    /// provider's clock is ahead of ours.
    pub fn is_timely(&self, now: Timestamp) -> bool {
        now < self.letter.window_end(self.caused_at)
    }
}

/// One welcome for each running subscription. The cause is its start, so an old subscription causes
/// no welcome when we first hear of it.
fn welcomes(state: &CustomerState) -> Vec<LetterRequest> {
    let running = state
        .subscriptions
        .iter()
        .filter(|(_, subscription)| subscription.terms.status.is_running());
    running
        .map(|(id, subscription)| immediate_request(Letter::Welcome, id, subscription.started_at))
        .collect()
}

/// One letter for each invoice that is still open after a failure. The cause is the first failure.
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

/// One letter for each paid invoice: all invoices in the state have failed once. Where credit
/// covered all of it, or all of it went back since, there is no money to thank for.
fn recovered_payments(state: &CustomerState) -> Vec<LetterRequest> {
    let recovered = |(id, invoice): (&ObjectId, &Invoice)| {
        let settled_at = invoice.settled_at?;
        let paid = invoice.state == InvoiceState::Paid && !is_checkout(state, invoice);
        let by_money = invoice.paid.is_none_or(|paid| paid.minor > 0);
        let arrived = paid && by_money && !went_back(state, id);
        arrived.then(|| immediate_request(Letter::PaymentRecovered, id, settled_at))
    };
    state.invoices.iter().filter_map(recovered).collect()
}

/// Whether the payment with this id was refunded in full.
fn went_back(state: &CustomerState, invoice: &ObjectId) -> bool {
    let mut payments = state.payments.settled();
    let payment = payments.find(|payment| payment.ids.contains(invoice));
    payment.is_some_and(|payment| {
        let paid = payment.paid().map_or(0, |paid| paid.minor);
        payment.refunded_minor() >= paid
    })
}

/// Whether an invoice failed during checkout. The checkout page shows that failure and takes
/// another card; a letter would arrive too late.
fn is_checkout(state: &CustomerState, invoice: &Invoice) -> bool {
    let subscription = invoice.subscription.as_ref();
    subscription
        .and_then(|id| state.subscriptions.get(id))
        .is_some_and(|current| current.is_checkout(invoice.failed_at))
}

/// One confirmation for each request to end a subscription, whether the end lies ahead or came at
/// once.
///
/// The cause is the number of the request, not the end that was asked for: who withdraws a request
/// and makes it again asks for the same end, and gets a second confirmation. Nor is it the time of
/// the request, which any later event about the subscription may move. An end that was set at the
/// start is a fixed term, not a cancellation. A provider that ends a subscription because nobody
/// paid may say so or not, so the letter's text depends on the reason that is known.
fn cancellations(state: &CustomerState) -> Vec<LetterRequest> {
    let request = |(id, subscription): (&ObjectId, &Subscription)| {
        let asked_at = subscription
            .canceled_at
            .filter(|at| *at > subscription.started_at)?;
        let is_ending = match subscription.terms.status {
            SubscriptionStatus::Canceled => true,
            SubscriptionStatus::IncompleteExpired | SubscriptionStatus::Incomplete => false,
            SubscriptionStatus::Trialing
            | SubscriptionStatus::Active
            | SubscriptionStatus::PastDue
            | SubscriptionStatus::Unpaid
            | SubscriptionStatus::Paused => subscription.ends_at().is_some(),
        };
        (subscription.has_begun(asked_at) && is_ending).then(|| LetterRequest {
            letter: DueLetter {
                letter: Letter::CancellationConfirmed,
                cause: format!("{id}@{}", subscription.end_requests).into(),
                caused_at: asked_at,
            },
            from: None,
        })
    };
    state.subscriptions.iter().filter_map(request).collect()
}

/// One notice for each trial that may become a paid subscription, [`TRIAL_NOTICE`] before its end.
/// While collection is paused nothing becomes paid.
/// The notice of a shorter trial is due [`AFTER_WELCOME`] after its start, because the welcome
/// names the end too. A trial of a day or less has no notice besides the welcome.
fn trial_ends(state: &CustomerState) -> Vec<LetterRequest> {
    let request = |(id, subscription): (&ObjectId, &Subscription)| {
        let trial = subscription.terms.trial?;
        let continues = subscription.terms.status == SubscriptionStatus::Trialing
            && subscription.terms.pause.is_none()
            && subscription.terms.cancel_at.is_none()
            && !subscription.terms.cancel_at_period_end;
        let notice_at = trial.end.checked_sub(TRIAL_NOTICE).unwrap_or(trial.end);
        let from = notice_at.max(after(trial.start, AFTER_WELCOME));
        (continues && from < trial.end).then(|| LetterRequest {
            letter: DueLetter {
                letter: Letter::TrialEnding,
                cause: format!("{id}@{}", trial.end).into(),
                caused_at: notice_at,
            },
            from: Some(from),
        })
    };
    state.subscriptions.iter().filter_map(request).collect()
}

fn immediate_request(letter: Letter, object: &ObjectId, caused_at: Timestamp) -> LetterRequest {
    let letter = DueLetter {
        letter,
        cause: object.as_str().into(),
        caused_at,
    };
    LetterRequest { letter, from: None }
}

fn after(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// How long after a trial's start its notice is due at the earliest.
const AFTER_WELCOME: SignedDuration = SignedDuration::from_hours(24);
