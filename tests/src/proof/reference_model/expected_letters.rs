//! Letters: which ones a state asks for, by the rules as people would say them.

use domain::ids::{CustomerKey, ObjectId};
use domain::letter::{Letter, TRIAL_NOTICE};
use domain::payment::invoice::Invoice;
use domain::payment::snapshot::InvoiceState;
use domain::state::CustomerState;
use domain::subscription::state::Subscription;
use domain::subscription::terms::SubscriptionStatus as Status;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use store::Key;

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
            let cause = format!("{id}@{}", known.end_requests);
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
                (InvoiceState::Paid, Some(paid)) if money_arrived(state, id, invoice) => {
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
    known.is_some_and(|known| is_checkout(known, invoice.failed_at))
}

/// A checkout lasts until what it is for begins; where nobody saw it before that, a day.
fn is_checkout(known: &Subscription, at: Timestamp) -> bool {
    match (known.began_incomplete, known.activated_at) {
        (true, began) => began.is_none_or(|began| at < began),
        (false, _) => at < known.started_at + DAY,
    }
}

/// Whether there is money to thank for: not where credit paid, nor where all of it went back.
fn money_arrived(state: &CustomerState, id: &ObjectId, invoice: &Invoice) -> bool {
    let by_credit = invoice.paid.is_some_and(|paid| paid.minor == 0);
    let mut payments = state.payments.settled();
    let payment = payments.find(|payment| payment.ids.contains(id));
    let all_back = payment.is_some_and(|payment| {
        let paid = payment.paid().expect("it is settled").minor;
        payment.refunded_minor() >= paid
    });
    !by_credit && !all_back
}

/// The moment at which somebody asked for the end of what had begun.
fn end_requested_at(known: &Subscription) -> Option<Timestamp> {
    let asked = known.canceled_at.filter(|at| *at > known.started_at)?;
    let terms = &known.terms;
    let began = known.activated_at.is_some() || !is_checkout(known, asked);
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
    let stays = terms.cancel_at.is_none() && !terms.cancel_at_period_end && terms.pause.is_none();
    let from = (trial.end - TRIAL_NOTICE).max(trial.start + DAY);
    let goes_on = terms.status == Status::Trialing && stays && from < trial.end;
    goes_on.then_some((from, trial.end))
}
