//! GoCardless: direct debits; one body, many events, each only naming what it is about.
//!
//! Signature: <https://developer.gocardless.com/api-reference/#webhooks-overview>.
//! Events: <https://developer.gocardless.com/api-reference/#core-endpoints-events>.
//!
//! An event holds ids alone, so the object, its mandate and its customer are asked for. What
//! happened is the event's word; the objects say what does not change with it (amount, currency,
//! whose), for by the time we ask they may be further on. Where that leaves a choice:
//! - **Status** follows from the action. GoCardless has no trial, no past due and no end with
//!   the period: a failed payment is a failed invoice, and a cancellation ends at once.
//! - **A payment** has arrived when it is `confirmed`. It may still fail weeks later, and then
//!   nothing has arrived. `paid_out` tells of the same money; both date it by its charge date.
//! - **A chargeback** is open until it is settled (lost) or canceled (won).
//! - **The period** ends with the next upcoming charge and is one interval long; months keep
//!   `day_of_month` (−1 is the last), else the day of `start_date`.
//! - **A further attempt** is known by `details.will_attempt_retry`, and its date never is.
//! - **The price** is `metadata.price` of the subscription, else its name, else its own id.
//! - `metadata` (three keys at most) carries `customer_id` and `referral_code` as elsewhere.
//! - Nothing tells that two customers pay from one account.
//!
//! Unconfirmed: that 250 events are the most in one body; the links of a billing request;
//! `subscriptions.amended` and `.customer_approval_granted` by these names.

mod normalize;
mod verify;

mod event;

mod mandate;
mod payment;
mod refund;
mod request;
mod subscription;

mod samples;

use crate::provider::{
    ApiAuth, ApiConfig, Provider, ProviderSamples, ResponseStatuses, SigningMethod,
};
use crate::secret::Secret;
use crate::setup::SetupGuide;

/// GoCardless, as the list of providers has it.
pub(crate) static GOCARDLESS: Provider = Provider {
    name: "gocardless",
    normalizer: NORMALIZER,
    exponents: event::EXPONENTS,
    statuses: ResponseStatuses {
        accepted: 200,
        ignored: 204,
        mismatch: 498,
    },
    schemes: &[verify::MAC.scheme()],
    api: Some(ApiConfig {
        live: "https://api.gocardless.com",
        test: "https://api-sandbox.gocardless.com",
        auth: ApiAuth::Bearer,
        headers: &[("GoCardless-Version", "2015-07-06")],
    }),
    has_path_secret: false,
    secrets: |text| Ok(vec![Secret::new(text)?]),
    verify: verify::verify,
    normalize: normalize::normalize,
    sign: SigningMethod::Secret(|_, body, secret, _| verify::MAC.sign(body, secret)),
    samples: ProviderSamples {
        handled_types: || normalize::HANDLED_TYPES.iter().map(|row| row.0).collect(),
        bodies: samples::SAMPLES,
        scenario: samples::SCENARIO,
        recorded_responses: samples::RECORDED_RESPONSES,
        id_path: Some("events.0.id"),
        time_path: "events.0.created_at",
    },
    setup: SetupGuide {
        forward: Some("gc listen --forward {url}"),
        endpoint: "GoCardless's dashboard (the sandbox first), Developers: a webhook endpoint",
        secret: "the secret that you choose, or that is made for you, when the endpoint is created",
        separator: ",",
        // An endpoint gets every event there is.
        events: Vec::new,
        mistaken: &[
            ("live_", "an access token of GoCardless's API"),
            ("sandbox_", "an access token of GoCardless's API"),
        ],
    },
};

/// Raised whenever the same bytes would give another normalized event.
const NORMALIZER: u16 = 3;
