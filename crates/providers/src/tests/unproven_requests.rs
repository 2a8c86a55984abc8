//! How much work a request that proves nothing can cause.

use super::{T, arrive, at, person_key, secret_text};
use crate::verified::SignatureClaim;
use crate::{
    ApiResponses, EndpointConfig, FetchStep, Headers, InboundRequest, MAX_PUBLIC_KEYS, PROVIDERS,
    Provider, Request, Secrets, VerificationError, WeakSecret, provider, receive,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use ring::signature::{Ed25519KeyPair, KeyPair};

const FORM: &[u8] = b"id=tr_Unknown01";
const SEGMENT: &str = "path:Lq0zT4-kXb_8Vn2s";

fn public_key(seed: u8) -> String {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("is a seed");
    format!("whpk_{}", STANDARD.encode(pair.public_key()))
}

/// A form at this path: the number of calls it causes, or why it is refused.
fn send_form(path: &str, secrets: &Secrets) -> Result<usize, VerificationError> {
    let headers = Headers::default();
    let inbound = InboundRequest {
        request: Request {
            method: "POST",
            path,
            query: "",
            headers: &headers,
            body: FORM,
        },
        endpoint: EndpointConfig::new(Mode::Test),
        secrets,
        fetched: &ApiResponses::default(),
        now: at(T),
    };
    match receive(mollie(), &inbound, &person_key())? {
        FetchStep::Fetch(calls) => Ok(calls.calls().len()),
        FetchStep::Done(_) => Ok(0),
    }
}

fn mollie() -> &'static Provider {
    provider("mollie").expect("is in the list")
}

#[test]
fn where_a_path_secret_is_in_force_a_form_at_another_path_causes_no_call() {
    let next = "path:a-segment-that-comes-next";
    let none = mollie().secrets([secret_text(mollie())]);
    assert_eq!(
        send_form("/webhooks/mollie", &none.expect("is strong")),
        Ok(1)
    );
    let secrets = mollie().secrets([secret_text(mollie()), SEGMENT, next]);
    let secrets = secrets.expect("are strong");
    for own in ["Lq0zT4-kXb_8Vn2s", "a-segment-that-comes-next"] {
        assert_eq!(
            send_form(&format!("/webhooks/mollie/{own}"), &secrets),
            Ok(1)
        );
        assert_eq!(
            send_form(&format!("/stage/webhooks/mollie/{own}"), &secrets),
            Ok(1)
        );
    }
    for other in [
        "/webhooks/mollie",
        "/webhooks/mollie/",
        "/webhooks/mollie/Lq0zT4-kXb_8Vn2",
        "/webhooks/mollie/Lq0zT4-kXb_8Vn2s0",
        "/webhooks/mollie/lq0zT4-kXb_8Vn2s",
        "/webhooks/mollie/Lq0zT4-kXb_8Vn2s/",
        "/webhooks/mollie/path:Lq0zT4-kXb_8Vn2s",
        "Lq0zT4-kXb_8Vn2s/x",
        "",
    ] {
        let refused = send_form(other, &secrets).expect_err(other);
        assert_eq!(refused.status(), 401, "{other}: {refused}");
        assert!(!refused.to_string().contains("Lq0z"), "{refused}");
    }
}

#[test]
fn a_path_secret_signs_nothing_and_is_not_short() {
    let secrets = mollie().secrets([SEGMENT]).expect("is strong");
    let mut samples = mollie().samples().iter();
    let (_, body) = samples
        .find(|(_, body)| body.starts_with('{'))
        .expect("is signed");
    let body = body.as_bytes();
    let segment = crate::Secret::new(SEGMENT.trim_start_matches("path:")).expect("is long");
    for (name, value) in mollie().sign(body, &segment, at(T)).expect("can sign") {
        let headers = Headers::new([(name, value)]).expect("is one");
        let judged = arrive(
            mollie(),
            Mode::Test,
            &super::post(&headers, body),
            &secrets,
            T,
        );
        assert_eq!(judged, Err(VerificationError::SignatureMismatch));
    }
    for (text, weak) in [
        ("path:", WeakSecret::Empty),
        ("path:short", WeakSecret::Short { bytes: 5 }),
        ("path:sixteen/bytes/and/more", WeakSecret::NoPathSegment),
        (
            "path:sixteen%20bytes%20and%20more",
            WeakSecret::NoPathSegment,
        ),
    ] {
        assert_eq!(mollie().secrets([text]).expect_err(text), weak, "{text}");
    }
    let shown = format!("{secrets:?}");
    assert!(!shown.contains("Lq0z"), "{shown}");
}

#[test]
fn only_a_provider_with_unsigned_requests_has_a_path_secret() {
    let with: Vec<&str> = PROVIDERS
        .iter()
        .filter(|provider| provider.has_path_secret())
        .map(|provider| provider.name())
        .collect();
    assert_eq!(with, ["mollie"]);
}

/// 128 before there was a limit of their own: eight keys, sixteen signatures.
#[test]
fn a_refusal_costs_at_most_eight_checks_of_public_keys() {
    let standard = provider("standard").expect("is in the list");
    let keys: Vec<String> = (0..8).map(public_key).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let few = keys.iter().copied().take(MAX_PUBLIC_KEYS);
    let secrets = standard.secrets(few).expect("are few");
    let many = standard
        .secrets(keys.iter().copied())
        .expect_err("are many");
    assert_eq!(many, WeakSecret::TooMany { count: 8, limit: 4 });
    let mut checks = 0;
    for offered in 1..=16_u8 {
        let signatures: Vec<[u8; 64]> = (0..offered).map(|which| [which; 64]).collect();
        let list: Vec<String> = signatures
            .iter()
            .map(|signature| format!("v1a,{}", STANDARD.encode(signature)))
            .collect();
        let time = T.to_string();
        let headers = Headers::new([
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", list.join(" ").as_str()),
        ]);
        let headers = headers.expect("are few");
        let judged = arrive(
            standard,
            Mode::Test,
            &super::post(&headers, b"{}"),
            &secrets,
            T,
        );
        let refused = judged.expect_err("is forged");
        if refused != VerificationError::SignatureMismatch {
            let header = "webhook-signature";
            let too_many = VerificationError::TooManySignatures { header, limit: 2 };
            assert_eq!(refused, too_many, "{offered}");
            assert!(offered > 2, "{offered}");
            continue;
        }
        let claim = SignatureClaim {
            prefix: &[],
            body: b"{}",
            macs: &[],
            ed25519: &signatures,
            signed_at: None,
            tolerance_seconds: 300,
        };
        checks = checks.max(claim.ed25519_checks(&secrets).count());
    }
    assert_eq!(checks, 8);
}

#[test]
fn the_same_signature_said_again_is_one() {
    let standard = provider("standard").expect("is in the list");
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("is a seed");
    let secrets = standard.secrets([public_key(1).as_str()]).expect("is one");
    let (time, body) = (T.to_string(), b"{}");
    let message = [format!("msg_1.{time}.").as_bytes(), body].concat();
    let own = format!("v1a,{}", STANDARD.encode(pair.sign(&message)));
    let headers = Headers::new([
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", time.as_str()),
        ("webhook-signature", [own.as_str(); 5].join(" ").as_str()),
    ]);
    let headers = headers.expect("are few");
    assert!(
        arrive(
            standard,
            Mode::Test,
            &super::post(&headers, body),
            &secrets,
            T
        )
        .is_ok()
    );
}
