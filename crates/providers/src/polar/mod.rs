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

mod order;
mod subscription;

mod samples;

use crate::provider::Signing;
use crate::standard::{self, arrived, either};
use crate::{Answers, Provider, Samples};

/// Polar, as the list of providers has it.
pub(crate) static POLAR: Provider = Provider {
    name: "polar",
    normalizer: NORMALIZER,
    exponents: &[],
    answers: Answers::PLAIN,
    schemes: standard::SCHEMES,
    api: None,
    secrets: either,
    verify: arrived,
    normalize: normalize::normalize,
    sign: Signing::Secret(standard::sign_as_sender),
    samples: Samples {
        acted_upon: || normalize::VOCABULARY.rows.iter().map(|row| row.0).collect(),
        bodies: samples::SAMPLES,
        life: samples::LIFE,
        answers: &[],
        id: None,
        at: "timestamp",
    },
};

/// Raised whenever the same bytes would give another reading.
const NORMALIZER: u16 = 2;
