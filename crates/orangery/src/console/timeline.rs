//! Cause and effect: what each event changed in its customer's record, told by folding step by
//! step and comparing what people are shown of the record before and after.

use domain::catalog::Catalog;
use domain::fold::fold_whole;
use domain::ids::{CustomerKey, ObjectId};
use domain::payments::{Payment, Payments};
use domain::plan::plan;
use domain::reading::{Fact, Reading};
use domain::record::{Decided, Entry};
use domain::state::State;
use domain::view::CustomerView;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What one event did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    /// What is different in the record.
    pub(crate) changes: Vec<Change>,
    /// Letters that came to be due by it.
    pub(crate) letters: Vec<Due>,
}

/// One field of the record, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// Of what: `subscription sub_1`, `payment pi_1`, `customer`.
    pub(crate) of: String,
    /// Which field, as the record's JSON calls it.
    pub(crate) field: String,
    /// Before; none when it is new.
    pub(crate) before: Option<String>,
    /// After; none when it is gone.
    pub(crate) after: Option<String>,
}

/// A letter that an event makes due.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Due {
    /// Which.
    pub(crate) letter: &'static str,
    /// About what.
    pub(crate) cause: Arc<str>,
    /// Whether its window was still open when the event arrived.
    pub(crate) timely: bool,
}

/// The journal in the order of the fold.
pub(crate) fn sorted(journal: &[Arc<Entry>]) -> Vec<Arc<Entry>> {
    let mut sorted = journal.to_vec();
    sorted.sort_by_cached_key(|entry| entry.reading.position());
    sorted
}

/// What each of these events did; `sorted` is the whole journal in the order of the fold.
pub(crate) fn steps(
    customer: &CustomerKey,
    sorted: &[Arc<Entry>],
    range: Range<usize>,
    catalog: &Catalog,
) -> Vec<Step> {
    let before = sorted.get(..range.start).unwrap_or_default();
    let mut state = fold_whole(before.iter().map(|entry| &entry.reading));
    let shown = |state: &State| fields(&CustomerView::new(customer, state, catalog, vec![], &[]));
    let mut steps = Vec::new();
    for at in range {
        let Some((entry, upto)) = sorted.get(at).zip(sorted.get(..=at)) else {
            break;
        };
        let reading = &entry.reading;
        let former = plan(&state, reading.occurred_at).due;
        let (touched, others) = parted(state, reading);
        let before = shown(&touched);
        let (next, now) = match follow(touched, reading) {
            Some(touched) => {
                let now = shown(&touched);
                (together(touched, others), now)
            }
            None => {
                let next = fold_whole(upto.iter().map(|entry| &entry.reading));
                let (touched, others) = parted(next, reading);
                let now = shown(&touched);
                (together(touched, others), now)
            }
        };
        steps.push(Step {
            changes: compare(&before, &now),
            letters: due(&former, &next, reading, entry.received_at),
        });
        state = next;
    }
    steps
}

/// The record forgets old payments; here they are all kept, so only those that the reading may
/// touch are handed to the fold, and only they can differ.
fn parted(mut state: State, reading: &Reading) -> (State, Vec<Payment>) {
    let ids = named(reading);
    let touched = |payment: &Payment| {
        let mut refunds = payment.refunds.iter();
        payment.ids.iter().any(|id| ids.contains(&id))
            || payment.told.iter().any(|told| ids.contains(&&told.id))
            || payment.disputes.keys().any(|id| ids.contains(&id))
            || payment.refunded_so_far.keys().any(|id| ids.contains(&id))
            || refunds.any(|(id, refund)| {
                ids.contains(&id) || refund.payment.iter().any(|id| ids.contains(&id))
            })
    };
    let payments = std::mem::take(&mut state.payments.open);
    let (open, others) = payments.into_iter().partition(touched);
    state.payments = Payments { open, closed: 0 };
    (state, others)
}

fn together(mut state: State, mut others: Vec<Payment>) -> State {
    others.append(&mut state.payments.open);
    others.sort_by_cached_key(|payment| (payment.paid_at(), payment.first_told_at));
    state.payments.open = others;
    state
}

/// The state with one more reading. None where it ties with a former one or can't be digested:
/// then the journal is to be folded up to it.
fn follow(state: State, reading: &Reading) -> Option<State> {
    if state.must_refold(reading) {
        return None;
    }
    let mut next = state.follow(reading)?;
    next.payments.closed = 0;
    Some(next)
}

/// Every id by which a reading may name a payment.
fn named(reading: &Reading) -> Vec<&ObjectId> {
    let mut ids = Vec::new();
    for fact in &reading.facts {
        match fact {
            Fact::Payment(seen) => ids.extend(&seen.ids),
            Fact::SamePayment { ids: same } => ids.extend(same),
            Fact::RefundedSoFar { ids: of, .. } => ids.extend(of),
            Fact::Refund(seen) => ids.extend(seen.payment.iter().chain([&seen.id])),
            Fact::Dispute(seen) => ids.extend(seen.payment.iter().chain([&seen.id])),
            Fact::Invoice(seen) => ids.push(&seen.id),
            Fact::Profile(_)
            | Fact::CustomerDeleted
            | Fact::Subscription(_)
            | Fact::Referral(_)
            | Fact::ReferralCanceled { .. }
            | Fact::ReferralCode { .. }
            | Fact::Waiting { .. }
            | Fact::Unclear { .. } => {}
        }
    }
    ids
}

/// What is due after and was not before, at the moment of the event: its window is another
/// question.
fn due(former: &[Decided], after: &State, reading: &Reading, received_at: Timestamp) -> Vec<Due> {
    let at = reading.occurred_at;
    let is_new = |due: &Decided| {
        !former
            .iter()
            .any(|former| former.letter == due.letter && former.cause == due.cause)
    };
    let due = plan(after, at).due.into_iter().filter(is_new);
    due.map(|due| Due {
        letter: due.letter.as_str(),
        cause: due.cause.clone(),
        timely: due.is_timely(received_at),
    })
    .collect()
}

type Fields = BTreeMap<(String, String), String>;

/// What people are shown of a record, field by field.
fn fields(view: &CustomerView) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "customer", json(&view.customer));
    for known in &view.subscriptions {
        let mut shown = json(known);
        let items: Vec<String> = known
            .items
            .iter()
            .map(|item| {
                let name = item.product.as_ref().unwrap_or(&item.price);
                format!("{name} × {}", item.quantity.unwrap_or(1))
            })
            .collect();
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("items".into(), items.join(", ").into());
        }
        put(&mut fields, &format!("subscription {}", known.id), shown);
    }
    for payment in &view.payments {
        let id = payment
            .id
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let mut shown = serde_json::Map::new();
        let amount = |minor| crate::customer::amount(payment, minor);
        shown.insert("paid".into(), amount(payment.paid.minor).into());
        if payment.refunded_minor != 0 {
            shown.insert("refunded".into(), amount(payment.refunded_minor).into());
        }
        if payment.disputed_minor != 0 {
            shown.insert("disputed".into(), amount(payment.disputed_minor).into());
        }
        put(&mut fields, &format!("payment {id}"), Value::Object(shown));
    }
    for invoice in &view.failed_invoices {
        put(
            &mut fields,
            &format!("invoice {}", invoice.id),
            json(invoice),
        );
    }
    if let Some(came) = &view.attribution {
        put(&mut fields, "attribution", json(came));
    }
    for code in &view.referral_codes {
        fields.insert(("referral code".into(), code.to_string()), "seen".into());
    }
    fields
}

/// Any part of the view as the record's JSON has it.
fn json(shown: &impl Serialize) -> Value {
    serde_json::to_value(shown).unwrap_or_default()
}

fn put(fields: &mut Fields, of: &str, shown: Value) {
    let Value::Object(shown) = shown else { return };
    for (name, value) in shown {
        let text = match value {
            Value::Null | Value::Bool(false) => continue,
            Value::String(text) => text,
            other @ (Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                other.to_string()
            }
        };
        if name != "id" {
            fields.insert((of.to_owned(), name), text);
        }
    }
}

fn compare(before: &Fields, after: &Fields) -> Vec<Change> {
    let change =
        |(of, field): &(String, String), before: Option<&String>, after: Option<&String>| Change {
            of: of.clone(),
            field: field.clone(),
            before: before.cloned(),
            after: after.cloned(),
        };
    let mut changes: Vec<Change> = before
        .iter()
        .filter(|(key, _)| !after.contains_key(*key))
        .map(|(key, value)| change(key, Some(value), None))
        .collect();
    for (key, value) in after {
        let former = before.get(key);
        if former != Some(value) {
            changes.push(change(key, former, Some(value)));
        }
    }
    changes.sort_by(|a, b| (&a.of, &a.field).cmp(&(&b.of, &b.field)));
    changes
}
