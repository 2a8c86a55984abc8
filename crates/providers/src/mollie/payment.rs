//! A payment in the state in which it was asked for.

use super::api::{BillingAddress, MollieAmount, MollieContext, ReadResult, read_metadata};
use super::event::{self, MollieEventHeader};
use super::subscription;
use crate::api_document::ReadError;
use crate::fetch::{ApiCall, FetchStep};
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::wire::{Id, Rfc3339Time, UnclearValue, read_object, to_timestamp};
use domain::event::{About, Fact};
use domain::ids::{ObjectId, ProviderAccount};
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot,
    RefundSnapshot, RefundState, SourceKind,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How it is asked for: with all that went back. None for what is no id.
pub(super) fn call(id: &str) -> Option<ApiCall> {
    ApiCall::get(&["payments", id])?.with_query(&[("embed", "refunds,chargebacks")])
}

/// What its state says.
pub(super) fn outcome<'a>(
    raw: &'a RawValue,
    item: &WireItem<'_, '_>,
) -> Result<FetchStep<ItemOutcome>, UnclearValue> {
    let payment: Payment<'a> = read_object(raw, PLACE)?;
    let mollie = MollieContext {
        account: item.account,
        responses: item.responses,
    };
    let (kind, checked) = match payment.kind() {
        Ok(Some(kind)) => (kind, Ok(())),
        // Nothing came of it yet, or somebody left the checkout page.
        Ok(None) => {
            let kind = format!("payment.{}", payment.status).into();
            return Ok(FetchStep::Done(ItemOutcome::Ignored { id: None, kind }));
        }
        Err(unclear) => ("payment.unclear", Err(unclear)),
    };
    let rank = KINDS.iter().find(|(known, _)| *known == kind);
    let event = MollieEventHeader {
        id: item.account.event(&payment.state_name()?),
        kind: kind.into(),
        at: payment.last_change(),
        rank: rank.map_or(u8::MAX, |(_, rank)| *rank),
        about: payment.about(item.account),
    };
    let ours = checked.and_then(|()| mollie.is_ours(&payment.mode, "payment.mode"));
    let read = match ours {
        Ok(true) => payment.read(&mollie, event.at),
        Ok(false) => Ok(ReadResult::WrongMode),
        Err(unclear) => Err(unclear.into()),
    };
    Ok(event::outcome(event, read, item))
}

/// What the states acted upon are called, and their rank.
pub(super) const KINDS: &[(&str, u8)] = &[
    ("payment.failed", 50),
    ("payment.paid", 57),
    ("payment.refunded", 71),
    ("payment.charged_back", 80),
];

/// A payment as the API shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment<'a> {
    pub(super) id: Id,
    pub(super) mode: Arc<str>,
    status: Arc<str>,
    amount: MollieAmount,
    created_at: Rfc3339Time,
    #[serde(default)]
    paid_at: Option<Rfc3339Time>,
    #[serde(default)]
    failed_at: Option<Rfc3339Time>,
    #[serde(default)]
    sequence_type: Option<Arc<str>>,
    #[serde(default)]
    customer_id: Option<Id>,
    #[serde(default)]
    subscription_id: Option<Id>,
    #[serde(default)]
    amount_refunded: Option<MollieAmount>,
    #[serde(default)]
    amount_charged_back: Option<MollieAmount>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    details: Option<&'a RawValue>,
    #[serde(default)]
    billing_email: Option<Arc<str>>,
    #[serde(default)]
    billing_address: Option<BillingAddress>,
    #[serde(default, rename = "_embedded")]
    embedded: EmbeddedReversals,
}

#[derive(Default, Deserialize)]
struct EmbeddedReversals {
    #[serde(default)]
    refunds: Option<Vec<Refund>>,
    #[serde(default)]
    chargebacks: Option<Vec<Chargeback>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    id: Id,
    status: Arc<str>,
    amount: MollieAmount,
    created_at: Rfc3339Time,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chargeback {
    id: Id,
    amount: MollieAmount,
    created_at: Rfc3339Time,
    #[serde(default)]
    reversed_at: Option<Rfc3339Time>,
}

/// What only payments of one method have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CardDetails {
    #[serde(default)]
    card_fingerprint: Option<Arc<str>>,
}

/// The payment that this one makes up for.
#[derive(Deserialize)]
struct Retry {
    retry_of: Id,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Pending,
    Paid,
    Failed,
    Abandoned,
}

enum Reversal {
    Nothing,
    Refund,
    Chargeback,
}

impl Payment<'_> {
    /// When it was paid; none where it was not.
    pub(super) fn paid_at(&self) -> Result<Option<Timestamp>, UnclearValue> {
        let paid = self.status()? == Status::Paid;
        Ok(paid.then(|| to_timestamp(self.paid_at).unwrap_or(self.created_at.0)))
    }

    /// The money, told once it is paid.
    pub(super) fn snapshot(&self, paid_at: Timestamp) -> Result<PaymentSnapshot, UnclearValue> {
        Ok(PaymentSnapshot {
            ids: vec![self.id.0.clone()],
            source_kind: SourceKind::Charge,
            paid: self.amount.money("payment.amount")?,
            tax_minor: None,
            paid_at,
            subscription: self.subscription_id.as_ref().map(|id| id.0.clone()),
            unlinked: false,
        })
    }

    /// Whose it is and what was written on it, nothing yet of money.
    pub(super) fn draft<'e>(
        &self,
        mollie: &MollieContext<'e, '_>,
    ) -> Result<crate::draft::NormalizedEventDraft<'e>, ReadError> {
        let customer = self.customer_id.as_ref();
        let mut draft = mollie.draft(customer, &self.id.0)?;
        let subscription = self.subscription_id.as_ref().map(|id| &id.0);
        draft.add_references(&[Some(&self.id.0), subscription]);
        read_metadata(&mut draft, self.metadata);
        let details = self.details.map(|raw| read_object::<CardDetails>(raw, ""));
        let fingerprint = details
            .and_then(Result::ok)
            .and_then(|d| d.card_fingerprint);
        if let Some(fingerprint) = fingerprint {
            draft.add_fingerprint(&fingerprint);
        }
        Ok(draft)
    }

    /// A guest is whom the bill goes to.
    pub(super) fn into_guest(self) -> Option<BillingAddress> {
        let billing = self.billing_address.unwrap_or_default();
        let guest = self.customer_id.is_none();
        guest.then(|| billing.or_email(self.billing_email))
    }

    fn read<'e>(
        self,
        mollie: &MollieContext<'e, '_>,
        moment: Timestamp,
    ) -> Result<ReadResult<'e>, ReadError> {
        let mut draft = self.draft(mollie)?;
        let paid_at = self.paid_at()?;
        if let Some(paid_at) = paid_at {
            draft.add_fact(Fact::Payment(self.snapshot(paid_at)?));
        }
        if self.sequence_type.as_deref() == Some("recurring") {
            draft.add_fact(Fact::Invoice(self.invoice(paid_at.is_some())?));
        }
        for refund in self.embedded.refunds.iter().flatten() {
            draft.add_fact(Fact::Refund(refund.snapshot(&self.id)?));
        }
        for chargeback in self.embedded.chargebacks.iter().flatten() {
            draft.add_fact(Fact::Dispute(chargeback.snapshot(&self.id)?));
        }
        if let (Some(customer), Some(subscription)) = (&self.customer_id, &self.subscription_id) {
            let current = matches!(self.reversal()?, Reversal::Nothing);
            let ids = (customer, subscription);
            subscription::add_subscription(mollie, &mut draft, ids, moment, current)?;
        }
        if let Some(guest) = self.into_guest() {
            draft.add_profile(guest.profile());
        }
        Ok(ReadResult::Draft(draft))
    }

    /// What is owed goes by the first payment that was to collect it.
    fn invoice(&self, paid: bool) -> Result<InvoiceSnapshot, UnclearValue> {
        let retry = self
            .metadata
            .and_then(|raw| serde_json::from_str::<Retry>(raw.get()).ok());
        let subscription = self.subscription_id.as_ref();
        let amount = self.amount.money("payment.amount")?;
        Ok(InvoiceSnapshot {
            id: retry.map_or_else(|| self.id.0.clone(), |retry| retry.retry_of.0),
            subscription: subscription.map(|id| id.0.clone()),
            state: if paid {
                InvoiceState::Paid
            } else {
                InvoiceState::Failed
            },
            due: amount,
            attempts: 0,
            next_attempt: NextAttempt::Unknown,
            paid: paid.then_some(amount),
        })
    }

    /// What its state is called, where it is acted upon.
    fn kind(&self) -> Result<Option<&'static str>, UnclearValue> {
        let recurring = self.sequence_type.as_deref() == Some("recurring");
        Ok(match (self.status()?, self.reversal()?) {
            (Status::Paid, Reversal::Nothing) => Some("payment.paid"),
            (Status::Paid, Reversal::Refund) => Some("payment.refunded"),
            (Status::Paid, Reversal::Chargeback) => Some("payment.charged_back"),
            (Status::Failed, _) if recurring => Some("payment.failed"),
            (Status::Failed | Status::Pending | Status::Abandoned, _) => None,
        })
    }

    /// Whom it is about, as far as it says by itself.
    fn about(&self, account: &ProviderAccount) -> About {
        match &self.customer_id {
            Some(customer) => About::Customer(account.customer(&customer.0)),
            None => About::ByReference(vec![account.reference(&self.id.0)]),
        }
    }

    fn status(&self) -> Result<Status, UnclearValue> {
        Ok(match &*self.status {
            "open" | "pending" | "authorized" => Status::Pending,
            "paid" => Status::Paid,
            "failed" => Status::Failed,
            "canceled" | "expired" => Status::Abandoned,
            other => return Err(UnclearValue::unknown_word("payment.status", other)),
        })
    }

    /// What went back, in lists of its own; a sum alone would not say what became of what.
    fn reversal(&self) -> Result<Reversal, UnclearValue> {
        let is_some = |sum: &Option<MollieAmount>| sum.as_ref().is_some_and(|sum| !sum.is_zero());
        let EmbeddedReversals {
            refunds,
            chargebacks,
        } = &self.embedded;
        if is_some(&self.amount_refunded) && refunds.is_none() {
            return Err(UnclearValue::missing("payment._embedded.refunds"));
        }
        if is_some(&self.amount_charged_back) && chargebacks.is_none() {
            return Err(UnclearValue::missing("payment._embedded.chargebacks"));
        }
        Ok(if chargebacks.iter().flatten().next().is_some() {
            Reversal::Chargeback
        } else if refunds.iter().flatten().next().is_some() {
            Reversal::Refund
        } else {
            Reversal::Nothing
        })
    }

    /// The last change that has a time.
    fn last_change(&self) -> Timestamp {
        let EmbeddedReversals {
            refunds,
            chargebacks,
        } = &self.embedded;
        let refunds = refunds.iter().flatten().map(|refund| refund.created_at);
        let chargebacks = chargebacks.iter().flatten();
        let chargebacks = chargebacks.flat_map(|back| [Some(back.created_at), back.reversed_at]);
        let own = [Some(self.created_at), self.paid_at, self.failed_at];
        let moments = own.into_iter().chain(chargebacks).flatten().chain(refunds);
        moments
            .map(|moment| moment.0)
            .max()
            .unwrap_or(self.created_at.0)
    }

    /// The name of this state of the payment: whatever we read of it is in it.
    fn state_name(&self) -> Result<ObjectId, UnclearValue> {
        let mut state = Sha256::new();
        let mut add = |words: &[&str]| {
            for word in words {
                state.update(word);
                state.update(b"\0");
            }
        };
        add(&[&self.status, &self.amount.value]);
        let mut refunds: Vec<_> = self.embedded.refunds.iter().flatten().collect();
        refunds.sort_by_key(|refund| refund.id.0.as_str());
        for refund in refunds {
            add(&[
                "refund",
                refund.id.0.as_str(),
                &refund.status,
                &refund.amount.value,
            ]);
        }
        let mut chargebacks: Vec<_> = self.embedded.chargebacks.iter().flatten().collect();
        chargebacks.sort_by_key(|chargeback| chargeback.id.0.as_str());
        for chargeback in chargebacks {
            let reversed = chargeback.reversed_at.map_or("", |_| "reversed");
            let id = chargeback.id.0.as_str();
            add(&["chargeback", id, &chargeback.amount.value, reversed]);
        }
        let digest: String = hex::encode(state.finalize()).chars().take(16).collect();
        let name = format!("{}.{digest}", self.id.0);
        ObjectId::parse(name).map_err(|_| UnclearValue::invalid_id("payment.id"))
    }
}

impl Refund {
    fn snapshot(&self, payment: &Id) -> Result<RefundSnapshot, UnclearValue> {
        let state = match &*self.status {
            "queued" | "pending" | "processing" => RefundState::Pending,
            "refunded" => RefundState::Succeeded,
            "failed" | "canceled" => RefundState::Failed,
            other => return Err(UnclearValue::unknown_word("refund.status", other)),
        };
        Ok(RefundSnapshot {
            id: self.id.0.clone(),
            payment: vec![payment.0.clone()],
            amount: self.amount.money("refund.amount")?.into(),
            tax_minor: None,
            state,
            created_at: self.created_at.0,
        })
    }
}

impl Chargeback {
    fn snapshot(&self, payment: &Id) -> Result<DisputeSnapshot, UnclearValue> {
        let state = match self.reversed_at {
            Some(_) => DisputeState::Won,
            None => DisputeState::Lost,
        };
        Ok(DisputeSnapshot {
            id: self.id.0.clone(),
            payment: vec![payment.0.clone()],
            amount: self.amount.money("chargeback.amount")?.into(),
            state,
        })
    }
}

const PLACE: &str = "payment";
