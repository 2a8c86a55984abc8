//! What a simulation's senders have to tell: the truth, event by event, and each event as two
//! versions of the normalizer read it.

use domain::digest::Digest;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, Mode, ObjectId, PriceId, ProviderAccount, Reference};
use domain::money::{Currency, Money};
use domain::payment::snapshot::{PaymentSnapshot, PurchasedPrice, SourceKind};
use domain::record::Entry;
use jiff::Timestamp;
use std::sync::Arc;

/// The version of the normalizer most processes run; some are one ahead.
pub(crate) const NORMALIZER_VERSION: u16 = 7;

/// The version under which an event is kept whose provider's API was silent: what is kept of it
/// then has another digest than what is kept once the API has answered.
pub(crate) const WAITING_VERSION: u16 = NORMALIZER_VERSION - 1;

/// The moment at which every simulation begins, in seconds.
pub(crate) const START_SECOND: i64 = 1_760_000_000;

/// The account all simulations are about.
pub(crate) const ACCOUNT: ProviderAccount = ProviderAccount {
    provider: "p",
    mode: Mode::Test,
};

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct ScriptedEvent {
    /// As the normalizer of version N reads it, and as N + 1 does; behind these, where its
    /// provider's API is asked, as it reads when the API tells of later moments.
    pub(crate) normalized: Vec<NormalizedEvent>,
    /// What it is while that API is silent.
    pub(crate) when_api_silent: SilentApiOutcome,
    /// Its place in the order in which things really happened.
    pub(crate) true_order: u32,
    /// Its raw item; the table need not carry kilobytes.
    pub(crate) raw: Arc<[u8]>,
}

/// What an event is while its provider's API does not answer.
#[derive(Clone, Debug)]
pub(crate) enum SilentApiOutcome {
    /// It says everything by itself.
    Unasked,
    /// Authentic, and waiting as this.
    Waits(Box<NormalizedEvent>),
    /// Not proven, and refused.
    Refused,
}

/// What really happened with one payment, by the shop's own books.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedSale {
    /// Whose.
    pub(crate) customer: CustomerKey,
    /// One of its ids that every one of its events leads to.
    pub(crate) id: ObjectId,
    /// Minor units received.
    pub(crate) paid: i64,
    /// Minor units gone back for good or on their way.
    pub(crate) refunded: i64,
    /// Minor units that a dispute holds or took.
    pub(crate) disputed: i64,
}

/// Everything that is told in one simulation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// The events, in the order in which they happened.
    pub(crate) events: Vec<ScriptedEvent>,
    /// Events that travel in one request, by index.
    pub(crate) requests: Vec<Vec<usize>>,
    /// The books.
    pub(crate) sales: Vec<ExpectedSale>,
    /// Seconds from the first event to the last.
    pub(crate) span_seconds: i64,
}

impl ScriptedEvent {
    /// The journal entry that a process makes of it.
    pub(crate) fn entry(
        &self,
        version: u16,
        received_at: Timestamp,
        receipt: Arc<str>,
    ) -> Arc<Entry> {
        let reading = self.normalized_by(version).clone();
        let raw = self.raw.clone();
        Arc::new(Entry::new(reading, raw, version, received_at, receipt))
    }

    /// The journal entry of it while its provider's API is silent, where it is kept at all.
    pub(crate) fn waiting_entry(
        &self,
        received_at: Timestamp,
        receipt: Arc<str>,
    ) -> Option<Arc<Entry>> {
        let SilentApiOutcome::Waits(reading) = &self.when_api_silent else {
            return None;
        };
        let (reading, raw) = (NormalizedEvent::clone(reading), self.raw.clone());
        Some(Arc::new(Entry::new(
            reading,
            raw,
            WAITING_VERSION,
            received_at,
            receipt,
        )))
    }

    /// Version N reads what it read before, and that there is something it can't read.
    pub(crate) fn add_unclear_part(&mut self) {
        self.normalized[0].facts.push(Fact::Unclear {
            what: "a new part".into(),
        });
    }

    /// How this version reads it.
    pub(crate) fn normalized_by(&self, version: u16) -> &NormalizedEvent {
        &self.normalized[usize::from(version - NORMALIZER_VERSION)]
    }

    /// Whether its provider's API is asked.
    pub(crate) fn asks_api(&self) -> bool {
        match self.when_api_silent {
            SilentApiOutcome::Unasked => false,
            SilentApiOutcome::Waits(_) | SilentApiOutcome::Refused => true,
        }
    }

    /// Its entry's digest.
    pub(crate) fn digest(&self, version: u16) -> Digest {
        Digest::of(&self.normalized[0].id, &self.raw, version)
    }

    /// Its key.
    pub(crate) fn id(&self) -> &EventId {
        &self.normalized[0].id
    }
}

/// Whether the fold is made to panic on this reading.
pub(crate) fn is_poison(reading: &NormalizedEvent) -> bool {
    &*reading.kind == POISON
}

/// The kind of a reading on which the fold is made to panic.
pub(crate) const POISON: &str = "poison";

/// A moment, from seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a second of this age")
}

/// An object's id.
pub(crate) fn object(id: &str) -> ObjectId {
    ObjectId::parse(id).expect("is an id")
}

/// References to objects.
pub(crate) fn references(ids: &[&str]) -> Vec<Reference> {
    ids.iter()
        .map(|id| ACCOUNT.reference(&object(id)))
        .collect()
}

/// A euro amount.
pub(crate) fn euro(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("eur").expect("in ISO 4217"),
        exponent: 2,
    }
}

/// A payment for no subscription. A checkout says what was bought with it.
pub(crate) fn one_off(ids: &[&str], source_kind: SourceKind, minor: i64, clock: i64) -> Fact {
    let bought = PurchasedPrice {
        price: PriceId::parse("price_once").expect("is an id"),
        quantity: 1,
    };
    let is_checkout = source_kind == SourceKind::Session;
    Fact::Payment(PaymentSnapshot {
        ids: ids.iter().map(|id| object(id)).collect(),
        source_kind,
        paid: euro(minor),
        tax_minor: None,
        paid_at: at(clock),
        subscription: None,
        unlinked: false,
        purchased: is_checkout.then_some(bought).into_iter().collect(),
    })
}

/// Partners that all customers of a simulation have in common.
pub(crate) const PARTNERS: [&str; 3] = ["acme", "peel", "zest"];

/// An event under construction.
pub(crate) struct ScriptedEventDraft<'a> {
    /// Its sender's word for it.
    pub(crate) kind: &'static str,
    /// Its place among events of one instant.
    pub(crate) rank: u8,
    /// Whose it is.
    pub(crate) about: About,
    /// What it says.
    pub(crate) facts: Vec<Fact>,
    /// Objects that lead to its customer.
    pub(crate) references: &'a [&'a str],
}

impl Script {
    /// Tells one event at a moment, under an id; both versions read it alike.
    pub(crate) fn add_event(
        &mut self,
        id: &str,
        seconds: i64,
        draft: ScriptedEventDraft<'_>,
    ) -> &mut ScriptedEvent {
        let reading = NormalizedEvent {
            id: ACCOUNT.event(&ObjectId::parse(id).expect("is an id")),
            kind: draft.kind.into(),
            occurred_at: at(seconds),
            rank: draft.rank,
            about: draft.about,
            facts: draft.facts,
            references: references(draft.references),
        };
        let truth = u32::try_from(self.events.len()).expect("few events");
        self.requests.push(vec![self.events.len()]);
        self.events.push(ScriptedEvent {
            normalized: vec![reading.clone(), reading],
            when_api_silent: SilentApiOutcome::Unasked,
            true_order: truth,
            raw: Arc::from(id.as_bytes()),
        });
        self.events.last_mut().expect("just pushed")
    }
}
