//! What a table says, without what nobody reads: counters of writes, receipts, and the moment at
//! which something was found due.

use domain::record::Record;
use std::collections::BTreeMap;
use store::memory::TableState;
use store::{Item, Key};

/// A line for each thing that the table says, in order.
pub(crate) fn project(table: &TableState) -> Vec<String> {
    let mut lines = Vec::new();
    let mut earned: BTreeMap<String, i64> = BTreeMap::new();
    let mut statuses: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for item in table.items() {
        match item {
            Item::Commission(row) => {
                let what = format!("{} earns on {} {}", row.partner, row.customer, row.payment);
                *earned.entry(what).or_default() += row.amount.minor;
            }
            Item::ReferralStatus(row) => {
                let what = format!("{} {} {}", row.partner, row.referral, row.customer);
                let status = (row.n, format!("{:?}", row.status));
                let last = statuses.entry(what).or_insert_with(|| status.clone());
                *last = status.max(last.clone());
            }
            other => lines.extend(line(&other.key(), other)),
        }
    }
    earned.retain(|_, sum| *sum != 0);
    lines.extend(earned.iter().map(|(what, sum)| format!("{what}: {sum}")));
    lines.extend(
        statuses
            .iter()
            .map(|(what, (_, status))| format!("{what} stands {status}")),
    );
    lines.sort();
    lines
}

fn line(key: &Key, item: &Item) -> Option<String> {
    let says = match item {
        Item::Record(record) => of_record(record),
        Item::Entry(_, entry) => format!("{:?} at {}", entry.digest, entry.event.occurred_at),
        Item::Parked(_, entry) => format!("{:?}", entry.digest),
        Item::Alias(..) => String::new(),
        Item::FirstPayment(row) => format!("{:?}", row.paid_at),
        Item::Letter(row) => format!("{} of {}", row.state.name(), row.caused_at),
        Item::Partner(row) => {
            let row = store::partners::PartnerRow {
                version: 0,
                ..(**row).clone()
            };
            format!("{row:?}")
        }
        Item::Payout(payout) => format!("{payout:?}"),
        Item::Bank(row) => format!("{:?}", row.account),
        Item::TransferBatch(batch) => format!("{:?}", batch.transfers),
        Item::Report(index, report) => format!("{index:?} {report:?}"),
        Item::NoticeEndpoint(row) => format!(
            "{} {} {:?} {:?} {:?} {}",
            row.url, row.key, row.previous_key, row.failing_since, row.disabled, row.since
        ),
        Item::DeliveryState(row) => format!("{:?} next {:?}", row.delivered, row.next_due_at),
        Item::FanOut(row) => format!("goes on: {}", row.next_due_at.is_some()),
        Item::ShopNotice(row) => format!("{row:?}"),
        Item::ShopKey(row) => format!("{row:?}"),
        Item::Root(row) => format!("{row:?}"),
        Item::UsagePage(row) => format!("{:?}", row.page),
        Item::ParkedUsage(row) => format!("{:?}", row.page),
        Item::Unreadable(item) => format!("{:?}", item.error()),
        // How far a walk came, and what only spares a read, have laws of their own.
        Item::Cursor(_) | Item::Checkpoint(_) | Item::ClosedBucket(_) => {
            return None;
        }
        // Summed up by the caller.
        Item::Commission(_) | Item::ReferralStatus(_) => return None,
    };
    Some(format!("{key}: {says}"))
}

/// What a write changes, where its key does not say it, in a few words.
pub(crate) fn says_in_short(item: &Item) -> String {
    let says = match item {
        Item::Record(record) => format!(
            "{} entries, owes {}, due {}",
            record.folded.count,
            record.pending.len(),
            moment(record.next_due_at)
        ),
        Item::Letter(row) => row.state.name().to_owned(),
        Item::Cursor(cursor) => {
            let after = cursor.after.as_ref().map(ToString::to_string);
            format!(
                "at {}, stalled {}",
                after.unwrap_or_default(),
                cursor.stalled_runs
            )
        }
        Item::FanOut(row) => {
            let after = row.after.as_ref().map(ToString::to_string);
            format!(
                "at {}, due {}",
                after.unwrap_or_default(),
                moment(row.next_due_at)
            )
        }
        Item::DeliveryState(row) => {
            let told: Vec<&str> = row.delivered.keys().map(AsRef::as_ref).collect();
            format!("told {}, due {}", told.join(" "), moment(row.next_due_at))
        }
        Item::NoticeEndpoint(row) => format!(
            "{} key {} failing {} off {}",
            row.url,
            row.key,
            moment(row.failing_since),
            row.disabled.is_some()
        ),
        Item::FirstPayment(row) => moment(row.paid_at),
        Item::Payout(payout) => format!("until {}", payout.until),
        Item::TransferBatch(batch) => format!("{} transfers", batch.transfers.len()),
        Item::Checkpoint(checkpoint) => format!("{} entries", checkpoint.folded.count),
        Item::ClosedBucket(bucket) => format!("{} hashes", bucket.hashes.len()),
        Item::Partner(row) => format!("{} terms, {} codes", row.programs.len(), row.codes.len()),
        Item::ShopKey(row) => format!("key {}, revoked {}", row.key, moment(row.revoked_at)),
        Item::Bank(_)
        | Item::Entry(..)
        | Item::Parked(..)
        | Item::Alias(..)
        | Item::Commission(_)
        | Item::ReferralStatus(_)
        | Item::Report(..)
        | Item::Root(_)
        | Item::UsagePage(_)
        | Item::ShopNotice(_)
        | Item::ParkedUsage(_)
        | Item::Unreadable(_) => return String::new(),
    };
    format!(" ({says})")
}

fn moment(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}

fn of_record(record: &Record) -> String {
    let Record {
        folded,
        pending,
        remainder,
        due_letters,
        ledger,
        person_payments,
        next_due_at,
        ..
    } = record;
    let letters: Vec<String> = due_letters
        .iter()
        .map(|letter| format!("{:?}", letter))
        .collect();
    let owed: Vec<String> = ledger
        .balances
        .iter()
        .map(|(account, balance)| (account, balance.sums.values().sum::<i64>()))
        .filter(|(_, sum)| *sum != 0)
        .map(|(account, sum)| format!("{account:?} {sum}"))
        .collect();
    format!(
        "{folded:?}, owes {pending:?} {remainder:?}, letters {letters:?}, ledger {owed:?}, \
         person {:?}, next {next_due_at:?}",
        person_payments.earliest
    )
}
