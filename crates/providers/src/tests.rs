//! What every test here needs: endpoints, secrets, requests.

// Fixtures are files, a variable says where real payloads are, and RSA wants chance to sign:
// tests alone may have these.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod arbitrary;
mod api_calls;
mod civil;
mod credentials;
mod corpus;
mod corpus_lives;
mod corpus_reference_only;
mod endpoints;
mod entitlements;
mod entitlement_steps;
mod fixtures;
mod gocardless;
mod ids;
mod keys;
mod mollie;
mod money;
mod paddle_events;
mod paddle_signature;
mod partial;
mod partner_postback;
mod partner_signature;
mod paypal;
mod published;
mod readme;
mod setup;
mod standard_payments;
mod standard_signature;
mod stripe_customers;
mod stripe_events;
mod unproven_requests;
mod stripe_histories;
mod stripe_signature;
mod api_documents;
mod unclear;
mod wycheproof;

use crate::provider::VerifiedItem;
use crate::{
    ApiResponses, EndpointConfig, FetchStep, Headers, InboundRequest, ItemOutcome, PersonKey,
    Provider, ReceivedItem, Request, Secret, Secrets, VerificationError, receive,
};
use domain::event::NormalizedEvent;
use domain::ids::Mode;
use jiff::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Noon of nothing in particular: the start of 2026.
pub(crate) const T: i64 = 1_767_225_600;
pub(crate) const SECRET: &str = "whsec_of_the_fixture_walker";
const ENCODED_SECRET: &str = "whsec_T2ZUaGVGaXh0dXJlV2Fsa2Vy";

pub(crate) fn stripe() -> &'static Provider {
    crate::provider("stripe").expect("is in the list")
}

/// A secret as that provider writes them.
pub(crate) fn secret_text(provider: &Provider) -> &'static str {
    let texts = [SECRET, ENCODED_SECRET].into_iter();
    let mut fitting = texts.filter(|text| provider.secrets([*text]).is_ok());
    fitting.next().expect("one fits")
}

pub(crate) fn secret_of(provider: &Provider) -> Secret {
    let secrets = provider
        .secrets([secret_text(provider)])
        .expect("is strong");
    secrets.first().expect("is one").clone()
}

/// That secret, behind another that will not be in force much longer.
pub(crate) fn secrets_of(provider: &Provider) -> Secrets {
    let old = [
        "whsec_put_out_of_force_soon",
        "whsec_UHV0T3V0T2ZGb3JjZVNvb24x",
    ];
    let old = old
        .into_iter()
        .find(|text| provider.secrets([*text]).is_ok());
    let texts = [old.expect("one fits"), secret_text(provider)];
    provider.secrets(texts).expect("are strong")
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("is a time")
}

pub(crate) fn secrets(texts: &[&str]) -> Secrets {
    stripe().secrets(texts.iter().copied()).expect("are strong")
}

pub(crate) fn master() -> Secret {
    Secret::new("the-master-secret-of-the-tests").expect("is strong")
}

pub(crate) fn person_key() -> PersonKey {
    PersonKey::derive(&master()).expect("follows")
}

pub(crate) fn post<'a>(headers: &'a Headers, body: &'a [u8]) -> Request<'a> {
    Request {
        method: "POST",
        path: "/webhooks/stripe",
        query: "",
        headers,
        body,
    }
}

/// Delivers to the test endpoint, headers as given.
pub(crate) fn deliver(
    headers: &[(&str, &str)],
    body: &[u8],
    secrets: &Secrets,
    now: i64,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    let headers = Headers::new(headers.iter().copied())?;
    arrive(stripe(), Mode::Test, &post(&headers, body), secrets, now)
}

/// Lets a request arrive at an endpoint whose provider's API gives the answers of all samples.
pub(crate) fn arrive(
    provider: &'static Provider,
    mode: Mode,
    request: &Request<'_>,
    secrets: &Secrets,
    now: i64,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    arrive_as_sample(provider, mode, request, secrets, now, "")
}

/// The same with what its API answers to the sample of this name.
pub(crate) fn arrive_as_sample(
    provider: &'static Provider,
    mode: Mode,
    request: &Request<'_>,
    secrets: &Secrets,
    now: i64,
    name: &str,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    let arrival = InboundRequest {
        request: *request,
        endpoint: EndpointConfig::new(mode),
        secrets,
        fetched: &recorded_responses(provider, name),
        now: at(now),
    };
    match receive(provider, &arrival, &person_key())? {
        FetchStep::Done(received) => Ok(received),
        FetchStep::Fetch(questions) => panic!("asks though nobody answers: {questions:?}"),
    }
}

/// What a provider's API answers to the sample of this name. Read once: some tests arrive a
/// hundred thousand times.
pub(crate) fn recorded_responses(provider: &'static Provider, name: &str) -> Rc<ApiResponses> {
    thread_local! {
        static READ: RefCell<BTreeMap<(&'static str, String), Rc<ApiResponses>>> =
            RefCell::default();
    }
    let key = (provider.name(), name.to_owned());
    let recorded =
        || ApiResponses::recorded(provider.recorded_responses(name)).expect("are documents");
    READ.with_borrow_mut(|read| {
        let known = read.entry(key).or_insert_with(|| Rc::new(recorded()));
        Rc::clone(known)
    })
}

/// Delivers the sample of this name, with what its API answers to it.
pub(crate) fn deliver_sample(
    provider: &'static Provider,
    name: &str,
    body: &[u8],
) -> Result<Vec<ReceivedItem>, VerificationError> {
    match step(provider, body, &recorded_responses(provider, name))? {
        FetchStep::Done(received) => Ok(received),
        FetchStep::Fetch(questions) => panic!("asks though nobody answers: {questions:?}"),
    }
}

/// Lets a body arrive, signed as it would be, with these answers. What only its provider can
/// sign is read as if it had been proven.
pub(crate) fn step(
    provider: &'static Provider,
    body: &[u8],
    fetched: &ApiResponses,
) -> Result<FetchStep<Vec<ReceivedItem>>, VerificationError> {
    if let Some(signed) = provider.sign(body, &secret_of(provider), at(T)) {
        let headers = Headers::new(signed)?;
        let arrival = InboundRequest {
            request: post(&headers, body),
            endpoint: EndpointConfig::new(Mode::Test),
            secrets: &secrets_of(provider),
            fetched,
            now: at(T),
        };
        return receive(provider, &arrival, &person_key());
    }
    let item = VerifiedItem {
        raw: &body.into(),
        message_id: None,
        signed_at: at(T),
        connected_accounts: false,
    };
    let account = provider.account(Mode::Test);
    let read = provider.read(&account, &item, fetched, &person_key());
    Ok(read.map(|received| vec![received]))
}

/// Delivers rightly signed, and gives what came of it.
pub(crate) fn outcome_of(body: &[u8]) -> ItemOutcome {
    outcome_at(Mode::Test, body)
}

pub(crate) fn outcome_at(mode: Mode, body: &[u8]) -> ItemOutcome {
    outcome_at_endpoint(EndpointConfig::new(mode), body)
}

pub(crate) fn outcome_at_endpoint(endpoint: EndpointConfig, body: &[u8]) -> ItemOutcome {
    let secrets = secrets(&[SECRET]);
    let secret = Secret::new(SECRET).expect("is strong");
    let signed = stripe().sign(body, &secret, at(T)).expect("can sign");
    let headers = Headers::new(signed).expect("are few");
    let inbound = InboundRequest {
        request: post(&headers, body),
        endpoint,
        secrets: &secrets,
        fetched: &ApiResponses::default(),
        now: at(T),
    };
    let FetchStep::Done(mut received) =
        receive(stripe(), &inbound, &person_key()).expect("is rightly signed")
    else {
        panic!("Stripe's API is never asked");
    };
    assert_eq!(received.len(), 1);
    assert_eq!(&*received[0].raw, body);
    received.remove(0).outcome
}

pub(crate) fn event_of(body: &[u8]) -> NormalizedEvent {
    match outcome_of(body) {
        ItemOutcome::Event(reading) => reading,
        ItemOutcome::Ignored { kind, .. } => panic!("ignored: {kind}"),
        ItemOutcome::WrongMode { kind } => panic!("wrong mode: {kind}"),
        ItemOutcome::OtherAccount { kind } => panic!("another account's: {kind}"),
    }
}

pub(crate) fn is_unclear(reading: &NormalizedEvent) -> bool {
    reading.is_unclear()
}

pub(crate) fn sample(name: &str) -> &'static str {
    stripe()
        .samples()
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, body)| *body)
        .unwrap_or_else(|| panic!("no sample {name}"))
}
