//! From Paddle's words to ours: the envelope, the one reader each type has, and who the customer
//! is.

use super::wire::metadata;
use super::{adjustment, subscription, transaction};
use crate::draft::{Draft, profile};
use crate::envelope::{Envelope, Event, Names, Vocabulary, fields, read};
use crate::provider::WireItem;
use crate::wire::{Id, Unclear};
use crate::{Outcome, Step};
use domain::reading::{Fact, Profile};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// What one verified body says.
pub(super) fn normalize(item: &WireItem<'_, '_>) -> Step<Outcome> {
    read(item, &VOCABULARY)
}

/// The types acted upon, in the order they take within one instant.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const VOCABULARY: Vocabulary = Vocabulary {
    open,
    rows: &[
        ("customer.created", 10, customer),
        ("customer.imported", 11, customer),
        ("customer.updated", 12, customer),
        ("subscription.imported", 29, subscription::seen),
        ("subscription.created", 30, subscription::seen),
        ("subscription.trialing", 32, subscription::seen),
        ("subscription.activated", 34, subscription::seen),
        ("subscription.updated", 36, subscription::seen),
        ("subscription.past_due", 37, subscription::seen),
        ("subscription.paused", 38, subscription::seen),
        ("subscription.resumed", 39, subscription::seen),
        ("transaction.payment_failed", 50, transaction::seen),
        ("transaction.past_due", 51, transaction::seen),
        ("transaction.canceled", 53, transaction::seen),
        ("transaction.paid", 56, transaction::seen),
        ("transaction.completed", 57, transaction::seen),
        ("adjustment.created", 70, adjustment::seen),
        ("adjustment.updated", 72, adjustment::seen),
        ("subscription.canceled", 90, subscription::seen),
    ],
    names: &[
        ("customer.", Names { customer: "id", behind: &[] }),
        ("adjustment.", Names { customer: "customer_id", behind: &["transaction_id"] }),
        ("", Names { customer: "customer_id", behind: &["id"] }),
    ],
};

fn open<'a>(item: &WireItem<'a, '_>, text: &'a str) -> Result<Envelope<'a>, Unclear> {
    let told: Told<'a> = fields(text)?;
    let id = told.event_id.0.as_str();
    Ok(Envelope {
        id: item.account.event(id),
        kind: told.event_type,
        at: ("event.occurred_at", told.occurred_at),
        live: id.starts_with(SIMULATED).then_some(false),
        data: told.data,
    })
}

#[derive(Deserialize)]
struct Told<'a> {
    event_id: Id,
    event_type: Arc<str>,
    #[serde(borrow, default)]
    occurred_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// `customer.created`, `customer.imported`, `customer.updated`. An archived customer is still one.
fn customer<'a>(event: &Event<'a>) -> Result<Draft<'a>, Unclear> {
    let told: Customer<'_> = event.data()?;
    let mut draft = event.draft(Some(&told.id.0), &[])?;
    draft.tell(Fact::Profile(Profile {
        whole: true,
        locale: told.locale,
        ..profile(told.email, told.name, None)
    }));
    draft.read_metadata(metadata(told.custom_data).as_ref());
    Ok(draft)
}

#[derive(Deserialize)]
struct Customer<'a> {
    id: Id,
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    locale: Option<Arc<str>>,
    #[serde(borrow, default)]
    custom_data: Option<&'a RawValue>,
}

const SIMULATED: &str = "ntfsimevt_";
