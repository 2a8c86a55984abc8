//! What partners are told of their rows, what they were told so far, and what not yet.
//!
//! A row never changes, so what was told of it is an item of its own. It is written after the
//! partner has taken the notice: who dies in between tells it once more, under the same id.

use crate::items::{Item, Key, ledger_partition, partner_of};
use crate::notice_endpoints::{NoticeEndpoint, read_endpoint};
use crate::port::{PutOutcome, StoreError, Table, WriteCondition};
use domain::ids::PartnerId;
use domain::partner::notice::{Notice, is_given_up, of_commission, of_payout, of_referral_status};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a partner was told of one row, and when there is more to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryState {
    /// Whom.
    pub partner: PartnerId,
    /// Of which row, by its sort key.
    pub row: Arc<str>,
    /// Counts writes; 0 is never stored.
    pub version: u64,
    /// Which notices, and when each was taken.
    #[serde(default)]
    pub delivered: BTreeMap<Arc<str>, Timestamp>,
    /// When there is more to tell: a whole second, in the index that is swept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Timestamp>,
}

/// The message that asks for a partner to be told of a row: its key, and what must not be missed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NoticeTask {
    /// Whom.
    pub partner: PartnerId,
    /// Of which row, by its sort key.
    pub row: Arc<str>,
    /// A moment that has come, whatever the clock of whoever tells says: the row's mark for it is
    /// taken off once the order is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// What there is to tell of a row.
#[derive(Clone, Debug)]
pub struct PendingDelivery {
    /// Where to.
    pub endpoint: Arc<NoticeEndpoint>,
    /// What was told before.
    pub state: DeliveryState,
    /// What is to be told now, the earliest first.
    pub due: Vec<Notice>,
    /// When there will be more.
    pub next_due_at: Option<Timestamp>,
}

/// What an order came to before anything is sent.
#[derive(Clone, Debug)]
pub enum DeliveryPlan {
    /// There is something to tell, or to remember.
    Deliver(Box<PendingDelivery>),
    /// All is told.
    AllDelivered,
    /// The partner has no endpoint, or no such row.
    NoRecipient,
    /// Its endpoint is off: what is not told waits until it is on again.
    Disabled,
}

impl Item {
    /// What its partner is told of it, ever.
    pub fn notices(&self) -> Vec<Notice> {
        match self {
            Self::Commission(row) => of_commission(row),
            Self::ReferralStatus(row) => vec![of_referral_status(row)],
            Self::Payout(payout) => vec![of_payout(payout)],
            Self::Entry(..)
            | Self::Record(_)
            | Self::Alias(..)
            | Self::Parked(..)
            | Self::Letter(_)
            | Self::Partner(_)
            | Self::Bank(_)
            | Self::TransferBatch(_)
            | Self::Report(..)
            | Self::NoticeEndpoint(_)
            | Self::DeliveryState(_)
            | Self::Cursor(_) => Vec::new(),
        }
    }
}

impl NoticeTask {
    /// The order for an item; none where partners are told nothing of its kind.
    pub fn of(item: &Item) -> Option<Self> {
        if item.notices().is_empty() {
            return None;
        }
        let Key { partition, sort } = item.key();
        let partner = partner_of(&partition)?;
        Some(Self {
            partner,
            row: sort,
            due_at: None,
        })
    }

    /// Where the row stands.
    pub fn key(&self) -> Key {
        Key::new(ledger_partition(&self.partner), self.row.clone())
    }

    /// As it travels.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl DeliveryState {
    pub(crate) fn new(order: &NoticeTask) -> Self {
        Self {
            partner: order.partner.clone(),
            row: order.row.clone(),
            version: 0,
            delivered: BTreeMap::new(),
            next_due_at: None,
        }
    }

    /// The order for what is left to tell.
    pub fn task(&self) -> NoticeTask {
        NoticeTask {
            partner: self.partner.clone(),
            row: self.row.clone(),
            due_at: self.next_due_at,
        }
    }

    /// Those of a row's notices that this endpoint is to be told and was not.
    pub(crate) fn undelivered<'a>(
        &'a self,
        notices: &'a [Notice],
        endpoint: &NoticeEndpoint,
    ) -> impl Iterator<Item = &'a Notice> {
        let since = endpoint.since;
        let untold =
            move |notice: &&Notice| notice.at >= since && !self.delivered.contains_key(notice.kind);
        notices.iter().filter(untold)
    }
}

/// Reads what there is to tell of a row.
///
/// # Errors
/// When the table does not answer.
pub async fn plan_delivery<T: Table>(
    table: &T,
    order: &NoticeTask,
    now: Timestamp,
) -> Result<DeliveryPlan, StoreError> {
    let Some(endpoint) = read_endpoint(table, &order.partner).await? else {
        return Ok(DeliveryPlan::NoRecipient);
    };
    if endpoint.disabled.is_some() {
        return Ok(DeliveryPlan::Disabled);
    }
    let notices = table.get(order.key()).await?.map(|row| row.notices());
    let Some(notices) = notices else {
        return Ok(DeliveryPlan::NoRecipient);
    };
    let told = read_delivery_state(table, order).await?;
    // That there is a row is told at once, should our clock be behind the one that dated it.
    let begun = notices.first().map(|first| first.at);
    let now = now.max(order.due_at.max(begun).unwrap_or(now));
    let (due, later): (Vec<&Notice>, Vec<&Notice>) = told
        .undelivered(&notices, &endpoint)
        .partition(|notice| notice.at <= now);
    let next_due_at = later.iter().map(|notice| ceil_to_second(notice.at)).min();
    if due.is_empty() && next_due_at == told.next_due_at {
        return Ok(DeliveryPlan::AllDelivered);
    }
    let due = due.into_iter().cloned().collect();
    Ok(DeliveryPlan::Deliver(Box::new(PendingDelivery {
        endpoint,
        state: told,
        due,
        next_due_at,
    })))
}

/// Writes down what was told. `false`: somebody else wrote meanwhile, so look again.
///
/// # Errors
/// When the table does not answer; the same is then told again.
pub async fn save_delivered<T: Table>(table: &T, told: DeliveryState) -> Result<bool, StoreError> {
    let when = match told.version {
        0 => WriteCondition::Absent,
        version => WriteCondition::Version(version),
    };
    let next = Arc::new(DeliveryState {
        version: told.version.saturating_add(1),
        ..told
    });
    Ok(
        match table.put(Item::DeliveryState(next.clone()), when).await? {
            PutOutcome::Done => true,
            // A repeated request may find its own earlier write.
            PutOutcome::Refused(there) => there
                .is_some_and(|there| matches!(*there, Item::DeliveryState(there) if there == next)),
        },
    )
}

/// Takes off the mark of one whose order was handed over. Losing a race here means that somebody
/// is on it.
///
/// # Errors
/// When the table does not answer; its order is then handed over again.
pub async fn clear_due<T: Table>(table: &T, told: &DeliveryState) -> Result<(), StoreError> {
    let told = DeliveryState {
        next_due_at: None,
        ..told.clone()
    };
    save_delivered(table, told).await.map(|_| ())
}

/// What was told of a row.
async fn read_delivery_state<T: Table>(
    table: &T,
    order: &NoticeTask,
) -> Result<DeliveryState, StoreError> {
    Ok(
        match table
            .get(Key::delivery_state(&order.partner, &order.row))
            .await?
        {
            Some(Item::DeliveryState(told)) => Arc::unwrap_or_clone(told),
            Some(_) | None => DeliveryState::new(order),
        },
    )
}

/// What the audit saw of one partner's ledger and misses in what was told.
#[derive(Debug, Default)]
pub(crate) struct UndeliveredNotices(BTreeMap<Arc<str>, Vec<(&'static str, Timestamp)>>);

impl UndeliveredNotices {
    /// A row, or what was told of one. Rows come first, as their keys do.
    pub(crate) fn observe(&mut self, item: &Item, now: Timestamp) {
        if let Item::DeliveryState(told) = item
            && let Some(notices) = self.0.get_mut(&told.row)
        {
            notices.retain(|(kind, _)| !told.delivered.contains_key(*kind));
        }
        let waits = |at: Timestamp| now.duration_since(at);
        let notices: Vec<_> = item
            .notices()
            .into_iter()
            .filter(|notice| waits(notice.at) > OVERDUE_AFTER && waits(notice.at) < AUDIT_WINDOW)
            .map(|notice| (notice.kind, notice.at))
            .collect();
        if !notices.is_empty() {
            self.0.insert(item.key().sort, notices);
        }
    }

    /// The orders to hand over again. While an endpoint fails, its messages are still being
    /// tried, for as long as that takes: some may have been used up without an attempt. While it
    /// is off, nobody waits for them.
    pub(crate) async fn tasks<T: Table>(
        self,
        table: &T,
        partner: &PartnerId,
        now: Timestamp,
    ) -> Result<Vec<NoticeTask>, StoreError> {
        if self.0.values().all(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let Some(endpoint) = read_endpoint(table, partner).await? else {
            return Ok(Vec::new());
        };
        let is_tried = |since| !is_given_up(since, now);
        if endpoint.disabled.is_some() || endpoint.failing_since.is_some_and(is_tried) {
            return Ok(Vec::new());
        }
        let missed = self.0.into_iter().filter(|(_, notices)| {
            let mut moments = notices.iter().map(|(_, at)| *at);
            moments.any(|at| at >= endpoint.since)
        });
        let partner = partner.clone();
        let order = |row| NoticeTask {
            partner: partner.clone(),
            row,
            due_at: None,
        };
        Ok(missed.map(|(row, _)| order(row)).collect())
    }
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

/// What was not told after this is handed over again.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// What was not told after this is left to whoever puts the endpoint on: it bounds what an audit
/// has to keep in mind, and has outlived every message twice.
const AUDIT_WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);
