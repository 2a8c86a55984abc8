//! Whether a subscription or a purchase gives anything at a moment, by the access policy.

use super::answer::AccessReason;
use crate::catalog::access::{AccessPolicy, AccessRule};
use crate::ids::ObjectId;
use crate::payment::kept_purchase::PaymentStanding;
use crate::payment::payments::Payments;
use crate::subscription::state::Subscription;
use crate::subscription::terms::{SubscriptionStatus, TrialFallback};
use jiff::Timestamp;

/// Access that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// Why, where that is not its kind of source.
    pub(super) special: Option<AccessReason>,
    /// Whether it is given for the time being.
    pub(super) soft: bool,
    /// When it ends by itself; [`Timestamp::MAX`] where it does not.
    pub(super) until: Timestamp,
}

impl Access {
    const FULL: Self = Self {
        special: None,
        soft: false,
        until: Timestamp::MAX,
    };

    /// The same until this moment at most. From then on the reason is `why`.
    pub(super) fn ending(
        self,
        end: Timestamp,
        at: Timestamp,
        why: AccessReason,
    ) -> Result<Self, AccessReason> {
        if end <= at {
            return Err(why);
        }
        let until = self.until.min(end);
        Ok(Self { until, ..self })
    }

    /// The same under a rule for a trouble that began at `since`.
    pub(super) fn under(
        self,
        rule: AccessRule,
        since: Timestamp,
        at: Timestamp,
        why: AccessReason,
    ) -> Result<Self, AccessReason> {
        let end = rule.lasts_until(since).ok_or(why)?;
        let soft = self.soft || rule.is_soft();
        Self { soft, ..self }.ending(end, at, why)
    }

    /// The same after what became of the money.
    fn paid_by(
        self,
        standing: PaymentStanding,
        policy: &AccessPolicy,
        at: Timestamp,
    ) -> Result<Self, AccessReason> {
        let (rule, why) = match standing {
            PaymentStanding::Kept => return Ok(self),
            PaymentStanding::PartlyRefunded => (policy.partly_refunded, AccessReason::Refunded),
            PaymentStanding::Refunded => (policy.refunded, AccessReason::Refunded),
            PaymentStanding::Disputed => (policy.disputed, AccessReason::Disputed),
            PaymentStanding::Lost => (policy.refunded, AccessReason::Disputed),
        };
        // These rules have no days, so it does not matter when it began.
        self.under(rule, at, at, why)
    }
}

/// What the items of a subscription give at a moment.
pub(super) fn of_subscription(
    subscription: &Subscription,
    money: PaymentStanding,
    policy: &AccessPolicy,
    at: Timestamp,
) -> Result<Access, AccessReason> {
    let terms = &subscription.terms;
    let since = subscription.interrupted_at.unwrap_or(subscription.as_of);
    let full = || match subscription.ends_at() {
        Some(end) => Access::FULL.ending(end, at, AccessReason::Ended),
        None => Ok(Access::FULL),
    };
    let overdue = |rule| -> Result<Access, AccessReason> {
        let access = full()?.under(rule, since, at, AccessReason::Expired)?;
        let special = Some(AccessReason::GracePastDue);
        Ok(Access { special, ..access })
    };
    let access = match terms.status {
        SubscriptionStatus::Incomplete | SubscriptionStatus::IncompleteExpired => {
            return Err(AccessReason::None);
        }
        SubscriptionStatus::Canceled => return Err(AccessReason::Ended),
        SubscriptionStatus::Active => full()?,
        SubscriptionStatus::Trialing => {
            let end = trial_end(subscription).unwrap_or(Timestamp::MAX);
            let access = full()?.ending(end, at, AccessReason::Expired)?;
            let special = Some(AccessReason::Trial);
            Access { special, ..access }
        }
        SubscriptionStatus::PastDue => overdue(policy.past_due)?,
        SubscriptionStatus::Unpaid => overdue(policy.unpaid)?,
        SubscriptionStatus::Paused => {
            full()?.under(policy.paused, since, at, AccessReason::Paused)?
        }
    };
    let access = access.paid_by(money, policy, at)?;
    match &terms.pause {
        Some(pause) if terms.status.is_running() && pause.resumes_at.is_none_or(|end| end > at) => {
            access.under(policy.collection_paused, since, at, AccessReason::Paused)
        }
        Some(_) | None => Ok(access),
    }
}

/// What a purchase gives at a moment. `end` is when its time is over.
pub(super) fn of_purchase(
    end: Timestamp,
    money: PaymentStanding,
    policy: &AccessPolicy,
    at: Timestamp,
) -> Result<Access, AccessReason> {
    let access = Access::FULL.ending(end, at, AccessReason::Expired)?;
    access.paid_by(money, policy, at)
}

/// The moments at which what a subscription gives may change by itself.
pub(super) fn changes_of(
    subscription: &Subscription,
    policy: &AccessPolicy,
) -> impl Iterator<Item = Timestamp> {
    let terms = &subscription.terms;
    let rule = match terms.status {
        SubscriptionStatus::PastDue => Some(policy.past_due),
        SubscriptionStatus::Unpaid => Some(policy.unpaid),
        SubscriptionStatus::Paused => Some(policy.paused),
        SubscriptionStatus::Trialing | SubscriptionStatus::Active => {
            terms.pause.as_ref().map(|_| policy.collection_paused)
        }
        SubscriptionStatus::Incomplete
        | SubscriptionStatus::IncompleteExpired
        | SubscriptionStatus::Canceled => None,
    };
    let since = subscription.interrupted_at.unwrap_or(subscription.as_of);
    let grace = rule.and_then(|rule| rule.lasts_until(since));
    let resumes_at = terms.pause.as_ref().and_then(|pause| pause.resumes_at);
    let removed = subscription.removed_items.iter().map(|item| item.until);
    let ends = [subscription.ends_at(), trial_end(subscription), resumes_at];
    removed.chain(grace).chain(ends.into_iter().flatten())
}

/// When a trial ends without anything to follow it.
fn trial_end(subscription: &Subscription) -> Option<Timestamp> {
    let terms = &subscription.terms;
    match terms.trial_fallback {
        Some(TrialFallback::Ends | TrialFallback::Pauses) => terms.trial.map(|trial| trial.end),
        Some(TrialFallback::Other) | None => None,
    }
}

/// What became of a subscription's money. It is disputed while a dispute of any of its payments is
/// open. Else what was paid since its running period began decides, or its last payment where no
/// period is known: all of it went back, or a part, or nothing.
pub(super) fn money_for(
    id: &ObjectId,
    subscription: &Subscription,
    payments: &Payments,
) -> PaymentStanding {
    let mine: Vec<(Option<Timestamp>, PaymentStanding)> = payments
        .settled()
        .filter(|payment| payment.subscription() == Some(id))
        .map(|payment| (payment.paid_at(), payment.standing()))
        .collect();
    let period = subscription.terms.period;
    let last = mine.iter().filter_map(|(paid_at, _)| *paid_at).max();
    let start = period.map(|period| period.start).or(last);
    let running = mine.iter().filter(|(paid_at, _)| *paid_at >= start);
    let running = || running.clone().map(|(_, standing)| *standing);
    if mine
        .iter()
        .any(|(_, standing)| *standing == PaymentStanding::Disputed)
    {
        return PaymentStanding::Disputed;
    }
    match running().max().unwrap_or_default() {
        gone @ (PaymentStanding::Refunded | PaymentStanding::Lost) => {
            let all_gone = running().all(PaymentStanding::is_gone);
            if all_gone {
                gone
            } else {
                PaymentStanding::PartlyRefunded
            }
        }
        other @ (PaymentStanding::Kept
        | PaymentStanding::PartlyRefunded
        | PaymentStanding::Disputed) => other,
    }
}
