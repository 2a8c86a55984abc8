//! A normalized event: what one wire item says, in our words, and all that the fold sees of it.

use crate::ids::{CustomerKey, EventId, ObjectId, PartnerId, Reference};
use crate::partner::referral::AttributionTerms;
use crate::partner::referral::CodeGranted;
use crate::partner::referral::Decision;
use crate::partner::referral::ReferralSnapshot;
use crate::payment::snapshot::{DisputeSnapshot, InvoiceSnapshot, PaymentSnapshot, RefundSnapshot};
use crate::person::Profile;
use crate::subscription::terms::SubscriptionSnapshot;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One event as we understood it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NormalizedEvent {
    /// The journal key.
    pub id: EventId,
    /// The sender's own name for the event: `invoice.paid`.
    pub kind: Arc<str>,
    /// When it happened, by the sender's clock.
    pub occurred_at: Timestamp,
    /// Life-cycle rank: settles the order of events of the same instant.
    pub rank: u8,
    /// Whose it is.
    pub about: About,
    /// What it says; empty when the event is known but tells nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Everything else that leads to its customer: later events may name only these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
}

/// Whose an event is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The event names its customer (or is a guest's own payment).
    Customer(CustomerKey),
    /// The event names only these; one of them may lead to a customer, now or later.
    ByReference(Vec<Reference>),
}

/// Where an event stands in its customer's history: by time, then rank, then id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// When it happened.
    pub at: Timestamp,
    /// Its life-cycle rank.
    pub rank: u8,
    /// Its id.
    pub id: EventId,
}

impl NormalizedEvent {
    /// Its place in the order of the fold.
    pub fn position(&self) -> Position {
        Position {
            at: self.occurred_at,
            rank: self.rank,
            id: self.id.clone(),
        }
    }

    /// Whether it is quarantined: authentic, and not understood.
    pub fn is_unclear(&self) -> bool {
        self.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Unclear { .. }))
    }

    /// Whether it waits for the provider's API.
    pub fn is_waiting(&self) -> bool {
        self.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Waiting { .. }))
    }

    /// Whether it names its customer only by something that several customers may share.
    pub fn is_by_shared_reference(&self) -> bool {
        match &self.about {
            About::Customer(_) => false,
            About::ByReference(references) => references.iter().any(Reference::is_shared),
        }
    }
}

/// One thing an event says. Every variant carries its own merge rule in [`crate::state::fold`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Who the customer is.
    Profile(Profile),
    /// The provider deleted the customer.
    CustomerDeleted,
    /// A subscription as it was at that moment.
    Subscription(Box<SubscriptionSnapshot>),
    /// An invoice could not be collected, or was given up or paid after all.
    Invoice(InvoiceSnapshot),
    /// Money arrived.
    Payment(PaymentSnapshot),
    /// These ids are one payment.
    SamePayment {
        /// Ids of invoice, intent, charge, session.
        ids: Vec<ObjectId>,
    },
    /// Of a payment, this much has gone back so far.
    CumulativeRefund {
        /// Ids that name the payment.
        ids: Vec<ObjectId>,
        /// Minor units, cumulative.
        minor: i64,
    },
    /// One refund as it was at that moment.
    Refund(RefundSnapshot),
    /// One dispute as it was at that moment.
    Dispute(DisputeSnapshot),
    /// A partner says it sent this customer.
    Referral(ReferralSnapshot),
    /// A partner takes a referral back.
    ReferralCanceled {
        /// Whose referral.
        partner: PartnerId,
        /// The partner's id of the referral.
        referral: Arc<str>,
    },
    /// The program of a partner that reports, as the door found it in force.
    AttributionTerms(Box<AttributionTerms>),
    /// Somebody decided what becomes of a referral that waits for a person.
    Reviewed {
        /// Whose referral.
        partner: PartnerId,
        /// The partner's id of the referral.
        referral: Arc<str>,
        /// What was decided.
        decision: Decision,
    },
    /// A code was given to a partner.
    CodeGranted(Box<CodeGranted>),
    /// What the customer paid with, as the provider marks it.
    Fingerprint {
        /// The mark.
        fingerprint: Arc<str>,
    },
    /// A referral code seen in what the provider sent.
    ReferralCode {
        /// The code.
        code: Arc<str>,
    },
    /// Authentic and thin: what it tells has to be asked for, and the provider's API has not
    /// answered yet. It waits outside every customer's journal and is read again later.
    Waiting {
        /// What is waited for, without personal data.
        what: Arc<str>,
    },
    /// Authentic, acted upon, and not understood: kept, alarmed, read again later.
    Unclear {
        /// What was seen, without personal data.
        what: Arc<str>,
    },
}
