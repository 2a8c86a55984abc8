//! What partners are told of their rows, what they were told so far, and what not yet.
//!
//! A row never changes, so what was told of it is an item of its own. It is written after the
//! partner has taken the notice: who dies in between tells it once more, under the same id.

use crate::endpoints::{Endpoint, endpoint};
use crate::items::{Item, Key, ledger_partition, partner_of};
use crate::port::{Put, StoreError, Table, When};
use domain::ids::PartnerId;
use domain::notice::{Notice, is_given_up, of_commission, of_payout, of_standing};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a partner was told of one row, and when there is more to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whom.
    pub partner: PartnerId,
    /// Of which row, by its sort key.
    pub row: Arc<str>,
    /// Counts writes; 0 is never stored.
    pub version: u64,
    /// Which notices, and when each was taken.
    #[serde(default)]
    pub notices: BTreeMap<Arc<str>, Timestamp>,
    /// When there is more to tell: a whole second, in the index that is swept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
}

/// The message that asks for a partner to be told of a row: its key, and what must not be missed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Order {
    /// Whom.
    pub partner: PartnerId,
    /// Of which row, by its sort key.
    pub row: Arc<str>,
    /// A moment that has come, whatever the clock of whoever tells says: the row's mark for it is
    /// taken off once the order is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub come: Option<Timestamp>,
}

/// What there is to tell of a row.
#[derive(Clone, Debug)]
pub struct Work {
    /// Where to.
    pub endpoint: Arc<Endpoint>,
    /// What was told before.
    pub told: Told,
    /// What is to be told now, the earliest first.
    pub due: Vec<Notice>,
    /// When there will be more.
    pub look_at: Option<Timestamp>,
}

/// What an order came to before anything is sent.
#[derive(Clone, Debug)]
pub enum TakenUp {
    /// There is something to tell, or to remember.
    Work(Box<Work>),
    /// All is told.
    Done,
    /// The partner has no endpoint, or no such row.
    Nobody,
    /// Its endpoint is off: what is not told waits until it is on again.
    Off,
}

impl Item {
    /// What its partner is told of it, ever.
    pub fn notices(&self) -> Vec<Notice> {
        match self {
            Self::Commission(row) => of_commission(row),
            Self::Standing(row) => vec![of_standing(row)],
            Self::Payout(payout) => vec![of_payout(payout)],
            Self::Entry(..)
            | Self::Record(_)
            | Self::Alias(..)
            | Self::Parked(..)
            | Self::Letter(_)
            | Self::Partner(_)
            | Self::Bank(_)
            | Self::Transfers(_)
            | Self::Report(..)
            | Self::Endpoint(_)
            | Self::Told(_)
            | Self::Cursor(_) => Vec::new(),
        }
    }
}

impl Order {
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
            come: None,
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

impl Told {
    pub(crate) fn nothing(order: &Order) -> Self {
        Self {
            partner: order.partner.clone(),
            row: order.row.clone(),
            version: 0,
            notices: BTreeMap::new(),
            look_at: None,
        }
    }

    /// The order for what is left to tell.
    pub fn order(&self) -> Order {
        Order {
            partner: self.partner.clone(),
            row: self.row.clone(),
            come: self.look_at,
        }
    }

    /// Those of a row's notices that this endpoint is to be told and was not.
    pub(crate) fn untold<'a>(
        &'a self,
        notices: &'a [Notice],
        endpoint: &Endpoint,
    ) -> impl Iterator<Item = &'a Notice> {
        let since = endpoint.since;
        let untold =
            move |notice: &&Notice| notice.at >= since && !self.notices.contains_key(notice.kind);
        notices.iter().filter(untold)
    }
}

/// Reads what there is to tell of a row.
///
/// # Errors
/// When the table does not answer.
pub async fn take_up<T: Table>(
    table: &T,
    order: &Order,
    now: Timestamp,
) -> Result<TakenUp, StoreError> {
    let Some(endpoint) = endpoint(table, &order.partner).await? else {
        return Ok(TakenUp::Nobody);
    };
    if endpoint.off.is_some() {
        return Ok(TakenUp::Off);
    }
    let notices = table.get(order.key()).await?.map(|row| row.notices());
    let Some(notices) = notices else {
        return Ok(TakenUp::Nobody);
    };
    let told = told(table, order).await?;
    // That there is a row is told at once, should our clock be behind the one that dated it.
    let begun = notices.first().map(|first| first.at);
    let now = now.max(order.come.max(begun).unwrap_or(now));
    let (due, later): (Vec<&Notice>, Vec<&Notice>) = told
        .untold(&notices, &endpoint)
        .partition(|notice| notice.at <= now);
    let look_at = later.iter().map(|notice| whole_second(notice.at)).min();
    if due.is_empty() && look_at == told.look_at {
        return Ok(TakenUp::Done);
    }
    let due = due.into_iter().cloned().collect();
    Ok(TakenUp::Work(Box::new(Work {
        endpoint,
        told,
        due,
        look_at,
    })))
}

/// Writes down what was told. `false`: somebody else wrote meanwhile, so look again.
///
/// # Errors
/// When the table does not answer; the same is then told again.
pub async fn write_down<T: Table>(table: &T, told: Told) -> Result<bool, StoreError> {
    let when = match told.version {
        0 => When::Absent,
        version => When::Version(version),
    };
    let next = Arc::new(Told {
        version: told.version.saturating_add(1),
        ..told
    });
    Ok(match table.put(Item::Told(next.clone()), when).await? {
        Put::Done => true,
        // A repeated request may find its own earlier write.
        Put::Refused(there) => {
            there.is_some_and(|there| matches!(*there, Item::Told(there) if there == next))
        }
    })
}

/// Takes off the mark of one whose order was handed over. Losing a race here means that somebody
/// is on it.
///
/// # Errors
/// When the table does not answer; its order is then handed over again.
pub async fn handed_over<T: Table>(table: &T, told: &Told) -> Result<(), StoreError> {
    let told = Told {
        look_at: None,
        ..told.clone()
    };
    write_down(table, told).await.map(|_| ())
}

/// What was told of a row.
async fn told<T: Table>(table: &T, order: &Order) -> Result<Told, StoreError> {
    Ok(
        match table.get(Key::told(&order.partner, &order.row)).await? {
            Some(Item::Told(told)) => Arc::unwrap_or_clone(told),
            Some(_) | None => Told::nothing(order),
        },
    )
}

/// What the audit saw of one partner's ledger and misses in what was told.
#[derive(Debug, Default)]
pub(crate) struct Seen(BTreeMap<Arc<str>, Vec<(&'static str, Timestamp)>>);

impl Seen {
    /// A row, or what was told of one. Rows come first, as their keys do.
    pub(crate) fn take_in(&mut self, item: &Item, now: Timestamp) {
        if let Item::Told(told) = item
            && let Some(notices) = self.0.get_mut(&told.row)
        {
            notices.retain(|(kind, _)| !told.notices.contains_key(*kind));
        }
        let waits = |at: Timestamp| now.duration_since(at);
        let notices: Vec<_> = item
            .notices()
            .into_iter()
            .filter(|notice| waits(notice.at) > PATIENCE && waits(notice.at) < WINDOW)
            .map(|notice| (notice.kind, notice.at))
            .collect();
        if !notices.is_empty() {
            self.0.insert(item.key().sort, notices);
        }
    }

    /// The orders to hand over again. While an endpoint fails, its messages are still being
    /// tried, for as long as that takes: some may have been used up without an attempt. While it
    /// is off, nobody waits for them.
    pub(crate) async fn missed<T: Table>(
        self,
        table: &T,
        partner: &PartnerId,
        now: Timestamp,
    ) -> Result<Vec<Order>, StoreError> {
        if self.0.values().all(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let Some(endpoint) = endpoint(table, partner).await? else {
            return Ok(Vec::new());
        };
        let is_tried = |since| !is_given_up(since, now);
        if endpoint.off.is_some() || endpoint.failing_since.is_some_and(is_tried) {
            return Ok(Vec::new());
        }
        let missed = self.0.into_iter().filter(|(_, notices)| {
            let mut moments = notices.iter().map(|(_, at)| *at);
            moments.any(|at| at >= endpoint.since)
        });
        let partner = partner.clone();
        let order = |row| Order {
            partner: partner.clone(),
            row,
            come: None,
        };
        Ok(missed.map(|(row, _)| order(row)).collect())
    }
}

/// The second that a moment lies in.
pub(crate) fn begun_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The index compares moments as text, in which a fraction would sort before its second.
pub(crate) fn whole_second(at: Timestamp) -> Timestamp {
    let begun = i64::from(at.subsec_nanosecond() > 0);
    let second = at.as_second().saturating_add(begun);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// What was not told after this is handed over again.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// What was not told after this is left to whoever puts the endpoint on: it bounds what an audit
/// has to keep in mind, and has outlived every message twice.
const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);
