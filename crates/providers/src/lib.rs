//! Who may speak to us, and what their words mean in ours: verify, then normalize, both pure.
//!
//! One way in: [`receive`] for payment providers, [`partner::receive`] for partners. Nothing here
//! knows a clock, an environment, a network or a source of randomness.

mod request;
mod secret;

mod refused;
mod verified;

mod keys;

mod json;
mod wire;
mod draft;
mod quarantine;

// One more provider is its folder and two lines: one here, one in `PROVIDERS`.
mod stripe;

pub mod partner;
pub mod standard;

pub mod diagnose;

pub use keys::{PersonKey, partner_secret};
pub use refused::Refused;
pub use request::{Headers, Request};
pub use secret::{Secret, Secrets, WeakSecret};
pub use verified::Verified;

use domain::ids::{Account, EventId, Mode, Reference};
use domain::reading::{Fact, Reading};
use jiff::Timestamp;
use std::sync::Arc;

/// Every payment provider we understand.
pub static PROVIDERS: &[&Provider] = &[
    &stripe::STRIPE, //
];

/// The provider of that name, as it stands in addresses and keys.
pub fn provider(name: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .copied()
        .find(|provider| provider.name == name)
}

/// The door: proves who speaks, then says what was told, one [`Received`] a wire item.
///
/// Every outcome is answered with 2xx; only [`Refused`] is not.
///
/// # Errors
/// [`Refused`] when the request cannot be shown to come from the provider just now.
pub fn receive(
    provider: &'static Provider,
    endpoint: &Endpoint,
    request: &Request<'_>,
    secrets: &Secrets,
    keys: &PersonKey,
    now: Timestamp,
) -> Result<Vec<Received>, Refused> {
    let verified = (provider.verify)(request, endpoint, secrets, now)?;
    let account = provider.account(endpoint.mode);
    let read = |raw: &Arc<[u8]>| Received {
        raw: Arc::clone(raw),
        outcome: (provider.normalize)(&account, raw, verified.signed_at()).known_by(keys),
    };
    Ok(verified.items().iter().map(read).collect())
}

/// One wire item and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The item's bytes as they were sent: what the journal keeps.
    pub raw: Arc<[u8]>,
    /// What we make of it.
    pub outcome: Outcome,
}

/// What an authentic item is to us. All of these are acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// To be journaled: understood, or kept because it could not be ([`Fact::Unclear`]).
    Reading(Reading),
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

impl Outcome {
    /// Adds to a reading the reference of every person it tells of.
    fn known_by(mut self, keys: &PersonKey) -> Self {
        if let Self::Reading(reading) = &mut self {
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
pub struct Endpoint {
    /// Which money may come in.
    pub mode: Mode,
    /// How far the signed time may lie from ours, in seconds, both ways. Its type keeps it
    /// below a day: a clock check that can be configured away is none.
    pub tolerance_seconds: u16,
}

impl Endpoint {
    /// A door with the providers' own tolerance of five minutes.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            tolerance_seconds: TOLERANCE_SECONDS,
        }
    }
}

/// A payment provider: a value in [`PROVIDERS`], read through its methods.
pub struct Provider {
    name: &'static str,
    normalizer: u16,
    exponents: &'static [(&'static str, u8)],
    accepted: u16,
    ignored: u16,
    secret: fn(&str) -> Result<Secret, WeakSecret>,
    verify: Verify,
    normalize: Normalize,
    sign: Option<Sign>,
    samples: &'static [(&'static str, &'static str)],
}

impl Provider {
    /// The name in addresses and keys.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The account of that mode.
    pub fn account(&self, mode: Mode) -> Account {
        Account {
            provider: self.name,
            mode,
        }
    }

    /// The version of the normalizer; a reading made by an older one may be made again.
    pub fn normalizer(&self) -> u16 {
        self.normalizer
    }

    /// Where its minor units differ from ISO 4217: currency and decimal places.
    pub fn exponents(&self) -> &'static [(&'static str, u8)] {
        self.exponents
    }

    /// The status that tells it to be content.
    pub fn accepted(&self) -> u16 {
        self.accepted
    }

    /// The status for what we do not act on.
    pub fn ignored(&self) -> u16 {
        self.ignored
    }

    /// The secrets in force, as this provider writes them.
    ///
    /// # Errors
    /// [`WeakSecret`] for no secret, too many, or one weak member: then none is in force.
    pub fn secrets<'a>(
        &self,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Secrets, WeakSecret> {
        let secrets: Result<Vec<_>, _> = texts.into_iter().map(self.secret).collect();
        Secrets::new(secrets?)
    }

    /// The headers with which it would send this body now; none where only it can sign.
    pub fn sign(&self, body: &[u8], secret: &Secret, now: Timestamp) -> Option<SignedHeaders> {
        self.sign.map(|sign| sign(body, secret, now))
    }

    /// Ready-made bodies, one for every event acted upon: name and JSON.
    pub fn samples(&self) -> &'static [(&'static str, &'static str)] {
        self.samples
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Provider").field(&self.name).finish()
    }
}

/// Header names and values that carry a signature.
pub type SignedHeaders = Vec<(&'static str, String)>;

type Verify = fn(&Request<'_>, &Endpoint, &Secrets, Timestamp) -> Result<Verified, Refused>;
type Normalize = fn(&Account, &[u8], Timestamp) -> Outcome;
type Sign = fn(&[u8], &Secret, Timestamp) -> SignedHeaders;

const TOLERANCE_SECONDS: u16 = 300;

#[cfg(test)]
mod tests;
