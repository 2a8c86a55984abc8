//! Who may speak to us, and what their words mean in ours: verify, then normalize, both pure.
//!
//! One way in: [`receive`] for payment providers, [`partner::receive`] for partners. Nothing here
//! knows a clock, an environment, a network or a source of randomness.

// The order of a hash table is another in each process; clippy.toml has the rest.
#![warn(clippy::iter_over_hash_type)]

mod provider;

mod request;
mod secret;

mod fetch;
mod verification_error;
mod verified;
mod timestamped_signature;
mod body_mac;

mod keys;

mod json;
mod wire;
mod civil;
mod draft;
mod envelope;
mod api_document;
mod quarantine;
mod raw_entry;

mod samples;

// One more provider is its folder and two lines: one here, one in `PROVIDERS`.
mod gocardless;
mod mollie;
mod stripe;
mod polar;
mod paddle;
mod paypal;

pub mod partner;
pub mod standard;

pub mod diagnose;

pub use fetch::{
    ApiCall, ApiResponse, ApiResponses, CallTarget, FetchStep, Method, MissingResponse,
    PendingCalls,
};
pub use keys::{PersonKey, notice_secret, partner_secret};
pub use provider::{
    ApiAuth, ApiConfig, Provider, Scheme, SignatureEncoding, SignedHeaders, UnsignedDelivery,
};
pub(crate) use provider::{ProviderSamples, ResponseStatuses};
pub use request::{Headers, Request};
pub use secret::{Secret, Secrets, WeakSecret};
pub use verification_error::VerificationError;
pub use verified::VerifiedItems;

use crate::provider::VerifiedItem;
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{EventId, Mode, Reference};
use domain::record::Entry;
use jiff::Timestamp;
use std::sync::Arc;

/// Every payment provider we understand.
#[rustfmt::skip] // one a line: a new one touches no other
pub static PROVIDERS: &[&Provider] = &[
    &gocardless::GOCARDLESS,
    &mollie::MOLLIE,
    &stripe::STRIPE,
    &standard::STANDARD,
    &polar::POLAR,
    &paddle::PADDLE,
    &paypal::PAYPAL,
];

/// The provider of that name, as it stands in addresses and keys.
pub fn provider(name: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .copied()
        .find(|provider| provider.name == name)
}

/// A request at a door, with what the door knows.
#[derive(Clone, Copy, Debug)]
pub struct InboundRequest<'a> {
    /// The request.
    pub request: Request<'a>,
    /// The door.
    pub endpoint: EndpointConfig,
    /// What may be believed.
    pub secrets: &'a Secrets,
    /// What the provider's API answered so far.
    pub fetched: &'a ApiResponses,
    /// Our time.
    pub now: Timestamp,
}

/// The door: proves who speaks, then says what was told, one [`Received`] a wire item. Where
/// the provider's API must be asked first it says what to ask; once `fetched` is closed it is
/// done, or refuses.
///
/// Every outcome is answered with 2xx; only [`Refused`] is not.
///
/// # Errors
/// [`Refused`] when the request cannot be shown to come from the provider just now.
pub fn receive(
    provider: &'static Provider,
    arrival: &InboundRequest<'_>,
    keys: &PersonKey,
) -> Result<FetchStep<Vec<ReceivedItem>>, VerificationError> {
    let verified = match (provider.verify)(arrival)? {
        FetchStep::Done(verified) => verified,
        FetchStep::Fetch(questions) => return Ok(FetchStep::Fetch(questions)),
    };
    let account = provider.account(arrival.endpoint.mode);
    let items = verified.items().iter().map(|raw| {
        let item = VerifiedItem {
            raw,
            message_id: verified.message_id(),
            signed_at: verified.signed_at(),
        };
        provider.read(&account, &item, arrival.fetched, keys)
    });
    Ok(FetchStep::all(items))
}

/// Reads a journal entry once more: one that waited for the provider's API, or that nobody
/// understood when it came. It was proven when it was journaled; answers kept with it stand.
pub fn read_again(
    provider: &'static Provider,
    mode: Mode,
    entry: &Entry,
    fetched: &ApiResponses,
    keys: &PersonKey,
) -> FetchStep<ReceivedItem> {
    let (raw, known) = raw_entry::unpack(&entry.raw);
    let account = provider.account(mode);
    let item = VerifiedItem {
        raw: &raw,
        message_id: account.provider_event_id(&entry.event.id),
        signed_at: entry.event.occurred_at,
    };
    provider.read(&account, &item, &known.with_fallback(fetched), keys)
}

/// The body by which its provider would send a journal entry's item once more, alone.
pub fn resend_body(provider: &Provider, entry: &Entry) -> Vec<u8> {
    let (item, _) = raw_entry::unpack(&entry.raw);
    // Where a body's first item has its id, there the item stands.
    let place = provider.id_path().and_then(|path| path.rsplit_once('.'));
    let Some((list, _)) = place.and_then(|(item, _)| item.rsplit_once(".0")) else {
        return item.to_vec();
    };
    let parts = [
        format!("{{\"{list}\":[").into_bytes(),
        item.to_vec(),
        b"]}".to_vec(),
    ];
    parts.concat()
}

/// One wire item and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedItem {
    /// The item's bytes as they were sent, and behind them what the provider's API said of it:
    /// what the journal keeps.
    pub raw: Arc<[u8]>,
    /// What we make of it.
    pub outcome: ItemOutcome,
}

/// What an authentic item is to us. All of these are acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// To be journaled: understood, or kept because it could not be ([`Fact::Unclear`]), or not
    /// yet ([`Fact::Waiting`]).
    Event(NormalizedEvent),
    /// Known not to concern us, or of a type we do not act on: counted, not written.
    Ignored {
        /// The event's journal key, where it has one.
        id: Option<EventId>,
        /// The sender's name for the event.
        kind: Arc<str>,
    },
    /// Test money at a live door or the reverse: counted, not written.
    WrongMode {
        /// The sender's name for the event.
        kind: Arc<str>,
    },
}

impl ItemOutcome {
    /// Whether it waits for the provider's API.
    pub fn is_waiting(&self) -> bool {
        match self {
            Self::Event(reading) => reading.is_waiting(),
            Self::Ignored { .. } | Self::WrongMode { .. } => false,
        }
    }

    /// Adds to a reading the reference of every person it tells of.
    fn with_person_references(mut self, keys: &PersonKey) -> Self {
        if let Self::Event(reading) = &mut self {
            for fact in &reading.facts {
                if let Fact::Profile(profile) = fact
                    && let Some(email) = &profile.email
                {
                    let person = Reference::person(&keys.hash(email));
                    if !reading.references.contains(&person) {
                        reading.references.push(person);
                    }
                }
            }
        }
        self
    }
}

/// One door as it is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// Which money may come in.
    pub mode: Mode,
    /// How far the signed time may lie from ours, in seconds, both ways. Its type keeps it
    /// below a day: a clock check that can be configured away is none.
    pub tolerance_seconds: u16,
}

impl EndpointConfig {
    /// A door with the providers' own tolerance of five minutes.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            tolerance_seconds: TOLERANCE_SECONDS,
        }
    }

    /// The same with another tolerance, as a setting says it: whole seconds from 1 to 65535.
    pub fn with_tolerance(self, seconds: &str) -> Option<Self> {
        match seconds.parse() {
            Ok(tolerance_seconds @ 1..) => Some(Self {
                tolerance_seconds,
                ..self
            }),
            Ok(_) | Err(_) => None,
        }
    }
}

const TOLERANCE_SECONDS: u16 = 300;

#[cfg(test)]
mod tests;
