//! What the record keeps of invoices that failed at least once, and how snapshots change it.

use crate::ids::ObjectId;
use crate::money::Money;
use crate::payment::payments::{PaymentSource, Payments};
use crate::payment::snapshot::{InvoiceSnapshot, InvoiceState, NextAttempt, SourceKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A customer's invoices that failed at least once, by id.
pub type Invoices = BTreeMap<ObjectId, Invoice>;

/// How many invoices stay in the record: the latest ones.
const MAX_INVOICES: usize = 8;

/// An invoice that failed at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its state.
    pub state: InvoiceState,
    /// The subscription that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
    /// The amount to be collected.
    pub due: Money,
    /// When it first failed.
    pub failed_at: Timestamp,
    /// The number of attempts to collect it.
    #[serde(default)]
    pub attempts: u32,
    /// Whether the provider tries again.
    #[serde(flatten)]
    pub next_attempt: NextAttempt,
    /// When it was paid or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// What was paid of it in the end, where an event says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Money>,
}

/// Applies an event's snapshot of an invoice. An invoice enters the state when it fails; later
/// snapshots settle it. An invoice that never failed is not kept.
pub(crate) fn apply_snapshot(
    invoices: &mut Invoices,
    payments: &mut Payments,
    snapshot: &InvoiceSnapshot,
    at: Timestamp,
) {
    let is_invoice = |source: &PaymentSource| source.source_kind == SourceKind::Invoice;
    let payment = payments.find(&snapshot.id);
    let paid = payment.is_some_and(|payment| payment.sources.iter().any(is_invoice));
    let fails = match snapshot.state {
        InvoiceState::Failed | InvoiceState::ActionRequired => !paid,
        InvoiceState::Paid | InvoiceState::Voided | InvoiceState::Uncollectible => false,
    };
    if fails {
        add_failure(invoices, snapshot, at);
    } else {
        settle(invoices, snapshot, paid, at);
    }
}

fn settle(invoices: &mut Invoices, snapshot: &InvoiceSnapshot, paid: bool, at: Timestamp) {
    for (id, invoice) in invoices {
        let of_all = snapshot.covers_whole_subscription()
            && invoice.subscription == snapshot.subscription
            && invoice.settled_at.is_none();
        if *id == snapshot.id || of_all {
            let state = if paid {
                InvoiceState::Paid
            } else {
                snapshot.state
            };
            invoice.next_attempt = NextAttempt::Unknown;
            invoice.paid = snapshot.paid.or(invoice.paid);
            // What was given up and then paid is settled when it is paid; nothing undoes that.
            if invoice.settled_at.is_none() || state > invoice.state {
                invoice.state = state;
                invoice.settled_at = Some(at);
            }
        }
    }
}

fn add_failure(invoices: &mut Invoices, snapshot: &InvoiceSnapshot, at: Timestamp) {
    let current = invoices.get(&snapshot.id);
    let failed_at = current.map_or(at, |invoice| invoice.failed_at);
    let invoice = Invoice {
        state: snapshot.state,
        subscription: snapshot.subscription.clone(),
        due: snapshot.due,
        failed_at,
        attempts: snapshot.attempts,
        next_attempt: snapshot.next_attempt,
        settled_at: None,
        paid: None,
    };
    invoices.insert(snapshot.id.clone(), invoice);
    drop_old(invoices);
}

fn drop_old(invoices: &mut Invoices) {
    while invoices.len() > MAX_INVOICES {
        let oldest = invoices.iter().min_by_key(|(id, i)| (i.failed_at, *id));
        let Some(oldest) = oldest.map(|(id, _)| id.clone()) else {
            return;
        };
        invoices.remove(&oldest);
    }
}
