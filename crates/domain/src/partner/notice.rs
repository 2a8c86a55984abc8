//! What a partner is sent of its rows: a notice for each row and each state that the row comes
//! to, under an id that is the same however often it is sent; and how long sending is tried.
//!
//! Everything follows from the row and the moment at which the state came, never from the moment
//! of sending: a notice that is sent again is the same to the byte.

use crate::ids::PartnerId;
use crate::money::{Currency, Money};
use crate::partner::ledger::{CommissionRow, RowKind};
use crate::partner::payout::Payout;
use crate::partner::referral_status::{ReferralStatus, ReferralStatusRow};
use crate::partner::statement::RowView;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// That a row of a partner's came to a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// `commission.created` and the like; a row has each at most once.
    pub kind: &'static str,
    /// When the state came.
    pub at: Timestamp,
    /// The row, as it stood then.
    pub data: NoticeData,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NoticeData {
    /// A row of the commission ledger, as it stands in a statement.
    Commission(RowView),
    /// How a report stands, in the words of the partners' door.
    Referral {
        /// The partner's id of the referral.
        referral_id: Arc<str>,
        /// How it stands from now on.
        state: &'static str,
        /// Why, where there is a reason.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
    },
    /// What was paid out.
    Payout {
        /// The day it is for.
        date: Date,
        /// How much, in each unit by itself.
        amounts: Vec<NoticeAmount>,
    },
}

/// An amount as it stands in a notice.
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

/// A notice as it travels: `{"type", "timestamp", "data": {"id", …}}`, the id being the row's, the
/// same in all its notices.
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

/// Every notice that a row of the ledger ever makes, in the order of their moments. What waits for
/// a person's decision is not released by time; the decision makes rows of its own.
pub fn of_commission(row: &CommissionRow) -> Vec<Notice> {
    let notice = |kind, at| Notice {
        kind,
        at,
        data: NoticeData::Commission(RowView::before_payouts(row, at)),
    };
    let mut notices = vec![notice(commission_kind(row.kind), row.at)];
    if row.self_referral_signal.is_none() && row.releases_at > row.at {
        notices.push(notice("commission.released", row.releases_at));
    }
    notices
}

/// The notice of how a report stands. That one waits again is told as well: it was told otherwise
/// before.
pub fn of_referral_status(row: &ReferralStatusRow) -> Notice {
    Notice {
        kind: match row.status {
            ReferralStatus::Waiting => "referral.waiting",
            ReferralStatus::Attributed => "referral.attributed",
            ReferralStatus::Held(_) => "referral.held",
            ReferralStatus::Refused(_) => "referral.refused",
        },
        at: row.at,
        data: NoticeData::Referral {
            referral_id: row.referral.clone(),
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
        data: NoticeData::Payout {
            date: payout.date,
            amounts: payout.amounts.iter().map(NoticeAmount::from).collect(),
        },
    }
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
    /// Its message id, by which a partner drops repetitions: made of the row's sort key and the
    /// state, and of nothing else.
    pub fn id(&self, partner: &PartnerId, row: &str) -> String {
        hashed_id("msg", &[partner.as_str(), row, self.kind])
    }

    /// As it travels.
    pub fn body<'a>(&'a self, partner: &PartnerId, row: &str) -> NoticeBody<'a> {
        NoticeBody {
            kind: self.kind,
            timestamp: self.at,
            data: NoticeBodyData {
                id: hashed_id("row", &[partner.as_str(), row]),
                data: &self.data,
            },
        }
    }
}

/// A row's sort key names its customer as the provider does, which is nobody else's business.
fn hashed_id(what: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let first = hash.finalize().first_chunk::<16>().copied();
    let number = u128::from_be_bytes(first.unwrap_or_default());
    format!("{what}_{number:032x}")
}

/// How long a message waits after so many vain attempts, the first being 1; none when it is given
/// up. `asked` is what the partner asked for, which counts where it is longer, up to
/// [`MAX_WAIT`].
pub fn retry_wait(attempt: u32, asked: Option<SignedDuration>) -> Option<SignedDuration> {
    let place = usize::try_from(attempt.saturating_sub(1)).ok()?;
    let wait = SignedDuration::from_secs(*RETRY_WAITS.get(place)?);
    Some(asked.map_or(wait, |asked| asked.clamp(wait, wait.max(MAX_WAIT))))
}

/// Whether an endpoint that has failed since then, without a success between, is given up.
pub fn is_given_up(failing_since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(failing_since) >= GIVE_UP_AFTER
}

/// How often a notice is sent before its message is given up.
pub const MAX_ATTEMPTS: u32 = 12;

/// A queue hides a message for twelve hours at most, counted from when it was received.
pub const MAX_WAIT: SignedDuration = SignedDuration::from_hours(11);

/// A little less than the waits of one message, so that its last attempt finds it so.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(71);

/// Seconds after each vain attempt: soon at first, then through three days in all.
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
