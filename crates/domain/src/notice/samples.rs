//! A notice of every kind about rows that are made up, so that a partner can try its receiving end.

use crate::ids::{CustomerKey, ObjectId, PartnerId};
use crate::money::{Currency, Money};
use crate::notice::{Notice, of_commission, of_payout, of_referral_status};
use crate::partner::identity::SelfReferralSignal;
use crate::partner::ledger::{CommissionRow, RowKind};
use crate::partner::payout::{Payout, day_of};
use crate::partner::program::Reward;
use crate::partner::referral::{ReferralRefusal, SubIds};
use crate::partner::referral_status::{ReferralStatus, ReferralStatusRow};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// One notice of every kind, the row it is about being none of the partner's ledger.
pub fn samples(partner: &PartnerId, now: Timestamp) -> Vec<Notice> {
    sample_row(partner, now).map_or_else(Vec::new, |row| of_samples(&row, now))
}

/// A commission. `None` never: the names are fixed.
fn sample_row(partner: &PartnerId, now: Timestamp) -> Option<CommissionRow> {
    let amount = Money {
        minor: 480,
        currency: Currency::parse("eur").ok()?,
        exponent: 2,
    };
    Some(CommissionRow {
        partner: partner.clone(),
        customer: CustomerKey::parse("sample/test/customer").ok()?,
        payment: ObjectId::parse("sample_payment").ok()?,
        referral: Some(REFERRAL.into()),
        sub_ids: sub_ids(),
        n: 0,
        kind: RowKind::Commission,
        amount,
        self_referral_signal: None,
        reward: Some(Reward::BasisPoints(2_000)),
        base_minor: Some(2_400),
        is_tax_unknown: false,
        paid_at: Some(now),
        at: now,
        releases_at: now.checked_add(HOLD).unwrap_or(now),
    })
}

fn of_samples(commission: &CommissionRow, now: Timestamp) -> Vec<Notice> {
    let (partner, amount) = (&commission.partner, commission.amount);
    let statuses = [
        ReferralStatus::Attributed,
        ReferralStatus::Held(SelfReferralSignal::SameEmail),
        ReferralStatus::Refused(ReferralRefusal::OutsideWindow),
        ReferralStatus::Waiting,
    ];
    let mut notices = Vec::from(statuses.map(|status| {
        of_referral_status(&ReferralStatusRow {
            partner: partner.clone(),
            referral: REFERRAL.into(),
            sub_ids: sub_ids(),
            customer: commission.customer.clone(),
            n: 0,
            status,
            at: now,
        })
    }));
    for kind in RowKind::ALL {
        let minor = match kind {
            RowKind::Commission => amount.minor,
            RowKind::Refund | RowKind::Dispute | RowKind::Reversal => amount.minor.saturating_neg(),
        };
        let row = CommissionRow {
            kind,
            amount: Money { minor, ..amount },
            ..commission.clone()
        };
        let of_row = of_commission(&row);
        let is_new =
            |notice: &Notice, known: &[Notice]| known.iter().all(|n| n.kind != notice.kind);
        for notice in of_row {
            if is_new(&notice, &notices) {
                notices.push(notice);
            }
        }
    }
    notices.push(of_payout(&Payout {
        partner: partner.clone(),
        n: 1,
        date: day_of(now),
        at: now,
        until: now,
        amounts: vec![amount],
        complete_until: now,
        late_rows: BTreeMap::new(),
    }));
    notices
}

fn sub_ids() -> SubIds {
    [("campaign".into(), "sample".into())].into()
}

const REFERRAL: &str = "sample-referral";
const HOLD: SignedDuration = SignedDuration::from_hours(30 * 24);
