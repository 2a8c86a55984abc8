//! Cause and effect: what each event changed in its customer's record, told by folding step by
//! step and comparing what people are shown of the record before and after.

use crate::snapshots::{StateSnapshot, fold_events};
use domain::catalog::Catalog;
use domain::event::NormalizedEvent;
use domain::ids::CustomerKey;
use domain::letter::plan::DueLetter;
use domain::letter::plan::plan;
use domain::payment::amounts::OtherCurrencyPart;
use domain::record::Entry;
use domain::state::CustomerState;
use domain::view::{CustomerView, PaymentView};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What one event did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EventEffect {
    /// What is different in the record.
    pub(crate) changes: Vec<FieldChange>,
    /// Letters that came to be due by it.
    pub(crate) letters: Vec<NewLetter>,
}

/// One field of the record, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldChange {
    /// Of what: `subscription sub_1`, `payment pi_1`, `customer`.
    pub(crate) object: String,
    /// Which field, as the record's JSON calls it.
    pub(crate) field: String,
    /// Before; none when it is new.
    pub(crate) before: Option<String>,
    /// After; none when it is gone.
    pub(crate) after: Option<String>,
}

/// A letter that an event makes due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NewLetter {
    /// Which.
    pub(crate) letter: &'static str,
    /// About what.
    pub(crate) cause: Arc<str>,
    /// Whether its window was still open when the event arrived.
    pub(crate) timely: bool,
}

/// The journal in the order of the fold.
pub(crate) fn in_fold_order(journal: &[Arc<Entry>]) -> Vec<Arc<Entry>> {
    let mut sorted = journal.to_vec();
    sorted.sort_by_cached_key(|entry| entry.event.position());
    sorted
}

/// What each of these events did; `sorted` is the whole journal in the order of the fold, and
/// `moments` are its moments.
pub(crate) fn effects(
    customer: &CustomerKey,
    sorted: &[Arc<Entry>],
    moments: &[StateSnapshot],
    range: Range<usize>,
    catalog: &Catalog,
) -> Vec<EventEffect> {
    let shown = |state: &CustomerState| {
        view_fields(&CustomerView::new(customer, state, catalog, vec![], &[]))
    };
    let first = moments.partition_point(|moment| moment.events.end <= range.start);
    let moments = moments.iter().skip(first);
    let mut steps = Vec::new();
    for moment in moments.take_while(|moment| moment.events.start < range.end) {
        let entries = sorted.get(moment.events.clone()).unwrap_or_default();
        let readings: Vec<&NormalizedEvent> = entries.iter().map(|entry| &entry.event).collect();
        let (mut state, mut before) = (moment.before.clone(), shown(&moment.before));
        for ((at, entry), upto) in moment.events.clone().zip(entries).zip(1..) {
            if at >= range.end {
                break;
            }
            // A second statement of one moment may change what the first came to.
            let next = if state.ties_with(&entry.event) {
                fold_events(&moment.before, readings.get(..upto).unwrap_or_default())
            } else {
                fold_events(&state, &[&entry.event])
            };
            let now = shown(&next);
            if at >= range.start {
                steps.push(EventEffect {
                    changes: compare(&before, &now),
                    letters: new_letters(&state, &next, entry),
                });
            }
            (state, before) = (next, now);
        }
    }
    steps
}

/// What is due after and was not before, at the moment of the event: its window is another
/// question.
pub(crate) fn new_letters(
    before: &CustomerState,
    after: &CustomerState,
    entry: &Entry,
) -> Vec<NewLetter> {
    let at = entry.event.occurred_at;
    let former = plan(before, at).due;
    let is_new = |due: &DueLetter| !former.iter().any(|former| former.is_same(due));
    let due = plan(after, at).due.into_iter().filter(is_new);
    due.map(|due| NewLetter {
        letter: due.letter.as_str(),
        cause: due.cause.clone(),
        timely: due.is_timely(entry.received_at),
    })
    .collect()
}

pub(crate) type ViewFields = BTreeMap<(String, String), String>;

/// What people are shown of a record, field by field.
pub(crate) fn view_fields(view: &CustomerView) -> ViewFields {
    let mut fields = ViewFields::new();
    insert_fields(&mut fields, "customer", json(&view.customer));
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
        insert_fields(&mut fields, &format!("subscription {}", known.id), shown);
    }
    for payment in &view.payments {
        let id = payment
            .id
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        insert_fields(
            &mut fields,
            &format!("payment {id}"),
            payment_fields(payment),
        );
    }
    for invoice in &view.failed_invoices {
        let mut shown = json(invoice);
        if let Some(shown) = shown.as_object_mut() {
            for part in ["amount_minor", "currency", "exponent"] {
                shown.remove(part);
            }
            shown.insert("due".into(), local_shop::amounts::money(invoice.due).into());
        }
        insert_fields(&mut fields, &format!("invoice {}", invoice.id), shown);
    }
    if let Some(came) = &view.attribution {
        insert_fields(&mut fields, "attribution", json(came));
    }
    for code in &view.referral_codes {
        fields.insert(("referral code".into(), code.to_string()), "seen".into());
    }
    fields
}

fn payment_fields(payment: &PaymentView) -> Value {
    let mut shown = serde_json::Map::new();
    for (name, part, minor) in [
        ("paid", OtherCurrencyPart::Payment, payment.paid.minor),
        (
            "refunded",
            OtherCurrencyPart::Refund,
            payment.refunded_minor,
        ),
        (
            "disputed",
            OtherCurrencyPart::Dispute,
            payment.disputed_minor,
        ),
    ] {
        if let Some(text) = local_shop::amounts::part(payment, part, minor) {
            shown.insert(name.into(), text.into());
        }
    }
    for dispute in &payment.disputes {
        shown.insert(
            format!("dispute {}", dispute.id),
            serde_json::json!(dispute.state),
        );
    }
    if payment.unlinked {
        shown.insert("unlinked".into(), true.into());
    }
    Value::Object(shown)
}

/// Any part of the view as the record's JSON has it.
fn json(shown: &impl Serialize) -> Value {
    serde_json::to_value(shown).unwrap_or_default()
}

fn insert_fields(fields: &mut ViewFields, of: &str, shown: Value) {
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

pub(crate) fn compare(before: &ViewFields, after: &ViewFields) -> Vec<FieldChange> {
    let change = |(of, field): &(String, String),
                  before: Option<&String>,
                  after: Option<&String>| FieldChange {
        object: of.clone(),
        field: field.clone(),
        before: before.cloned(),
        after: after.cloned(),
    };
    let mut changes: Vec<FieldChange> = before
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
    changes.sort_by(|a, b| (&a.object, &a.field).cmp(&(&b.object, &b.field)));
    changes
}
