//! The index of items that ask to be looked at again.

use crate::items::key::Key;
use jiff::Timestamp;

/// How many shards the index of moments to look again is spread over.
pub const DUE_SHARDS: u64 = 8;

/// The shard of the index in which an item's moment to look again stands: a customer's or, in a
/// partner's ledger, a row's.
pub fn due_shard(key: &Key) -> u64 {
    let of = match key.partition.strip_prefix("customer#") {
        Some(customer) => customer,
        None => &key.sort,
    };
    of.bytes()
        .fold(0_u64, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u64::from(byte))
        })
        .checked_rem(DUE_SHARDS)
        .unwrap_or_default()
}

/// The second that a moment lies in.
pub(crate) fn floor_to_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The index compares moments as text, in which a fraction would sort before its second.
pub(crate) fn ceil_to_second(at: Timestamp) -> Timestamp {
    let begun = i64::from(at.subsec_nanosecond() > 0);
    let second = at.as_second().saturating_add(begun);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// A shard of the index as it stands in `due_shard`.
pub(crate) fn due_shard_name(shard: u64) -> String {
    format!("due#{shard}")
}
