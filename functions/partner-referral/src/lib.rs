//! A partner reports whom it sent: verify, read, append or park, fold, answer.

use domain::ids::PartnerId;
use domain::record::Entry;
use providers::partner::{self, NORMALIZER, NotReceived, Reported};
use providers::{Outcome, PersonKey, Refused, Secret, Secrets, partner_secret};
use runtime::aws::Cloud;
use runtime::http::{HttpHandler, HttpRequest, HttpResponse, answer};
use runtime::secrets::{NoSecrets, SecretCache, Source, master, person_key};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Function, Invocation, Warming};
use serde::Serialize;
use std::fmt::Display;
use std::sync::Arc;
use store::accept::Verdict;
use store::dynamo::DynamoTable;
use store::partners::{PartnerCache, PartnerRow};
use store::{Key, Table};

/// Key versions a signature is tried under. The key is derived, so a signature proves by itself
/// that it was given out; whether it is still in force is asked only of one that holds.
const KEY_VERSIONS: std::ops::RangeInclusive<u32> = 1..=8;

/// A report is a few lines; a larger body is no report.
const MOST_BYTES: usize = 64 * 1024;

/// One word whether the customer is known or not: a partner must not learn who is one of the
/// shop's by asking address after address.
const ACCEPTED: &str = "accepted";

/// The partners' door.
#[derive(Debug)]
pub struct PartnerReferral<T> {
    /// The master key, from which partners' secrets are derived.
    pub master: SecretCache<Secret>,
    /// Turns e-mail addresses into persons.
    pub person_key: SecretCache<PersonKey>,
    /// Partners that proved themselves lately.
    pub partners: PartnerCache,
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
        let source = Source::Parameter {
            client,
            name: format!("/orangery/{stage}/master-key"),
        };
        let table = DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?);
        Ok(Self::new(&source, table, Clock::system()))
    }
}

impl<T> PartnerReferral<T> {
    /// The door over a table, with the master key from a source.
    pub fn new(source: &Source, table: T, clock: Clock) -> Self {
        Self {
            master: SecretCache::new(source.clone(), master, clock.clone()),
            person_key: SecretCache::new(source.clone(), person_key, clock.clone()),
            partners: PartnerCache::default(),
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
            let _ = self.table.get(Key::partner(&PartnerId::new("warm"))).await;
        })
    }
}

impl<T: Table> HttpHandler for PartnerReferral<T> {
    async fn handle(&self, request: HttpRequest) -> HttpResponse {
        if request.method != "POST" {
            return HttpResponse::wrong_method("POST");
        }
        let Some(partner) = partner_of(&request) else {
            return HttpResponse::error(
                404,
                &"the address names no partner: /partners/NAME/events",
            );
        };
        if request.body.len() > MOST_BYTES {
            return HttpResponse::error(413, &"a report has at most 64 kB");
        }
        let keys = match self.keys().await {
            Ok(keys) => keys,
            Err(error) => return HttpResponse::unverifiable(&error),
        };
        match self.prove(&partner, &request, &keys) {
            Ok((reported, version)) => {
                let row = match self.in_force(&partner, version).await {
                    Ok(row) => row,
                    Err(refusal) => return refusal,
                };
                self.take_in(&row, reported, &request.id).await
            }
            Err(error) => {
                refused(&partner, &error);
                HttpResponse::error(error.status(), &error)
            }
        }
    }
}

impl<T: Table> PartnerReferral<T> {
    async fn keys(&self) -> Result<(Secret, PersonKey), NoSecrets> {
        Ok((
            self.master.in_force().await?,
            self.person_key.in_force().await?,
        ))
    }

    /// What was received, and under which key version; pure.
    fn prove(
        &self,
        partner: &PartnerId,
        request: &HttpRequest,
        (master, person_key): &(Secret, PersonKey),
    ) -> Result<(Reported, u32), NotReceived> {
        let now = self.clock.now();
        for version in KEY_VERSIONS {
            let secret = partner_secret(master, partner, version)
                .and_then(|secret| Secrets::new(vec![secret]));
            let Ok(secrets) = secret else { continue };
            match partner::receive(partner, &request.as_request(), &secrets, person_key, now) {
                Ok(reported) => return Ok((reported, version)),
                Err(NotReceived::Refused(Refused::SignatureMismatch)) => {}
                Err(other) => return Err(other),
            }
        }
        Err(Refused::SignatureMismatch.into())
    }

    /// The partner, if this version of its key is in force; else the answer to give.
    async fn in_force(
        &self,
        partner: &PartnerId,
        version: u32,
    ) -> Result<Arc<PartnerRow>, HttpResponse> {
        let now = self.clock.now();
        match self.partners.read(&self.table, partner, now).await {
            Ok(Some(row)) if row.keys.contains(&version) => Ok(row),
            Ok(Some(_) | None) => {
                refused(partner, &"key not in force");
                let said = "this key is no longer in force; ask for the current one";
                Err(HttpResponse::error(401, &said))
            }
            Err(error) => Err(HttpResponse::not_durable(&error)),
        }
    }

    async fn take_in(&self, row: &PartnerRow, reported: Reported, receipt: &str) -> HttpResponse {
        let now = self.clock.now();
        let partner = &row.partner;
        let mut reading = match reported.received.outcome {
            Outcome::Reading(reading) => reading,
            Outcome::Ignored { kind, .. } | Outcome::WrongMode { kind } => {
                tracing::info!(partner = %partner, kind = &*kind, verdict = "ignored");
                let said = Said {
                    verdict: "ignored",
                    id: None,
                };
                return HttpResponse::json(202, &said);
            }
        };
        row.pin(&mut reading, reported.signed_at);
        let entry = Arc::new(Entry::new(
            reading,
            reported.received.raw,
            NORMALIZER,
            now,
            receipt.into(),
        ));
        match store::accept::receive(&self.table, std::slice::from_ref(&entry), now).await {
            Ok(verdicts) => {
                let (verdict, said) = match verdicts.first() {
                    Some(Verdict::Appended) => ("applied", ACCEPTED),
                    Some(Verdict::Parked) => ("parked", ACCEPTED),
                    Some(Verdict::Repeated) | None => ("repeated", "repeated"),
                };
                let (id, kind) = (entry.reading.id.as_str(), &*entry.reading.kind);
                tracing::info!(partner = %partner, id, kind, verdict);
                let said = Said {
                    verdict: said,
                    id: Some(entry.reading.id.as_str()),
                };
                HttpResponse::json(202, &said)
            }
            Err(error) => HttpResponse::not_durable(&error),
        }
    }
}

fn refused(partner: &PartnerId, why: &dyn Display) {
    tracing::warn!(partner = %partner, verdict = "refused", why = %why, metrics = "refused");
}

#[derive(Serialize)]
struct Said<'a> {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

/// The partner in the address: lower-case letters, digits and dashes.
fn partner_of(request: &HttpRequest) -> Option<PartnerId> {
    let named = request.path_parameters.get("partner").map(String::as_str);
    let name = named.or_else(|| request.path.strip_prefix("/partners/")?.split('/').next())?;
    PartnerId::parse(name)
}
