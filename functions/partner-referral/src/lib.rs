//! The partner endpoint: a partner reports whom it sent, by a message or a postback, and asks what
//! became of it. Verify, read, append or park, fold, answer.

mod route;
mod report;
mod referral_status;
#[cfg(feature = "openapi")]
pub mod openapi;

use domain::ids::PartnerId;
use providers::partner::postback::{PostbackQuery, PostbackToken};
use providers::partner::{self, ReportError};
use providers::{PersonKey, Request, Secret, Secrets, VerificationError, partner_secret};
use route::{PartnerResource, PartnerRoute};
use runtime::aws::Cloud;
use runtime::http::{HttpHandler, HttpRequest, HttpResponse, answer};
use runtime::secrets::{SecretCache, SecretSource, SecretsError, master, person_key};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Function, Invocation, Warming};
use std::fmt::Display;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::partners::{MAX_KEYS, PartnerCache, PartnerRow};
use store::public_key_cache::PublicKeyCache;
use store::{Key, Table};

/// Key versions a signature is tried under. The key is derived, so a signature proves by itself
/// that it was given out; whether it is still in force is asked only of one that holds.
const KEY_VERSIONS: std::ops::RangeInclusive<u32> = 1..=MAX_KEYS;

/// A report is a few lines; a larger body is not read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The partner endpoint.
#[derive(Debug)]
pub struct PartnerReferral<T> {
    /// The master key, from which partners' secrets are derived.
    pub master: SecretCache<Secret>,
    /// Turns e-mail addresses into persons.
    pub person_key: SecretCache<PersonKey>,
    /// Partners that proved themselves lately.
    pub partners: PartnerCache,
    /// Partners that sign with keys of their own.
    pub public_keys: PublicKeyCache,
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
        let client = cloud.ssm();
        let source = SecretSource::Parameter {
            client,
            name: format!("/orangery/{stage}/master-key"),
        };
        let table = DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?);
        Ok(Self::new(&source, table, Clock::system()))
    }
}

impl<T> PartnerReferral<T> {
    /// The endpoint over a table, with the master key from a source.
    pub fn new(source: &SecretSource, table: T, clock: Clock) -> Self {
        Self {
            master: SecretCache::new(source.clone(), master, clock.clone()),
            person_key: SecretCache::new(source.clone(), person_key, clock.clone()),
            partners: PartnerCache::default(),
            public_keys: PublicKeyCache::default(),
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

/// The master key, and the one under which addresses become persons.
type MasterKeys = (Secret, PersonKey);

impl<T: Table> PartnerReferral<T> {
    async fn keys(&self) -> Result<MasterKeys, SecretsError> {
        Ok((
            self.master.in_force().await?,
            self.person_key.in_force().await?,
        ))
    }

    async fn events(
        &self,
        partner: &PartnerId,
        request: &HttpRequest,
        (master, person_key): &MasterKeys,
    ) -> Result<HttpResponse, RequestError> {
        if request.body.len() > MAX_BODY_BYTES {
            return Ok(HttpResponse::error(413, &"a report has at most 64 kB"));
        }
        let (now, asked) = (self.clock.now(), request.as_request());
        let prove = |secrets: &Secrets| partner::receive(partner, &asked, secrets, person_key, now);
        let (reported, row) = self.verify(partner, &asked, master, prove).await?;
        Ok(report::ingest_report(&self.table, &row, reported, &request.id, now).await)
    }

    async fn postback(
        &self,
        partner: &PartnerId,
        request: &HttpRequest,
        (master, person_key): &MasterKeys,
    ) -> Result<HttpResponse, RequestError> {
        let now = self.clock.now();
        let postback = PostbackQuery::read(&request.query)?;
        let (reported, version) = under_any_key(|version| {
            let secrets = secrets(master, partner, version)?;
            let token =
                PostbackToken::derive(master, partner, version).map_err(VerificationError::from)?;
            postback.receive(partner, (&secrets, &token), person_key, now)
        })?;
        let row = self.in_force(partner, version).await?;
        Ok(report::ingest_report(&self.table, &row, reported, &request.id, now).await)
    }

    async fn referral(
        &self,
        partner: &PartnerId,
        id: &str,
        request: &HttpRequest,
        (master, _): &MasterKeys,
    ) -> Result<HttpResponse, RequestError> {
        let (now, asked) = (self.clock.now(), request.as_request());
        let prove = |secrets: &Secrets| {
            Ok(partner::verify_status_request(
                partner, id, &asked, secrets, now,
            )?)
        };
        self.verify(partner, &asked, master, prove).await?;
        Ok(referral_status::respond(&self.table, partner, id).await)
    }

    /// What a signature comes to under a key that is in force, and the partner whose it is. Public
    /// keys are asked for where nothing else fits and the request has a signature of that kind.
    async fn verify<R>(
        &self,
        partner: &PartnerId,
        request: &Request<'_>,
        master: &Secret,
        prove: impl Fn(&Secrets) -> Result<R, ReportError>,
    ) -> Result<(R, Arc<PartnerRow>), RequestError> {
        match under_any_key(|version| prove(&secrets(master, partner, version)?)) {
            Ok((proven, version)) => Ok((proven, self.in_force(partner, version).await?)),
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
                Ok((prove(&keys)?, row))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// The partner, if this version of its key is in force.
    async fn in_force(
        &self,
        partner: &PartnerId,
        version: u32,
    ) -> Result<Arc<PartnerRow>, RequestError> {
        let now = self.clock.now();
        let row = self.partners.read(&self.table, partner, version, now);
        match row.await {
            Ok(Some(row)) if row.keys.contains(&version) => Ok(row),
            Ok(Some(_) | None) => Err(RequestError::Revoked),
            Err(error) => Err(RequestError::Table(error)),
        }
    }
}

/// The result of a proof, and the first key version under which it holds.
fn under_any_key<R>(
    prove: impl Fn(u32) -> Result<R, ReportError>,
) -> Result<(R, u32), ReportError> {
    for version in KEY_VERSIONS {
        match prove(version) {
            Ok(proven) => return Ok((proven, version)),
            Err(ReportError::Refused(VerificationError::SignatureMismatch)) => {}
            Err(other) => return Err(other),
        }
    }
    Err(VerificationError::SignatureMismatch.into())
}

fn secrets(
    master: &Secret,
    partner: &PartnerId,
    version: u32,
) -> Result<Secrets, VerificationError> {
    let secret = partner_secret(master, partner, version)?;
    Ok(Secrets::new(vec![secret])?)
}

/// Why a request gets no answer of its own.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error(transparent)]
    Unproven(#[from] ReportError),
    #[error("this key is no longer in force; ask for the current one")]
    Revoked,
    #[error(transparent)]
    Table(store::StoreError),
}

impl From<RequestError> for HttpResponse {
    fn from(refusal: RequestError) -> Self {
        match refusal {
            RequestError::Unproven(error) => Self::error(error.status(), &error),
            RequestError::Revoked => Self::error(401, &refusal),
            RequestError::Table(error) => Self::not_durable(&error),
        }
    }
}

fn log_refusal(partner: &PartnerId, why: &dyn Display) {
    tracing::warn!(partner = %partner, verdict = "refused", why = %why, metrics = "refused");
}
