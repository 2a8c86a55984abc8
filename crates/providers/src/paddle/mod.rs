//! Paddle Billing: merchant of record, one whole object a body.
//!
//! Signature: <https://developer.paddle.com/webhooks/about/signature-verification>. Several `h1`
//! while a secret is being replaced; the key is the whole text of the destination's secret.
//! Paddle's own libraries let five seconds pass between signing and reading, which a slow network
//! or a cold start exceeds; the tolerance is the endpoint's.
//! Events: <https://developer.paddle.com/webhooks>.
//!
//! - An event's id is `event_id`; `notification_id` differs from one destination to the next. Its
//!   time is `occurred_at`, in micro- or nanoseconds.
//! - Nothing says which money an event is about: sandbox and live are two accounts with secrets
//!   of their own. Events of the simulator, whose ids begin with `ntfsimevt_`, are test money.
//! - Amounts are text, in minor units of ISO 4217.
//! - **The shop's own customer id** is `custom_data.customer_id`; a referral code is
//!   `custom_data.referral_code`, else `custom_data.ref`, of customer, subscription and
//!   transaction, and the id of every discount applied. Nothing tells that two customers pay with
//!   one card.
//! - A transaction is both the invoice and its payment. A first payment that fails sits before
//!   the checkout page, and an invoice that a person has to pay was never collected: neither is a
//!   failed payment.
//! - A refund counts once Paddle approved it; of what goes back it says the tax, which may be all
//!   of it. A chargeback names no dispute, so a transaction has
//!   one: lost when the money is taken, won when it is brought back.
//! - Whether a failed payment is tried again, and when, Paddle does not say.
//! - An address does not say whose it is, so nobody's country is known.
//! - Paddle says that an end is scheduled, not when that was asked for.
//!
//! Unconfirmed: whether a `chargeback_warning` moves money. It is read as the bank's question.

mod normalize;

mod adjustment;
mod subscription;
mod transaction;

mod wire;

mod samples;

use crate::provider::{Provider, ProviderSamples, ResponseStatuses, SigningMethod};
use crate::secret::Secret;
use crate::setup::SetupGuide;
use crate::timestamped_signature::TimestampedSignature;

/// Paddle, as the list of providers has it.
pub(crate) static PADDLE: Provider = Provider {
    name: "paddle",
    normalizer: NORMALIZER,
    exponents: transaction::EXPONENTS,
    statuses: ResponseStatuses::DEFAULT,
    schemes: &[SIGNATURE.scheme()],
    api: None,
    has_path_secret: false,
    secrets: |text| Ok(vec![Secret::new(text)?]),
    verify: |inbound| SIGNATURE.verify(inbound),
    normalize: normalize::normalize,
    sign: SigningMethod::Secret(|_, body, secret, now| SIGNATURE.sign(body, secret, now)),
    samples: ProviderSamples {
        handled_types: || {
            normalize::SCHEMA
                .event_types
                .iter()
                .map(|row| row.0)
                .collect()
        },
        bodies: samples::SAMPLES,
        scenario: samples::SCENARIO,
        recorded_responses: &[],
        id_path: Some("event_id"),
        time_path: "occurred_at",
    },
    setup: SetupGuide {
        forward: None,
        endpoint: "Paddle's dashboard (the sandbox first), Developer tools, Notifications: a new \
             destination of the kind URL",
        secret: "the destination's secret key. It begins with pdl_ntfset_",
        separator: ",",
        events: || (PADDLE.samples.handled_types)(),
        mistaken: &[
            ("pdl_live_apikey_", "a key of Paddle's API"),
            ("pdl_sdbx_apikey_", "a key of Paddle's API"),
            ("live_", "a token for Paddle's checkout page"),
            ("test_", "a token for Paddle's checkout page"),
            ("ntfset_", "the id of a destination, not its secret key"),
            ("ntf_", "the id of a notification"),
            ("evt_", "the id of an event"),
            ("ctm_", "the id of a customer"),
            ("sub_", "the id of a subscription"),
        ],
    },
};

const SIGNATURE: TimestampedSignature = TimestampedSignature {
    header: "paddle-signature",
    separator: ';',
    time_prefix: "ts=",
    signature_prefix: "h1=",
    joiner: ":",
};

/// Raised whenever the same bytes would give another normalized event.
const NORMALIZER: u16 = 4;
