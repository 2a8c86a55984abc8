//! What a world's senders have to tell: the truth, event by event, and each event as two
//! versions of the normalizer read it.

use domain::digest::Digest;
use domain::ids::{Account, CustomerKey, EventId, Mode, ObjectId, Reference};
use domain::reading::{About, Fact, Reading};
use domain::record::Entry;
use jiff::Timestamp;
use std::sync::Arc;

/// The version of the normalizer most processes run; some are one ahead.
pub(super) const NORMALIZER: u16 = 7;

/// The version under which an event is kept whose provider's API was silent: what is kept of it
/// then has another digest than what is kept once the API has answered.
pub(super) const WAITING: u16 = NORMALIZER - 1;

/// The moment at which every world begins, in seconds.
pub(super) const BEGIN: i64 = 1_760_000_000;

/// The account all worlds are about.
pub(super) const ACCOUNT: Account = Account {
    provider: "p",
    mode: Mode::Test,
};

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// As the normalizer of version N reads it, and as N + 1 does; behind these, where its
    /// provider's API is asked, as it reads when the API tells of later moments.
    pub(super) readings: Vec<Reading>,
    /// What it is while that API is silent.
    pub(super) silent: Silent,
    /// Its place in the order in which things really happened.
    pub(super) truth: u32,
    /// Its raw item; the twin need not carry kilobytes.
    pub(super) raw: Arc<[u8]>,
}

/// What an event is while its provider's API does not answer.
#[derive(Clone, Debug)]
pub(super) enum Silent {
    /// It says everything by itself.
    Unasked,
    /// Authentic, and waiting as this.
    Waits(Box<Reading>),
    /// Not proven, and refused.
    Refused,
}

/// What really happened with one payment, by the shop's own books.
#[derive(Clone, Debug)]
pub(super) struct Sale {
    /// Whose.
    pub(super) customer: CustomerKey,
    /// One of its ids that every one of its events leads to.
    pub(super) id: ObjectId,
    /// Minor units received.
    pub(super) paid: i64,
    /// Minor units gone back for good or on their way.
    pub(super) refunded: i64,
    /// Minor units that a dispute holds or took.
    pub(super) disputed: i64,
}

/// Everything that is told in one world.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// The events, in the order in which they happened.
    pub(super) told: Vec<Told>,
    /// Events that travel in one request, by index.
    pub(super) requests: Vec<Vec<usize>>,
    /// The books.
    pub(super) sales: Vec<Sale>,
    /// Seconds from the first event to the last.
    pub(super) span: i64,
}

impl Told {
    /// The journal entry that a process makes of it.
    pub(super) fn entry(
        &self,
        version: u16,
        received_at: Timestamp,
        receipt: Arc<str>,
    ) -> Arc<Entry> {
        let reading = self.reading(version).clone();
        let raw = self.raw.clone();
        Arc::new(Entry::new(reading, raw, version, received_at, receipt))
    }

    /// The journal entry of it while its provider's API is silent, where it is kept at all.
    pub(super) fn waiting(&self, received_at: Timestamp, receipt: Arc<str>) -> Option<Arc<Entry>> {
        let Silent::Waits(reading) = &self.silent else {
            return None;
        };
        let (reading, raw) = (Reading::clone(reading), self.raw.clone());
        Some(Arc::new(Entry::new(
            reading,
            raw,
            WAITING,
            received_at,
            receipt,
        )))
    }

    /// How this version reads it.
    pub(super) fn reading(&self, version: u16) -> &Reading {
        &self.readings[usize::from(version - NORMALIZER)]
    }

    /// Whether its provider's API is asked.
    pub(super) fn is_asked_for(&self) -> bool {
        match self.silent {
            Silent::Unasked => false,
            Silent::Waits(_) | Silent::Refused => true,
        }
    }

    /// Its entry's digest.
    pub(super) fn digest(&self, version: u16) -> Digest {
        Digest::of(&self.readings[0].id, &self.raw, version)
    }

    /// Its key.
    pub(super) fn id(&self) -> &EventId {
        &self.readings[0].id
    }
}

/// Whether the fold is made to panic on this reading.
pub(super) fn is_poison(reading: &Reading) -> bool {
    &*reading.kind == POISON
}

/// Panics on such a reading: a bug in the fold, made on purpose, and without a word.
pub(super) fn refuse_poison(reading: &Reading) {
    if is_poison(reading) {
        std::panic::resume_unwind(Box::new("injected"));
    }
}

/// The kind of a reading on which the fold is made to panic.
pub(super) const POISON: &str = "poison";

/// A moment, from seconds.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a second of this age")
}

/// An object's id.
pub(super) fn object(id: &str) -> ObjectId {
    ObjectId::new(id)
}

/// References to objects.
pub(super) fn references(ids: &[&str]) -> Vec<Reference> {
    ids.iter().map(|id| ACCOUNT.reference(id)).collect()
}

/// An event under construction.
pub(super) struct Draft<'a> {
    /// Its sender's word for it.
    pub(super) kind: &'static str,
    /// Its place among events of one instant.
    pub(super) rank: u8,
    /// Whose it is.
    pub(super) about: About,
    /// What it says.
    pub(super) facts: Vec<Fact>,
    /// Objects that lead to its customer.
    pub(super) leads: &'a [&'a str],
}

impl Story {
    /// Tells one event at a moment, under an id; both versions read it alike.
    pub(super) fn tell(&mut self, id: &str, seconds: i64, draft: Draft<'_>) -> &mut Told {
        let reading = Reading {
            id: ACCOUNT.event(id),
            kind: draft.kind.into(),
            occurred_at: at(seconds),
            rank: draft.rank,
            about: draft.about,
            facts: draft.facts,
            references: references(draft.leads),
        };
        let truth = u32::try_from(self.told.len()).expect("few events");
        self.requests.push(vec![self.told.len()]);
        self.told.push(Told {
            readings: vec![reading.clone(), reading],
            silent: Silent::Unasked,
            truth,
            raw: Arc::from(id.as_bytes()),
        });
        self.told.last_mut().expect("just pushed")
    }
}
