//! What makes a payment provider: one value, read through its methods.

use crate::endpoint::InboundRequest;
use crate::fetch::{ApiResponses, FetchStep, ResponseTracker};
use crate::keys::PersonKey;
use crate::outcome::{ItemOutcome, ReceivedItem};
use crate::raw_entry;
use crate::secret::{Secret, Secrets, WeakSecret};
use crate::setup::SetupGuide;
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
    pub(crate) has_path_secret: bool,
    pub(crate) secrets: fn(&str) -> Result<Vec<Secret>, WeakSecret>,
    pub(crate) verify: VerifyFn,
    pub(crate) normalize: NormalizeFn,
    pub(crate) sign: SigningMethod,
    pub(crate) samples: ProviderSamples,
    pub(crate) setup: SetupGuide,
}

/// How a delivery is signed, for whoever sends samples.
#[derive(Clone, Copy)]
pub(crate) enum SigningMethod {
    /// With the shared secret.
    Secret(SignFn),
    /// With the private key of a certificate.
    Certificate(UnsignedDeliveryFn),
}

/// A delivery that still has to be signed with the private key of a certificate.
#[derive(Clone, Debug)]
pub struct UnsignedDelivery {
    /// What is signed: RSA, PKCS #1 v1.5, SHA-256.
    pub message: Vec<u8>,
    /// The headers other than the signature.
    pub headers: SignedHeaders,
    /// The name of the signature's header; its value is base64.
    pub signature_header: &'static str,
    /// The path under the API's base where the body has to be found, so that it is confirmed.
    pub api_path: Arc<str>,
}

/// The HTTP statuses with which a provider is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseStatuses {
    /// The delivery is accepted.
    pub(crate) accepted: u16,
    /// The event is of a type we do not act on.
    pub(crate) ignored: u16,
    /// No signature fits.
    pub(crate) mismatch: u16,
}

impl ResponseStatuses {
    /// 200 for what is accepted or ignored, 401 where no signature fits.
    pub(crate) const DEFAULT: Self = Self {
        accepted: 200,
        ignored: 200,
        mismatch: 401,
    };
}

/// How a signature is written in its header, for `diagnose`.
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// The header.
    pub(crate) header: &'static str,
    /// The separator of its items.
    pub(crate) separator: char,
    /// The prefix of the item that holds the time.
    pub(crate) time_prefix: Option<&'static str>,
    /// The prefix of an item that is a signature.
    pub(crate) signature_prefix: &'static str,
    /// How the signature's bytes are encoded.
    pub(crate) encoding: SignatureEncoding,
}

/// How bytes are encoded as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureEncoding {
    /// Two hexadecimal digits for each byte.
    Hex,
    /// Standard alphabet, padded.
    Base64,
}

/// A provider's API, for what its events do not contain.
#[derive(Clone, Copy, Debug)]
pub struct ApiConfig {
    /// Base URL for live money.
    pub live: &'static str,
    /// Base URL for test money.
    pub test: &'static str,
    /// How the API key is presented.
    pub auth: ApiAuth,
    /// Additional headers of every call.
    pub headers: &'static [(&'static str, &'static str)],
}

/// How an API key is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiAuth {
    /// `Authorization: Bearer` and the key.
    Bearer,
    /// The key is `id:secret`, which is exchanged for a token at this path (OAuth 2, RFC 6749 4.4).
    ClientCredentials {
        /// Path under the API's base.
        token_path: &'static str,
    },
}

impl ApiConfig {
    /// The base URL for that mode.
    pub fn base(&self, mode: Mode) -> &'static str {
        match mode {
            Mode::Live => self.live,
            Mode::Test => self.test,
        }
    }
}

/// The handled types, sample bodies, and where a body has its id and time.
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
    /// The message id that is signed with it.
    pub(crate) message_id: Option<&'a str>,
    /// When it was signed.
    pub(crate) signed_at: Timestamp,
    /// Whether items of accounts connected to ours are ours too.
    pub(crate) connected_accounts: bool,
}

/// One verified item, with what is needed to normalize it.
pub(crate) struct WireItem<'a, 'f> {
    /// The account of the endpoint at which it arrived.
    pub(crate) account: &'a ProviderAccount,
    /// The item.
    pub(crate) raw: &'a [u8],
    /// The message id that is signed with it, where the scheme has one.
    pub(crate) message_id: Option<&'a str>,
    /// When it was signed, or received where a scheme signs no time.
    pub(crate) signed_at: Timestamp,
    /// Whether items of accounts connected to ours are ours too.
    pub(crate) connected_accounts: bool,
    /// The provider's API responses.
    pub(crate) responses: &'a ResponseTracker<'f>,
}

impl Provider {
    /// The name in URLs and keys.
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

    /// The version of the normalizer. Events that an older one made may be normalized again.
    pub fn normalizer(&self) -> u16 {
        self.normalizer
    }

    /// Where its minor units differ from ISO 4217: currency and decimal places.
    pub fn exponents(&self) -> &'static [(&'static str, u8)] {
        self.exponents
    }

    /// The status for what is accepted.
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

    /// How its signatures are written; empty where only its API can confirm a request.
    pub fn schemes(&self) -> &'static [Scheme] {
        self.schemes
    }

    /// Its API, where its events are incomplete.
    pub fn api(&self) -> Option<&ApiConfig> {
        self.api.as_ref()
    }

    /// Whether its endpoint has a second address that ends in a secret segment, because some of
    /// its requests carry no signature.
    pub fn has_path_secret(&self) -> bool {
        self.has_path_secret
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

    /// The headers with which it would send this body now; `None` where signing needs the private
    /// key of a certificate.
    pub fn sign(&self, body: &[u8], secret: &Secret, now: Timestamp) -> Option<SignedHeaders> {
        match self.sign {
            SigningMethod::Secret(sign) => sign(None, body, secret, now),
            SigningMethod::Certificate(_) => None,
        }
    }

    /// The same for an event that was sent before under this message id.
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

    /// Whether signing needs the private key of a certificate. Endpoints of a stand-in must trust
    /// the certificate that replaces the provider's.
    pub fn signs_with_certificate(&self) -> bool {
        match self.sign {
            SigningMethod::Secret(_) => false,
            SigningMethod::Certificate(_) => true,
        }
    }

    /// The delivery of this body now in test mode, to be signed with a certificate's private key;
    /// `None` where a secret is enough, or where this body is not an event.
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

    /// How it is connected.
    pub fn setup(&self) -> &SetupGuide {
        &self.setup
    }

    /// Sample bodies, at least one for every handled type: name and body. Empty without the feature
    /// `samples`, as are the next two.
    pub fn samples(&self) -> &'static [(&'static str, &'static str)] {
        self.samples.bodies
    }

    /// The scenario of one customer from sign-up to the end, in order: name and body.
    pub fn scenario(&self) -> &'static [(&'static str, &'static str)] {
        self.samples.scenario
    }

    /// The recorded API responses for the sample or scenario event of this name: first those for
    /// all of them (the empty name), then its own. JSON, as [`ApiResponses::recorded`] takes it.
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

    /// The dotted path of the event's id in a body; `None` where the body does not contain it.
    pub fn id_path(&self) -> Option<&'static str> {
        self.samples.id_path
    }

    /// The dotted path of the event's time in a body.
    pub fn time_path(&self) -> &'static str {
        self.samples.time_path
    }

    /// Normalizes one item, and packs what the journal keeps of it.
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
            connected_accounts: item.connected_accounts,
            responses: &tracker,
        });
        let used = tracker.into_used();
        read.map(|outcome| ReceivedItem {
            // What waits is fetched again as a whole: responses of two moments may not agree.
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
