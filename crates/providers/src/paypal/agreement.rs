//! Agreements of the API's first version: subscriptions under other names, which are still billed.

use super::billing::{BillingCycle, BillingInfo, LastPayment};
use super::wire::PaypalAmount;
use crate::wire::{Id, Part, Rfc3339Time};
use domain::ids::ObjectId;
use serde::Deserialize;
use std::sync::Arc;

/// What an agreement has that a subscription has not.
#[derive(Default, Deserialize)]
pub(super) struct Agreement {
    // It has no id.
    #[serde(default)]
    plan: Part<Plan>,
    #[serde(default)]
    payer: Part<Payer>,
    #[serde(default)]
    shipping_address: Part<Address>,
    #[serde(default)]
    agreement_details: Part<AgreementDetails>,
}

#[derive(Deserialize)]
struct Plan {
    // In events the one, from the API the other.
    #[serde(alias = "curr_code", default)]
    currency_code: Part<Arc<str>>,
}

#[derive(Deserialize)]
struct Payer {
    #[serde(default)]
    payer_info: Part<PayerInfo>,
}

#[derive(Deserialize)]
pub(super) struct PayerInfo {
    #[serde(default)]
    payer_id: Part<Id>,
    #[serde(default)]
    pub(super) email: Part<Arc<str>>,
    #[serde(default)]
    first_name: Part<Arc<str>>,
    #[serde(default)]
    last_name: Part<Arc<str>>,
    #[serde(default)]
    shipping_address: Part<Address>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    country_code: Part<Arc<str>>,
}

/// Counts are text.
#[derive(Deserialize)]
struct AgreementDetails {
    #[serde(default)]
    outstanding_balance: Part<AgreementAmount>,
    #[serde(alias = "num_cycles_completed", default)]
    cycles_completed: Part<Arc<str>>,
    #[serde(default)]
    failed_payment_count: Part<Arc<str>>,
    #[serde(default)]
    last_payment_date: Part<Rfc3339Time>,
    #[serde(default)]
    last_payment_amount: Part<AgreementAmount>,
    #[serde(default)]
    next_billing_date: Part<Rfc3339Time>,
}

/// In events it has no currency: it is the plan's.
#[derive(Deserialize)]
struct AgreementAmount {
    value: Arc<str>,
    #[serde(default)]
    currency: Part<Arc<str>>,
}

impl Agreement {
    /// Whether its plan is told, which goes by the agreement's own id.
    pub(super) fn has_plan(&self) -> bool {
        matches!(self.plan, Part::Present(_))
    }

    /// Who pays.
    pub(super) fn payer(&self) -> Option<&ObjectId> {
        let id = self.payer_info()?.payer_id.as_ref().readable();
        id.map(|id| &id.0)
    }

    /// Who that is.
    pub(super) fn payer_info(&self) -> Option<&PayerInfo> {
        let payer = self.payer.as_ref().readable()?;
        payer.payer_info.as_ref().readable()
    }

    /// Where it is sent to, which the payer's own address may say too.
    pub(super) fn country(&self) -> Option<&Arc<str>> {
        let own = self.shipping_address.as_ref().readable();
        let of_payer = || self.payer_info()?.shipping_address.as_ref().readable();
        let address = own.or_else(of_payer)?;
        address.country_code.as_ref().readable()
    }

    /// How it is billed, in a subscription's words.
    pub(super) fn billing(&self) -> Part<BillingInfo> {
        self.agreement_details
            .as_ref()
            .map(|details| self.billing_info(details))
    }

    fn billing_info(&self, details: &AgreementDetails) -> BillingInfo {
        let cycle = BillingCycle {
            tenure_type: "REGULAR".into(),
            cycles_completed: count(&details.cycles_completed),
            cycles_remaining: Part::Absent,
            total_cycles: Part::Absent,
        };
        let last_payment = self.last_payment(details);
        let is_paid = matches!(details.last_payment_date, Part::Present(_));
        // What was paid in no known currency began a period all the same.
        let begins_unknown = is_paid && matches!(last_payment, Part::Absent);
        let next_billing_time = match details.next_billing_date {
            Part::Present(_) if begins_unknown => Part::Absent,
            next @ (Part::Present(_) | Part::Absent | Part::Null | Part::Unreadable) => next,
        };
        BillingInfo {
            outstanding_balance: self.amount(&details.outstanding_balance),
            cycle_executions: Part::Present(vec![cycle]),
            last_payment,
            next_billing_time,
            failed_payments_count: count(&details.failed_payment_count),
            last_failed_payment: Part::Absent,
        }
    }

    fn last_payment(&self, details: &AgreementDetails) -> Part<LastPayment> {
        let amount = self.amount(&details.last_payment_amount);
        match (amount, details.last_payment_date) {
            (Part::Present(amount), Part::Present(time)) => {
                Part::Present(LastPayment { amount, time })
            }
            (Part::Unreadable, _) | (_, Part::Unreadable) => Part::Unreadable,
            (Part::Absent | Part::Null, _) | (_, Part::Absent | Part::Null) => Part::Absent,
        }
    }

    /// Without a currency it is none.
    fn amount(&self, amount: &Part<AgreementAmount>) -> Part<PaypalAmount> {
        let plan = self.plan.as_ref().readable();
        let of_plan = || plan?.currency_code.as_ref().readable();
        match amount {
            Part::Present(amount) => {
                let currency = amount.currency.as_ref().readable().or_else(of_plan);
                let whole =
                    currency.map(|code| PaypalAmount::new(amount.value.clone(), code.clone()));
                whole.map_or(Part::Absent, Part::Present)
            }
            Part::Absent => Part::Absent,
            Part::Null => Part::Null,
            Part::Unreadable => Part::Unreadable,
        }
    }
}

impl PayerInfo {
    /// First and last name, as far as they are said.
    pub(super) fn name(&self) -> Option<Arc<str>> {
        let parts = [&self.first_name, &self.last_name];
        let parts = parts
            .into_iter()
            .filter_map(|part| part.as_ref().readable());
        let parts: Vec<&str> = parts.map(AsRef::as_ref).collect();
        (!parts.is_empty()).then(|| parts.join(" ").into())
    }
}

fn count(text: &Part<Arc<str>>) -> Part<u32> {
    match text {
        Part::Present(text) => text.parse().map_or(Part::Unreadable, Part::Present),
        Part::Absent => Part::Absent,
        Part::Null => Part::Null,
        Part::Unreadable => Part::Unreadable,
    }
}
