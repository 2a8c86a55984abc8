//! Where partners want to be told of their rows, and how that goes.

use crate::items::{Item, Key, ledger_partition};
use crate::notices::{Order, Told, begun_second, whole_second, write_down};
use crate::port::{Put, StoreError, Table, When, query_all};
use domain::ids::PartnerId;
use domain::notice::is_given_up;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Where a partner wants to be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Whose.
    pub partner: PartnerId,
    /// Counts writes.
    pub version: u64,
    /// The address; it may hold a secret of the partner's. Empty once it was taken away: it is as
    /// if there were none, but that a later one does not sign with a secret given out before it.
    pub url: Arc<str>,
    /// States that came before it are not told.
    pub since: Timestamp,
    /// Which version of the secret signs.
    pub key: u32,
    /// The version before it, while that one signs besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// The first failure since the last success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Since when and why nothing is sent there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<Off>,
}

/// A version of the secret that was rotated out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Which.
    pub key: u32,
    /// Until when it signs.
    pub until: Timestamp,
}

/// How long both secrets sign after a rotation: a partner has a day to change over.
pub const BOTH_SIGN: SignedDuration = SignedDuration::from_hours(24);

impl Endpoint {
    /// Whether somebody wishes to be told there.
    pub fn is_wanted(&self) -> bool {
        !self.url.is_empty()
    }

    /// Versions of the secret that sign now, the newest first.
    pub fn keys(&self, now: Timestamp) -> impl Iterator<Item = u32> {
        let before = self.before.filter(|before| now < before.until);
        [self.key]
            .into_iter()
            .chain(before.map(|before| before.key))
    }
}

/// That an endpoint is off until a person puts it on again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub why: WhyOff,
}

/// Why an endpoint is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyOff {
    /// It said that it is gone.
    Gone,
    /// It failed for three days.
    Failing,
}

/// A partner's endpoint, if it wishes to be told.
///
/// # Errors
/// When the table does not answer.
pub async fn endpoint<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Option<Arc<Endpoint>>, StoreError> {
    let there = last(table, partner).await?;
    Ok(there.filter(|there| there.is_wanted()))
}

/// The endpoint that there is, or was last.
async fn last<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Option<Arc<Endpoint>>, StoreError> {
    Ok(match table.get(Key::endpoint(partner)).await? {
        Some(Item::Endpoint(endpoint)) => Some(endpoint),
        Some(_) | None => None,
    })
}

/// Sets or moves a partner's endpoint, and puts it on. What it was not told under another address
/// it is told under this one. None: somebody else changed it meanwhile.
///
/// # Errors
/// When the table does not answer; saying it again says the same.
pub async fn set<T: Table>(
    table: &T,
    partner: &PartnerId,
    url: &str,
    now: Timestamp,
) -> Result<Option<Endpoint>, StoreError> {
    let next = match last(table, partner).await? {
        Some(there) => Endpoint {
            url: url.into(),
            since: if there.is_wanted() { there.since } else { now },
            ..on(&there)
        },
        None => Endpoint {
            partner: partner.clone(),
            version: 0,
            url: url.into(),
            since: now,
            key: 1,
            before: None,
            failing_since: None,
            off: None,
        },
    };
    put_on(table, next, now).await
}

/// Puts a partner's endpoint on again. None: there is none, or somebody else changed it.
///
/// # Errors
/// When the table does not answer; saying it again says the same.
pub async fn enable<T: Table>(
    table: &T,
    partner: &PartnerId,
    now: Timestamp,
) -> Result<Option<Endpoint>, StoreError> {
    let Some(there) = endpoint(table, partner).await? else {
        return Ok(None);
    };
    put_on(table, on(&there), now).await
}

/// The same as one that takes what it is told.
fn on(there: &Endpoint) -> Endpoint {
    Endpoint {
        failing_since: None,
        off: None,
        ..there.clone()
    }
}

/// Gives the endpoint the next version of its secret; the one before signs besides for a
/// [day](BOTH_SIGN). Rotated again within the day, the one before that no longer does. None: there
/// is none, or somebody else changed it.
///
/// # Errors
/// When the table does not answer: it may have been rotated.
pub async fn rotate<T: Table>(
    table: &T,
    partner: &PartnerId,
    now: Timestamp,
) -> Result<Option<Endpoint>, StoreError> {
    let Some(there) = endpoint(table, partner).await? else {
        return Ok(None);
    };
    let next = Endpoint {
        key: there.key.saturating_add(1),
        before: Some(Before {
            key: there.key,
            until: now.checked_add(BOTH_SIGN).unwrap_or(Timestamp::MAX),
        }),
        ..Endpoint::clone(&there)
    };
    write(table, next).await
}

/// Forgets where a partner is told; nothing more is. What was told stays known, and which secrets
/// were given out. `false`: somebody else changed it meanwhile.
///
/// # Errors
/// When the table does not answer; saying it again says the same.
pub async fn remove<T: Table>(table: &T, partner: &PartnerId) -> Result<bool, StoreError> {
    let Some(there) = endpoint(table, partner).await? else {
        return Ok(true);
    };
    let next = Endpoint {
        url: "".into(),
        ..on(&there)
    };
    Ok(write(table, next).await?.is_some())
}

async fn put_on<T: Table>(
    table: &T,
    endpoint: Endpoint,
    now: Timestamp,
) -> Result<Option<Endpoint>, StoreError> {
    let Some(endpoint) = write(table, endpoint).await? else {
        return Ok(None);
    };
    remind(table, &endpoint, now).await?;
    Ok(Some(endpoint))
}

/// Marks every row of which there is something to tell, so that the sweep hands it over: what is
/// due at once, what is not when it comes.
async fn remind<T: Table>(
    table: &T,
    endpoint: &Endpoint,
    now: Timestamp,
) -> Result<(), StoreError> {
    let partition = ledger_partition(&endpoint.partner);
    let items = query_all(table, &partition, "").await?;
    let mut known: HashMap<Arc<str>, Arc<Told>> = HashMap::new();
    let mut orders = Vec::new();
    for item in items {
        let notices = item.notices();
        if let Some(order) = Order::of(&item) {
            orders.push((order, notices));
        } else if let Item::Told(told) = item {
            known.insert(told.row.clone(), told);
        }
    }
    for (order, notices) in orders {
        let told = known.get(&order.row).map(|told| Told::clone(told));
        let told = told.unwrap_or_else(|| Told::nothing(&order));
        let untold = told.untold(&notices, endpoint);
        let look_at = untold.map(|notice| match notice.at <= now {
            // In this very second, so that a sweep finds it that begins at once.
            true => begun_second(now),
            false => whole_second(notice.at),
        });
        let look_at = look_at.min();
        if look_at.is_some() && look_at != told.look_at {
            // Lost to somebody who is telling it: nothing is missed.
            write_down(table, Told { look_at, ..told }).await?;
        }
    }
    Ok(())
}

/// Notes that an endpoint took a notice; costs a write only if it failed before.
///
/// # Errors
/// When the table does not answer.
pub async fn took<T: Table>(table: &T, endpoint: &Endpoint) -> Result<(), StoreError> {
    if endpoint.failing_since.is_none() {
        return Ok(());
    }
    let next = Endpoint {
        failing_since: None,
        ..endpoint.clone()
    };
    write(table, next).await.map(|_| ())
}

/// Notes that an endpoint failed. Whether this put it off.
///
/// # Errors
/// When the table does not answer.
pub async fn failed<T: Table>(
    table: &T,
    endpoint: &Endpoint,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let off = match endpoint.failing_since {
        Some(since) if is_given_up(since, now) => Some(Off {
            at: now,
            why: WhyOff::Failing,
        }),
        Some(_) => return Ok(false),
        None => None,
    };
    let next = Endpoint {
        failing_since: endpoint.failing_since.or(Some(now)),
        off,
        ..endpoint.clone()
    };
    Ok(write(table, next)
        .await?
        .is_some_and(|next| next.off.is_some()))
}

/// Puts an endpoint off that said it is gone. Whether this did it.
///
/// # Errors
/// When the table does not answer.
pub async fn gone<T: Table>(
    table: &T,
    endpoint: &Endpoint,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let off = Some(Off {
        at: now,
        why: WhyOff::Gone,
    });
    let next = Endpoint {
        off,
        ..endpoint.clone()
    };
    Ok(write(table, next).await?.is_some())
}

/// Writes an endpoint if it is still the one that was read. None when it is not.
async fn write<T: Table>(table: &T, next: Endpoint) -> Result<Option<Endpoint>, StoreError> {
    let when = match next.version {
        0 => When::Absent,
        version => When::Version(version),
    };
    let next = Endpoint {
        version: next.version.saturating_add(1),
        ..next
    };
    let item = Item::Endpoint(Arc::new(next.clone()));
    Ok(match table.put(item, when).await? {
        Put::Done => Some(next),
        Put::Refused(there) => {
            let there = there.map(|there| *there);
            matches!(there, Some(Item::Endpoint(there)) if *there == next).then_some(next)
        }
    })
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("partner", &self.partner)
            .field("version", &self.version)
            .field("key", &self.key)
            .field("failing_since", &self.failing_since)
            .field("off", &self.off)
            .finish_non_exhaustive()
    }
}
