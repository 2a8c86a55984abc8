//! PayPal: its fixtures, as its API would show them, and what its signature lets through.

mod forgery;
mod scenario;
mod signature;

use super::{SECRET, T, at, person_key, post};
use crate::fetch::{ApiCall, ApiResponse, ApiResponses, CallTarget, Method};
use crate::paypal::PAYPAL;
use crate::{
    EndpointConfig, FetchStep, Headers, InboundRequest, ItemOutcome, ReceivedItem, Secrets,
    VerificationError, receive,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

#[test]
fn amounts_are_exact_in_every_currency_or_none() {
    for (text, currency, minor) in [
        ("12.00", "EUR", Some(1200)),
        ("60.0", "EUR", Some(6000)),
        ("7", "EUR", Some(700)),
        ("0.49", "EUR", Some(49)),
        ("12.0000", "EUR", Some(1200)),
        ("12.001", "EUR", None),
        ("4800", "JPY", Some(4800)),
        ("4800.00", "JPY", Some(4800)),
        ("4800.5", "JPY", None),
        ("48.125", "KWD", Some(48_125)),
        ("48.1", "TND", Some(48_100)),
        ("48.1255", "TND", None),
        ("4800", "UGX", Some(4800)),
        ("4800", "ISK", Some(4800)),
        ("4800.25", "ISK", None),
        ("92233720368547758.07", "EUR", Some(i64::MAX)),
        ("92233720368547758.08", "EUR", None),
        ("12.00", "XQQ", None),
        ("", "EUR", None),
        (".", "EUR", None),
        ("1.", "EUR", None),
        ("+1", "EUR", None),
        ("1e2", "EUR", None),
        ("1,00", "EUR", None),
        ("--1", "EUR", None),
        ("１２", "EUR", None),
    ] {
        let mut event = sample("PAYMENT.CAPTURE.COMPLETED");
        event["resource"]["amount"] = json!({ "value": text, "currency_code": currency });
        assert_eq!(paid(&event), minor, "{text} {currency}");
        let mut event = sample("PAYMENT.SALE.COMPLETED-guest");
        event["resource"]["amount"] = json!({ "total": text, "currency": currency });
        assert_eq!(paid(&event), minor, "{text} {currency}");
    }
}

/// What arrived, or none where it is unclear.
fn paid(event: &Value) -> Option<i64> {
    let outcome = deliver(event.to_string().as_bytes()).outcome;
    let ItemOutcome::Event(reading) = outcome else {
        panic!("is journaled: {outcome:?}");
    };
    if super::is_unclear(&reading) {
        return None;
    }
    let paid = reading.facts.iter().find_map(super::money::paid_of);
    paid.map(|paid| paid.minor)
}

#[test]
fn a_sale_whose_subscription_nobody_can_tell_of_waits() {
    let body = sample("PAYMENT.SALE.COMPLETED").to_string();
    let received = deliver(body.as_bytes());
    assert!(received.outcome.is_waiting(), "{received:?}");
    assert_eq!(&*received.raw, body.as_bytes());
}

fn sample(name: &str) -> Value {
    let path = fixtures().join(format!("paypal/{name}.json"));
    serde_json::from_slice(&fs::read(path).expect("can be read")).expect("is JSON")
}

/// Delivers rightly signed, while the API shows no more than the event.
fn deliver(body: &[u8]) -> ReceivedItem {
    let mut fetched = confirmed_by_api(body, "sandbox");
    fetched.close();
    let received = arrive(&signed(body, T, SECRET), body, &fetched, T);
    let mut received = received.expect("is proven");
    assert_eq!(received.len(), 1);
    received.remove(0)
}

/// Lets it arrive at the test endpoint.
fn arrive(
    headers: &[(&'static str, String)],
    body: &[u8],
    fetched: &ApiResponses,
    now: i64,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    match step(headers, body, fetched, now)? {
        FetchStep::Done(received) => Ok(received),
        FetchStep::Fetch(questions) => panic!("asks though nobody answers: {questions:?}"),
    }
}

fn step(
    headers: &[(&'static str, String)],
    body: &[u8],
    fetched: &ApiResponses,
    now: i64,
) -> Result<FetchStep<Vec<ReceivedItem>>, VerificationError> {
    step_at(Mode::Test, headers, body, &secrets(&[SECRET]), fetched, now)
}

fn step_at(
    mode: Mode,
    headers: &[(&'static str, String)],
    body: &[u8],
    secrets: &Secrets,
    fetched: &ApiResponses,
    now: i64,
) -> Result<FetchStep<Vec<ReceivedItem>>, VerificationError> {
    let headers = Headers::new(headers.iter().map(|(name, value)| (name, value)))?;
    let arrival = InboundRequest {
        request: post(&headers, body),
        endpoint: EndpointConfig::new(mode),
        secrets,
        fetched,
        now: at(now),
    };
    receive(&PAYPAL, &arrival, &person_key())
}

/// Webhooks, and the root of the tests.
fn secrets(webhooks: &[&str]) -> Secrets {
    let root = CertificateDer::from_pem_slice(&certificates("root")).expect("is one");
    let root = format!("root:{}", STANDARD.encode(&root));
    let texts = webhooks.iter().copied().chain([root.as_str()]);
    PAYPAL.secrets(texts).expect("are strong")
}

/// What PayPal answers: a certificate of the tests, and the event in this body.
fn confirmed_by_api(body: &[u8], certificate: &str) -> ApiResponses {
    let mut fetched = ApiResponses::default();
    let pem = answered((200, certificates(certificate)));
    fetched.insert(certificate_call(ADDRESS), Some(pem));
    if let Ok(event) = serde_json::from_slice::<Value>(body)
        && let Some(id) = event["id"].as_str()
    {
        fetched.insert(event_call(id), Some(answered((200, body.to_vec()))));
    }
    fetched
}

fn event_call(id: &str) -> ApiCall {
    get(&format!("/v1/notifications/webhooks-events/{id}"))
}

fn certificate_call(address: &str) -> ApiCall {
    ApiCall {
        method: Method::Get,
        target: CallTarget::Certificate(address.into()),
        body: Arc::default(),
    }
}

fn get(path: &str) -> ApiCall {
    ApiCall {
        method: Method::Get,
        target: CallTarget::Api(path.into()),
        body: Arc::default(),
    }
}

fn answered((status, body): (u16, Vec<u8>)) -> ApiResponse {
    ApiResponse {
        status,
        body: body.into(),
    }
}

fn certificates(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(format!("certificates/{name}.pem"))).expect("can be read")
}

static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    let key = PrivatePkcs8KeyDer::from_pem_slice(&certificates("key")).expect("is a key");
    RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).expect("is one of RSA")
});

/// The headers with which PayPal would send this body.
fn signed(body: &[u8], at_second: i64, webhook: &str) -> Vec<(&'static str, String)> {
    signed_as(body, &at(at_second).to_string(), webhook)
}

fn signed_as(body: &[u8], time: &str, webhook: &str) -> Vec<(&'static str, String)> {
    let checksum = crc32fast::hash(body);
    let message = format!("{TRANSMISSION}|{time}|{webhook}|{checksum}");
    let mut signature = vec![0; KEY.public().modulus_len()];
    let random = SystemRandom::new();
    KEY.sign(
        &RSA_PKCS1_SHA256,
        &random,
        message.as_bytes(),
        &mut signature,
    )
    .expect("can sign");
    vec![
        ("paypal-transmission-id", TRANSMISSION.to_owned()),
        ("paypal-transmission-time", time.to_owned()),
        ("paypal-transmission-sig", STANDARD.encode(signature)),
        ("paypal-cert-url", ADDRESS.to_owned()),
        ("paypal-auth-algo", "SHA256withRSA".to_owned()),
    ]
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

const ADDRESS: &str = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-1";
const TRANSMISSION: &str = "103e3700-8b0c-11e6-8695-6b62a8a99ac4";
