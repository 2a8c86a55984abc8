//! One enum over every kind of item, for whoever reads all kinds.

use crate::items::key::Key;
use crate::journal::audit_cursor::Cursor;
use crate::letters::row::LetterRow;
use crate::partner::delivery_row::DeliveryState;
use crate::partner::endpoint_row::NoticeEndpoint;
use crate::partner::partner_row::PartnerRow;
use crate::partner::payout_rows::{BankRow, TransferBatch};
use crate::partner::report_row::{ReportIndex, StoredReport};
use domain::ids::{CustomerKey, Reference};
use domain::partner::ledger::CommissionRow;
use domain::partner::payout::Payout;
use domain::partner::referral_status::ReferralStatusRow;
use domain::record::{Entry, Record};
use jiff::Timestamp;
use std::sync::Arc;

/// One item, typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A journal entry in its customer's partition.
    Entry(CustomerKey, Arc<Entry>),
    /// A customer's record.
    Record(Arc<Record>),
    /// A reference leads to a customer.
    Alias(Reference, CustomerKey),
    /// An entry waits under a reference for the customer it leads to.
    Parked(Reference, Arc<Entry>),
    /// A letter: owed, claimed, sent or given up.
    Letter(Arc<LetterRow>),
    /// A partner.
    Partner(Arc<PartnerRow>),
    /// A row of a partner's ledger.
    Commission(Arc<CommissionRow>),
    /// What a partner was paid on a day.
    Payout(Arc<Payout>),
    /// Where a partner's money goes.
    Bank(Arc<BankRow>),
    /// A message to the bank.
    TransferBatch(Arc<TransferBatch>),
    /// How a partner's report stands.
    ReferralStatus(Arc<ReferralStatusRow>),
    /// What a partner's door has heard.
    Report(ReportIndex, Arc<StoredReport>),
    /// Where a partner wants to be told of its rows.
    NoticeEndpoint(Arc<NoticeEndpoint>),
    /// What a partner was told of one of its rows.
    DeliveryState(Arc<DeliveryState>),
    /// Where the audit stands.
    Cursor(Arc<Cursor>),
}

impl Item {
    /// Its key.
    pub fn key(&self) -> Key {
        match self {
            Self::Entry(customer, entry) => Key::entry(customer, &entry.event.id),
            Self::Record(record) => Key::record(&record.customer),
            Self::Alias(reference, customer) => Key::alias(reference, customer),
            Self::Parked(reference, entry) => Key::parked(reference, &entry.event.id),
            Self::Letter(row) => Key::letter(&row.customer, row.letter, &row.cause),
            Self::Partner(row) => Key::partner(&row.partner),
            Self::Commission(row) => Key::commission(row),
            Self::Payout(payout) => Key::payout(&payout.partner, payout.n),
            Self::Bank(row) => Key::bank(&row.partner),
            Self::TransferBatch(message) => Key::transfer_batch(message.date, message.n),
            Self::ReferralStatus(row) => Key::referral_status(row),
            Self::Report(place, report) => Key::report(*place, report),
            Self::NoticeEndpoint(endpoint) => Key::notice_endpoint(&endpoint.partner),
            Self::DeliveryState(told) => Key::delivery_state(&told.partner, &told.row),
            Self::Cursor(_) => Key::audit_cursor(),
        }
    }

    /// The journal entry it is.
    pub fn into_entry(self) -> Option<Arc<Entry>> {
        if let Self::Entry(_, entry) = self {
            Some(entry)
        } else {
            None
        }
    }

    /// The customer it leads to as an alias.
    pub fn into_alias_target(self) -> Option<CustomerKey> {
        if let Self::Alias(_, customer) = self {
            Some(customer)
        } else {
            None
        }
    }

    /// The partner it is.
    pub fn into_partner(self) -> Option<Arc<PartnerRow>> {
        if let Self::Partner(row) = self {
            Some(row)
        } else {
            None
        }
    }

    /// The ledger row it is.
    pub fn into_commission(self) -> Option<Arc<CommissionRow>> {
        if let Self::Commission(row) = self {
            Some(row)
        } else {
            None
        }
    }

    /// The payout it is.
    pub fn into_payout(self) -> Option<Arc<Payout>> {
        if let Self::Payout(payout) = self {
            Some(payout)
        } else {
            None
        }
    }

    /// How a partner's report stands, if it says so.
    pub fn into_referral_status(self) -> Option<Arc<ReferralStatusRow>> {
        if let Self::ReferralStatus(row) = self {
            Some(row)
        } else {
            None
        }
    }

    /// The message to the bank it is.
    pub fn into_transfer_batch(self) -> Option<Arc<TransferBatch>> {
        if let Self::TransferBatch(message) = self {
            Some(message)
        } else {
            None
        }
    }

    /// The report it is.
    pub fn into_report(self) -> Option<Arc<StoredReport>> {
        if let Self::Report(_, report) = self {
            Some(report)
        } else {
            None
        }
    }

    /// Its version, for items that have one.
    pub fn version(&self) -> Option<u64> {
        match self {
            Self::Record(record) => Some(record.version),
            Self::Letter(row) => Some(row.version),
            Self::Partner(row) => Some(row.version),
            Self::Bank(row) => Some(row.version),
            Self::NoticeEndpoint(endpoint) => Some(endpoint.version),
            Self::DeliveryState(told) => Some(told.version),
            Self::Cursor(cursor) => Some(cursor.version),
            Self::Entry(..) | Self::Alias(..) | Self::Parked(..) | Self::Commission(_) => None,
            Self::Payout(_)
            | Self::TransferBatch(_)
            | Self::ReferralStatus(_)
            | Self::Report(..) => None,
        }
    }
}

impl Item {
    /// When it asks to be looked at, for items that do: all that the index knows.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Record(record) => record.next_due_at,
            Self::DeliveryState(told) => told.next_due_at,
            Self::Entry(..)
            | Self::Alias(..)
            | Self::Parked(..)
            | Self::Letter(_)
            | Self::Partner(_)
            | Self::Commission(_)
            | Self::Payout(_)
            | Self::Bank(_)
            | Self::TransferBatch(_)
            | Self::ReferralStatus(_)
            | Self::Report(..)
            | Self::NoticeEndpoint(_)
            | Self::Cursor(_) => None,
        }
    }
}
