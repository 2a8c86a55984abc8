//! The partner endpoint: a partner reports whom it sent, by a message or a postback, and asks what
//! became of it. Verify, read, append or park, fold, answer.

mod route;
mod report;
mod referral_status;
#[cfg(feature = "openapi")]
pub mod openapi;

use domain::ids::PartnerId;
use jiff::SignedDuration;
use providers::partner::postback::{PostbackQuery, PostbackToken};
use providers::partner::{self, ReportError};
use providers::{KeyRoots, PersonKey, Request, Secret, Secrets, VerificationError, partner_secret};
use route::{PartnerResource, PartnerRoute};
use runtime::aws::Cloud;
use runtime::http::{HttpHandler, HttpRequest, HttpResponse, answer};
use runtime::rate_limit::RateLimit;
use runtime::secrets::{KeyPurpose, SecretCache, SecretSource, SecretsError, person_key, roots};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Function, Invocation, Warming};
use std::ops::RangeInclusive;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::partners::{MAX_KEYS, MAX_TOKENS, PartnerCache, PartnerRow};
use store::public_key_cache::PublicKeyCache;
use store::{Key, Table};

/// Key versions a signature is tried under. The key is derived, so a signature proves by itself
/// that it was given out; whether it is still in force is asked only of one that holds.
const KEY_VERSIONS: RangeInclusive<u32> = 1..=MAX_KEYS;

/// A report is a few lines; a larger body is not read.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// At this distance a partner's requests may come for ever.
const INTERVAL: SignedDuration = SignedDuration::from_millis(100);

/// How far ahead of that rate a partner may be: 200 requests at once.
const BURST: SignedDuration = SignedDuration::from_secs(20);

/// The partner endpoint.
#[derive(Debug)]
pub struct PartnerReferral<T> {
    /// From which partners' secrets are derived.
    pub partner_roots: SecretCache<KeyRoots>,
    /// From which the tokens of their postbacks are derived.
    pub postback_roots: SecretCache<KeyRoots>,
    /// Turns e-mail addresses into persons.
    pub person_key: SecretCache<PersonKey>,
    /// Partners that proved themselves lately.
    pub partners: PartnerCache,
    /// Partners that sign with keys of their own.
    pub public_keys: PublicKeyCache,
    /// How often each partner may ask.
    pub rate_limit: RateLimit<PartnerId>,
    /// The table.
    pub table: T,
    /// The clock.
    pub clock: Clock,
}

impl PartnerReferral<DynamoTable> {
    /// As the template's environment describes it: `STAGE`, `TABLE`.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let stage = settings.required("STAGE")?;
        let cloud = Cloud::from_settings(settings)?;
        let ssm = cloud.ssm();
        let source = |purpose| SecretSource::of_keys(&ssm, stage, purpose);
        let table = DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?);
        Ok(Self::new(source, table, Clock::system()))
    }
}

impl<T> PartnerReferral<T> {
    /// The endpoint over a table, with the roots of each purpose from a source.
    pub fn new(source: impl Fn(KeyPurpose) -> SecretSource, table: T, clock: Clock) -> Self {
        let cached = |purpose| SecretCache::new(source(purpose), roots, clock.clone());
        let persons = source(KeyPurpose::Persons);
        Self {
            partner_roots: cached(KeyPurpose::Partners),
            postback_roots: cached(KeyPurpose::Postbacks),
            person_key: SecretCache::new(persons, person_key, clock.clone()),
            partners: PartnerCache::default(),
            public_keys: PublicKeyCache::default(),
            rate_limit: RateLimit::new(INTERVAL, BURST),
            table,
            clock,
        }
    }
}

impl<T: Table> Function for PartnerReferral<T> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move { Ok(answer(self, payload).await) })
    }

    fn warm(&self) -> Warming<'_> {
        Box::pin(async move {
            let _ = self.keys().await;
            if let Ok(nobody) = PartnerId::parse("warm") {
                let _ = self.table.get(Key::partner(&nobody)).await;
            }
        })
    }
}

impl<T: Table> HttpHandler for PartnerReferral<T> {
    async fn handle(&self, request: HttpRequest) -> HttpResponse {
        let Some(PartnerRoute {
            partner,
            resource: what,
        }) = PartnerRoute::of(&request)
        else {
            let message =
                "no address of partners: /partners/NAME/events, /referrals/ID or /postback";
            return HttpResponse::error(404, &message);
        };
        if request.method != what.method() {
            return HttpResponse::wrong_method(what.method());
        }
        let keys = match self.keys().await {
            Ok(keys) => keys,
            Err(error) => return HttpResponse::unverifiable(&error),
        };
        let answered = match what {
            PartnerResource::Events => self.events(&partner, &request, &keys).await,
            PartnerResource::Postback => self.postback(&partner, &request, &keys).await,
            PartnerResource::Referral(id) => self.referral(&partner, &id, &request, &keys).await,
        };
        answered.unwrap_or_else(|refusal| {
            log_refusal(&partner, &refusal);
            refusal.into()
        })
    }
}

/// What a request is proven by, and what addresses become persons under.
struct EndpointKeys {
    partners: KeyRoots,
    postbacks: KeyRoots,
    persons: PersonKey,
}

impl<T: Table> PartnerReferral<T> {
    async fn keys(&self) -> Result<EndpointKeys, SecretsError> {
        Ok(EndpointKeys {
            partners: self.partner_roots.in_force().await?,
            postbacks: self.postback_roots.in_force().await?,
            persons: self.person_key.in_force().await?,
        })
    }

    async fn events(
        &self,
        partner: &PartnerId,
        request: &HttpRequest,
        keys: &EndpointKeys,
    ) -> Result<HttpResponse, RequestError> {
        if request.body.len() > MAX_BODY_BYTES {
            return Ok(HttpResponse::error(413, &"a report has at most 4 kB"));
        }
        let (now, asked) = (self.clock.now(), request.as_request());
        let prove =
            |secrets: &Secrets| partner::receive(partner, &asked, secrets, &keys.persons, now);
        let (reported, row) = self.verify(partner, &asked, keys, prove).await?;
        Ok(report::ingest_report(&self.table, &row, reported, &request.id, now).await)
    }

    async fn postback(
        &self,
        partner: &PartnerId,
        request: &HttpRequest,
        keys: &EndpointKeys,
    ) -> Result<HttpResponse, RequestError> {
        let now = self.clock.now();
        let postback = PostbackQuery::read(&request.query)?;
        let by_token = postback.has_token();
        let (roots, versions) = match by_token {
            true => (&keys.postbacks, 1..=MAX_TOKENS),
            false => (&keys.partners, KEY_VERSIONS),
        };
        let (reported, version) = under_any_key(roots, versions, |root, version| {
            let secrets = secrets(root, partner, version)?;
            let token =
                PostbackToken::derive(root, partner, version).map_err(VerificationError::from)?;
            postback.receive(partner, (&secrets, &token), &keys.persons, now)
        })?;
        let is_in_force = |row: &PartnerRow| match by_token {
            true => row.has_token(version),
            false => row.has_key(version),
        };
        let row = self.in_force(partner, version, is_in_force).await?;
        Ok(report::ingest_report(&self.table, &row, reported, &request.id, now).await)
    }

    async fn referral(
        &self,
        partner: &PartnerId,
        id: &str,
        request: &HttpRequest,
        keys: &EndpointKeys,
    ) -> Result<HttpResponse, RequestError> {
        let (now, asked) = (self.clock.now(), request.as_request());
        let prove = |secrets: &Secrets| {
            Ok(partner::verify_status_request(
                partner, id, &asked, secrets, now,
            )?)
        };
        self.verify(partner, &asked, keys, prove).await?;
        Ok(referral_status::respond(&self.table, partner, id).await)
    }

    /// What a signature comes to under a key that is in force, and the partner whose it is. Public
    /// keys are asked for where nothing else fits and the request has a signature of that kind.
    async fn verify<R>(
        &self,
        partner: &PartnerId,
        request: &Request<'_>,
        keys: &EndpointKeys,
        prove: impl Fn(&Secrets) -> Result<R, ReportError>,
    ) -> Result<(R, Arc<PartnerRow>), RequestError> {
        let derived = |root: &Secret, version| prove(&secrets(root, partner, version)?);
        match under_any_key(&keys.partners, KEY_VERSIONS, derived) {
            Ok((proven, version)) => {
                let row = self.in_force(partner, version, |row| row.has_key(version));
                Ok((proven, row.await?))
            }
            Err(ReportError::Refused(VerificationError::SignatureMismatch))
                if partner::offers_own_key(request) =>
            {
                let now = self.clock.now();
                let row = self.public_keys.read(&self.table, partner, now).await;
                let row = row.map_err(RequestError::Table)?;
                let row =
                    row.ok_or_else(|| ReportError::from(VerificationError::SignatureMismatch))?;
                let keys = row
                    .public_keys
                    .iter()
                    .map(|key| Secret::standard_public(key));
                let keys = keys.collect::<Result<_, _>>().and_then(Secrets::new);
                let keys = keys.map_err(|weak| ReportError::from(VerificationError::from(weak)))?;
                let proven = prove(&keys)?;
                self.admit(partner)?;
                Ok((proven, row))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Takes in one more proven request of a partner.
    fn admit(&self, partner: &PartnerId) -> Result<(), RequestError> {
        let admitted = self.rate_limit.admit(partner, self.clock.now());
        admitted.map_err(|wait| RequestError::TooFast {
            seconds: wait.as_secs().saturating_add(1),
        })
    }

    /// The partner, if this version of its key or token is in force.
    async fn in_force(
        &self,
        partner: &PartnerId,
        version: u32,
        is_in_force: impl Fn(&PartnerRow) -> bool,
    ) -> Result<Arc<PartnerRow>, RequestError> {
        self.admit(partner)?;
        let now = self.clock.now();
        let row = self.partners.read(&self.table, partner, version, now);
        match row.await {
            Ok(Some(row)) if is_in_force(&row) => Ok(row),
            Ok(Some(_) | None) => Err(RequestError::Revoked),
            Err(error) => Err(RequestError::Table(error)),
        }
    }
}

/// The result of a proof, and the first key version under which it holds, of any root in force.
fn under_any_key<R>(
    roots: &KeyRoots,
    versions: RangeInclusive<u32>,
    prove: impl Fn(&Secret, u32) -> Result<R, ReportError>,
) -> Result<(R, u32), ReportError> {
    let keys = roots
        .iter()
        .flat_map(|root| versions.clone().map(move |version| (root, version)));
    for (root, version) in keys {
        match prove(root, version) {
            Ok(proven) => return Ok((proven, version)),
            Err(ReportError::Refused(VerificationError::SignatureMismatch)) => {}
            Err(other) => return Err(other),
        }
    }
    Err(VerificationError::SignatureMismatch.into())
}

fn secrets(root: &Secret, partner: &PartnerId, version: u32) -> Result<Secrets, VerificationError> {
    let secret = partner_secret(root, partner, version)?;
    Ok(Secrets::new(vec![secret])?)
}

/// Why a request gets no answer of its own.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error(transparent)]
    Unproven(#[from] ReportError),
    #[error("this key is no longer in force; ask for the current one")]
    Revoked,
    #[error(
        "you send more than ten requests a second and 200 at once; send it again in {seconds} \
         seconds"
    )]
    TooFast { seconds: i64 },
    #[error(transparent)]
    Table(store::StoreError),
}

impl From<RequestError> for HttpResponse {
    fn from(refusal: RequestError) -> Self {
        match refusal {
            RequestError::Unproven(error) => Self::error(error.status(), &error),
            RequestError::Revoked => Self::error(401, &refusal),
            RequestError::TooFast { .. } => Self::error(429, &refusal),
            RequestError::Table(error) => Self::not_durable(&error),
        }
    }
}

impl RequestError {
    /// The metric that counts it.
    fn metric(&self) -> &'static str {
        match self {
            Self::TooFast { .. } => "partner_too_fast",
            Self::Unproven(_) | Self::Revoked | Self::Table(_) => "refused",
        }
    }
}

fn log_refusal(partner: &PartnerId, why: &RequestError) {
    tracing::warn!(partner = %partner, verdict = "refused", why = %why, metrics = why.metric());
}
