//! How a subscription is billed: its cycles, what was paid, what failed, when it is charged next.

use super::wire::PaypalAmount;
use crate::wire::{Part, Rfc3339Time, UnclearValue, to_timestamp};
use domain::subscription::terms::Period;
use jiff::Timestamp;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
pub(super) struct BillingInfo {
    #[serde(default)]
    pub(super) outstanding_balance: Part<PaypalAmount>,
    #[serde(default)]
    pub(super) cycle_executions: Part<Vec<BillingCycle>>,
    #[serde(default)]
    pub(super) last_payment: Part<LastPayment>,
    #[serde(default)]
    pub(super) next_billing_time: Part<Rfc3339Time>,
    #[serde(default)]
    pub(super) failed_payments_count: Part<u32>,
    #[serde(default)]
    pub(super) last_failed_payment: Part<FailedPayment>,
}

#[derive(Deserialize)]
pub(super) struct BillingCycle {
    pub(super) tenure_type: Arc<str>,
    #[serde(default)]
    pub(super) cycles_completed: Part<u32>,
    #[serde(default)]
    pub(super) cycles_remaining: Part<u32>,
    #[serde(default)]
    pub(super) total_cycles: Part<u32>,
}

#[derive(Deserialize)]
pub(super) struct LastPayment {
    pub(super) amount: PaypalAmount,
    pub(super) time: Rfc3339Time,
}

#[derive(Deserialize)]
pub(super) struct FailedPayment {
    pub(super) amount: PaypalAmount,
    #[serde(default)]
    pub(super) next_payment_retry_time: Part<Rfc3339Time>,
}

impl BillingCycle {
    /// Whether it was executed at least once. Where that is not said, it is not denied.
    fn has_run(&self) -> bool {
        self.cycles_completed.readable() != Some(0)
    }
}

impl BillingInfo {
    /// Its plan has a trial, and no regular cycle is over or paid. A trial that is paid for is
    /// not told from what follows it.
    pub(super) fn is_trial(&self) -> bool {
        let Some(cycles) = self.cycle_executions.as_ref().readable() else {
            return false;
        };
        let of_kind = |kind: &'static str| {
            let cycles = cycles.iter();
            cycles.filter(move |cycle| *cycle.tenure_type == *kind)
        };
        let paid = match &self.last_payment {
            Part::Present(paid) => !paid.amount.is_zero(),
            Part::Absent | Part::Null => false,
            Part::Unreadable => true,
        };
        let regular = of_kind("REGULAR").any(|cycle| {
            let completed = cycle.cycles_completed.readable();
            completed.is_some_and(|count| count > 0)
        });
        of_kind("TRIAL").next().is_some() && !regular && !paid
    }

    /// Whether the next payment is the first after the trial. A trial may have several cycles.
    pub(super) fn trial_ends_with_period(&self) -> bool {
        let cycles = self.cycle_executions.as_ref().readable();
        let mut trials = cycles.into_iter().flatten();
        trials.all(|cycle| {
            let is_last = cycle.cycles_remaining.readable() == Some(0);
            &*cycle.tenure_type != "TRIAL" || is_last || cycle.total_cycles.readable() == Some(1)
        })
    }

    /// From the last payment, or the start, to the next. Before the first cycle has run there is
    /// none: the next charge is then the one that begins it, often within the hour, and PayPal
    /// sends nothing when it has.
    pub(super) fn period(&self, started_at: Timestamp) -> Result<Option<Period>, UnclearValue> {
        let paid = self.last_payment.as_ref().read(LAST_PAYMENT)?;
        if paid.is_none() && !self.has_begun() {
            return Ok(None);
        }
        let start = paid.map_or(started_at, |paid| paid.time.0);
        let next = self.next_billing_time;
        let end = to_timestamp(next.read("resource.billing_info.next_billing_time")?);
        let end = end.filter(|end| start <= *end);
        Ok(end.map(|end| Period { start, end }))
    }

    /// Whether one of its cycles has run, as far as it says.
    fn has_begun(&self) -> bool {
        let cycles = self.cycle_executions.as_ref().readable();
        cycles.is_none_or(|cycles| cycles.is_empty() || cycles.iter().any(BillingCycle::has_run))
    }

    pub(super) fn code(&self) -> Option<&str> {
        let paid = || self.last_payment.as_ref().readable();
        let balance = self.outstanding_balance.as_ref().readable();
        balance
            .or_else(|| paid().map(|paid| &paid.amount))
            .map(PaypalAmount::code)
    }
}

pub(super) const LAST_PAYMENT: &str = "resource.billing_info.last_payment";
