//! Derived keys: the same for ever, and never the same for two purposes.

use super::{master, person_key};
use crate::{PersonKey, Secret, notice_secret, partner_secret, root_fingerprint};
use domain::ids::PartnerId;
use std::collections::BTreeSet;

#[test]
fn the_keys_that_follow_from_a_master_never_change() {
    // A change here would forget every suppression and lock every partner out.
    assert_eq!(
        person_key().hash("nell@example.com").as_str(),
        "652376aa0016a93eec2f6c1fcfb831e23667bb46a6dd0cd789499889a27e7879"
    );
    let acme = partner_secret(&master(), &PartnerId::parse("acme").unwrap(), 1).expect("follows");
    assert_eq!(
        acme.reveal_standard(),
        "whsec_ja5itDahSL+327PHTVzaBXAONh+A4paU1ZBwvWdxCgY="
    );
    let notices = notice_secret(&master(), &PartnerId::parse("acme").unwrap(), 1).expect("follows");
    assert_eq!(
        notices.reveal_standard(),
        "whsec_08PE+/0cJAd/wfSt6X91bREECLagH1KaxZ6Ziy6VLvs="
    );
}

#[test]
fn no_two_partners_versions_purposes_or_masters_share_a_secret() {
    let other = Secret::new("another-master-of-the-tests").expect("is strong");
    let mut seen = BTreeSet::new();
    for master in [master(), other] {
        for partner in ["a", "aa", "0a", "person-hash", "acme"] {
            for version in [0, 1, 2, 256, u32::MAX] {
                let partner = PartnerId::parse(partner).unwrap();
                for derive in [partner_secret, notice_secret] {
                    let secret = derive(&master, &partner, version).expect("follows");
                    let secret = secret.shared().expect("is shared").to_vec();
                    assert!(seen.insert(secret), "{partner} {version}");
                }
            }
        }
    }
}

#[test]
fn a_fingerprint_tells_roots_apart_and_is_no_part_of_what_they_give() {
    let other = Secret::new("another-master-of-the-tests").expect("is strong");
    let (one, two) = (root_fingerprint(&master()), root_fingerprint(&other));
    let (one, two) = (one.expect("follows"), two.expect("follows"));
    assert_ne!(one, two);
    assert_eq!(one.as_str().len(), 16);
    // A change here would take every stage's own root for another stage's.
    assert_eq!(one.as_str(), "0988958b474ba791");
    let partner = partner_secret(&master(), &PartnerId::parse("acme").unwrap(), 1);
    let secret = hex::encode(partner.expect("follows").shared().expect("is shared"));
    assert!(!secret.contains(one.as_str()));
}

#[test]
fn a_person_is_the_address_without_its_case_and_spaces_but_with_dots_and_tags() {
    let key = person_key();
    let nell = key.hash("nell@example.com");
    for same in ["Nell@Example.COM", "  nell@example.com\n"] {
        assert_eq!(key.hash(same), nell);
    }
    for other in [
        "n.ell@example.com",
        "nell+shop@example.com",
        "nell@example.org",
        "",
    ] {
        assert_ne!(key.hash(other), nell);
    }
    let other = Secret::new("another-master-of-the-tests").expect("is strong");
    let other = PersonKey::derive(&other).expect("follows");
    assert_ne!(other.hash("nell@example.com"), nell);
}

#[test]
fn no_key_shows_itself() {
    let shown = format!("{:?} {:?} {:?}", person_key(), master(), super::stripe());
    assert_eq!(
        shown,
        "PersonKey(redacted) Secret(redacted) Provider(\"stripe\")"
    );
}
