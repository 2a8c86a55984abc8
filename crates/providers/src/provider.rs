//! What makes a payment provider: one value, read through its methods.

use crate::endpoint::InboundRequest;
use crate::fetch::{ApiResponses, FetchStep, ResponseTracker};
use crate::keys::PersonKey;
use crate::outcome::{ItemOutcome, ReceivedItem};
use crate::raw_entry;
use crate::secret::{Secret, Secrets, WeakSecret};
use crate::verification_error::VerificationError;
use crate::verified::VerifiedItems;
use domain::ids::{Mode, ProviderAccount};
use jiff::Timestamp;
use std::sync::Arc;

/// A payment provider: a value in [`PROVIDERS`](crate::PROVIDERS). Only this crate can make one.
pub struct Provider {
    pub(crate) name: &'static str,
    pub(crate) normalizer: u16,
    pub(crate) exponents: &'static [(&'static str, u8)],
    pub(crate) statuses: ResponseStatuses,
    pub(crate) schemes: &'static [Scheme],
    pub(crate) api: Option<ApiConfig>,
    pub(crate) secrets: fn(&str) -> Result<Vec<Secret>, WeakSecret>,
    pub(crate) verify: VerifyFn,
    pub(crate) normalize: NormalizeFn,
    pub(crate) sign: SigningMethod,
    pub(crate) samples: ProviderSamples,
}

/// How a delivery is signed, for whoever sends samples.
#[derive(Clone, Copy)]
pub(crate) enum SigningMethod {
    /// By whoever holds the secret.
    Secret(SignFn),
    /// By whoever holds the key to a certificate.
    Certificate(UnsignedDeliveryFn),
}

/// A delivery that waits for the signature of whoever holds the key to a certificate.
#[derive(Clone, Debug)]
pub struct UnsignedDelivery {
    /// What is signed: RSA, PKCS #1 v1.5, SHA-256.
    pub message: Vec<u8>,
    /// The headers beside the signature.
    pub headers: SignedHeaders,
    /// The header of the signature, in base64.
    pub signature_header: &'static str,
    /// Where the provider's API must show the body, under its base, to confirm it.
    pub api_path: Arc<str>,
}

/// What a provider is told by status alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseStatuses {
    /// It may be content.
    pub(crate) accepted: u16,
    /// What we do not act on.
    pub(crate) ignored: u16,
    /// No signature fits.
    pub(crate) mismatch: u16,
}

impl ResponseStatuses {
    /// 200 whenever it may be content, 401 where no signature fits.
    pub(crate) const DEFAULT: Self = Self {
        accepted: 200,
        ignored: 200,
        mismatch: 401,
    };
}

/// How a signature is written down: for whoever looks for what is wrong with one.
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// The header.
    pub(crate) header: &'static str,
    /// What stands between its items.
    pub(crate) separator: char,
    /// What an item that gives the time begins with.
    pub(crate) time_prefix: Option<&'static str>,
    /// What an item that is a signature begins with.
    pub(crate) signature_prefix: &'static str,
    /// How the signature's bytes are written.
    pub(crate) encoding: SignatureEncoding,
}

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureEncoding {
    /// Two digits a byte.
    Hex,
    /// Standard alphabet, padded.
    Base64,
}

/// A provider's own API, for what its events do not say by themselves.
#[derive(Clone, Copy, Debug)]
pub struct ApiConfig {
    /// Where it answers for real money.
    pub live: &'static str,
    /// Where it answers for test money.
    pub test: &'static str,
    /// How our key opens it.
    pub auth: ApiAuth,
    /// Further headers on every call.
    pub headers: &'static [(&'static str, &'static str)],
}

/// How an API takes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiAuth {
    /// `Authorization: Bearer` and the key.
    Bearer,
    /// The key is `id:secret`, for which a token is had at this path (OAuth 2, RFC 6749 4.4).
    ClientCredentials {
        /// Under the API's base.
        token_path: &'static str,
    },
}

impl ApiConfig {
    /// Where it answers for this money.
    pub fn base(&self, mode: Mode) -> &'static str {
        match mode {
            Mode::Live => self.live,
            Mode::Test => self.test,
        }
    }
}

/// What is acted upon, bodies to try a door with, and where in them id and time stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProviderSamples {
    pub(crate) handled_types: fn() -> Vec<&'static str>,
    pub(crate) bodies: &'static [(&'static str, &'static str)],
    pub(crate) scenario: &'static [(&'static str, &'static str)],
    pub(crate) recorded_responses: &'static [(&'static str, &'static str)],
    pub(crate) id_path: Option<&'static str>,
    pub(crate) time_path: &'static str,
}

/// One verified item.
pub(crate) struct VerifiedItem<'a> {
    /// Its bytes.
    pub(crate) raw: &'a Arc<[u8]>,
    /// The name that the sender signed along with it.
    pub(crate) message_id: Option<&'a str>,
    /// When it was signed.
    pub(crate) signed_at: Timestamp,
}

/// One verified item on its way to be understood.
pub(crate) struct WireItem<'a, 'f> {
    /// Whose endpoint it came to.
    pub(crate) account: &'a ProviderAccount,
    /// The item.
    pub(crate) raw: &'a [u8],
    /// The name that the sender signed along with it, where its scheme has one.
    pub(crate) message_id: Option<&'a str>,
    /// When it was signed, or received where a scheme signs no time.
    pub(crate) signed_at: Timestamp,
    /// What the provider's API said.
    pub(crate) responses: &'a ResponseTracker<'f>,
}

impl Provider {
    /// The name in addresses and keys.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The account of that mode.
    pub fn account(&self, mode: Mode) -> ProviderAccount {
        ProviderAccount {
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
    pub fn accepted_status(&self) -> u16 {
        self.statuses.accepted
    }

    /// The status for what we do not act on.
    pub fn ignored_status(&self) -> u16 {
        self.statuses.ignored
    }

    /// The status for what is refused.
    pub fn refused_status(&self, refused: &VerificationError) -> u16 {
        if *refused == VerificationError::SignatureMismatch {
            self.statuses.mismatch
        } else {
            refused.status()
        }
    }

    /// How its signatures are written down; none where only its API can vouch for a request.
    pub fn schemes(&self) -> &'static [Scheme] {
        self.schemes
    }

    /// Its API, where its events do not say everything.
    pub fn api(&self) -> Option<&ApiConfig> {
        self.api.as_ref()
    }

    /// The secrets in force, as this provider writes them.
    ///
    /// # Errors
    /// [`WeakSecret`] for no secret, too many, or one weak member: then none is in force.
    pub fn secrets<'a>(
        &self,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Secrets, WeakSecret> {
        let secrets: Result<Vec<_>, _> = texts.into_iter().map(self.secrets).collect();
        Secrets::new(secrets?.into_iter().flatten().collect())
    }

    /// The headers with which it would send this body now; none where it takes the key to a
    /// certificate to sign.
    pub fn sign(&self, body: &[u8], secret: &Secret, now: Timestamp) -> Option<SignedHeaders> {
        match self.sign {
            SigningMethod::Secret(sign) => sign(None, body, secret, now),
            SigningMethod::Certificate(_) => None,
        }
    }

    /// The same for an event that was sent before, where the scheme gives it a name of its own.
    pub fn sign_again(
        &self,
        message: &str,
        body: &[u8],
        secret: &Secret,
        now: Timestamp,
    ) -> Option<SignedHeaders> {
        match self.sign {
            SigningMethod::Secret(sign) => sign(Some(message), body, secret, now),
            SigningMethod::Certificate(_) => None,
        }
    }

    /// Whether it takes the key to a certificate to sign for it: a stand-in's doors must trust
    /// the one that stands in for its own.
    pub fn signs_with_certificate(&self) -> bool {
        match self.sign {
            SigningMethod::Secret(_) => false,
            SigningMethod::Certificate(_) => true,
        }
    }

    /// What the holder of a certificate's key would sign to send this body now, about test
    /// money; none where a secret is enough, or where this body is no event.
    pub fn unsigned_delivery(
        &self,
        body: &[u8],
        secret: &Secret,
        now: Timestamp,
    ) -> Option<UnsignedDelivery> {
        match self.sign {
            SigningMethod::Secret(_) => None,
            SigningMethod::Certificate(to_sign) => to_sign(body, secret, now),
        }
    }

    /// The names of the events acted upon.
    pub fn handled_types(&self) -> Vec<&'static str> {
        (self.samples.handled_types)()
    }

    /// Ready-made bodies, one for every event acted upon: name and body. None without the feature
    /// `samples`, and so it is with the next two.
    pub fn samples(&self) -> &'static [(&'static str, &'static str)] {
        self.samples.bodies
    }

    /// One customer's whole life in its words, in order: name and body.
    pub fn scenario(&self) -> &'static [(&'static str, &'static str)] {
        self.samples.scenario
    }

    /// What its API answers to whoever reads the sample or telling of this name: what holds for
    /// all of them (under no name), then what is the sample's own. JSON, as
    /// [`Fetched::recorded`] takes it.
    pub fn recorded_responses(&self, name: &str) -> impl Iterator<Item = &'static str> {
        let of = |wanted: &str| {
            let found = self
                .samples
                .recorded_responses
                .iter()
                .find(|(known, _)| *known == wanted);
            found.map(|(_, text)| *text)
        };
        let own = if name.is_empty() { None } else { of(name) };
        of("").into_iter().chain(own)
    }

    /// Where a body has its event's id, by dotted path; none where it is not in the body.
    pub fn id_path(&self) -> Option<&'static str> {
        self.samples.id_path
    }

    /// Where a body says when it happened, by dotted path.
    pub fn time_path(&self) -> &'static str {
        self.samples.time_path
    }

    /// What one item says, and what of it the journal keeps.
    pub(crate) fn read(
        &self,
        account: &ProviderAccount,
        item: &VerifiedItem<'_>,
        fetched: &ApiResponses,
        keys: &PersonKey,
    ) -> FetchStep<ReceivedItem> {
        let tracker = ResponseTracker::new(fetched);
        let read = (self.normalize)(&WireItem {
            account,
            raw: item.raw,
            message_id: item.message_id,
            signed_at: item.signed_at,
            responses: &tracker,
        });
        let used = tracker.into_used();
        read.map(|outcome| ReceivedItem {
            // What waits is asked for anew, all of it: answers of two moments may not agree.
            raw: if outcome.is_waiting() {
                Arc::clone(item.raw)
            } else {
                raw_entry::with_responses(item.raw, &used)
            },
            outcome: outcome.with_person_references(keys),
        })
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Provider").field(&self.name).finish()
    }
}

/// Header names and values that carry a signature.
pub type SignedHeaders = Vec<(&'static str, String)>;

pub(crate) type VerifyFn =
    fn(&InboundRequest<'_>) -> Result<FetchStep<VerifiedItems>, VerificationError>;
pub(crate) type NormalizeFn = fn(&WireItem<'_, '_>) -> FetchStep<ItemOutcome>;
pub(crate) type UnsignedDeliveryFn = fn(&[u8], &Secret, Timestamp) -> Option<UnsignedDelivery>;
pub(crate) type SignFn = fn(Option<&str>, &[u8], &Secret, Timestamp) -> Option<SignedHeaders>;
