//! Polar: merchant of record, signed with Standard Webhooks, one whole object a body.
//!
//! Signature: <https://polar.sh/docs/integrate/webhooks/delivery>. The key is the bare text of
//! the secret, or what it encodes; its own libraries take either.
//! Events: <https://polar.sh/docs/integrate/webhooks/events>.
//!
//! - An event's id is `webhook-id`, its time `timestamp`.
//! - Amounts are in minor units of ISO 4217.
//! - **The shop's own customer id** is the customer's `external_id`; a referral code is
//!   `metadata.referral_code`, else `metadata.ref`, of subscription, order and customer, the same
//!   of the fields that a buyer fills in (`custom_field_data`), and the id and the text of the
//!   discount applied.
//! - A refund's `amount` is without tax; what goes back is both.
//! - Polar tells of a dispute only inside the refund that settles it: the money is the refund's.

mod normalize;

mod customer;
mod order;
mod subscription;

mod samples;

use crate::provider::{Provider, ProviderSamples, ResponseStatuses, SigningMethod};
use crate::setup::SetupGuide;
use crate::standard::{self, raw_or_encoded, verify_event};

/// Polar, as the list of providers has it.
pub(crate) static POLAR: Provider = Provider {
    name: "polar",
    normalizer: NORMALIZER,
    exponents: order::EXPONENTS,
    statuses: ResponseStatuses::DEFAULT,
    schemes: standard::SCHEMES,
    api: None,
    has_path_secret: false,
    secrets: raw_or_encoded,
    verify: verify_event,
    normalize: normalize::normalize,
    sign: SigningMethod::Secret(standard::sign_as_sender),
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
        id_path: None,
        time_path: "timestamp",
    },
    setup: SetupGuide {
        forward: Some("polar listen {url}"),
        endpoint: "Polar's dashboard (the sandbox first), Settings, Webhooks: add an endpoint of \
             the format Raw",
        secret: "`polar listen` prints it when it starts; an endpoint has the one that you set or \
             have generated for it",
        separator: ",",
        events: || (POLAR.samples.handled_types)(),
        mistaken: &[
            ("polar_oat_", "an access token of Polar's API"),
            ("polar_pat_", "an access token of Polar's API"),
            ("polar_at_", "an access token of Polar's API"),
            ("polar_cst_", "a token for a customer's own page"),
        ],
    },
};

/// Raised whenever the same bytes would give another normalized event.
const NORMALIZER: u16 = 5;
