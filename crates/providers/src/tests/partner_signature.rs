//! Standard Webhooks: against its own library, and against the misuse it invites.

use super::{T, at, master, person_key};
use crate::{
    Headers, Secret, Secrets, VerificationError, WeakSecret, partner, partner_secret, standard,
};
use domain::ids::PartnerId;
use proptest::prelude::*;

const BODY: &[u8] =
    br#"{"type":"referral.created","data":{"referral_id":"r-1","code":"citrus-blog"}}"#;

fn secret() -> Secret {
    partner_secret(&master(), &PartnerId::parse("acme").unwrap(), 1).expect("follows")
}

fn judge_with(
    headers: &[(&str, &str)],
    body: &[u8],
    secrets: &Secrets,
) -> Result<(), VerificationError> {
    let headers = Headers::new(headers.iter().copied())?;
    let request = super::post(&headers, body);
    standard::verify(&request, secrets, at(T)).map(|_| ())
}

fn judge(id: &str, time: &str, signature: &str) -> Result<(), VerificationError> {
    let secrets = Secrets::new(vec![secret()]).expect("is one");
    let headers = [
        ("Webhook-Id", id),
        ("Webhook-Timestamp", time),
        ("Webhook-Signature", signature),
    ];
    judge_with(&headers, BODY, &secrets)
}

fn good(id: &str, time: i64) -> String {
    standard::sign(id, BODY, &secret(), at(time))[2].1.clone()
}

fn mismatch() -> Result<(), VerificationError> {
    Err(VerificationError::SignatureMismatch)
}

proptest! {
    #[test]
    fn the_standard_library_signs_as_we_do(
        key in prop::collection::vec(any::<u8>(), 16..64),
        id in "[a-zA-Z0-9_-]{1,64}",
        body in ".{1,200}",
        time in 1_i64..253_402_207_200,
    ) {
        let ours = Secret::from_bytes(&key).expect("is long");
        let text = ours.reveal_standard();
        let theirs = standardwebhooks::Webhook::new(&text).expect("is a secret");
        let signed = standard::sign(&id, body.as_bytes(), &ours, at(time));
        let expected = theirs.sign(&id, time, body.as_bytes()).expect("can sign");
        prop_assert_eq!(&signed[2].1, &expected);
        let secrets = Secrets::new(vec![Secret::standard(&text).expect("is strong")]);
        let headers = Headers::new([
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", &time.to_string()),
            ("webhook-signature", &expected),
        ]).expect("are few");
        let request = super::post(&headers, body.as_bytes());
        let verified = standard::verify(&request, &secrets.expect("is one"), at(time));
        let verified = verified.expect("is right");
        prop_assert_eq!(verified.message_id(), Some(id.as_str()));
    }
}

#[test]
fn no_prefix_of_a_good_signature_is_accepted() {
    let good = good("msg_1", T);
    for length in 0..good.len() {
        assert!(
            judge(
                "msg_1",
                &T.to_string(),
                good.get(..length).expect("is ASCII")
            )
            .is_err(),
            "{length}"
        );
    }
    assert_eq!(judge("msg_1", &T.to_string(), &good), Ok(()));
}

#[test]
fn a_good_signature_counts_wherever_it_stands_and_unknown_versions_do_not() {
    let time = T.to_string();
    let (good, bad) = (good("msg_1", T), format!("v1,{}=", "A".repeat(43)));
    for list in [
        format!("{good} {bad} {bad}"),
        format!("{bad} {good} {bad}"),
        format!("{bad} {bad} {good}"),
        format!("v1a,whatever v2,{} {good}", good.get(3..).expect("is long")),
    ] {
        assert_eq!(judge("msg_1", &time, &list), Ok(()), "{list}");
    }
    assert_eq!(judge("msg_1", &time, &bad), mismatch());
    let other_versions = format!("v2,{0} {0} ,{0}", good.get(3..).expect("is long"));
    let refused = judge("msg_1", &time, &other_versions);
    assert!(matches!(
        refused,
        Err(VerificationError::HeaderGarbled { .. })
    ));
    // A shared secret is never taken for a public key.
    let other_kind = format!("v1a,{}", good.get(3..).expect("is long"));
    assert_eq!(judge("msg_1", &time, &other_kind), mismatch());
    let many = format!("{}{good}", format!("{bad} ").repeat(16));
    let refused = judge("msg_1", &time, &many);
    assert!(matches!(
        refused,
        Err(VerificationError::TooManySignatures { .. })
    ));
}

#[test]
fn there_is_one_way_to_write_base64() {
    let time = T.to_string();
    // Found among ids: a signature with both characters that the alphabets write differently.
    let id = (0..10_000)
        .map(|n| format!("msg_{n}"))
        .find(|id| good(id, T).contains('+') && good(id, T).contains('/'))
        .expect("is among so many");
    let good = good(&id, T);
    assert_eq!(judge(&id, &time, &good), Ok(()));
    let unpadded = good.trim_end_matches('=').to_owned();
    let url_safe = good.replace('+', "-").replace('/', "_");
    // The last digit before the padding carries two bits that mean nothing.
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let last = unpadded.chars().last().expect("is there");
    let place = digits.find(last).expect("is a digit");
    let trailing = format!(
        "{}{}=",
        unpadded.strip_suffix(last).expect("is its last"),
        digits.chars().nth(place + 1).expect("follows")
    );
    for written in [unpadded, url_safe, trailing, format!("{good}=")] {
        assert_eq!(judge(&id, &time, &written), mismatch(), "{written}");
    }
}

#[test]
fn the_clock_may_differ_by_five_minutes_both_ways_and_no_second_more() {
    for (time, verdict) in [
        (T - 300, Ok(())),
        (T + 300, Ok(())),
        (T - 301, Err(VerificationError::TooOld { seconds: 301 })),
        (T + 301, Err(VerificationError::TooNew { seconds: 301 })),
    ] {
        assert_eq!(
            judge("msg_1", &time.to_string(), &good("msg_1", time)),
            verdict
        );
    }
    for time in ["+1", " 1", "01", "1e9", "-1", "", "99999999999999999999"] {
        let refused = judge("msg_1", time, &good("msg_1", T));
        assert!(
            matches!(refused, Err(VerificationError::HeaderGarbled { .. })),
            "{time}"
        );
    }
}

#[test]
fn id_and_time_are_signed_and_cannot_be_cut_elsewhere() {
    let time = T.to_string();
    assert_eq!(judge("msg_2", &time, &good("msg_1", T)), mismatch());
    assert_eq!(
        judge("msg_1", &(T + 1).to_string(), &good("msg_1", T)),
        mismatch()
    );
    for id in ["", "msg.1", "msg/1", "msg 1", "msg\n1", &"m".repeat(129)] {
        let refused = judge(id, &time, &good(id, T));
        assert!(
            matches!(refused, Err(VerificationError::HeaderGarbled { .. })),
            "{id:?}"
        );
    }
}

#[test]
fn without_one_of_the_headers_nothing_is_read() {
    let signed = standard::sign("msg_1", BODY, &secret(), at(T));
    let secrets = Secrets::new(vec![secret()]).expect("is one");
    for missing in 0..signed.len() {
        let kept: Vec<_> = signed
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != missing)
            .map(|(_, (name, value))| (*name, value.as_str()))
            .collect();
        let refused = judge_with(&kept, BODY, &secrets);
        assert!(
            matches!(refused, Err(VerificationError::HeaderMissing { .. })),
            "{missing}"
        );
    }
    let twice = [
        ("webhook-id", "msg_1"),
        ("webhook-id", "msg_2"),
        ("webhook-timestamp", signed[1].1.as_str()),
        ("webhook-signature", signed[2].1.as_str()),
    ];
    let refused = judge_with(&twice, BODY, &secrets);
    assert!(matches!(
        refused,
        Err(VerificationError::HeaderGarbled { .. })
    ));
}

#[test]
fn one_partners_report_is_refused_at_every_other_endpoint() {
    let partners: Vec<PartnerId> = ["acme", "acme-2", "bolt", "acm"]
        .into_iter()
        .map(|text| PartnerId::parse(text).unwrap())
        .collect();
    let key = |partner, version| partner_secret(&master(), partner, version).expect("follows");
    for sender in &partners {
        let signed = partner::sign(BODY, &key(sender, 1), at(T));
        let headers = Headers::new(signed).expect("are few");
        let request = super::post(&headers, BODY);
        for receiver in &partners {
            for version in [1, 2] {
                let secrets = Secrets::new(vec![key(receiver, version)]).expect("is one");
                let received = partner::receive(receiver, &request, &secrets, &person_key(), at(T));
                assert_eq!(received.is_ok(), sender == receiver && version == 1);
            }
        }
    }
}

#[test]
fn a_report_is_named_by_its_partner_and_message() {
    let acme = PartnerId::parse("acme").unwrap();
    let signed = standard::sign("msg_7", BODY, &secret(), at(T));
    let headers = Headers::new(signed).expect("are few");
    let request = super::post(&headers, BODY);
    let secrets = Secrets::new(vec![secret()]).expect("is one");
    let received = partner::receive(&acme, &request, &secrets, &person_key(), at(T));
    let first = partner::FirstHeard {
        signed_at: at(T),
        heard_at: at(T),
    };
    let reading = received.expect("is right").report.event(first);
    assert_eq!(reading.id.as_str(), "partner/acme/msg_7");
}

#[test]
fn a_standard_secret_is_decoded_and_strong() {
    let text = secret().reveal_standard();
    assert_eq!(
        Secret::standard(&text).expect("is strong").shared(),
        secret().shared()
    );
    assert_eq!(
        Secret::standard("whsec_AAAAAAAAAAAAAAAAAAAA").err(),
        Some(WeakSecret::Short { bytes: 15 })
    );
}
