//! What stands in the table, and under which keys.

use domain::ids::{CustomerKey, EventId, MeterName, PartnerId, Reference};
use domain::letter::Letter;
use domain::notice::Addressee;
use domain::notice::shop::row::{SHOP_NOTICE_WINDOW, ShopNoticeRow};
use domain::partner::ledger::CommissionRow;
use domain::partner::payout::day_of;
use domain::partner::referral_status::ReferralStatusRow;
use domain::shop_key::KeyName;
use domain::usage::page::UsagePage;
use domain::usage::page_place::PagePlace;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::sync::Arc;

/// An item's key: `pk` and `sk` in the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition.
    pub partition: Arc<str>,
    /// Sort key.
    pub sort: Arc<str>,
}

/// Sort key of a record.
pub const RECORD: &str = "record";
/// Sort keys of journal entries begin so.
pub const JOURNAL: &str = "journal#";
/// Sort keys of letters begin so.
pub const LETTER: &str = "letter#";
/// Sort keys of aliases begin so.
pub const ALIAS: &str = "alias#";
/// Sort keys of what customers of a name announce of their first payment begin so.
pub const FIRST_PAYMENT: &str = "first#";
/// Sort keys of parked entries begin so.
pub const PARKED: &str = "parked#";
/// Sort keys of how far parked entries have come on their way to many customers begin so.
pub(crate) const FAN_OUT: &str = "fanout#";
/// Sort keys of ledger rows begin so.
pub const COMMISSION: &str = "commission#";
/// The partition of all partners, so that one query lists them.
pub const PARTNERS: &str = "partners";
/// The partition of all keys of the shop's own code, so that one query lists them.
pub const SHOP_KEYS: &str = "shop_keys";
/// The partition of what tells the roots of keys apart.
const ROOTS: &str = "roots";
/// Sort keys of payouts begin so.
pub const PAYOUT: &str = "payout#";
/// The partition of what the bank is told.
pub const TRANSFERS: &str = "transfers";
/// Sort keys of the index of what left a record begin so.
pub const CLOSED: &str = "closed#";
/// Sort keys of pages of usage begin so.
pub(crate) const USAGE_PAGE: &str = "page#";
const USAGE: &str = "usage#";
const CHECKPOINT: &str = "checkpoint";
const BANK: &str = "bank";
/// Sort keys of what is told and was heard of a partner's referral begin so.
pub const REFERRAL: &str = "referral#";
/// Sort keys of what was told of a row begin so, and go on with the row's.
pub const DELIVERY_STATE: &str = "state#";
const ENDPOINT: &str = "endpoint";
const SHOP_ENDPOINT: &str = "shop_endpoint";
/// Partitions of what the shop is told begin so, and go on with a day.
pub const SHOP_NOTICES: &str = "shop_notices#";
/// Sort keys of what the shop is told begin so, and go on with its time.
pub const SHOP_NOTICE: &str = "notice#";
const CUSTOMER: &str = "customer#";
/// Partitions of references begin so.
pub(crate) const REFERENCE: &str = "reference#";
/// How far a sender's clock may be ahead of ours for its rows to be found.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(48);
const LEDGER: &str = "ledger#";
const CURSOR: &str = "cursor";

impl Key {
    /// Any key.
    pub fn new(partition: impl Into<Arc<str>>, sort: impl Into<Arc<str>>) -> Self {
        Self {
            partition: partition.into(),
            sort: sort.into(),
        }
    }

    /// Of a customer's record.
    pub fn record(customer: &CustomerKey) -> Self {
        Self::new(customer_partition(customer), RECORD)
    }

    /// Of a journal entry.
    pub fn entry(customer: &CustomerKey, id: &EventId) -> Self {
        Self::new(
            customer_partition(customer),
            [JOURNAL, id.as_str()].concat(),
        )
    }

    /// Of a letter.
    pub fn letter(customer: &CustomerKey, letter: Letter, cause: &str) -> Self {
        let sort = [LETTER, letter.as_str(), "#", cause].concat();
        Self::new(customer_partition(customer), sort)
    }

    /// Of a parked entry.
    pub fn parked(reference: &Reference, id: &EventId) -> Self {
        Self::new(
            reference_partition(reference),
            [PARKED, id.as_str()].concat(),
        )
    }

    /// Of how far a parked entry has come.
    pub(crate) fn fan_out(reference: &Reference, id: &EventId) -> Self {
        Self::new(
            reference_partition(reference),
            [FAN_OUT, id.as_str()].concat(),
        )
    }

    /// Of a page of what a customer used of a meter.
    pub fn usage_page(customer: &CustomerKey, meter: &MeterName, place: &PagePlace) -> Self {
        let sort = [USAGE_PAGE, place.as_str()].concat();
        Self::new(usage_partition(customer, meter), sort)
    }

    /// Of usage that is parked: the same told again has the same.
    pub(crate) fn parked_usage(reference: &Reference, meter: &MeterName, page: &UsagePage) -> Self {
        let sort = format!("{PARKED}usage#{meter}#{}", page.name());
        Self::new(reference_partition(reference), sort)
    }

    /// Of the checkpoint of a customer's journal.
    pub(crate) fn checkpoint(customer: &CustomerKey) -> Self {
        Self::new(customer_partition(customer), CHECKPOINT)
    }

    /// Of a bucket of the index of what left a customer's record.
    pub(crate) fn closed_bucket(customer: &CustomerKey, bucket: u8) -> Self {
        Self::new(customer_partition(customer), format!("{CLOSED}{bucket:02}"))
    }

    /// The bucket that such a key is of.
    pub(crate) fn closed_bucket_number(&self) -> Option<u8> {
        self.sort.strip_prefix(CLOSED)?.parse().ok()
    }

    /// Of a partner.
    pub fn partner(partner: &PartnerId) -> Self {
        Self::new(PARTNERS, partner.as_str())
    }

    /// Of a row of a partner's ledger. The number has a fixed length, so that a payment's rows
    /// stand in their order.
    pub fn commission(row: &CommissionRow) -> Self {
        let rows = customer_rows(&row.customer);
        let sort = format!(
            "{rows}{}#{:010}",
            escape_key_part(row.payment.as_str()),
            row.n
        );
        Self::new(ledger_partition(&row.partner), sort)
    }

    /// Of a payout, in its partner's ledger. Its number is its key, so that of two runs at once
    /// one is refused.
    pub fn payout(partner: &PartnerId, n: u64) -> Self {
        Self::new(ledger_partition(partner), format!("{PAYOUT}{n:010}"))
    }

    /// Of a partner's account, in a partition of its own: no function reads it.
    pub fn bank(partner: &PartnerId) -> Self {
        Self::new(format!("{BANK}#{partner}"), BANK)
    }

    /// Of a message to the bank.
    pub fn transfer_batch(date: Date, n: u64) -> Self {
        Self::new(TRANSFERS, format!("{}{n:010}", transfers_of(date)))
    }

    /// Of how a partner's report stands.
    pub fn referral_status(row: &ReferralStatusRow) -> Self {
        let rows = customer_referral_statuses(&row.referral, &row.customer);
        Self::new(
            ledger_partition(&row.partner),
            format!("{rows}{:010}", row.n),
        )
    }

    /// Of where somebody is told, in a partition of its own: who tells a partner things may not
    /// touch its keys.
    pub fn notice_endpoint(addressee: impl Into<Addressee>) -> Self {
        match addressee.into() {
            Addressee::Partner(partner) => Self::new(format!("{ENDPOINT}#{partner}"), ENDPOINT),
            Addressee::Shop => Self::new(SHOP_ENDPOINT, ENDPOINT),
        }
    }

    /// Of the row with this sort key of which somebody is told.
    pub fn notice_row(addressee: &Addressee, row: &str) -> Self {
        match addressee {
            Addressee::Partner(partner) => Self::new(ledger_partition(partner), row),
            Addressee::Shop => Self::new(shop_notices_partition(day_of_shop_notice(row)), row),
        }
    }

    /// Of what somebody was told of the row with this sort key.
    pub fn delivery_state(addressee: impl Into<Addressee>, row: &str) -> Self {
        let Self { partition, sort } = Self::notice_row(&addressee.into(), row);
        Self::new(partition, [DELIVERY_STATE, &sort].concat())
    }

    /// Of a row of what the shop is told: in the partition of the day of what it tells of, in the
    /// order of time.
    pub fn shop_notice(row: &ShopNoticeRow) -> Self {
        let customer = escape_key_part(row.customer.as_str());
        let (at, kind, cause) = (row.at, row.kind.as_str(), escape_key_part(&row.cause));
        let sort = format!("{SHOP_NOTICE}{at}#{customer}#{kind}#{cause}");
        Self::notice_row(&Addressee::Shop, &sort)
    }

    /// Of a key of the shop's own code.
    pub fn shop_key(name: &KeyName) -> Self {
        Self::new(SHOP_KEYS, name.as_str())
    }

    /// Of the root of one purpose.
    pub(crate) fn root(purpose: &str) -> Self {
        Self::new(ROOTS, purpose)
    }

    /// Of the audit's place.
    pub fn audit_cursor() -> Self {
        Self::new("audit", CURSOR)
    }

    /// Where an item stands, as errors and log lines may say it: a reference can be what the shop
    /// calls somebody.
    pub(crate) fn place(&self) -> String {
        if self.partition.starts_with(REFERENCE) {
            return format!("a reference / {}", self.sort);
        }
        self.to_string()
    }

    pub(crate) fn first_payment(reference: &Reference, customer: &CustomerKey) -> Self {
        let sort = [FIRST_PAYMENT, customer.as_str()].concat();
        Self::new(reference_partition(reference), sort)
    }

    pub(crate) fn alias(reference: &Reference, customer: &CustomerKey) -> Self {
        let sort = [ALIAS, customer.as_str()].concat();
        Self::new(reference_partition(reference), sort)
    }
}

/// The partition of a customer.
pub fn customer_partition(customer: &CustomerKey) -> String {
    [CUSTOMER, customer.as_str()].concat()
}

/// The partition of what a customer used of a meter.
pub fn usage_partition(customer: &CustomerKey, meter: &MeterName) -> String {
    [USAGE, customer.as_str(), "#", meter.as_str()].concat()
}

/// Whose meter's partition this is; none for other partitions.
pub(crate) fn meter_of(partition: &str) -> Option<(CustomerKey, MeterName)> {
    let (customer, meter) = partition.strip_prefix(USAGE)?.rsplit_once('#')?;
    let customer = CustomerKey::parse(customer).ok()?;
    Some((customer, MeterName::parse(meter).ok()?))
}

/// The partition of a partner's ledger, which one query reads. Not the partner's own: who folds
/// may write rows, and may not touch the keys in force.
pub fn ledger_partition(partner: &PartnerId) -> String {
    [LEDGER, partner.as_str()].concat()
}

/// The partition of what the shop is told of one day, as `2026-11-01`.
pub fn shop_notices_partition(day: &str) -> String {
    [SHOP_NOTICES, day].concat()
}

/// The day in the sort key of a row of what the shop is told.
fn day_of_shop_notice(row: &str) -> &str {
    let time = row.strip_prefix(SHOP_NOTICE).unwrap_or_default();
    time.split_once('T').map_or("", |(day, _)| day)
}

/// The partitions of all rows that somebody is told who is told what was decided from `since` on:
/// a partner's ledger; of the shop's rows the days of what may have been decided by `now`.
pub(crate) fn notice_partitions(
    addressee: &Addressee,
    since: Timestamp,
    now: Timestamp,
) -> Vec<String> {
    if let Addressee::Partner(partner) = addressee {
        return vec![ledger_partition(partner)];
    }
    let first = since.checked_sub(SHOP_NOTICE_WINDOW).unwrap_or(since);
    // A sender's clock may be ahead of ours.
    let last = day_of(now.checked_add(CLOCKS_APART).unwrap_or(now));
    let mut days = Vec::new();
    let mut day = day_of(first);
    while day <= last {
        days.push(shop_notices_partition(&day.to_string()));
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    days
}

/// Who is told of the rows of this partition, if anybody is.
pub fn addressee_of(partition: &str) -> Option<Addressee> {
    if partition.starts_with(SHOP_NOTICES) {
        return Some(Addressee::Shop);
    }
    partner_of(partition).map(Addressee::Partner)
}

/// The partner whose ledger's partition this is; none for other partitions and for text that is
/// not a partner's name.
pub fn partner_of(partition: &str) -> Option<PartnerId> {
    partition
        .strip_prefix(LEDGER)
        .and_then(|name| PartnerId::parse(name).ok())
}

/// Sort keys of the rows that a partner has for this customer begin so.
pub fn customer_rows(customer: &CustomerKey) -> String {
    [COMMISSION, &escape_key_part(customer.as_str()), "#"].concat()
}

/// Sort keys of a day's messages to the bank begin so.
pub(crate) fn transfers_of(date: Date) -> String {
    format!("{date}#")
}

/// The partition of what a partner endpoint has heard.
pub fn reports_partition(partner: &PartnerId) -> String {
    ["reports#", partner.as_str()].concat()
}

/// Sort keys of what is told and was heard of a referral begin so.
pub fn referral_rows(referral: &str) -> String {
    [REFERRAL, &escape_key_part(referral), "#"].concat()
}

/// Sort keys of what is told of a referral on this customer begin so.
pub fn customer_referral_statuses(referral: &str, customer: &CustomerKey) -> String {
    [
        &referral_rows(referral),
        &escape_key_part(customer.as_str()),
        "#",
    ]
    .concat()
}

/// An id that others chose, as it stands within a key: what divides keys is written otherwise.
fn escape_key_part(id: &str) -> String {
    id.replace('%', "%25").replace('#', "%23")
}

/// The partition of a reference.
pub fn reference_partition(reference: &Reference) -> String {
    [REFERENCE, reference.as_str()].concat()
}

/// The customer whose partition this is; none for other partitions and for text that is not a
/// customer's key.
pub fn customer_of(partition: &str) -> Option<CustomerKey> {
    partition
        .strip_prefix(CUSTOMER)
        .and_then(|key| CustomerKey::parse(key).ok())
}

/// The reference whose partition this is; none for other partitions and for text that is not a
/// reference.
pub fn reference_of(partition: &str) -> Option<Reference> {
    partition
        .strip_prefix(REFERENCE)
        .and_then(|text| Reference::parse(text).ok())
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.partition, self.sort)
    }
}
