//! Stripe: signed snapshots of its objects, one event a body.
//!
//! Signature: <https://docs.stripe.com/webhooks/signature>.
//! Events: <https://docs.stripe.com/api/events/types>.
//! Minor units: <https://docs.stripe.com/currencies#minor-units>.
//!
//! What Stripe has no field for goes by these conventions:
//! - **The shop's own customer id** is `client_reference_id` of a session, and
//!   `metadata.customer_id` of a session, subscription, invoice, customer, charge or intent.
//! - **A referral code** is `metadata.referral_code`, else `metadata.ref`, of the same objects;
//!   what follows `ref_` in a `client_reference_id` that begins so (which then is no customer
//!   id); and the id of every promotion code applied, with its text where Stripe expands it.
//! - **What was paid with** is the `fingerprint` of the card or account of a charge.
//! - A code is 1 to 64 letters, digits, `.`, `_` or `-`, compared exactly. Other text in these
//!   fields is the shop's own affair and is passed over.

mod normalize;

mod facts;
mod wire;

mod checkout;
mod customer;
mod dispute;
mod invoice;
mod payment;
mod refund;
mod subscription;

mod samples;

use crate::provider::Signing;
use crate::stamped::Stamp;
use crate::{Answers, Provider, Samples, Secret};

/// Stripe, as the list of providers has it.
pub(crate) static STRIPE: Provider = Provider {
    name: "stripe",
    normalizer: NORMALIZER,
    exponents: EXPONENTS,
    answers: Answers::PLAIN,
    schemes: &[STAMP.scheme()],
    api: None,
    // The whole `whsec_…` text is the key, not what it would decode to.
    secrets: |text| Ok(vec![Secret::new(text)?]),
    verify: |arrival| STAMP.verify(arrival),
    normalize: normalize::normalize,
    sign: Signing::Secret(|_, body, secret, now| STAMP.sign(body, secret, now)),
    samples: Samples {
        acted_upon: || normalize::ACTED_UPON.iter().map(|row| row.0).collect(),
        bodies: samples::SAMPLES,
        life: samples::LIFE,
        answers: &[],
        id: Some("id"),
        at: "created",
    },
};

/// `v0` is for Stripe's own tests.
const STAMP: Stamp = Stamp {
    header: "stripe-signature",
    between: ',',
    time: "t=",
    signature: "v1=",
    joint: ".",
};

/// Raised whenever the same bytes would give another reading.
const NORMALIZER: u16 = 2;

/// Where Stripe does not count as ISO 4217 does. Without decimals in ISO, but two places in
/// amounts: `isk`, `ugx`. Two places in ISO, but none in amounts: `mga`. (`huf` and `twd` are
/// whole only in payouts.)
const EXPONENTS: &[(&str, u8)] = &[("isk", 2), ("mga", 0), ("ugx", 2)];
