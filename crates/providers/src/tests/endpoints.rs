//! What holds at the endpoint of every provider that signs, whatever its scheme.

use super::{T, arrive, at, post, secret_of, secret_text, secrets_of};
use crate::{
    Headers, ItemOutcome, PROVIDERS, Provider, ReceivedItem, Scheme, Secrets, SignatureEncoding,
    VerificationError,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;

/// Every provider that the command can sign for, with a body it would send.
fn endpoints() -> impl Iterator<Item = (&'static Provider, &'static [u8])> {
    PROVIDERS.iter().copied().filter_map(|provider| {
        let (_, body) = provider.samples().first()?;
        signed(provider, body.as_bytes()).map(|_| (provider, body.as_bytes()))
    })
}

fn signed(provider: &Provider, body: &[u8]) -> Option<Vec<(&'static str, String)>> {
    provider.sign(body, &secret_of(provider), at(T))
}

fn headers_of(provider: &Provider, body: &[u8]) -> Vec<(&'static str, String)> {
    signed(provider, body).expect("can sign")
}

fn judge<V: AsRef<str>>(
    provider: &'static Provider,
    headers: &[(&str, V)],
    body: &[u8],
    secrets: &Secrets,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    let pairs = headers.iter().map(|(name, value)| (name, value.as_ref()));
    let headers = Headers::new(pairs)?;
    arrive(provider, Mode::Test, &post(&headers, body), secrets, T)
}

#[test]
fn there_are_endpoints_to_try() {
    assert!(endpoints().count() >= 3);
}

#[test]
fn every_changed_bit_of_body_header_and_secret_is_refused() {
    for (provider, body) in endpoints() {
        let headers = headers_of(provider, body);
        let secrets = secrets_of(provider);
        assert!(
            judge(provider, &headers, body, &secrets).is_ok(),
            "{provider:?}"
        );
        let mut tried = 0;
        for place in 0..body.len() * 8 {
            let mut bent = body.to_vec();
            bent[place / 8] ^= 1 << (place % 8);
            assert!(
                judge(provider, &headers, &bent, &secrets).is_err(),
                "{provider:?} {place}"
            );
            tried += 1;
        }
        for (which, (name, value)) in headers.iter().enumerate() {
            for place in 0..value.len() * 8 {
                let mut bent = value.clone().into_bytes();
                bent[place / 8] ^= 1 << (place % 8);
                let Ok(bent) = String::from_utf8(bent) else {
                    continue;
                };
                let mut headers = headers.clone();
                headers[which].1 = bent;
                let judged = judge(provider, &headers, body, &secrets);
                assert!(
                    judged.is_err(),
                    "{provider:?}: {name}: {}",
                    headers[which].1
                );
                tried += 1;
            }
        }
        let text = secret_text(provider);
        for place in 0..text.len() * 8 {
            let mut bent = text.as_bytes().to_vec();
            bent[place / 8] ^= 1 << (place % 8);
            let Ok(bent) = String::from_utf8(bent) else {
                continue;
            };
            // Some changes leave no secret at all, which refuses too.
            if let Ok(secrets) = provider.secrets([bent.as_str()]) {
                let judged = judge(provider, &headers, body, &secrets);
                assert!(judged.is_err(), "{provider:?}: {bent}");
                tried += 1;
            }
        }
        assert!(tried > 1000, "{provider:?}: {tried}");
    }
}

#[test]
fn a_good_signature_counts_wherever_it_stands_in_a_list() {
    for (provider, body) in endpoints() {
        let headers = headers_of(provider, body);
        let secrets = secrets_of(provider);
        let (scheme, which) = scheme_of(provider, &headers);
        let value = headers[which].1.clone();
        let is_signature = |item: &&str| item.trim().starts_with(scheme.signature_prefix);
        let own = value
            .split(scheme.separator)
            .find(is_signature)
            .expect("is there");
        let other = format!("{}{}", scheme.signature_prefix, unknown_signature(scheme));
        for list in [
            [own, &other, &other],
            [&other, own, &other],
            [&other, &other, own],
        ] {
            let between = scheme.separator.to_string();
            let list = value.replace(own, &list.join(&between));
            let mut headers = headers.clone();
            headers[which].1 = list.clone();
            assert!(
                judge(provider, &headers, body, &secrets).is_ok(),
                "{provider:?}: {list}"
            );
        }
        let mut headers = headers.clone();
        headers[which].1 = value.replace(own, &other);
        let judged = judge(provider, &headers, body, &secrets);
        assert_eq!(
            judged,
            Err(VerificationError::SignatureMismatch),
            "{provider:?}"
        );
    }
}

#[test]
fn headers_in_any_case_and_said_twice_are_the_same_and_a_missing_one_refuses() {
    for (provider, body) in endpoints() {
        let headers = headers_of(provider, body);
        let secrets = secrets_of(provider);
        let upper: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_uppercase(), value.clone()))
            .collect();
        let upper: Vec<_> = upper.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
        let twice: Vec<_> = headers.iter().chain(&headers).cloned().collect();
        let first = judge(provider, &headers, body, &secrets).expect("is right");
        for same in [upper, twice] {
            assert_eq!(judge(provider, &same, body, &secrets).as_ref(), Ok(&first));
        }
        for missing in 0..headers.len() {
            let mut headers = headers.clone();
            let (name, _) = headers.remove(missing);
            let judged = judge(provider, &headers, body, &secrets);
            assert_eq!(
                judged,
                Err(VerificationError::HeaderMissing { header: name }),
                "{provider:?}"
            );
        }
    }
}

#[test]
fn one_providers_event_is_refused_at_every_other_endpoint() {
    for (sender, body) in endpoints() {
        let headers = headers_of(sender, body);
        for (endpoint, _) in endpoints() {
            let same_scheme = sender.schemes()[0].header == endpoint.schemes()[0].header;
            let text = if same_scheme {
                // The same scheme, so only the secret keeps them apart.
                "whsec_QW5vdGhlckRvb3JzU2VjcmV0"
            } else {
                secret_text(endpoint)
            };
            let secrets = endpoint.secrets([text]).expect("is strong");
            assert!(
                judge(endpoint, &headers, body, &secrets).is_err(),
                "{sender:?} at {endpoint:?}"
            );
        }
    }
}

#[test]
fn a_secret_that_is_empty_short_or_missing_refuses() {
    for provider in PROVIDERS {
        for weak in ["", " ", "short", "whsec_", "whpk_", "whsec_c2hvcnQ="] {
            let taken = provider.secrets([weak]);
            assert!(
                taken.is_err() || weak.len() >= 16,
                "{provider:?} takes {weak:?}"
            );
            let beside = provider.secrets([secret_text(provider), weak]);
            assert!(
                beside.is_err() || weak.len() >= 16,
                "{provider:?} takes {weak:?} too"
            );
        }
        assert!(provider.secrets([]).is_err(), "{provider:?}");
        let many = std::iter::repeat_n(secret_text(provider), 9);
        assert!(provider.secrets(many).is_err(), "{provider:?}");
    }
}

#[test]
fn bodies_that_nobody_can_read_are_kept_under_their_hash_and_never_panic() {
    for (provider, _) in endpoints() {
        let deep = "[".repeat(100_000);
        let twice = "{\"a\":1,\"a\":2}";
        for body in ["null", "[]", "{}", "\"x\"", "7", "{", "\u{0}", &deep, twice] {
            let headers = headers_of(provider, body.as_bytes());
            let received = judge(provider, &headers, body.as_bytes(), &secrets_of(provider));
            for received in received.expect("is proven") {
                let ItemOutcome::Event(reading) = received.outcome else {
                    panic!("{provider:?} reads {body:.20}");
                };
                assert!(reading.is_unclear(), "{provider:?} reads {body:.20}");
                assert!(reading.id.as_str().contains("/unread/"), "{}", reading.id);
            }
        }
    }
}

#[test]
fn a_body_of_six_megabytes_is_refused_before_anything_is_computed() {
    for (provider, body) in endpoints() {
        let headers = headers_of(provider, body);
        let judged = judge(provider, &headers, &[b' '; 6 << 20], &secrets_of(provider));
        let refused = judged.expect_err("is too large");
        assert_eq!(refused.status(), 413, "{provider:?}: {refused}");
    }
}

/// The scheme of the header that carries the signature, and which header that is.
fn scheme_of(
    provider: &'static Provider,
    headers: &[(&'static str, String)],
) -> (&'static Scheme, usize) {
    let find = |scheme: &'static Scheme| {
        let which = headers.iter().position(|(name, _)| *name == scheme.header);
        which.map(|which| (scheme, which))
    };
    provider.schemes().iter().find_map(find).expect("has one")
}

/// A signature well written that fits nothing.
fn unknown_signature(scheme: &Scheme) -> String {
    match scheme.encoding {
        SignatureEncoding::Hex => "0".repeat(64),
        SignatureEncoding::Base64 => STANDARD.encode([0; 32]),
    }
}
