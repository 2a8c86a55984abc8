//! Keys and tokens of the shop's own code: what was given out is believed, and nothing else.

use super::{at, master};
use crate::{
    Bearer, CredentialError, Headers, KeyRoots, OfferedBearer, Secret, StageName, customer_token,
    shop_key,
};
use domain::ids::CustomerKey;
use domain::shop_key::{KeyName, KeyScope};
use std::collections::BTreeSet;

const ROOT: &str = "a-root-of-the-tests-of-shop-keys";
const NOW: i64 = super::T;

fn stage(name: &str) -> StageName {
    StageName::parse(name).unwrap()
}

fn root() -> Secret {
    Secret::new(ROOT).unwrap()
}

fn roots(texts: &[&str]) -> KeyRoots {
    KeyRoots::new(texts.iter().copied()).unwrap()
}

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

fn key(stage_name: &str, scope: KeyScope, key_name: &str, version: u32) -> String {
    shop_key(&root(), &stage(stage_name), &name(key_name), scope, version).unwrap()
}

fn token(customer: &str, expires: i64) -> String {
    let customer = CustomerKey::parse(customer).unwrap();
    customer_token(&root(), &stage("live"), &customer, at(expires)).unwrap()
}

fn believed(text: &str, texts: &[&str], second: i64) -> Result<Bearer, CredentialError> {
    OfferedBearer::read(text, &stage("live"))?.verify(&roots(texts), at(second))
}

#[test]
fn what_follows_from_a_root_never_changes() {
    // A change here would lock every shop's code out.
    assert_eq!(
        key("live", KeyScope::Read, "backend", 1),
        "orangery_key_live_read_backend_1_\
         49f59396b08fefc77629fc6a351550ba3d6d5c03f0f116f6"
    );
    assert_eq!(
        token("stripe/live/cus_1", NOW),
        "orangery_token_live_1767225600_\
         7374726970652f6c6976652f6375735f31_\
         ea73d703aab50f3366270b3e81a2a5a4ed93396c36548e0d"
    );
}

#[test]
fn a_key_says_what_it_was_given_out_for() {
    for (scope, key_name, version) in [
        (KeyScope::Read, "backend", 1),
        (KeyScope::Write, "a", u32::MAX),
        (KeyScope::Read, "0-9-key-1", 20),
    ] {
        let text = key("live", scope, key_name, version);
        let Ok(Bearer::Key(proven)) = believed(&text, &[ROOT], NOW) else {
            panic!("{text} is not believed");
        };
        let says = (proven.scope(), proven.name().as_str(), proven.version());
        assert_eq!(says, (scope, key_name, version));
    }
}

#[test]
fn a_token_is_believed_until_its_time_is_over_and_not_at_it() {
    let text = token("stripe/live/cus_1", NOW + 60);
    let Ok(Bearer::Token(proven)) = believed(&text, &[ROOT], NOW + 59) else {
        panic!("{text} is not believed");
    };
    assert_eq!(proven.customer().as_str(), "stripe/live/cus_1");
    assert_eq!(proven.expires_at(), at(NOW + 60));
    for (second, ago) in [(60, 0), (61, 1), (3_660, 3_600)] {
        let expired = CredentialError::Expired { seconds: ago };
        assert_eq!(believed(&text, &[ROOT], NOW + second), Err(expired));
    }
}

#[test]
fn two_roots_are_believed_while_one_is_replaced_and_no_third() {
    let text = key("live", KeyScope::Read, "backend", 1);
    let other = "another-root-of-the-tests";
    assert!(believed(&text, &[other, ROOT], NOW).is_ok());
    assert!(believed(&text, &[ROOT, other], NOW).is_ok());
    assert_eq!(believed(&text, &[other], NOW), Err(CredentialError::Forged));
}

/// Each is refused before a root is needed, so that no root is read for it.
#[test]
fn what_is_not_whole_or_of_another_stage_says_so() {
    let text = key("live", KeyScope::Read, "backend", 1);
    let read = |text: &str| OfferedBearer::read(text, &stage("live")).err();
    let other = CredentialError::OtherStage {
        theirs: stage("test"),
        ours: stage("live"),
    };
    assert_eq!(
        read(&key("test", KeyScope::Read, "backend", 1)),
        Some(other)
    );
    for cut in 0..text.len() {
        let seen = read(text.split_at(cut).0).map(|error| error.code());
        let codes = ["mistyped_credential", "malformed_credential"];
        assert!(seen.is_some_and(|code| codes.contains(&code)), "{cut}");
    }
    for (at, letter) in text.bytes().enumerate() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if letter == b'0' { b'1' } else { b'0' };
        assert!(read(&String::from_utf8(bytes).unwrap()).is_some(), "{at}");
    }
    let long = format!("{text}{}", "0".repeat(64 * 1024));
    for odd in [
        "",
        "sk_live_123",
        "orangery_key_",
        &long,
        &text.to_uppercase(),
    ] {
        assert!(read(odd).is_some());
    }
}

#[test]
fn a_header_is_read_in_one_way() {
    let text = key("live", KeyScope::Read, "backend", 1);
    let read = |headers: &[(&str, &str)]| {
        let headers = Headers::new(headers.iter().copied()).unwrap();
        let offered = OfferedBearer::of(&headers, &stage("live"));
        offered.map(drop).map_err(|error| error.code())
    };
    let (bearer, small) = (format!("Bearer {text}"), format!("bearer  {text}"));
    assert_eq!(read(&[("Authorization", &bearer)]), Ok(()));
    assert_eq!(read(&[("authorization", &small)]), Ok(()));
    assert_eq!(read(&[]), Err("missing_credential"));
    let malformed = Err("malformed_credential");
    assert_eq!(read(&[("authorization", &text)]), malformed);
    assert_eq!(
        read(&[("authorization", &format!("Basic {text}"))]),
        malformed
    );
    let twice = [("authorization", &*bearer), ("authorization", &*bearer)];
    assert_eq!(read(&twice), malformed);
}

#[test]
fn no_two_credentials_have_one_proof() {
    let mut seen = BTreeSet::new();
    for stage_name in ["live", "test", "live-2"] {
        for scope in [KeyScope::Read, KeyScope::Write] {
            for key_name in ["a", "aa", "1", "a-1"] {
                for version in [0, 1, 11, 111] {
                    assert!(seen.insert(key(stage_name, scope, key_name, version)));
                }
            }
        }
    }
    // Without their checksums, which are over the whole text.
    let proofs = seen.iter().map(|text| {
        let (_, proof) = text.rsplit_once('_').unwrap();
        proof.split_at(40).0
    });
    assert_eq!(proofs.collect::<BTreeSet<_>>().len(), seen.len());
}

#[test]
fn no_error_shows_what_was_offered() {
    let text = key("live", KeyScope::Read, "backend", 7);
    let wrong = "a-root-that-nobody-has-in-force";
    let told = [
        OfferedBearer::read(&text.to_uppercase(), &stage("live")).map(drop),
        OfferedBearer::read(text.split_at(60).0, &stage("live")).map(drop),
        OfferedBearer::read(&text, &stage("test")).map(drop),
        believed(&text, &[wrong], NOW).map(drop),
    ];
    for told in told {
        let words = told.unwrap_err().to_string();
        for part in [
            "backend",
            text.split_at(40).1,
            wrong,
            &master().reveal_standard(),
        ] {
            assert!(!words.contains(part), "{words}");
        }
    }
}

#[test]
fn names_of_stages_and_keys_are_short_and_plain() {
    for good in ["t", "test", "live-2", "a123456789-12345"] {
        assert_eq!(stage(good).as_str(), good);
    }
    for bad in ["", "Test", "1test", "-a", "a_b", "a123456789-123456", "té"] {
        assert!(StageName::parse(bad).is_err(), "{bad}");
    }
    for bad in ["", "Backend", "a b", "a_b", &"a".repeat(33)] {
        assert!(bad.parse::<KeyName>().is_err(), "{bad}");
    }
}
