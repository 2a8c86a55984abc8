//! Standard Webhooks at the endpoints of providers: both kinds of signature, every kind of key.

use super::{T, arrive, at, post};
use crate::{
    Headers, ItemOutcome, ReceivedItem, Secret, Secrets, VerificationError, WeakSecret, provider,
    standard,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use ring::signature::{Ed25519KeyPair, KeyPair};

const BODY: &[u8] =
    br#"{"type":"customer.deleted","timestamp":"2026-01-01T00:00:00Z","data":{"customer":"1"}}"#;

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("is a seed")
}

fn public_text(pair: &Ed25519KeyPair) -> String {
    format!("whpk_{}", STANDARD.encode(pair.public_key()))
}

fn by_pair(pair: &Ed25519KeyPair, id: &str, time: i64, body: &[u8]) -> String {
    let message = [format!("{id}.{time}.").as_bytes(), body].concat();
    format!("v1a,{}", STANDARD.encode(pair.sign(&message)))
}

fn judge(
    endpoint: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    secrets: &Secrets,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    let headers = Headers::new(headers.iter().copied())?;
    let endpoint = provider(endpoint).expect("is in the list");
    arrive(endpoint, Mode::Test, &post(&headers, body), secrets, T)
}

fn secrets(endpoint: &str, texts: &[&str]) -> Secrets {
    let endpoint = provider(endpoint).expect("is in the list");
    endpoint.secrets(texts.iter().copied()).expect("are strong")
}

#[test]
fn a_public_key_proves_its_holders_signature_and_no_other() {
    let (own, other) = (pair(1), pair(2));
    let time = T.to_string();
    let in_force = secrets("standard", &[&public_text(&other), &public_text(&own)]);
    let signature = by_pair(&own, "msg_1", T, BODY);
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", &time),
        ("webhook-signature", &signature),
    ];
    let received = judge("standard", &headers, BODY, &in_force).expect("is right");
    let ItemOutcome::Event(reading) = &received[0].outcome else {
        panic!("is acted upon");
    };
    assert_eq!(reading.id.as_str(), "standard/test/msg_1");
    let mismatch = Err(VerificationError::SignatureMismatch);
    let third = secrets("standard", &[&public_text(&pair(3))]);
    assert_eq!(judge("standard", &headers, BODY, &third), mismatch);
    let mut bent = BODY.to_vec();
    for place in 0..BODY.len() * 8 {
        bent[place / 8] ^= 1 << (place % 8);
        assert_eq!(
            judge("standard", &headers, &bent, &in_force),
            mismatch,
            "{place}"
        );
        bent[place / 8] ^= 1 << (place % 8);
    }
    for (id, time) in [("msg_2", T), ("msg_1", T + 1)] {
        let time = time.to_string();
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", &signature),
        ];
        assert_eq!(judge("standard", &headers, BODY, &in_force), mismatch);
    }
}

#[test]
fn every_changed_bit_of_an_ed25519_signature_is_refused() {
    let own = pair(1);
    let in_force = secrets("standard", &[&public_text(&own)]);
    let time = T.to_string();
    let signature = by_pair(&own, "msg_1", T, BODY);
    for place in 0..signature.len() * 8 {
        let mut bent = signature.clone().into_bytes();
        bent[place / 8] ^= 1 << (place % 8);
        let Ok(bent) = String::from_utf8(bent) else {
            continue;
        };
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", bent.as_str()),
        ];
        assert!(
            judge("standard", &headers, BODY, &in_force).is_err(),
            "{bent}"
        );
    }
}

#[test]
fn the_public_key_used_as_a_secret_proves_nothing() {
    let own = pair(1);
    let in_force = secrets("standard", &[&public_text(&own)]);
    let known = [own.public_key().as_ref(), public_text(&own).as_bytes()].map(<[u8]>::to_vec);
    for key in known {
        let forger = Secret::from_bytes(&key).expect("is long");
        let signed = standard::sign("msg_1", BODY, &forger, at(T));
        for kind in ["v1,", "v1a,"] {
            let signature = signed[2].1.replace("v1,", kind);
            let headers = [
                ("webhook-id", "msg_1"),
                ("webhook-timestamp", signed[1].1.as_str()),
                ("webhook-signature", signature.as_str()),
            ];
            let judged = judge("standard", &headers, BODY, &in_force);
            assert_eq!(judged, Err(VerificationError::SignatureMismatch), "{kind}");
        }
    }
}

#[test]
fn a_key_under_which_anybody_can_sign_is_none() {
    // The neutral point, and a signature that fits every message under it.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let text = format!("whpk_{}", STANDARD.encode(neutral));
    let weak = Secret::standard_public(&text).expect_err("is weak");
    assert_eq!(weak, WeakSecret::SmallOrder);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&neutral);
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, neutral);
    assert!(
        key.verify(b"any message", &signature).is_ok(),
        "so it must be kept out"
    );
    neutral[31] |= 0x80;
    let text = format!("whpk_{}", STANDARD.encode(neutral));
    assert!(Secret::standard_public(&text).is_err());
    for odd in [
        "whpk_",
        "whpk_AAAA",
        "whsec_AAAA",
        &STANDARD.encode([7; 32]),
    ] {
        assert_eq!(
            Secret::standard_public(odd).unwrap_err(),
            WeakSecret::NotBase64,
            "{odd}"
        );
    }
}

#[test]
fn both_kinds_may_stand_in_one_list_and_any_one_proves() {
    let own = pair(1);
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let shared = Secret::standard(secret).expect("is strong");
    let signed = standard::sign("msg_1", BODY, &shared, at(T));
    let by_pair = by_pair(&own, "msg_1", T, BODY);
    let (time, by_mac) = (signed[1].1.as_str(), signed[2].1.as_str());
    let bad = format!("v1a,{}", STANDARD.encode([1; 64]));
    let lists = [
        format!("{by_mac} {by_pair}"),
        format!("{bad} {by_pair} v1,AAAA"),
        format!("v9,x {bad} {by_mac}"),
    ];
    for (list, fits_mac) in lists.iter().zip([true, false, true]) {
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", time),
            ("webhook-signature", list.as_str()),
        ];
        let mac = judge("standard", &headers, BODY, &secrets("standard", &[secret]));
        assert_eq!(mac.is_ok(), fits_mac, "{list}");
        let both = secrets("standard", &[&public_text(&own), secret]);
        assert!(judge("standard", &headers, BODY, &both).is_ok(), "{list}");
    }
}

#[test]
fn figures_that_the_schemes_own_libraries_agree_on() {
    // standardwebhooks 1.1.1 (node and python) and svix 1.99.1 sign this so.
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let (id, time) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let body = br#"{"test": 2432232314}"#;
    let at = super::at(1_614_265_330);
    for brand in ["webhook", "svix"] {
        let headers = Headers::new([
            (format!("{brand}-id"), id),
            (format!("{brand}-timestamp"), time),
            (format!("{brand}-signature"), signature),
        ]);
        let headers = headers.expect("are few");
        let request = post(&headers, body);
        let secrets = Secrets::new(vec![Secret::standard(secret).expect("is strong")]);
        let verified = standard::verify(&request, &secrets.expect("is one"), at);
        assert_eq!(
            verified.expect("is right").message_id(),
            Some(id),
            "{brand}"
        );
    }
    let shared = Secret::standard(secret).expect("is strong");
    assert_eq!(standard::sign(id, body, &shared, at)[2].1, signature);
}

#[test]
fn a_secret_is_the_same_with_its_padding_or_without_and_with_any_last_bits() {
    let padded = Secret::standard("whsec_T2ZUaGVGaXh0dXJlV2Fsa2VyMQ==").expect("is strong");
    for text in [
        "whsec_T2ZUaGVGaXh0dXJlV2Fsa2VyMQ",
        "T2ZUaGVGaXh0dXJlV2Fsa2VyMQ",
        // Four of its bits mean nothing.
        "whsec_T2ZUaGVGaXh0dXJlV2Fsa2VyMR==",
        "T2ZUaGVGaXh0dXJlV2Fsa2VyMf",
    ] {
        let bare = Secret::standard(text).expect("is strong");
        let signed = |secret| standard::sign("msg_1", BODY, secret, at(T));
        assert_eq!(signed(&bare), signed(&padded), "{text}");
    }
    for text in [
        "whsec_T2ZUaGVGaXh0dXJlV2Fsa2VyM",
        "whsec_T2Z-aGVGaXh0dXJlV2Fsa2VyMQ==",
    ] {
        let other = Secret::standard(text);
        assert_eq!(other.unwrap_err(), WeakSecret::NotBase64, "{text}");
    }
}

#[test]
fn an_id_is_any_plain_text_that_has_no_dot() {
    let secret = Secret::standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("is strong");
    let secrets = Secrets::new(vec![secret.clone()]).expect("is one");
    let judged = |id: &str| {
        let signed = standard::sign(id, BODY, &secret, at(T));
        let headers: Vec<_> = signed
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        judge("standard", &headers, BODY, &secrets)
    };
    for id in ["evt:1", "a/b", "a,b", "a*b", "msg_2+=", "shop@1~2"] {
        let received = judged(id).expect("is right");
        let ItemOutcome::Event(reading) = &received[0].outcome else {
            panic!("{:?}", received[0].outcome);
        };
        assert_eq!(reading.id.as_str(), format!("standard/test/{id}"));
    }
    for id in ["a.b", "a b", "\u{e9}", "a#b", "a%b", ""] {
        assert!(judged(id).is_err(), "{id}");
    }
}

#[test]
fn headers_of_two_brands_are_never_mixed() {
    let secret = Secret::standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("is strong");
    let signed = standard::sign("msg_1", BODY, &secret, at(T));
    let branded: Vec<String> = ["svix-id", "svix-timestamp", "svix-signature"]
        .map(str::to_owned)
        .into();
    let secrets = Secrets::new(vec![secret]).expect("is one");
    for mixed in 1..7_usize {
        let headers = signed.iter().enumerate().map(|(place, (name, value))| {
            let own = mixed & (1 << place) == 0;
            (
                if own { *name } else { branded[place].as_str() },
                value.as_str(),
            )
        });
        let headers: Vec<_> = headers.collect();
        let judged = judge("standard", &headers, BODY, &secrets);
        assert!(
            matches!(judged, Err(VerificationError::HeaderMissing { .. })),
            "{mixed}"
        );
    }
}

#[test]
fn where_both_brands_are_there_the_schemes_own_headers_decide() {
    let secret = Secret::standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("is strong");
    let signed = standard::sign("msg_1", BODY, &secret, at(T));
    let secrets = Secrets::new(vec![secret]).expect("is one");
    let (own, svix) = (
        ["webhook-id", "webhook-timestamp", "webhook-signature"],
        "svix-",
    );
    for right_is_own in [true, false] {
        let mut headers = Vec::new();
        for (name, (_, right)) in own.into_iter().zip(&signed) {
            let branded = name.replace("webhook-", svix);
            let wrong = right.replace("v1,", "v1,A").replace("msg_1", "msg_2");
            let (first, second) = if right_is_own {
                (right, &wrong)
            } else {
                (&wrong, right)
            };
            headers.push((name.to_owned(), first.clone()));
            headers.push((branded, second.clone()));
        }
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let judged = judge("standard", &headers, BODY, &secrets);
        assert_eq!(judged.is_ok(), right_is_own);
    }
}

#[test]
fn an_older_secret_is_its_text_or_what_it_encodes() {
    // Both, because libraries of the scheme differ: the bare text and the decoded one.
    for (endpoint, text, keys) in [
        (
            "polar",
            "polar_whs_5mV3kA9",
            vec![&b"polar_whs_5mV3kA9"[..]],
        ),
        (
            "polar",
            "c2l4dGVlbiBieXRlcyBvciBtb3Jl",
            vec![b"sixteen bytes or more", b"c2l4dGVlbiBieXRlcyBvciBtb3Jl"],
        ),
        (
            "polar",
            "whsec_c2l4dGVlbiBieXRlcyBvciBtb3Jl",
            vec![
                b"sixteen bytes or more",
                b"whsec_c2l4dGVlbiBieXRlcyBvciBtb3Jl",
            ],
        ),
        (
            "standard",
            "c2l4dGVlbiBieXRlcyBvciBtb3Jl",
            vec![b"sixteen bytes or more", b"c2l4dGVlbiBieXRlcyBvciBtb3Jl"],
        ),
        (
            "standard",
            "a-bare-secret-of-old",
            vec![b"a-bare-secret-of-old"],
        ),
        (
            "standard",
            "whsec_c2l4dGVlbiBieXRlcyBvciBtb3Jl",
            vec![b"sixteen bytes or more"],
        ),
    ] {
        let in_force = secrets(endpoint, &[text]);
        for key in keys {
            let signer = Secret::from_bytes(key).expect("is long");
            let signed = standard::sign("msg_1", BODY, &signer, at(T));
            let headers: Vec<_> = signed.iter().map(|(n, v)| (*n, v.as_str())).collect();
            assert!(
                judge(endpoint, &headers, BODY, &in_force).is_ok(),
                "{endpoint} {text}"
            );
        }
    }
    let in_force = secrets("standard", &["whsec_c2l4dGVlbiBieXRlcyBvciBtb3Jl"]);
    let text = Secret::from_bytes(b"whsec_c2l4dGVlbiBieXRlcyBvciBtb3Jl").expect("is long");
    let signed = standard::sign("msg_1", BODY, &text, at(T));
    let headers: Vec<_> = signed.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let judged = judge("standard", &headers, BODY, &in_force);
    assert_eq!(
        judged,
        Err(VerificationError::SignatureMismatch),
        "a prefix says how it is meant"
    );
}
