//! PayPal: subscriptions, their sales, one-off captures, refunds, reversals and disputes.
//!
//! Signature: <https://developer.paypal.com/api/rest/webhooks/rest/>.
//! Events: <https://developer.paypal.com/api/rest/webhooks/event-names/>.
//!
//! - A delivery is signed over the body's CRC32, and any body can be given any CRC32. So the
//!   signature only keeps strangers out; what is read is the event as PayPal's own API shows it
//!   under the id that the body names (`GET /v1/notifications/webhooks-events/…`). Its
//!   `verify-webhook-signature` is not asked: it checks the same CRC32.
//! - A webhook secret is the webhook's id (`3TR748995U920805P`). A line `root:` and a root
//!   certificate's DER in base64 is one more root to trust, should PayPal change its authority.
//! - An API key is `client id:secret`.
//! - A retry seems to be signed once and for all (unconfirmed), so a delivery may be as old as
//!   PayPal's retries last, three days; the event's id keeps a replay from doing anything.
//! - An event happened at its `create_time`: the `update_time` of a resource stays behind.
//! - Nothing tells of a renewal but its sale, which says nothing of the subscription. So the
//!   subscription is asked for with it: how it stands, until when it is paid.
//! - A subscription has one item, its plan; no prices, no add-ons, no end of period: a
//!   cancellation ends it at once. `ACTIVE` with failed payments is past due, `SUSPENDED` with
//!   failed payments unpaid, without them paused. It is in a trial while its plan has one and
//!   nothing was paid (unconfirmed: whether a completed cycle is always counted). Until its first
//!   cycle has run, `next_billing_time` is when that begins: no period and no trial end by it.
//! - What failed is known by the subscription and what it was paid until then; the next sale
//!   settles it.
//! - A reversal and a dispute of one payment are one dispute, by the payment's id. A reversal names
//!   its payment, or is it, or leads to a refund that names it, which is asked for.
//! - A dispute that was settled in part took what went back (`amount_refunded`). One that is over
//!   without an outcome (`NONE`: another dispute of the payment goes on) holds nothing; money that
//!   was taken is told by its reversal.
//! - Captures, sales and refunds of the API's first version have other names for the same fields;
//!   either is read. So have its agreements, whose counts are text and whose amounts may be in the
//!   plan's currency.
//! - **The shop's own customer id** is `custom_id` of a subscription or capture and `custom` of
//!   a sale, where it does not begin with `ref_`: then what follows is a referral code.
//! - Nothing marks what was paid with but the payer, who is the customer.
//!
//! Unconfirmed also: which resource a reversal carries (a `sale_id`, the sale itself, or a refund
//! is understood), the names of disputes' events, `BILLING.SUBSCRIPTION.RE-ACTIVATED`.

mod verify;
mod certificate;

mod normalize;

mod event;
mod wire;

mod dispute;
mod payment;
mod refund;
mod reversal;
mod subscription;

mod agreement;
mod billing;

mod samples;

#[cfg(test)]
pub(crate) use verify::is_signed_by;

use crate::provider::{
    ApiAuth, ApiConfig, Provider, ProviderSamples, ResponseStatuses, SigningMethod,
};
use crate::secret::{ROOT_PREFIX, Secret, WeakSecret};
use crate::setup::SetupGuide;

/// PayPal, as the list of providers has it.
pub(crate) static PAYPAL: Provider = Provider {
    name: "paypal",
    normalizer: NORMALIZER,
    // Amounts are decimal text and carry their own point.
    exponents: wire::EXPONENTS,
    statuses: ResponseStatuses::DEFAULT,
    schemes: &[],
    api: Some(ApiConfig {
        live: "https://api-m.paypal.com",
        test: "https://api-m.sandbox.paypal.com",
        auth: ApiAuth::ClientCredentials {
            token_path: "/v1/oauth2/token",
        },
        headers: &[],
    }),
    has_path_secret: false,
    secrets,
    verify: verify::verify,
    normalize: normalize::normalize,
    sign: SigningMethod::Certificate(verify::unsigned_delivery),
    samples: ProviderSamples {
        handled_types: || normalize::HANDLED_TYPES.iter().map(|row| row.0).collect(),
        bodies: samples::SAMPLES,
        scenario: samples::SCENARIO,
        recorded_responses: samples::RECORDED_RESPONSES,
        id_path: Some("id"),
        time_path: "create_time",
    },
    setup: SetupGuide {
        forward: None,
        endpoint: "PayPal's developer dashboard (the sandbox first), Apps & Credentials, your app: \
             add a webhook",
        secret: "the webhook's id, which stands beside its address once it is saved: 17 capital \
             letters and digits. The app's client id and secret are its API key, and go elsewhere",
        separator: ",",
        events: || (PAYPAL.samples.handled_types)(),
        mistaken: &[
            ("WH-", "the id of an event, not of the webhook"),
            ("access_token$", "an access token of PayPal's API"),
            ("A21AA", "an access token of PayPal's API"),
            ("APP-", "the id of an app"),
            ("I-", "the id of a subscription"),
            ("P-", "the id of a plan"),
        ],
    },
};

/// Ids of webhooks, and further roots.
fn secrets(text: &str) -> Result<Vec<Secret>, WeakSecret> {
    Ok(vec![if text.starts_with(ROOT_PREFIX) {
        Secret::root(text)?
    } else {
        Secret::new(text)?
    }])
}

/// Raised whenever the same bytes would give another normalized event.
const NORMALIZER: u16 = 3;
