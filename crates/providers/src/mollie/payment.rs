//! A payment in the state in which it was asked for.

mod reversals;
mod state;

use self::reversals::EmbeddedReversals;
use super::api::{BillingAddress, MollieAmount, MollieContext, ReadResult, read_metadata};
use super::event::{self, Entity, MollieEventHeader};
use super::subscription;
use crate::api_document::{ReadError, fetch};
use crate::fetch::{ApiCall, FetchStep};
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::wire::{Id, Part, Rfc3339Time, UnclearValue, read_object, to_timestamp};
use domain::event::{About, Fact};
use domain::ids::ProviderAccount;
use domain::money::Money;
use domain::payment::snapshot::{
    InvoiceSnapshot, InvoiceState, NextAttempt, PaymentSnapshot, SourceKind,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
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

/// Signed `payment.paid` and `payment.failed`: the payment is asked for, as for a form. It may be
/// further on than the event, and the event's own copy of it lacks what went back.
pub(super) fn signed<'a>(
    mollie: &MollieContext<'a, '_>,
    entity: &Entity<'a>,
) -> Result<ReadResult<'a>, ReadError> {
    fetched(mollie, &entity.id, entity.at)
}

/// The payment of that id, as of an event of that moment.
pub(super) fn fetched<'a>(
    mollie: &MollieContext<'a, '_>,
    id: &Id,
    moment: Timestamp,
) -> Result<ReadResult<'a>, ReadError> {
    let document = fetch(mollie.responses, call(id.0.as_str()), PLACE)?;
    let payment: Payment<'_> = read_object(document, PLACE)?;
    if !mollie.is_ours(&payment.mode, "payment.mode")? {
        return Ok(ReadResult::WrongMode);
    }
    match payment.kind()? {
        Some(_) => payment.read(mollie, moment),
        None => Ok(ReadResult::Nothing),
    }
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
    #[serde(default)]
    amount: Part<MollieAmount>,
    // Where less was captured than authorized.
    #[serde(default)]
    amount_captured: Part<MollieAmount>,
    created_at: Rfc3339Time,
    #[serde(default)]
    paid_at: Part<Rfc3339Time>,
    #[serde(default)]
    failed_at: Part<Rfc3339Time>,
    #[serde(default)]
    sequence_type: Part<Arc<str>>,
    #[serde(default)]
    customer_id: Option<Id>,
    #[serde(default)]
    subscription_id: Option<Id>,
    #[serde(default)]
    amount_refunded: Part<MollieAmount>,
    #[serde(default)]
    amount_charged_back: Part<MollieAmount>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    details: Option<&'a RawValue>,
    #[serde(default)]
    billing_email: Part<Arc<str>>,
    #[serde(default)]
    billing_address: Part<BillingAddress>,
    #[serde(default, rename = "_embedded")]
    embedded: EmbeddedReversals,
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
    Some,
}

impl Payment<'_> {
    /// When it was paid; none where it was not.
    pub(super) fn paid_at(&self) -> Result<Option<Timestamp>, UnclearValue> {
        let paid = self.status()? == Status::Paid;
        let at = to_timestamp(self.paid_at.readable()).unwrap_or(self.created_at.0);
        Ok(paid.then_some(at))
    }

    /// The money, told once it is paid.
    pub(super) fn snapshot(&self, paid_at: Timestamp) -> Result<PaymentSnapshot, UnclearValue> {
        Ok(PaymentSnapshot {
            ids: vec![self.id.0.clone()],
            source_kind: SourceKind::Charge,
            paid: self.arrived()?,
            tax_minor: None,
            paid_at,
            subscription: self.subscription_id.as_ref().map(|id| id.0.clone()),
            unlinked: false,
            purchased: Vec::new(),
        })
    }

    /// What arrived: what was captured where that is told, for the rest was let go.
    fn arrived(&self) -> Result<Money, UnclearValue> {
        let place = "payment.amountCaptured";
        match self.amount_captured.as_ref().read(place)? {
            Some(captured) if captured.is_zero() => {
                Err(UnclearValue(format!("`{place}` is zero though it is paid")))
            }
            Some(captured) => captured.money(place),
            None => self.due(),
        }
    }

    fn due(&self) -> Result<Money, UnclearValue> {
        self.amount.as_ref().require(AMOUNT)?.money(AMOUNT)
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
        let billing = self.billing_address.readable().unwrap_or_default();
        let guest = self.customer_id.is_none();
        guest.then(|| billing.or_email(self.billing_email.readable()))
    }

    fn read<'e>(
        self,
        mollie: &MollieContext<'e, '_>,
        moment: Timestamp,
    ) -> Result<ReadResult<'e>, ReadError> {
        let mut draft = self.draft(mollie)?;
        let paid_at = draft.readable(self.paid_at()).flatten();
        if let Some(paid_at) = paid_at {
            let snapshot = draft.readable(self.snapshot(paid_at));
            draft.facts.extend(snapshot.map(Fact::Payment));
        }
        if self.is_recurring() {
            let invoice = draft.readable(self.invoice(paid_at.is_some()));
            draft.facts.extend(invoice.map(Fact::Invoice));
        }
        let reversal = draft.readable(self.reversal());
        for refund in self.embedded.refunds() {
            let refund = draft.readable(refund.snapshot(&self.id));
            draft.facts.extend(refund.map(Fact::Refund));
        }
        for chargeback in self.embedded.chargebacks() {
            let chargeback = draft.readable(chargeback.snapshot(&self.id));
            draft.facts.extend(chargeback.map(Fact::Dispute));
        }
        if let (Some(customer), Some(subscription)) = (&self.customer_id, &self.subscription_id) {
            let current = matches!(reversal, Some(Reversal::Nothing));
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
        Ok(InvoiceSnapshot {
            id: retry.map_or_else(|| self.id.0.clone(), |retry| retry.retry_of.0),
            subscription: subscription.map(|id| id.0.clone()),
            state: if paid {
                InvoiceState::Paid
            } else {
                InvoiceState::Failed
            },
            due: self.due()?,
            attempts: 0,
            // Mollie does not try again, but the shop may: that is another payment.
            next_attempt: NextAttempt::Unknown,
            paid: self.arrived().ok().filter(|_| paid),
        })
    }

    /// What its state is called, where it is acted upon.
    fn kind(&self) -> Result<Option<&'static str>, UnclearValue> {
        Ok(match self.status()? {
            Status::Paid if self.embedded.chargebacks().next().is_some() => {
                Some("payment.charged_back")
            }
            Status::Paid if self.embedded.refunds().next().is_some() => Some("payment.refunded"),
            Status::Paid => Some("payment.paid"),
            Status::Failed if self.is_recurring() => Some("payment.failed"),
            Status::Failed | Status::Pending | Status::Abandoned => None,
        })
    }

    fn is_recurring(&self) -> bool {
        let kind = self.sequence_type.as_ref().readable();
        kind.map(|kind| &**kind) == Some("recurring")
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
        let is_some = |sum: &Part<MollieAmount>| match sum {
            Part::Present(sum) => !sum.is_zero(),
            Part::Unreadable => true,
            Part::Absent | Part::Null => false,
        };
        let listed = self.embedded.refunds.as_ref();
        let listed = listed.read("payment._embedded.refunds")?;
        if is_some(&self.amount_refunded) && listed.is_none() {
            return Err(UnclearValue::missing("payment._embedded.refunds"));
        }
        let listed = self.embedded.chargebacks.as_ref();
        let listed = listed.read("payment._embedded.chargebacks")?;
        if is_some(&self.amount_charged_back) && listed.is_none() {
            return Err(UnclearValue::missing("payment._embedded.chargebacks"));
        }
        if self.embedded.has_unreadable() {
            let what =
                "a refund or chargeback in `payment._embedded` does not have the form we know";
            return Err(UnclearValue(what.into()));
        }
        let mut back = self.embedded.refunds().map(|_| ());
        let mut charged_back = self.embedded.chargebacks().map(|_| ());
        Ok(match back.next().or(charged_back.next()) {
            Some(()) => Reversal::Some,
            None => Reversal::Nothing,
        })
    }
}

const PLACE: &str = "payment";
const AMOUNT: &str = "payment.amount";
