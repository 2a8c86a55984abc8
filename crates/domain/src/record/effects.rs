//! What follows from a record, and how much of it is written at a time.

use crate::ids::{CustomerKey, Reference};
use crate::letter::plan::DueLetter;
use crate::partner::first_payment::FirstPaymentAnnouncement;
use crate::partner::ledger::CommissionRow;
use crate::partner::referral_status::ReferralStatusRow;
use crate::record::entry::Entry;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many effects a record takes in before it is written. A fold of a whole journal may decide
/// thousands; the table refuses an item of more than 400 KB, and a process must come to the end of
/// them before it is stopped.
pub const MAX_PENDING: usize = 250;

/// What follows from a record: a row that is put if absent, under a key made of its cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// This reference leads to this customer.
    Alias(Reference),
    /// This letter is due.
    Letter(DueLetter),
    /// Of this guest's events each belongs in that customer's journal.
    HandOver(CustomerKey),
    /// This row belongs in a partner's ledger.
    Commission(Box<CommissionRow>),
    /// This is the new status of a partner's referral.
    ReferralStatus(Box<ReferralStatusRow>),
    /// The person's other customers are to hear when this one first paid.
    FirstPayment(Box<FirstPaymentAnnouncement>),
}

impl Effect {
    /// The reference that leads to the customer, if it is that.
    pub(super) fn alias(&self) -> Option<&Reference> {
        match self {
            Self::Alias(reference) => Some(reference),
            Self::HandOver(_)
            | Self::Letter(_)
            | Self::Commission(_)
            | Self::ReferralStatus(_)
            | Self::FirstPayment(_) => None,
        }
    }
}

/// What follows from a record and did not fit into its pending effects. Whoever has put those
/// derives the next ones from the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remainder {
    /// Rows of ledgers, and then every alias. A fold of the whole journal decides the next rows.
    Rows,
    /// Aliases, in their order.
    Aliases {
        /// The last one that was set; none when the first one is next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Reference>,
    },
}

/// The references that these entries reveal.
pub(super) fn references<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> BTreeSet<&'a Reference> {
    let entries = entries.into_iter();
    entries.flat_map(|entry| &entry.event.references).collect()
}

/// The same of a journal.
pub(super) fn journal_references(journal: &[Arc<Entry>]) -> BTreeSet<&Reference> {
    references(journal.iter().map(AsRef::as_ref))
}

/// Aliases in their order, as many as there is room for, and what remains then.
pub(super) fn next_aliases(
    references: &BTreeSet<&Reference>,
    after: Option<&Reference>,
    room: usize,
) -> (Vec<Effect>, Option<Remainder>) {
    let passed = |reference: &&&Reference| after.is_some_and(|after| **reference <= after);
    let mut rest = references.iter().skip_while(passed);
    let page: Vec<&Reference> = rest.by_ref().take(room).copied().collect();
    let remainder = rest.next().map(|_| Remainder::Aliases {
        after: page.last().copied().or(after).cloned(),
    });
    let page = page.into_iter().cloned().map(Effect::Alias);
    (page.collect(), remainder)
}
