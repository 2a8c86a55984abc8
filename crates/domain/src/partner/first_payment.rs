//! The first payment of a person. A program that pays for the first payment, or for some months
//! from it, counts them by person: who buys as a guest is another customer each time.
//!
//! A fold must not read other customers. So each customer on whom such a program may earn announces
//! when it first paid, under its names, and hears when the person's others did. Nothing is earned
//! before it has heard, so that two who pay at once do not both earn.

use crate::ids::{CustomerKey, Reference};
use crate::partner::attribution::Partners;
use crate::partner::program::CommissionDuration;
use crate::payment::payments::Payments;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// When a customer first paid. The earlier one comes first in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FirstPayment {
    /// When the money arrived.
    pub paid_at: Timestamp,
    /// The customer.
    pub customer: CustomerKey,
}

/// What a customer tells the others with one of its names: an effect of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstPaymentAnnouncement {
    /// Under which names.
    pub names: BTreeSet<Reference>,
    /// When it first paid. `None` when that money did not arrive after all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// What it announced before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// When it was decided, by our clock. A later announcement replaces an earlier one.
    pub at: Timestamp,
}

/// What a record has announced, and what it has heard. It is bookkeeping: both stand in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonPayments {
    /// When the customer first paid, as announced last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Timestamp>,
    /// Under how many names. Names are only added.
    #[serde(default)]
    pub names: usize,
    /// The person's earliest payment, as heard last; it may be the customer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest: Option<FirstPayment>,
}

impl Partners {
    /// Whether what the customer's payments earn depends on the person's other customers.
    pub fn counts_per_person(&self) -> bool {
        let mut terms = self.attribution_terms.values();
        let by_first = terms.any(|terms| match terms.program.duration {
            CommissionDuration::FirstPayment | CommissionDuration::Months(_) => true,
            CommissionDuration::Life => false,
        });
        by_first && !self.names.is_empty()
    }
}

impl PersonPayments {
    /// Whether nothing was announced or heard.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The person's first payment, where the customer's own is `own`. `None` before the others were
    /// heard.
    pub(crate) fn first(
        &self,
        customer: &CustomerKey,
        partners: &Partners,
        own: Timestamp,
    ) -> Option<FirstPayment> {
        let own = FirstPayment {
            paid_at: own,
            customer: customer.clone(),
        };
        if !partners.counts_per_person() {
            return Some(own);
        }
        let heard = self.earliest.as_ref()?;
        if heard.customer == *customer || own < *heard {
            Some(own)
        } else {
            Some(heard.clone())
        }
    }

    /// What is to be announced, and this with it.
    pub(crate) fn reconcile(
        &self,
        partners: &Partners,
        payments: &Payments,
        now: Timestamp,
    ) -> (Self, Option<FirstPaymentAnnouncement>) {
        // Where the partners' terms change, what was announced may have to be taken back.
        let paid_at = partners
            .first_paid_at(payments)
            .filter(|_| partners.counts_per_person());
        let names = if paid_at.is_some() {
            partners.names.len()
        } else {
            self.names
        };
        if (paid_at, names) == (self.announced, self.names) {
            return (self.clone(), None);
        }
        let announcement = FirstPaymentAnnouncement {
            names: partners.names.clone(),
            paid_at,
            before: self.announced,
            at: now,
        };
        let next = Self {
            announced: paid_at,
            names,
            earliest: self.earliest.clone(),
        };
        (next, Some(announcement))
    }
}
