//! Mollie: payments that are named and asked for, and signed events of its newer webhooks.
//!
//! Classic: <https://docs.mollie.com/reference/webhooks>. Next-gen, its signature and events:
//! <https://docs.mollie.com/reference/webhooks-new>. Currencies:
//! <https://docs.mollie.com/docs/multicurrency>.
//!
//! **Classic** (`webhookUrl` of a payment or subscription): a form with an id and no signature.
//! Nothing of it is believed; the payment is asked for with our key, and that answer is the
//! proof. The body is the same at every change, so the state that was fetched names the event:
//! the same state again is a repetition, another state is another event. An id that Mollie does
//! not know is ignored with 200; where the API is silent the answer is 503. Anybody can send such
//! a form, so give Mollie an address that nobody can guess: where a webhook secret `path:` and a
//! segment is in force, a form that came to another path (`/webhooks/mollie/<segment>` is its
//! own) is refused before anything is asked.
//!
//! **Next-gen** (a webhook of the account): JSON under `X-Mollie-Signature`, twice while a
//! secret rolls. Simple events name an entity, which is asked for. Those of a payment, a refund,
//! a chargeback or a capture are read as the form of their payment is: it is asked for. With
//! classic webhooks alone the segment is secret enough: nothing is signed with it.
//!
//! Mollie tells of payments and of nothing else, so this is all that can be known:
//! - **A subscription** is asked for with each of its payments; it has no event of its own. Its
//!   cancellation is known with the next event of one of its payments, and ends it at once.
//! - **A failed payment** is a failed invoice where it is recurring. Mollie does not try again:
//!   the shop makes another payment, and says with `metadata.retry_of` (the id of the first
//!   that failed) what it makes up for. One that fails at the checkout page tells nothing.
//! - **A refund** counts from `processing` on. A `queued` or `pending` one can be withdrawn, and
//!   no form tells it (<https://docs.mollie.com/docs/refunds>).
//! - **A chargeback** is lost unless it is reversed (won).
//! - **What arrived** is `amountCaptured` where Mollie says it: less than was authorized.
//! - **A sales invoice** that was paid by a payment link is one payment with the link's.
//! - **The price** is `metadata.price` of the subscription, else its description.
//! - **What was paid with** is `details.cardFingerprint`, of cards alone.
//! - **The period** ends with the next payment and is one interval long; months keep the day of
//!   `startDate`, so that the 31st comes back after February.
//!
//! Unconfirmed: that a 4xx of the payments API always repeats its status in the body; the
//! payment named in `paymentDetails` of a sales invoice; that the API for sales invoices takes
//! an API key; when deliveries end.

mod normalize;
mod verify;

mod api;
mod event;

mod invoice;
mod link;
mod payment;
mod reversal;
mod subscription;

mod samples;

use crate::provider::{
    ApiAuth, ApiConfig, Provider, ProviderSamples, ResponseStatuses, SigningMethod,
};
use crate::secret::{PATH_PREFIX, Secret, WeakSecret};
use crate::setup::SetupGuide;

/// Mollie, as the list of providers has it.
pub(crate) static MOLLIE: Provider = Provider {
    name: "mollie",
    normalizer: NORMALIZER,
    exponents: api::EXPONENTS,
    statuses: ResponseStatuses::DEFAULT,
    schemes: &[verify::MAC.scheme()],
    api: Some(ApiConfig {
        live: "https://api.mollie.com/v2",
        test: "https://api.mollie.com/v2",
        auth: ApiAuth::Bearer,
        headers: &[],
    }),
    has_path_secret: true,
    secrets,
    verify: verify::verify,
    normalize: normalize::normalize,
    sign: SigningMethod::Secret(verify::sign),
    samples: ProviderSamples {
        handled_types: || handled_types(),
        bodies: samples::SAMPLES,
        scenario: samples::SCENARIO,
        recorded_responses: samples::RECORDED_RESPONSES,
        id_path: Some("id"),
        time_path: "createdAt",
    },
    setup: SetupGuide {
        forward: None,
        endpoint: "the webhookUrl of each payment and subscription that your code creates; for \
             signed events also Mollie's dashboard, Developers, Webhooks",
        secret: "of signed events, the signing secret shown when that webhook is created; of a \
             webhookUrl, path: and a segment that nobody can guess, with which the address then \
             ends",
        separator: ",",
        events: || normalize::HANDLED_TYPES.iter().map(|row| row.0).collect(),
        mistaken: &[
            ("live_", "a key of Mollie's API"),
            ("test_", "a key of Mollie's API"),
            ("access_", "an access token of Mollie's API"),
            ("tr_", "the id of a payment"),
            ("hook_", "the id of a webhook"),
            ("cst_", "the id of a customer"),
        ],
    },
};

/// Secrets of signatures, and of the address that forms come to.
fn secrets(text: &str) -> Result<Vec<Secret>, WeakSecret> {
    Ok(vec![if text.starts_with(PATH_PREFIX) {
        Secret::path_segment(text)?
    } else {
        Secret::new(text)?
    }])
}

/// Raised whenever the same bytes would give another normalized event.
const NORMALIZER: u16 = 4;

/// The names of the events acted upon.
fn handled_types() -> Vec<&'static str> {
    let events = || normalize::HANDLED_TYPES.iter().map(|row| row.0);
    let states = payment::KINDS.iter().map(|row| row.0);
    let of_forms = states.filter(|state| events().all(|event| event != *state));
    of_forms.chain(events()).collect()
}
