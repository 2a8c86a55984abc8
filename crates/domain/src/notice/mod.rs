//! Notices: what a partner is sent about its rows, and the shop about its customers, and how long
//! we try to send it. Each row makes
//! one notice for each state it reaches.
//!
//! A notice depends on the row and the moment it reached the state, never on the moment of sending.
//! So a notice that is sent again has the same id and the same bytes.

mod addressee;
pub mod samples;
pub mod shop;

pub use addressee::Addressee;

use crate::catalog::Catalog;
use crate::digest::hash_of;
use crate::ids::CustomerKey;
use crate::money::{Currency, Money};
use crate::notice::shop::access::AccessChanges;
use crate::notice::shop::content::ShopNoticeContent;
use crate::notice::shop::row::ShopNoticeRow;
use crate::partner::ledger::{CommissionRow, RowKind};
use crate::partner::payout::Payout;
use crate::partner::referral::SubIds;
use crate::partner::referral_status::{ReferralStatus, ReferralStatusRow};
use crate::partner::statement::RowView;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A message that a row reached a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The type of notice, as `commission.created`. A row has each type at most once.
    pub kind: &'static str,
    /// When the row reached the state.
    pub at: Timestamp,
    /// From when on somebody who begins to be told now is not told it any more: `at`, but when it
    /// was decided where the row tells of what happened before.
    pub counts_from: Timestamp,
    /// The row, as it was then.
    pub data: NoticeData,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NoticeData {
    /// A row of the commission ledger, as a statement shows it.
    Commission(RowView),
    /// The status of a referral, in the words of the partner endpoint.
    Referral {
        /// The partner's id of the referral.
        referral_id: Arc<str>,
        /// The partner's own ids of it.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        sub_ids: SubIds,
        /// The status from now on.
        state: &'static str,
        /// The reason, for a held or refused referral.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
    },
    /// What the shop is told of a customer.
    Shop(Box<ShopNoticeData>),
    /// What decides what a customer may use: no JSON before it is [answered](Notice::answered).
    #[serde(skip_serializing)]
    Access(Arc<ShopNoticeRow>),
    /// A payout.
    Payout {
        /// The day it is for.
        date: Date,
        /// The amounts paid, one for each currency and minor unit.
        amounts: Vec<NoticeAmount>,
    },
}

/// What the shop is told of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShopNoticeData {
    /// The customer.
    customer: CustomerKey,
    /// The number of the write of the customer's record that decided it: of two notices about a
    /// customer, that with the higher one knows more.
    sequence: u64,
    /// How many more things that write had to tell than it told. Then ask.
    #[serde(skip_serializing_if = "is_zero")]
    untold: u32,
    /// The object that it is about.
    #[serde(flatten)]
    object: ShopNoticeObject,
}

/// The object that a notice to the shop is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum ShopNoticeObject {
    /// As the row shows it.
    Shown(ShopNoticeContent),
    /// What may be used otherwise than before.
    Answered { access: AccessChanges },
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An amount in the JSON of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoticeAmount {
    amount_minor: i64,
    currency: Currency,
    exponent: u8,
}

impl From<&Money> for NoticeAmount {
    fn from(money: &Money) -> Self {
        Self {
            amount_minor: money.minor,
            currency: money.currency,
            exponent: money.exponent,
        }
    }
}

/// The JSON body of a notice: `{"type", "timestamp", "data": {"id", …}}`. The id is the row's, and
/// is the same in all notices of the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoticeBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: NoticeBodyData<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct NoticeBodyData<'a> {
    id: String,
    #[serde(flatten)]
    data: &'a NoticeData,
}

/// All notices of a commission row, in the order of their times. A row that waits for a person's
/// decision has no notice of its release: time does not release it, and the decision makes rows of
/// its own.
pub fn of_commission(row: &CommissionRow) -> Vec<Notice> {
    let notice = |kind, at| Notice {
        kind,
        at,
        counts_from: at,
        data: NoticeData::Commission(RowView::before_payouts(row, at)),
    };
    let mut notices = vec![notice(commission_kind(row.kind), row.at)];
    if row.self_referral_signal.is_none() && row.releases_at > row.at {
        notices.push(notice("commission.released", row.releases_at));
    }
    notices
}

/// The notice of a referral's new status. `referral.waiting` is a notice too, because the partner
/// was told another status before.
pub fn of_referral_status(row: &ReferralStatusRow) -> Notice {
    Notice {
        kind: match row.status {
            ReferralStatus::Waiting => "referral.waiting",
            ReferralStatus::Attributed => "referral.attributed",
            ReferralStatus::Held(_) => "referral.held",
            ReferralStatus::Refused(_) => "referral.refused",
        },
        at: row.at,
        counts_from: row.at,
        data: NoticeData::Referral {
            referral_id: row.referral.clone(),
            sub_ids: row.sub_ids.clone(),
            state: row.status.as_str(),
            reason: row.status.reason(),
        },
    }
}

/// The notice of a payout.
pub fn of_payout(payout: &Payout) -> Notice {
    Notice {
        kind: "payout.created",
        at: payout.at,
        counts_from: payout.at,
        data: NoticeData::Payout {
            date: payout.date,
            amounts: payout.amounts.iter().map(NoticeAmount::from).collect(),
        },
    }
}

/// The notice of a row of what the shop is told.
pub fn of_shop_notice(row: &ShopNoticeRow) -> Notice {
    Notice {
        kind: row.kind.as_str(),
        at: row.at,
        counts_from: row.decided_at.max(row.at),
        data: match &row.content {
            ShopNoticeContent::Access(_) => NoticeData::Access(Arc::new(row.clone())),
            content @ (ShopNoticeContent::Subscription(_)
            | ShopNoticeContent::Payment(_)
            | ShopNoticeContent::Invoice(_)
            | ShopNoticeContent::Referral(_)
            | ShopNoticeContent::Event(_)) => {
                shop_data(row, ShopNoticeObject::Shown(content.clone()))
            }
        },
    }
}

fn shop_data(row: &ShopNoticeRow, object: ShopNoticeObject) -> NoticeData {
    NoticeData::Shop(Box::new(ShopNoticeData {
        customer: row.customer.clone(),
        sequence: row.sequence,
        untold: row.untold,
        object,
    }))
}

fn commission_kind(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Commission => "commission.created",
        RowKind::Refund => "commission.refunded",
        RowKind::Dispute => "commission.disputed",
        RowKind::Reversal => "commission.reversed",
    }
}

impl Notice {
    /// Whether it has a body only under a catalog: [`answered`](Self::answered) makes it.
    pub fn needs_catalog(&self) -> bool {
        matches!(self.data, NoticeData::Access(_))
    }

    /// This notice, with what a customer may use answered under a catalog, as of when its row was
    /// decided. `None` where no answer is another than before: then there is nothing to tell.
    pub fn answered(self, catalog: &Catalog) -> Option<Self> {
        let NoticeData::Access(row) = &self.data else {
            return Some(self);
        };
        let ShopNoticeContent::Access(content) = &row.content else {
            return Some(self);
        };
        let access = AccessChanges::of(content, catalog, row.decided_at)?;
        let data = shop_data(row, ShopNoticeObject::Answered { access });
        Some(Self { data, ..self })
    }

    /// The message id, by which repetitions are dropped: `msg_` and a hash of the addressee, the
    /// row's sort key and the type. `row` is that sort key.
    pub fn id(&self, addressee: impl Into<Addressee>, row: &str) -> String {
        hashed_id("msg", &[addressee.into().name(), row, self.kind])
    }

    /// The body to send. `row` is the row's sort key.
    pub fn body(&self, addressee: impl Into<Addressee>, row: &str) -> NoticeBody<'_> {
        NoticeBody {
            kind: self.kind,
            timestamp: self.at,
            data: NoticeBodyData {
                id: hashed_id("row", &[addressee.into().name(), row]),
                data: &self.data,
            },
        }
    }
}

/// `prefix_` and a hash. A row's sort key has the provider's customer id, which a partner must not
/// see.
fn hashed_id(prefix: &str, parts: &[&str]) -> String {
    format!("{prefix}_{:032x}", hash_of(parts))
}

/// How long a message waits after a failed attempt; the first attempt is number 1. `None` when the
/// message is given up. `requested` is the wait that the partner asked for. It counts when it is
/// longer than ours, up to [`MAX_WAIT`].
pub fn retry_wait(attempt: u32, requested: Option<SignedDuration>) -> Option<SignedDuration> {
    let index = usize::try_from(attempt.saturating_sub(1)).ok()?;
    let wait = SignedDuration::from_secs(*RETRY_WAITS.get(index)?);
    Some(requested.map_or(wait, |requested| requested.clamp(wait, wait.max(MAX_WAIT))))
}

/// Whether a notice endpoint is given up that has failed since this moment without a success.
pub fn is_given_up(failing_since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(failing_since) >= GIVE_UP_AFTER
}

/// How often a notice is sent before its message is given up.
pub const MAX_ATTEMPTS: u32 = 12;

/// The longest wait. A queue hides a message for at most twelve hours from its receipt.
pub const MAX_WAIT: SignedDuration = SignedDuration::from_hours(11);

/// How long a notice endpoint may fail before it is given up. It is a little less than all waits of
/// one message, so that the last attempt of a message finds the endpoint given up.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(71);

/// The wait after each failed attempt, in seconds: short at first, three days in all.
const RETRY_WAITS: [i64; MAX_ATTEMPTS as usize - 1] = [
    5,
    5 * 60,
    30 * 60,
    2 * 3_600,
    5 * 3_600,
    10 * 3_600,
    11 * 3_600,
    11 * 3_600,
    11 * 3_600,
    11 * 3_600,
    10 * 3_600,
];
