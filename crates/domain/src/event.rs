//! The normalized event: what one wire item says, in this crate's words. The fold reads nothing
//! else of a wire item.

use crate::ids::{CustomerKey, EventId, Mode, ObjectId, PartnerId, Reference, ReferralCode};
use crate::money::{StatedAmount, is_zero_minor};
use crate::partner::referral::AttributionTerms;
use crate::partner::referral::CodeGranted;
use crate::partner::referral::Decision;
use crate::partner::referral::ReferralSnapshot;
use crate::payment::snapshot::{DisputeSnapshot, InvoiceSnapshot, PaymentSnapshot, RefundSnapshot};
use crate::person::Profile;
use crate::subscription::terms::SubscriptionSnapshot;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One event, normalized from a provider's or a partner's wire item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NormalizedEvent {
    /// Its key in the journal.
    pub id: EventId,
    /// The sender's name for this type of event: `invoice.paid`.
    pub kind: Arc<str>,
    /// When it happened, by the sender's clock.
    pub occurred_at: Timestamp,
    /// Life-cycle rank. It orders events that happened at the same instant.
    pub rank: u8,
    /// Which customer it is about.
    pub about: About,
    /// What it says. Empty when we know the event type but keep nothing of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Other ids that lead to its customer. Later events may name only these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
}

/// Which customer an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The event names its customer, or is a guest's payment.
    Customer(CustomerKey),
    /// The event names only these references. One of them may lead to a customer, now or later.
    ByReference(Vec<Reference>),
}

/// The place of an event in its customer's history: by time, then rank, then id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// When it happened, by the sender's clock.
    pub at: Timestamp,
    /// Life-cycle rank.
    pub rank: u8,
    /// The event's id.
    pub id: EventId,
}

impl NormalizedEvent {
    /// Its position in the order of the fold.
    pub fn position(&self) -> Position {
        Position {
            at: self.occurred_at,
            rank: self.rank,
            id: self.id.clone(),
        }
    }

    /// This event, if its time may be true for what was received at this moment. Else it would come
    /// last for ever, or before everything: it is kept without what it says, dated by its receipt,
    /// and unclear.
    #[must_use]
    pub fn dated_sanely(self, received_at: Timestamp) -> Self {
        let is_live = self.id.as_str().split('/').nth(1) == Some(Mode::Live.as_str());
        let lead = if is_live { LIVE_LEAD } else { TEST_LEAD };
        let too_late = self.occurred_at.duration_since(received_at) > lead;
        let too_early = is_live && self.occurred_at.as_second() < EARLIEST;
        if !too_late && !too_early {
            return self;
        }
        Self {
            occurred_at: received_at,
            rank: u8::MAX,
            facts: vec![Fact::Unclear {
                what: "the event's time is not one at which it can have happened".into(),
            }],
            ..self
        }
    }

    /// Whether it is quarantined: it is authentic, but we cannot read all of it.
    pub fn is_unclear(&self) -> bool {
        self.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Unclear { .. }))
    }

    /// What of it can't be read, in words of ours; nothing where it is not quarantined.
    pub fn unclear_parts(&self) -> Vec<Arc<str>> {
        let parts = self.facts.iter().filter_map(|fact| {
            let Fact::Unclear { what } = fact else {
                return None;
            };
            Some(what.clone())
        });
        parts.collect()
    }

    /// Whether its content still has to be asked for at the provider's API.
    pub fn is_waiting(&self) -> bool {
        self.facts
            .iter()
            .any(|fact| matches!(fact, Fact::Waiting { .. }))
    }

    /// Whether it names its customer only by references of which one may lead to several
    /// customers, as a person or a code may.
    pub fn is_by_shared_reference(&self) -> bool {
        match &self.about {
            About::Customer(_) => false,
            About::ByReference(references) => references.iter().any(Reference::is_shared),
        }
    }
}

/// How far a sender's clock may be ahead of ours.
const LIVE_LEAD: SignedDuration = SignedDuration::from_hours(48);
/// In test mode a provider's clock may be put ahead, by years.
const TEST_LEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 10);
/// 2000-01-01, in seconds since 1970. No provider is older.
const EARLIEST: i64 = 946_684_800;

/// One thing an event says. [`crate::state::fold`] has a rule for each variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// What the event says about the person.
    Profile(Profile),
    /// The provider deleted the customer.
    CustomerDeleted,
    /// A subscription as it was when the event happened.
    Subscription(Box<SubscriptionSnapshot>),
    /// An invoice that could not be collected, or that was paid or given up after that.
    Invoice(InvoiceSnapshot),
    /// A payment that arrived.
    Payment(PaymentSnapshot),
    /// These ids name one payment.
    SamePayment {
        /// The ids of its invoice, intent, charge and session.
        ids: Vec<ObjectId>,
    },
    /// How much of a payment has been refunded so far.
    CumulativeRefund {
        /// Ids that name the payment.
        ids: Vec<ObjectId>,
        /// All refunds so far together.
        #[serde(flatten)]
        amount: StatedAmount,
        /// The part of it that was never taken, in minor units: some providers call it a refund
        /// when less is taken than was authorized.
        #[serde(default, skip_serializing_if = "is_zero_minor")]
        released_minor: i64,
    },
    /// One refund as it was when the event happened.
    Refund(RefundSnapshot),
    /// One dispute as it was when the event happened.
    Dispute(DisputeSnapshot),
    /// A partner reports that it sent this customer.
    Referral(ReferralSnapshot),
    /// A partner cancels a referral.
    ReferralCanceled {
        /// The partner that reported the referral.
        partner: PartnerId,
        /// The partner's id of the referral.
        referral: Arc<str>,
    },
    /// The terms of a partner's report: the program that the partner endpoint found in force.
    AttributionTerms(Box<AttributionTerms>),
    /// A person decided about a referral.
    Reviewed {
        /// The partner that reported the referral.
        partner: PartnerId,
        /// The partner's id of the referral.
        referral: Arc<str>,
        /// The decision.
        decision: Decision,
    },
    /// A referral code was given to a partner.
    CodeGranted(Box<CodeGranted>),
    /// The card or bank account that the customer paid with.
    Fingerprint {
        /// The provider's fingerprint of it; not its number.
        fingerprint: Arc<str>,
    },
    /// The customer used this referral code, as the provider's event shows.
    ReferralCode {
        /// The code.
        code: ReferralCode,
    },
    /// The guest of whose payment this journal tells turned out to be this customer, in whose
    /// journal the events count.
    GuestIdentified {
        /// The customer.
        customer: CustomerKey,
    },
    /// The event is authentic and reference-only: its content has to be asked for, and the
    /// provider's API has not answered yet. It waits outside the customers' journals and is
    /// normalized again later.
    Waiting {
        /// What we wait for, without personal data.
        what: Arc<str>,
    },
    /// The event is authentic and we act on its type, but part of it is unclear. It is kept,
    /// raises an alarm, and is normalized again later.
    Unclear {
        /// What is unclear, without personal data.
        what: Arc<str>,
    },
}
