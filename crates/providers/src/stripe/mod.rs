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
//! - **An invoice and the intent that paid it** are one payment where the intent's
//!   `payment_details.order_reference` names the invoice or its session, or `invoice_payment.paid`
//!   names both. Since 2025-03-31 nothing else does.
//! - **An event of a connected account** (`account`) is not ours unless the endpoint says so.
//! - A code is 1 to 64 letters, digits, `.`, `_` or `-`, compared exactly. Other text in these
//!   fields is the shop's own affair and is passed over.

mod normalize;

mod facts;
mod wire;
mod charge;

mod checkout;
mod customer;
mod dispute;
mod invoice_line;
mod invoice;
mod item;
mod payment;
mod refund;
mod subscription;

mod samples;

use crate::provider::{Provider, ProviderSamples, ResponseStatuses, SigningMethod};
use crate::secret::Secret;
use crate::setup::SetupGuide;
use crate::timestamped_signature::TimestampedSignature;

/// Stripe, as the list of providers has it.
pub(crate) static STRIPE: Provider = Provider {
    name: "stripe",
    normalizer: NORMALIZER,
    exponents: facts::EXPONENTS,
    statuses: ResponseStatuses::DEFAULT,
    schemes: &[SIGNATURE.scheme()],
    api: None,
    // The whole `whsec_…` text is the key, not what it would decode to.
    has_path_secret: false,
    secrets: |text| Ok(vec![Secret::new(text)?]),
    verify: |inbound| SIGNATURE.verify(inbound),
    normalize: normalize::normalize,
    sign: SigningMethod::Secret(|_, body, secret, now| SIGNATURE.sign(body, secret, now)),
    samples: ProviderSamples {
        handled_types: || normalize::HANDLED_TYPES.iter().map(|row| row.0).collect(),
        bodies: samples::SAMPLES,
        scenario: samples::SCENARIO,
        recorded_responses: &[],
        id_path: Some("id"),
        time_path: "created",
    },
    setup: SetupGuide {
        forward: Some("stripe listen --forward-to {url} --events {events}"),
        endpoint: "Stripe's dashboard, Workbench, Webhooks: add a destination of your own \
             account's events, in test mode or a sandbox first",
        secret: "`stripe listen` prints it when it starts; a destination shows it as its signing \
             secret. It begins with whsec_",
        separator: ",",
        events: || (STRIPE.samples.handled_types)(),
        mistaken: &[
            ("sk_", "a secret key of Stripe's API"),
            ("rk_", "a restricted key of Stripe's API"),
            ("pk_", "a publishable key of Stripe's API"),
            ("we_", "the id of an endpoint"),
            ("ed_", "the id of a destination"),
            ("evt_", "the id of an event"),
            ("acct_", "the id of an account"),
            ("cus_", "the id of a customer"),
            ("sub_", "the id of a subscription"),
            ("price_", "the id of a price"),
        ],
    },
};

/// `v0` is for Stripe's own tests.
const SIGNATURE: TimestampedSignature = TimestampedSignature {
    header: "stripe-signature",
    separator: ',',
    time_prefix: "t=",
    signature_prefix: "v1=",
    joiner: ".",
};

/// Raised whenever the same bytes would give another normalized event.
const NORMALIZER: u16 = 5;
