//! What a customer may use: the domain's answers, for whoever the reference leads to.

use crate::ShopApi;
use crate::answer::{etag_of, json_answer};
use crate::body::read_body;
use crate::caller::{Caller, ME, Subject};
use crate::refusal::Refusal;
use crate::route::MAX_REFERENCE;
use domain::entitlement::answer::{Answer, Entitlements, Want};
use domain::entitlement::{check, entitlements, want_fits};
use domain::ids::CustomerKey;
use domain::record::Record;
use jiff::Timestamp;
use runtime::http::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use store::Table;
use store::lookup::{FoundCustomers, customer, find_customers};

/// What the customers that a reference leads to may use.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "AllEntitlements"))]
pub(crate) struct EntitlementsResponse {
    /// One for each customer, by key.
    customers: Vec<CustomerEntitlements>,
    /// Whether the reference leads to more of them than are given here.
    more: bool,
}

/// What one customer may use.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct CustomerEntitlements {
    /// The customer's key: provider, mode and the provider's id.
    customer: CustomerKey,
    #[serde(flatten)]
    entitlements: Entitlements,
}

/// A question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Question"))]
pub(crate) struct CheckRequest {
    /// Any reference to the customer; left out, or `me`, with a token.
    #[serde(default)]
    customer: Option<String>,
    /// The feature's key in the catalog.
    feature: String,
    /// How many of a limit, or which level of a tier; left out, any of it.
    #[serde(default)]
    want: Option<Want>,
}

/// An answer.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "CheckAnswer"))]
pub(crate) struct CheckResponse {
    /// The customer's key; `null` where none is known by that reference.
    customer: Option<CustomerKey>,
    #[serde(flatten)]
    answer: Answer,
}

impl<T: Table> ShopApi<T> {
    /// All features of the catalog.
    pub(crate) async fn entitlements(
        &self,
        caller: &Caller,
        reference: &str,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Refusal> {
        if !request.query.is_empty() {
            let what = "has a name that this address does not know; it takes none";
            return Err(Refusal::Query { what });
        }
        let found = self.customers_of(&caller.subject(reference)?).await?;
        if found.records.is_empty() {
            return Err(Refusal::UnknownCustomer);
        }
        let now = self.clock.now();
        let answer = |record: &Record| CustomerEntitlements {
            customer: record.customer.clone(),
            entitlements: entitlements(&record.folded.state, &self.catalog, now),
        };
        let response = EntitlementsResponse {
            customers: found.records.iter().map(|record| answer(record)).collect(),
            more: found.more,
        };
        let etag = etag_of(&response.timeless());
        Ok(json_answer(&response, etag, request))
    }

    /// One feature. Of several customers who share a reference the one that may use most of it
    /// answers: it is one of whoever asks.
    pub(crate) async fn check(
        &self,
        caller: &Caller,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Refusal> {
        let asked: CheckRequest = read_body(&request.body)?;
        let reference = match (&asked.customer, caller) {
            (Some(reference), _) => reference,
            (None, Caller::Browser(_)) => ME,
            (None, Caller::Server(_)) => {
                let (name, what) = ("customer", "is missing; with a key, say of whom");
                return Err(Refusal::Field { name, what });
            }
        };
        if !(1..=MAX_REFERENCE).contains(&reference.len()) {
            let (name, what) = ("customer", "is empty, or has more than 1000 bytes");
            return Err(Refusal::Field { name, what });
        }
        if let Some(want) = &asked.want {
            want_fits(&self.catalog, &asked.feature, want)?;
        }
        let found = self.customers_of(&caller.subject(reference)?).await?;
        let response = self.best_answer(&asked, &found, self.clock.now());
        Ok(HttpResponse::json(200, &response))
    }

    fn best_answer(
        &self,
        asked: &CheckRequest,
        found: &FoundCustomers,
        now: Timestamp,
    ) -> CheckResponse {
        let (feature, want) = (&*asked.feature, asked.want.as_ref());
        let answers = found.records.iter().map(|record| CheckResponse {
            customer: Some(record.customer.clone()),
            answer: check(&record.folded.state, &self.catalog, feature, want, now),
        });
        let levels = self.catalog.features.get(feature);
        let levels = levels.map_or(&[][..], |listed| listed.scale.levels());
        let best = answers.max_by_key(|response| {
            let answer = &response.answer;
            let level = answer.level.as_deref();
            let level = level.and_then(|word| levels.iter().position(|known| known == word));
            let amount = (answer.unlimited, answer.limit, level);
            (
                answer.allowed,
                amount,
                Reverse((answer.why, response.customer.clone())),
            )
        });
        best.unwrap_or_else(|| CheckResponse {
            customer: None,
            answer: Answer::unknown_customer(feature, now),
        })
    }

    async fn customers_of(&self, subject: &Subject) -> Result<FoundCustomers, Refusal> {
        Ok(match subject {
            Subject::Customer(key) => customer(&self.table, key).await?,
            Subject::Reference(text) => find_customers(&self.table, text, &self.accounts).await?,
        })
    }
}

impl EntitlementsResponse {
    /// The same without the moment of the answer, so that equal answers have one digest.
    fn timeless(&self) -> Self {
        let mut timeless = self.clone();
        for customer in &mut timeless.customers {
            let entitlements = &mut customer.entitlements;
            entitlements.as_of = Timestamp::UNIX_EPOCH;
            for answer in &mut entitlements.features {
                answer.as_of = Timestamp::UNIX_EPOCH;
            }
        }
        timeless
    }
}
