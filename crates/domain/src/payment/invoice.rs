//! Invoices that could not be collected at once: the part of a customer's state that they change.

use crate::ids::ObjectId;
use crate::money::Money;
use crate::payment::payments::Payments;
use crate::payment::snapshot::{InvoiceSnapshot, InvoiceState, SourceKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A customer's invoices that failed at least once, by id.
pub type Invoices = BTreeMap<ObjectId, Invoice>;

/// Invoices that stay in the record, the latest ones.
const MAX_INVOICES: usize = 8;

/// An invoice that failed at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// How it stands.
    pub state: InvoiceState,
    /// Of which subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<ObjectId>,
    /// What was owed when it failed.
    pub due: Money,
    /// When it first failed.
    pub failed_at: Timestamp,
    /// How often collection was tried.
    #[serde(default)]
    pub attempts: u32,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was paid or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
}

/// Applies what an event says of an invoice: a failure is kept until it is settled.
pub(crate) fn apply_snapshot(
    invoices: &mut Invoices,
    payments: &Payments,
    snapshot: &InvoiceSnapshot,
    at: Timestamp,
) {
    let paid = payments.open.iter().any(|payment| {
        payment
            .sources
            .iter()
            .any(|source| source.source_kind == SourceKind::Invoice && source.id == snapshot.id)
    });
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
            invoice.state = if paid {
                InvoiceState::Paid
            } else {
                snapshot.state
            };
            invoice.next_attempt_at = None;
            invoice.settled_at = invoice.settled_at.or(Some(at));
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
        next_attempt_at: snapshot.next_attempt_at,
        settled_at: None,
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
