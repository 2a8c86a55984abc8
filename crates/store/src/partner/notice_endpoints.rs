//! Where partners want to be told of their rows, and how that goes.

pub use crate::partner::endpoint_row::{
    DisabledReason, DisabledState, KEY_OVERLAP, NoticeEndpoint, PreviousKey,
};

use crate::error::StoreError;
use crate::items::due_index::{ceil_to_second, floor_to_second};
use crate::items::item::Item;
use crate::items::key::{Key, notice_partitions};
use crate::partner::delivery_row::{DeliveryState, NoticeTask};
use crate::partner::delivery_states::{read_delivery_state, save_delivered};
use crate::port::{Table, query_all};
use domain::notice::{Addressee, Notice, is_given_up};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// A partner's endpoint, if it wishes to be told.
///
/// # Errors
/// When the table does not answer.
pub async fn read_endpoint<T: Table>(
    table: &T,
    addressee: impl Into<Addressee>,
) -> Result<Option<Arc<NoticeEndpoint>>, StoreError> {
    let there = read_stored(table, addressee).await?;
    Ok(there.filter(|there| there.is_configured()))
}

/// The endpoint that there is, or was last.
async fn read_stored<T: Table>(
    table: &T,
    addressee: impl Into<Addressee>,
) -> Result<Option<Arc<NoticeEndpoint>>, StoreError> {
    table.get_row(Key::notice_endpoint(addressee)).await
}

/// Sets or moves a partner's endpoint, and puts it on. What it was not told under another address
/// it is told under this one. None: somebody else changed it meanwhile.
///
/// # Errors
/// When the table does not answer; saying it again says the same.
pub async fn set<T: Table>(
    table: &T,
    addressee: impl Into<Addressee>,
    url: &str,
    now: Timestamp,
) -> Result<Option<NoticeEndpoint>, StoreError> {
    let addressee = addressee.into();
    let next = match read_stored(table, &addressee).await? {
        Some(there) => NoticeEndpoint {
            url: url.into(),
            since: if there.is_configured() {
                there.since
            } else {
                now
            },
            ..as_enabled(&there)
        },
        None => NoticeEndpoint {
            addressee,
            version: 0,
            url: url.into(),
            since: now,
            key: 1,
            previous_key: None,
            failing_since: None,
            disabled: None,
        },
    };
    save_enabled(table, next, now).await
}

/// Puts a partner's endpoint on again. None: there is none, or somebody else changed it.
///
/// # Errors
/// When the table does not answer; saying it again says the same.
pub async fn enable<T: Table>(
    table: &T,
    addressee: impl Into<Addressee>,
    now: Timestamp,
) -> Result<Option<NoticeEndpoint>, StoreError> {
    let Some(there) = read_endpoint(table, addressee).await? else {
        return Ok(None);
    };
    save_enabled(table, as_enabled(&there), now).await
}

/// The same as one that takes what it is told.
fn as_enabled(there: &NoticeEndpoint) -> NoticeEndpoint {
    NoticeEndpoint {
        failing_since: None,
        disabled: None,
        ..there.clone()
    }
}

/// Gives the endpoint the next version of its secret; the one before signs besides for a
/// [day](KEY_OVERLAP). Rotated again within the day, the one before that no longer does. None:
/// there is none, or somebody else changed it.
///
/// # Errors
/// When the table does not answer: it may have been rotated.
pub async fn rotate<T: Table>(
    table: &T,
    addressee: impl Into<Addressee>,
    now: Timestamp,
) -> Result<Option<NoticeEndpoint>, StoreError> {
    let Some(there) = read_endpoint(table, addressee).await? else {
        return Ok(None);
    };
    let next = NoticeEndpoint {
        key: there.key.saturating_add(1),
        previous_key: Some(PreviousKey {
            key: there.key,
            until: now.checked_add(KEY_OVERLAP).unwrap_or(Timestamp::MAX),
        }),
        ..NoticeEndpoint::clone(&there)
    };
    write(table, next).await
}

/// Forgets where a partner is told; nothing more is. What was told stays known, and which secrets
/// were given out. `false`: somebody else changed it meanwhile.
///
/// # Errors
/// When the table does not answer; saying it again says the same.
pub async fn remove<T: Table>(
    table: &T,
    addressee: impl Into<Addressee>,
) -> Result<bool, StoreError> {
    let Some(there) = read_endpoint(table, addressee).await? else {
        return Ok(true);
    };
    let next = NoticeEndpoint {
        url: "".into(),
        ..as_enabled(&there)
    };
    Ok(write(table, next).await?.is_some())
}

async fn save_enabled<T: Table>(
    table: &T,
    endpoint: NoticeEndpoint,
    now: Timestamp,
) -> Result<Option<NoticeEndpoint>, StoreError> {
    let Some(endpoint) = write(table, endpoint).await? else {
        return Ok(None);
    };
    enqueue_missed(table, &endpoint, None, now).await?;
    Ok(Some(endpoint))
}

/// Puts an endpoint on, and tells it everything that was decided from `since` on: what it has taken
/// too, under the same ids and with the same bytes. None: there is none, or somebody else changed
/// it.
///
/// # Errors
/// When the table does not answer, or rows are being told all the time; saying it again says the
/// same.
pub async fn resend<T: Table>(
    table: &T,
    addressee: impl Into<Addressee>,
    since: Timestamp,
    now: Timestamp,
) -> Result<Option<NoticeEndpoint>, StoreError> {
    let Some(there) = read_endpoint(table, addressee).await? else {
        return Ok(None);
    };
    let next = NoticeEndpoint {
        since: there.since.min(since),
        ..as_enabled(&there)
    };
    let Some(endpoint) = write(table, next).await? else {
        return Ok(None);
    };
    enqueue_missed(table, &endpoint, Some(since), now).await?;
    Ok(Some(endpoint))
}

/// Marks every row of which there is something to tell, so that the sweep hands it over: what is
/// due at once, what is not when it comes. What was decided from `again` on counts as not told.
async fn enqueue_missed<T: Table>(
    table: &T,
    endpoint: &NoticeEndpoint,
    again: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for partition in notice_partitions(&endpoint.addressee, endpoint.since, now) {
        enqueue_partition(table, endpoint, &partition, again, now).await?;
    }
    Ok(())
}

async fn enqueue_partition<T: Table>(
    table: &T,
    endpoint: &NoticeEndpoint,
    partition: &str,
    again: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let items = query_all(table, partition, "").await?;
    let mut known: HashMap<Arc<str>, Arc<DeliveryState>> = HashMap::new();
    let mut orders = Vec::new();
    for item in items {
        let notices = item.notices();
        if let Some(order) = NoticeTask::of(&item) {
            orders.push((order, notices));
        } else if let Item::DeliveryState(told) = item {
            known.insert(told.row.clone(), told);
        }
    }
    for (order, notices) in orders {
        let told = known.get(&order.row).map(|told| DeliveryState::clone(told));
        let mut told = told.unwrap_or_else(|| DeliveryState::new(&order));
        for _ in 0..ATTEMPTS {
            let next = marked(&told, &notices, endpoint, again, now);
            let unchanged = next == told;
            // Lost to somebody who is telling it: of what is told once, nothing is missed.
            if unchanged || save_delivered(table, next).await? || again.is_none() {
                break;
            }
            told = read_delivery_state(table, &order).await?;
        }
    }
    Ok(())
}

/// What is known of a row's delivery, with a mark for the sweep where there is something to tell.
fn marked(
    told: &DeliveryState,
    notices: &[Notice],
    endpoint: &NoticeEndpoint,
    again: Option<Timestamp>,
    now: Timestamp,
) -> DeliveryState {
    let mut marked = told.clone();
    for notice in notices {
        if again.is_some_and(|since| notice.counts_from >= since) {
            marked.delivered.remove(notice.kind);
        }
    }
    let next_due_at = marked
        .undelivered(notices, endpoint)
        .map(|notice| match notice.at <= now {
            // In this very second, so that a sweep finds it that begins at once.
            true => floor_to_second(now),
            false => ceil_to_second(notice.at),
        })
        .min();
    if next_due_at.is_some() {
        marked.next_due_at = next_due_at;
    }
    marked
}

/// Notes that an endpoint took a notice; costs a write only if it failed before.
///
/// # Errors
/// When the table does not answer.
pub async fn record_success<T: Table>(
    table: &T,
    endpoint: &NoticeEndpoint,
) -> Result<(), StoreError> {
    if endpoint.failing_since.is_none() {
        return Ok(());
    }
    let next = NoticeEndpoint {
        failing_since: None,
        ..endpoint.clone()
    };
    write(table, next).await.map(|_| ())
}

/// Notes that an endpoint failed. Whether this put it off.
///
/// # Errors
/// When the table does not answer.
pub async fn record_failure<T: Table>(
    table: &T,
    endpoint: &NoticeEndpoint,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let off = match endpoint.failing_since {
        Some(since) if is_given_up(since, now) => Some(DisabledState {
            at: now,
            reason: DisabledReason::Failing,
        }),
        Some(_) => return Ok(false),
        None => None,
    };
    let next = NoticeEndpoint {
        failing_since: endpoint.failing_since.or(Some(now)),
        disabled: off,
        ..endpoint.clone()
    };
    Ok(write(table, next)
        .await?
        .is_some_and(|next| next.disabled.is_some()))
}

/// Puts an endpoint off that said it is gone. Whether this did it.
///
/// # Errors
/// When the table does not answer.
pub async fn record_disabled<T: Table>(
    table: &T,
    endpoint: &NoticeEndpoint,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let off = Some(DisabledState {
        at: now,
        reason: DisabledReason::Gone,
    });
    let next = NoticeEndpoint {
        disabled: off,
        ..endpoint.clone()
    };
    Ok(write(table, next).await?.is_some())
}

/// Writes an endpoint if it is still the one that was read. None when it is not.
async fn write<T: Table>(
    table: &T,
    next: NoticeEndpoint,
) -> Result<Option<NoticeEndpoint>, StoreError> {
    let version_read = next.version;
    let next = Arc::new(NoticeEndpoint {
        version: version_read.saturating_add(1),
        ..next
    });
    let written = table.replace(next.clone(), version_read).await?;
    Ok(written.then(|| Arc::unwrap_or_clone(next)))
}

/// So often a row is marked again that somebody is telling meanwhile.
const ATTEMPTS: u32 = 4;
