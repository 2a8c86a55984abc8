//! One enum over every kind of item, for whoever reads all kinds: stream, scan and audit.

use crate::error::StoreError;
use crate::items::attributes::{
    Attributes, LARGEST_ITEM, item_bytes, key_attributes, key_of, text,
};
use crate::items::due_index::{due_shard, due_shard_name};
use crate::items::format::{FORMAT, StoredFormat};
use crate::items::key::Key;
use crate::items::stored_item::StoredItem;
use crate::items::unreadable::UnreadableItem;
use crate::journal::audit_cursor::Cursor;
use crate::journal::closed_bucket::ClosedBucket;
use crate::journal::fan_out_row::FanOut;
use crate::journal::first_payment_row::FirstPaymentRow;
use crate::journal::rows::{Alias, JournalEntry, ParkedEntry};
use crate::letters::row::LetterRow;
use crate::partner::delivery_row::DeliveryState;
use crate::partner::endpoint_row::NoticeEndpoint;
use crate::partner::partner_row::PartnerRow;
use crate::partner::payout_rows::{BankRow, TransferBatch};
use crate::partner::report_row::{ReportIndex, ReportRow, StoredReport};
use crate::shop::root_row::RootRow;
use crate::shop::shop_key_row::ShopKeyRow;
use crate::usage::page_row::UsagePageRow;
use crate::usage::parked_usage::ParkedUsage;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::{CustomerKey, Reference};
use domain::notice::Notice;
use domain::notice::shop::row::ShopNoticeRow;
use domain::partner::ledger::CommissionRow;
use domain::partner::payout::Payout;
use domain::partner::referral_status::ReferralStatusRow;
use domain::record::checkpoint::Checkpoint;
use domain::record::{Entry, Record};
use jiff::Timestamp;
use std::sync::Arc;

/// One item of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A journal entry in its customer's partition.
    Entry(CustomerKey, Arc<Entry>),
    /// A customer's record.
    Record(Arc<Record>),
    /// A reference leads to a customer.
    Alias(Reference, CustomerKey),
    /// When a customer of a name first paid.
    FirstPayment(Arc<FirstPaymentRow>),
    /// An entry waits under a reference for the customer it leads to.
    Parked(Reference, Arc<Entry>),
    /// A parked entry is on its way to many customers.
    FanOut(Arc<FanOut>),
    /// A letter: due, claimed, sent or given up.
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
    /// A partner's report.
    Report(ReportIndex, Arc<StoredReport>),
    /// Where a partner is told of its rows.
    NoticeEndpoint(Arc<NoticeEndpoint>),
    /// What a partner was told of one of its rows.
    DeliveryState(Arc<DeliveryState>),
    /// A row of what the shop is told.
    ShopNotice(Arc<ShopNoticeRow>),
    /// A key of the shop's own code.
    ShopKey(Arc<ShopKeyRow>),
    /// Which root keys of one purpose are made from.
    Root(Arc<RootRow>),
    /// Where the audit stands.
    Cursor(Arc<Cursor>),
    /// From where a long journal is folded again.
    Checkpoint(Arc<Checkpoint>),
    /// What left a customer's record.
    ClosedBucket(Arc<ClosedBucket>),
    /// A page of what a customer used.
    UsagePage(Arc<UsagePageRow>),
    /// Usage waits under a reference for the customer it leads to.
    ParkedUsage(Arc<ParkedUsage>),
    /// One that this version can't read: it is carried along and left alone.
    Unreadable(Arc<UnreadableItem>),
}

/// A kind of item that can be asked for: [`Table::get_row`](crate::Table::get_row) and
/// [`Table::query_rows`](crate::Table::query_rows) give rows of the kind that the caller names.
pub trait TableRow: Into<Item> + Send + Sized {
    /// The row in an item; none when the item is of another kind.
    fn from_item(item: Item) -> Option<Self>;
}

impl Item {
    /// Its key.
    pub fn key(&self) -> Key {
        self.with_row(StoredItem::key)
    }

    /// Its version, for items that have one.
    pub fn version(&self) -> Option<u64> {
        self.with_row(StoredItem::version)
    }

    /// When it asks to be looked at again, for items that do: all that the index knows.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        self.with_row(StoredItem::next_due_at)
    }

    /// What its addressee is told of it, ever.
    pub fn notices(&self) -> Vec<Notice> {
        self.with_row(StoredItem::notices)
    }

    /// This item, if this version can read it.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`].
    pub fn into_readable(self) -> Result<Self, StoreError> {
        if let Self::Unreadable(item) = &self {
            return Err(item.error());
        }
        Ok(self)
    }

    /// Its attributes, as they stand in the table.
    ///
    /// # Errors
    /// When a field has no form as an attribute.
    pub(crate) fn to_attributes(&self) -> Result<Attributes, StoreError> {
        let key = self.key();
        let mut attributes = self.with_row(StoredItem::to_fields)?;
        if let Self::Unreadable(_) = self {
            return Ok(attributes);
        }
        attributes.extend(key_attributes(&key));
        let type_name = self.with_row(StoredItem::type_name);
        attributes.insert("type".into(), AttributeValue::S(type_name.into()));
        let format = self.with_row(StoredItem::format);
        attributes.insert(FORMAT.into(), AttributeValue::N(format.to_string()));
        if self.next_due_at().is_some() {
            let shard = due_shard_name(due_shard(&key));
            attributes.insert("due_shard".into(), AttributeValue::S(shard));
        }
        Ok(attributes)
    }

    /// Its attributes, if a table takes them.
    ///
    /// # Errors
    /// When a field has no form as an attribute, or all of them are [`StoreError::TooLarge`].
    pub(crate) fn to_stored_attributes(&self) -> Result<Attributes, StoreError> {
        let attributes = self.to_attributes()?;
        let bytes = item_bytes(&attributes);
        if bytes > LARGEST_ITEM {
            return Err(StoreError::TooLarge { bytes });
        }
        Ok(attributes)
    }

    /// The item of these attributes.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`].
    pub(crate) fn from_attributes(attributes: Attributes) -> Result<Self, StoreError> {
        Self::from_any_attributes(attributes)?.into_readable()
    }

    /// The item of these attributes, one that this version can't read included.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when they have no key.
    pub(crate) fn from_any_attributes(attributes: Attributes) -> Result<Self, StoreError> {
        let key = key_of(&attributes)?;
        let unreadable = UnreadableItem::new(key.clone(), &attributes);
        let format = StoredFormat::of(&attributes);
        let item = Self::read(&key, attributes).and_then(|item| {
            let row_format = item.with_row(StoredItem::format);
            match format.newer_because(row_format, || item.to_attributes()) {
                Some(why) => Err(why),
                None => Ok(item),
            }
        });
        Ok(item.unwrap_or_else(|why| Self::Unreadable(Arc::new(unreadable.because(why)))))
    }

    fn read(key: &Key, attributes: Attributes) -> Result<Self, String> {
        let type_name = text(&attributes, "type").unwrap_or_default().to_owned();
        match type_name.as_str() {
            "entry" => read_as::<JournalEntry>(key, attributes),
            "record" => read_as::<Record>(key, attributes),
            "alias" => read_as::<Alias>(key, attributes),
            "first_payment" => read_as::<FirstPaymentRow>(key, attributes),
            "parked" => read_as::<ParkedEntry>(key, attributes),
            "fan_out" => read_as::<FanOut>(key, attributes),
            "letter" => read_as::<LetterRow>(key, attributes),
            "partner" => read_as::<PartnerRow>(key, attributes),
            "commission" => read_as::<CommissionRow>(key, attributes),
            "payout" => read_as::<Payout>(key, attributes),
            "bank" => read_as::<BankRow>(key, attributes),
            "transfer_batch" => read_as::<TransferBatch>(key, attributes),
            "referral_status" => read_as::<ReferralStatusRow>(key, attributes),
            "report" | "conflict" | "referral" => read_as::<ReportRow>(key, attributes),
            "notice_endpoint" => read_as::<NoticeEndpoint>(key, attributes),
            "delivery_state" => read_as::<DeliveryState>(key, attributes),
            "shop_notice" => read_as::<ShopNoticeRow>(key, attributes),
            "shop_key" => read_as::<ShopKeyRow>(key, attributes),
            "root" => read_as::<RootRow>(key, attributes),
            "cursor" => read_as::<Cursor>(key, attributes),
            "checkpoint" => read_as::<Checkpoint>(key, attributes),
            "closed_bucket" => read_as::<ClosedBucket>(key, attributes),
            "usage_page" => read_as::<UsagePageRow>(key, attributes),
            "parked_usage" => read_as::<ParkedUsage>(key, attributes),
            other => Err(format!("unknown type `{other}`")),
        }
    }

    /// Asks the row something that every kind answers.
    fn with_row<R>(&self, ask: impl FnOnce(&(dyn StoredItem + 'static)) -> R) -> R {
        match self {
            Self::Entry(customer, entry) => ask(&JournalEntry {
                customer: customer.clone(),
                entry: entry.clone(),
            }),
            Self::Parked(reference, entry) => ask(&ParkedEntry {
                reference: reference.clone(),
                entry: entry.clone(),
            }),
            Self::Alias(reference, customer) => ask(&Alias {
                reference: reference.clone(),
                customer: customer.clone(),
            }),
            Self::Report(index, report) => ask(&ReportRow {
                index: *index,
                report: report.clone(),
            }),
            Self::Record(row) => ask(&**row),
            Self::FirstPayment(row) => ask(&**row),
            Self::Letter(row) => ask(&**row),
            Self::Partner(row) => ask(&**row),
            Self::Commission(row) => ask(&**row),
            Self::Payout(row) => ask(&**row),
            Self::Bank(row) => ask(&**row),
            Self::TransferBatch(row) => ask(&**row),
            Self::ReferralStatus(row) => ask(&**row),
            Self::NoticeEndpoint(row) => ask(&**row),
            Self::DeliveryState(row) => ask(&**row),
            Self::FanOut(row) => ask(&**row),
            Self::ShopNotice(row) => ask(&**row),
            Self::ShopKey(row) => ask(&**row),
            Self::Root(row) => ask(&**row),
            Self::Cursor(row) => ask(&**row),
            Self::Checkpoint(row) => ask(&**row),
            Self::ClosedBucket(row) => ask(&**row),
            Self::UsagePage(row) => ask(&**row),
            Self::ParkedUsage(row) => ask(&**row),
            Self::Unreadable(item) => ask(&**item),
        }
    }
}

fn read_as<R: StoredItem + Into<Item>>(key: &Key, attributes: Attributes) -> Result<Item, String> {
    R::from_fields(key, attributes).map(Into::into)
}

/// Kinds whose variant holds the row itself.
macro_rules! shared_rows {
    ($(($variant:ident, $row:ty)),* $(,)?) => {$(
        impl From<Arc<$row>> for Item {
            fn from(row: Arc<$row>) -> Self {
                Self::$variant(row)
            }
        }

        impl From<$row> for Item {
            fn from(row: $row) -> Self {
                Self::$variant(Arc::new(row))
            }
        }

        impl TableRow for Arc<$row> {
            fn from_item(item: Item) -> Option<Self> {
                if let Item::$variant(row) = item {
                    Some(row)
                } else {
                    None
                }
            }
        }
    )*};
}

/// Kinds whose variant holds the two parts of the row.
macro_rules! paired_rows {
    ($(($variant:ident, $row:ident { $first:ident, $second:ident })),* $(,)?) => {$(
        impl From<$row> for Item {
            fn from(row: $row) -> Self {
                Self::$variant(row.$first, row.$second)
            }
        }

        impl TableRow for $row {
            fn from_item(item: Item) -> Option<Self> {
                if let Item::$variant($first, $second) = item {
                    Some(Self { $first, $second })
                } else {
                    None
                }
            }
        }
    )*};
}

shared_rows! {
    (Record, Record),
    (FirstPayment, FirstPaymentRow),
    (Letter, LetterRow),
    (Partner, PartnerRow),
    (Commission, CommissionRow),
    (Payout, Payout),
    (Bank, BankRow),
    (TransferBatch, TransferBatch),
    (ReferralStatus, ReferralStatusRow),
    (NoticeEndpoint, NoticeEndpoint),
    (DeliveryState, DeliveryState),
    (FanOut, FanOut),
    (ShopNotice, ShopNoticeRow),
    (ShopKey, ShopKeyRow),
    (Root, RootRow),
    (Cursor, Cursor),
    (Checkpoint, Checkpoint),
    (ClosedBucket, ClosedBucket),
    (UsagePage, UsagePageRow),
    (ParkedUsage, ParkedUsage),
}

paired_rows! {
    (Entry, JournalEntry { customer, entry }),
    (Parked, ParkedEntry { reference, entry }),
    (Alias, Alias { reference, customer }),
    (Report, ReportRow { index, report }),
}

#[cfg(test)]
mod tests;
