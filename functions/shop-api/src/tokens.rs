//! Tokens for a customer's browser, which the shop's server hands on.

use crate::ShopApi;
use crate::body::read_body;
use crate::caller::Caller;
use crate::refusal::Refusal;
use domain::ids::CustomerKey;
use jiff::{SignedDuration, Timestamp};
use providers::customer_token;
use runtime::http::{HttpRequest, HttpResponse};
use runtime::secrets::SecretsError;
use serde::{Deserialize, Serialize};
use store::Table;
use store::lookup::find_customers;

/// For how long a token is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "TokenWish"))]
pub(crate) struct TokenRequest {
    /// In minutes, 1 to 60; 15 unless said.
    #[serde(default)]
    minutes: Option<u8>,
}

/// A token.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Token"))]
pub(crate) struct TokenResponse<'a> {
    /// For the header `authorization: Bearer …` of the customer's browser.
    token: String,
    /// The only customer of whom it may be asked.
    customer: &'a CustomerKey,
    /// Until when it is believed, exclusive.
    expires_at: Timestamp,
}

impl<T: Table> ShopApi<T> {
    /// Makes a token for the only customer that a reference leads to. Whoever may read every
    /// customer may let one be read, so a key that reads is enough.
    pub(crate) async fn make_token(
        &self,
        caller: &Caller,
        reference: &str,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Refusal> {
        caller.server_only()?;
        let lasts = match request.body.is_empty() {
            true => DEFAULT_MINUTES,
            false => minutes(&read_body(&request.body)?)?,
        };
        let found = find_customers(&self.table, reference, &self.accounts).await?;
        let customer = match found.records.as_slice() {
            [] => return Err(Refusal::UnknownCustomer),
            [only] => &only.customer,
            several => {
                let count = several.len();
                return Err(Refusal::SeveralCustomers { count });
            }
        };
        let lasts = SignedDuration::from_mins(lasts.into());
        let expires_at = self
            .clock
            .now()
            .checked_add(lasts)
            .unwrap_or(Timestamp::MAX);
        // To the whole second, as the token has it.
        let expires_at = Timestamp::from_second(expires_at.as_second()).unwrap_or(expires_at);
        let roots = self.roots.in_force().await?;
        let token = customer_token(roots.newest(), &self.stage, customer, expires_at);
        let response = TokenResponse {
            token: token.map_err(SecretsError::from)?,
            customer,
            expires_at,
        };
        Ok(HttpResponse::json(201, &response))
    }
}

fn minutes(asked: &TokenRequest) -> Result<u8, Refusal> {
    match asked.minutes.unwrap_or(DEFAULT_MINUTES) {
        minutes @ 1..=60 => Ok(minutes),
        _ => Err(Refusal::Field {
            name: "minutes",
            what: "is not 1 to 60",
        }),
    }
}

const DEFAULT_MINUTES: u8 = 15;
