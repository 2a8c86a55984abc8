//! Verifies webhooks of payment providers and partners, then normalizes them. Both steps are pure.
//!
//! One way in: [`receive`] for payment providers, [`partner::receive`] for partners. Nothing here
//! knows a clock, an environment, a network or a source of randomness.

// The order of a hash table is another in each process; clippy.toml has the rest.
#![warn(clippy::iter_over_hash_type)]

mod provider;

mod request;
mod secret;
mod endpoint;
mod outcome;

mod fetch;
mod verification_error;
mod verified;
mod timestamped_signature;
mod body_mac;

mod keys;
mod credential_text;
mod shop_key;
mod customer_token;
mod bearer;

mod json;
mod wire;
mod civil;
mod draft;
mod customer_object;
mod envelope;
mod api_document;
mod quarantine;
mod raw_entry;

mod setup;
mod samples;

// One more provider is its folder and two lines: one here, one in `PROVIDERS`.
mod gocardless;
mod mollie;
mod stripe;
mod polar;
mod paddle;
mod paypal;

pub mod partner;
pub mod standard;

pub mod diagnose;

pub use bearer::{Bearer, OfferedBearer};
pub use credential_text::{CredentialError, InvalidStageName, StageName};
pub use customer_token::{CustomerToken, OfferedCustomerToken, customer_token};
pub use endpoint::{EndpointConfig, InboundRequest};
pub use fetch::{
    ApiCall, ApiResponse, ApiResponses, CallPurpose, CallTarget, FetchStep, Method,
    MissingResponse, PendingCalls,
};
pub use keys::{KeyRoots, PersonKey, notice_secret, partner_secret, root_fingerprint};
pub use outcome::{ItemOutcome, ReceivedItem};
pub use provider::{
    ApiAuth, ApiConfig, Provider, Scheme, SignatureEncoding, SignedHeaders, UnsignedDelivery,
};
pub use request::{Headers, Request};
pub use secret::{MAX_PUBLIC_KEYS, Secret, Secrets, WeakSecret};
pub use setup::SetupGuide;
pub use shop_key::{OfferedShopKey, ShopKey, shop_key};
pub use verification_error::VerificationError;
pub use verified::VerifiedItems;

use crate::provider::VerifiedItem;
use domain::ids::Mode;
use domain::record::Entry;

/// Every payment provider we understand.
#[rustfmt::skip] // one a line: a new one touches no other
pub static PROVIDERS: &[&Provider] = &[
    &gocardless::GOCARDLESS,
    &mollie::MOLLIE,
    &stripe::STRIPE,
    &standard::STANDARD,
    &polar::POLAR,
    &paddle::PADDLE,
    &paypal::PAYPAL,
];

/// The provider of that name, as it is written in URLs and keys.
pub fn provider(name: &str) -> Option<&'static Provider> {
    PROVIDERS
        .iter()
        .copied()
        .find(|provider| provider.name == name)
}

/// Verifies a request and normalizes it: one [`ReceivedItem`] for each wire item. Where the
/// provider's API has to be asked first, the step says which calls to make; once `inbound.fetched`
/// is closed, the request is done or refused.
///
/// Every outcome is answered with 2xx; only a [`VerificationError`] is not.
///
/// # Errors
/// [`VerificationError`] when nothing shows that the provider sent the request just now.
pub fn receive(
    provider: &'static Provider,
    inbound: &InboundRequest<'_>,
    keys: &PersonKey,
) -> Result<FetchStep<Vec<ReceivedItem>>, VerificationError> {
    let verified = match (provider.verify)(inbound)? {
        FetchStep::Done(verified) => verified,
        FetchStep::Fetch(questions) => return Ok(FetchStep::Fetch(questions.for_proof())),
    };
    let account = provider.account(inbound.endpoint.mode);
    let items = verified.items().iter().map(|raw| {
        let item = VerifiedItem {
            raw,
            message_id: verified.message_id(),
            signed_at: verified.signed_at(),
            connected_accounts: inbound.endpoint.connected_accounts,
        };
        provider.read(&account, &item, inbound.fetched, keys)
    });
    Ok(FetchStep::all(items))
}

/// Normalizes a journal entry once more: one that waited for the provider's API, or that was
/// unclear when it arrived. It was verified before it was journaled; the responses that are kept
/// with it take precedence over `fetched`.
pub fn read_again(
    provider: &'static Provider,
    mode: Mode,
    entry: &Entry,
    fetched: &ApiResponses,
    keys: &PersonKey,
) -> FetchStep<ReceivedItem> {
    let (raw, kept) = raw_entry::unpack(&entry.raw.bytes());
    let account = provider.account(mode);
    let item = VerifiedItem {
        raw: &raw,
        message_id: account.provider_event_id(&entry.event.id),
        signed_at: entry.event.occurred_at,
        // It was ours when it was journaled.
        connected_accounts: true,
    };
    provider.read(&account, &item, &kept.with_fallback(fetched), keys)
}

/// The body with which the provider would send a journal entry's item again, by itself.
pub fn resend_body(provider: &Provider, entry: &Entry) -> Vec<u8> {
    let (item, _) = raw_entry::unpack(&entry.raw.bytes());
    // The path of the first item's id says in which list a body holds its items.
    let place = provider.id_path().and_then(|path| path.rsplit_once('.'));
    let Some((list, _)) = place.and_then(|(item, _)| item.rsplit_once(".0")) else {
        return item.to_vec();
    };
    let parts = [
        format!("{{\"{list}\":[").into_bytes(),
        item.to_vec(),
        b"]}".to_vec(),
    ];
    parts.concat()
}

#[cfg(test)]
mod tests;
