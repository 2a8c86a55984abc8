//! Attacks on Stripe's signature, each seen somewhere in the wild, and the clock's edges.

use super::{SECRET, T, at, deliver, secrets, stripe};
use crate::{Secret, Secrets, VerificationError, WeakSecret};

const BODY: &[u8] = br#"{"id":"evt_1","object":"event","type":"product.created"}"#;
const HEADER: &str = "Stripe-Signature";

fn good_hex(secret: &str, time: &str, body: &[u8]) -> String {
    let secret = Secret::new(secret).expect("is strong");
    let signed = crate::verified::signature(&secret, &[time.as_bytes(), b"."], body);
    hex::encode(signed.expect("can sign"))
}

fn good() -> String {
    good_hex(SECRET, &T.to_string(), BODY)
}

fn judge(header: &str) -> Result<(), VerificationError> {
    judge_at(header, BODY, T)
}

fn judge_at(header: &str, body: &[u8], now: i64) -> Result<(), VerificationError> {
    deliver(&[(HEADER, header)], body, &secrets(&[SECRET]), now).map(|_| ())
}

#[test]
fn a_signature_made_elsewhere_is_accepted() {
    // Computed with another implementation of HMAC.
    let body = r#"{"id":"evt_Grüne_1","object":"event"}"#;
    let header = "t=1767225600,\
        v1=dd6c52fd05e93a9cb7fa6a5ba6712cefd213f555dff9bc88bedb19472fdef481";
    assert_eq!(judge_at(header, body.as_bytes(), T), Ok(()));
}

#[test]
fn what_we_sign_we_accept() {
    let secret = Secret::new(SECRET).expect("is strong");
    let signed = stripe().sign(BODY, &secret, at(T)).expect("can sign");
    assert_eq!(judge(&signed[0].1), Ok(()));
}

#[test]
fn no_prefix_of_a_good_signature_is_accepted() {
    let good = good();
    for length in 0..good.len() {
        let header = format!("t={T},v1={}", good.get(..length).expect("is ASCII"));
        assert_eq!(
            judge(&header),
            Err(VerificationError::SignatureMismatch),
            "{length}"
        );
    }
    assert_eq!(judge(&format!("t={T},v1={good}")), Ok(()));
    let longer = format!("t={T},v1={good}00");
    assert_eq!(judge(&longer), Err(VerificationError::SignatureMismatch));
}

#[test]
fn one_changed_bit_anywhere_is_refused() {
    let good = good();
    let header = format!("t={T},v1={good}");
    for bit in 0..BODY.len() * 8 {
        let mut body = BODY.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        assert!(judge_at(&header, &body, T).is_err(), "body bit {bit}");
    }
    let signature = hex::decode(&good).expect("is hex");
    for bit in 0..signature.len() * 8 {
        let mut changed = signature.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let header = format!("t={T},v1={}", hex::encode(changed));
        assert_eq!(
            judge(&header),
            Err(VerificationError::SignatureMismatch),
            "{bit}"
        );
    }
    for bit in 0..41 {
        let header = format!("t={},v1={good}", T ^ (1 << bit));
        assert_eq!(
            judge(&header),
            Err(VerificationError::SignatureMismatch),
            "{bit}"
        );
    }
    for bit in 0..SECRET.len() * 8 {
        let mut key = SECRET.as_bytes().to_vec();
        key[bit / 8] ^= 1 << (bit % 8);
        let other = Secrets::new(vec![Secret::from_bytes(&key).expect("is long")]);
        let other = other.expect("is one");
        let refused = deliver(&[(HEADER, &header)], BODY, &other, T).map(|_| ());
        assert_eq!(
            refused,
            Err(VerificationError::SignatureMismatch),
            "secret bit {bit}"
        );
    }
}

#[test]
fn a_good_signature_counts_wherever_it_stands() {
    let (good, bad) = (good(), "0".repeat(64));
    for header in [
        format!("t={T},v1={good},v1={bad},v1={bad}"),
        format!("t={T},v1={bad},v1={good},v1={bad}"),
        format!("t={T},v1={bad},v1={bad},v1={good}"),
        format!("v1={good},t={T}"),
        format!("t={T},v0={bad},v2={bad},strange,v1={good},=,"),
        format!("t={T}, v1={good}"),
    ] {
        assert_eq!(judge(&header), Ok(()), "{header}");
    }
}

#[test]
fn every_secret_in_force_is_tried_and_no_other() {
    let header = format!("t={T},v1={}", good());
    let others = ["whsec_another_endpoint_1", "whsec_another_endpoint_2"];
    for place in 0..=others.len() {
        let mut texts = others.to_vec();
        texts.insert(place, SECRET);
        let received = deliver(&[(HEADER, &header)], BODY, &secrets(&texts), T);
        assert!(received.is_ok(), "at {place}");
    }
    let refused = deliver(&[(HEADER, &header)], BODY, &secrets(&others), T).map(|_| ());
    assert_eq!(refused, Err(VerificationError::SignatureMismatch));
}

#[test]
fn only_unknown_schemes_prove_nothing() {
    let good = good();
    for header in [
        format!("t={T},v0={good}"),
        format!("t={T},v2={good}"),
        format!("t={T},V1={good}"),
        format!("t={T},v1 ={good}"),
        format!("t={T}"),
    ] {
        let refused = judge(&header).expect_err("has no v1");
        assert!(
            matches!(refused, VerificationError::HeaderGarbled { .. }),
            "{header}"
        );
        assert_eq!(refused.status(), 400);
    }
}

#[test]
fn there_is_one_way_to_write_a_signature() {
    let good = good();
    for written in [
        good.to_ascii_uppercase(),
        format!(" {good}"),
        format!("{good} "),
        format!("0x{good}"),
        format!("\"{good}\""),
        good.replace(|c: char| c.is_ascii_digit(), "٣"),
    ] {
        let refused = judge(&format!("t={T},v1={written}"));
        assert_eq!(
            refused,
            Err(VerificationError::SignatureMismatch),
            "{written}"
        );
    }
}

#[test]
fn sixteen_signatures_are_tried_and_seventeen_are_not() {
    let bad = format!("v1={},", "0".repeat(64));
    let sixteen = format!("t={T},{}v1={}", bad.repeat(15), good());
    assert_eq!(judge(&sixteen), Ok(()));
    let seventeen = format!("t={T},{}v1={}", bad.repeat(16), good());
    let refused = judge(&seventeen).expect_err("are too many");
    assert!(matches!(
        refused,
        VerificationError::TooManySignatures { limit: 16, .. }
    ));
}

#[test]
fn a_time_is_plain_seconds_or_garbled() {
    for time in [
        "",
        "+1",
        " 1",
        "1 ",
        "01",
        "1e9",
        "0x10",
        "-1",
        "1.0",
        "١٢",
        "soon",
        "9223372036854775808",
        "99999999999999999999999",
    ] {
        // Even rightly signed, such a time is not read.
        let header = format!("t={time},v1={}", good_hex(SECRET, time, BODY));
        let refused = judge(&header).expect_err("is garbled");
        assert!(
            matches!(refused, VerificationError::HeaderGarbled { .. }),
            "t={time}"
        );
    }
}

#[test]
fn the_clock_may_differ_by_five_minutes_both_ways_and_no_second_more() {
    let header = format!("t={T},v1={}", good());
    for (now, verdict) in [
        (T, Ok(())),
        (T + 300, Ok(())),
        (T - 300, Ok(())),
        (T + 301, Err(VerificationError::TooOld { seconds: 301 })),
        (T - 301, Err(VerificationError::TooNew { seconds: 301 })),
    ] {
        assert_eq!(judge_at(&header, BODY, now), verdict);
    }
}

#[test]
fn no_time_however_far_is_near() {
    for time in ["0", "253402207201", "9223372036854775807"] {
        let header = format!("t={time},v1={}", good_hex(SECRET, time, BODY));
        let refused = judge(&header).expect_err("is far");
        assert!(
            matches!(
                refused,
                VerificationError::TooOld { .. } | VerificationError::TooNew { .. }
            ),
            "t={time}"
        );
    }
}

#[test]
fn a_wrong_signature_is_told_before_a_wrong_clock() {
    let header = format!("t=1,v1={}", good());
    assert_eq!(judge(&header), Err(VerificationError::SignatureMismatch));
}

#[test]
fn without_the_header_nothing_is_read() {
    let secrets = secrets(&[SECRET]);
    for headers in [
        &[][..],
        &[("X-Stripe-Signature", "t=1,v1=00")],
        &[(HEADER, "")],
    ] {
        let refused = deliver(headers, BODY, &secrets, T).map(|_| ());
        let header = "stripe-signature";
        assert_eq!(refused, Err(VerificationError::HeaderMissing { header }));
    }
}

#[test]
fn the_headers_name_may_be_written_in_any_case() {
    let value = format!("t={T},v1={}", good());
    for name in ["stripe-signature", "STRIPE-SIGNATURE", "StRiPe-SiGnAtUrE"] {
        assert!(deliver(&[(name, &value)], BODY, &secrets(&[SECRET]), T).is_ok());
    }
}

#[test]
fn a_repeated_header_opens_no_way_around() {
    let good = good();
    let (right, forged) = (
        format!("t={T},v1={good}"),
        format!("t={T},v1={}", "0".repeat(64)),
    );
    let later = format!("t={},v1={}", T + 1, "0".repeat(64));
    let secrets = secrets(&[SECRET]);
    let judge = |values: &[&str]| {
        let repeated: Vec<_> = values.iter().map(|value| (HEADER, *value)).collect();
        let joined = values.join(", ");
        let repeated = deliver(&repeated, BODY, &secrets, T).map(|_| ());
        let joined = deliver(&[(HEADER, &joined)], BODY, &secrets, T).map(|_| ());
        assert_eq!(repeated, joined, "joined or not is the gateway's choice");
        repeated
    };
    assert_eq!(judge(&[&right, &right]), Ok(()));
    assert_eq!(judge(&[&forged, &right]), Ok(()));
    assert_eq!(
        judge(&[&forged, &forged]),
        Err(VerificationError::SignatureMismatch)
    );
    // Whose time would be the signed one?
    assert!(matches!(
        judge(&[&right, &later]),
        Err(VerificationError::HeaderGarbled { .. })
    ));
    assert!(matches!(
        judge(&[&later, &right]),
        Err(VerificationError::HeaderGarbled { .. })
    ));
}

#[test]
fn headers_and_bodies_have_limits() {
    let many = vec![("a", "b"); 129];
    assert_eq!(
        deliver(&many, BODY, &secrets(&[SECRET]), T).map(|_| ()),
        Err(VerificationError::HeadersTooLarge)
    );
    let large = "x".repeat(40_000);
    let refused = deliver(&[("a", &large)], BODY, &secrets(&[SECRET]), T).map(|_| ());
    assert_eq!(refused, Err(VerificationError::HeadersTooLarge));
    let long = format!("t={T},v1={},{}", good(), "v9=x,".repeat(1000));
    assert!(matches!(
        judge(&long),
        Err(VerificationError::HeaderGarbled { .. })
    ));
    let body = vec![b' '; 1024 * 1024 + 1];
    let refused = judge_at(&format!("t={T},v1={}", good()), &body, T);
    assert_eq!(refused.expect_err("is large").status(), 413);
    let refused = judge_at(&format!("t={T},v1={}", good()), b"", T);
    assert_eq!(refused, Err(VerificationError::BodyEmpty));
}

#[test]
fn the_bytes_are_signed_not_their_meaning() {
    let header = format!("t={T},v1={}", good());
    let spaced = br#"{"id": "evt_1","object":"event","type":"product.created"}"#;
    assert_eq!(
        judge_at(&header, spaced, T),
        Err(VerificationError::SignatureMismatch)
    );
    let not_utf8 = b"\xff\xfe\x00{}";
    let header = format!("t={T},v1={}", good_hex(SECRET, &T.to_string(), not_utf8));
    assert_eq!(judge_at(&header, not_utf8, T), Ok(()));
    let lossy = String::from_utf8_lossy(not_utf8).into_owned();
    let refused = judge_at(&header, lossy.as_bytes(), T);
    assert_eq!(refused, Err(VerificationError::SignatureMismatch));
}

#[test]
fn a_weak_secret_is_none_and_spoils_the_list() {
    let weak = |texts: &[&str]| stripe().secrets(texts.iter().copied()).err();
    assert_eq!(weak(&[]), Some(WeakSecret::Empty));
    assert_eq!(weak(&[""]), Some(WeakSecret::Empty));
    assert_eq!(weak(&[" \t\n"]), Some(WeakSecret::Empty));
    assert_eq!(weak(&[SECRET, ""]), Some(WeakSecret::Empty));
    assert_eq!(
        weak(&["whsec_short"]),
        Some(WeakSecret::Short { bytes: 11 })
    );
    assert_eq!(
        weak(&["whsec_of_the\nfixture_walker"]),
        Some(WeakSecret::WhiteSpace)
    );
    assert_eq!(
        weak(&[SECRET; 9]),
        Some(WeakSecret::TooMany { count: 9, limit: 8 })
    );
    assert_eq!(weak(&[SECRET; 8]), None);
    for text in [
        "whsec_",
        "whsec_AAAA",
        "",
        "whsec_!!!!!!!!!!!!!!!!!!!!!!!!",
        "whsec_AAAAAAAAAAAAAAAAAAAAAA=A",
    ] {
        assert!(Secret::standard(text).is_err(), "{text}");
    }
    assert!(Secret::from_bytes(b"").is_err());
}

#[test]
fn a_refusal_tells_neither_secret_nor_signature_nor_body() {
    let good = good();
    for (header, now) in [
        (format!("t={T},v1={good}"), T + 900),
        (format!("t={T},v1={}", "0".repeat(64)), T),
        (format!("t={T};v1={good}"), T),
    ] {
        let refused = judge_at(&header, BODY, now).expect_err("is wrong");
        let said = format!("{refused} {refused:?}");
        assert!(
            !said.contains(SECRET) && !said.contains(good.get(..8).expect("is long")),
            "{said}"
        );
        assert!(!said.contains("evt_1"), "{said}");
    }
    let shown = format!("{:?}", secrets(&[SECRET]));
    assert!(!shown.contains("walker"), "{shown}");
}
