//! Paddle's signature: its library's own examples, the ways to bend it, and the clock.

use super::{T, at, person_key, post};
use crate::{
    ApiResponses, EndpointConfig, Headers, InboundRequest, Provider, Secret, VerificationError,
    receive,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;

const HEADER: &str = "Paddle-Signature";
const SECRET: &str = "pdl_ntfset_01korangegrove_ofTheSignatureTests";
const BODY: &[u8] = br#"{"event_id":"evt_1","event_type":"product.created"}"#;

fn paddle() -> &'static Provider {
    crate::provider("paddle").expect("is in the list")
}

fn judge_within(
    tolerance_seconds: u16,
    headers: &[(&str, &str)],
    body: &[u8],
    secret: &str,
    now: i64,
) -> Result<(), VerificationError> {
    let headers = Headers::new(headers.iter().copied())?;
    let arrival = InboundRequest {
        request: post(&headers, body),
        endpoint: EndpointConfig {
            tolerance_seconds,
            ..EndpointConfig::new(Mode::Test)
        },
        secrets: &paddle().secrets([secret]).expect("is strong"),
        fetched: &ApiResponses::closed(),
        now: at(now),
    };
    receive(paddle(), &arrival, &person_key()).map(|_| ())
}

fn judge(header: &str) -> Result<(), VerificationError> {
    judge_within(300, &[(HEADER, header)], BODY, SECRET, T)
}

fn good() -> String {
    let secret = Secret::new(SECRET).expect("is strong");
    let time = T.to_string();
    let signed = crate::verified::signature(&secret, &[time.as_bytes(), b":"], BODY);
    hex::encode(signed.expect("can sign"))
}

#[test]
fn what_paddles_own_library_takes_for_signed_is() {
    // A delivery kept in the library's tests, and its example of two signatures.
    let body = concat!(
        r#"{"data":{"id":"ctm_01hs0tqf76sxmp7ba5e4mw1sc8","name":"John Doe","#,
        r#""email":"blackhole+verification2@paddle.com","locale":"en","status":"active","#,
        r#""created_at":"2024-03-15T10:32:37.862Z","updated_at":"2024-03-15T10:32:37.862Z","#,
        r#""custom_data":null,"import_meta":null,"marketing_consent":false},"#,
        r#""event_id":"evt_01hs0tqfme2xwb2hvwv87p8y3w","event_type":"customer.created","#,
        r#""occurred_at":"2024-03-15T10:32:38.286848Z","#,
        r#""notification_id":"ntf_01hs0tqfrhgkyp39x4wyvy7h6n"}"#,
    );
    for (header, secret, body, signed_at) in [
        (
            "ts=1710498758;\
             h1=558bf93944dbeb4790c7a8af6cb2ea435c8ca9c8396aafc1a4e37424ac132744",
            "pdl_ntfset_01hs0t3tw21j988db1pam5xg8m_GrOWLNef+vmtjJYq4mSnHNzvc8uWoJ1I",
            body,
            1_710_498_758,
        ),
        (
            "ts=1696195954;h1=dummy;\
             h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02",
            "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
            "hello-world",
            1_696_195_954,
        ),
    ] {
        let judge =
            |body: &str, now| judge_within(300, &[(HEADER, header)], body.as_bytes(), secret, now);
        assert_eq!(judge(body, signed_at), Ok(()));
        assert_eq!(
            judge(&format!("{body}\n"), signed_at),
            Err(VerificationError::SignatureMismatch)
        );
        assert_eq!(
            judge(body, signed_at + 301),
            Err(VerificationError::TooOld { seconds: 301 })
        );
    }
}

#[test]
fn the_tolerance_is_the_endpoints() {
    let header = format!("ts={T};h1={}", good());
    let judge = |tolerance, now| judge_within(tolerance, &[(HEADER, &header)], BODY, SECRET, now);
    for tolerance in [5_u16, 60, 300, u16::MAX] {
        let edge = i64::from(tolerance);
        assert_eq!(judge(tolerance, T + edge), Ok(()));
        assert_eq!(judge(tolerance, T - edge), Ok(()));
        let seconds = edge + 1;
        assert_eq!(
            judge(tolerance, T + seconds),
            Err(VerificationError::TooOld { seconds })
        );
        assert_eq!(
            judge(tolerance, T - seconds),
            Err(VerificationError::TooNew { seconds })
        );
    }
}

#[test]
fn a_tolerance_is_set_in_whole_seconds_and_never_off() {
    let tolerance = |text: &str| {
        let set = EndpointConfig::new(Mode::Test).with_tolerance(text);
        set.map(|endpoint| endpoint.tolerance_seconds)
    };
    for (text, seconds) in [("1", 1), ("5", 5), ("300", 300), ("65535", u16::MAX)] {
        assert_eq!(tolerance(text), Some(seconds));
    }
    for text in [
        "0",
        "",
        "-5",
        "5.0",
        " 5",
        "5s",
        "65536",
        "off",
        "99999999999999999999",
    ] {
        assert_eq!(tolerance(text), None, "{text}");
    }
}

#[test]
fn several_signatures_count_in_any_order_and_over_any_number_of_headers() {
    let (good, bad) = (good(), "0".repeat(64));
    for header in [
        format!("ts={T};h1={good}"),
        format!("ts={T};h1={good};h1={bad};h1={bad}"),
        format!("ts={T};h1={bad};h1={good};h1={bad}"),
        format!("ts={T};h1={bad};h1={bad};h1={good}"),
        format!("h1={good};ts={T}"),
        format!("ts={T};h0={bad};h2={bad};strange;h1={good};=;"),
        format!("ts={T}; h1={good}"),
        format!("ts={T};h1={bad}, ts={T};h1={good}"),
    ] {
        assert_eq!(judge(&header), Ok(()), "{header}");
        let parts: Vec<_> = header
            .split(", ")
            .map(|part| ("paddle-SIGNATURE", part))
            .collect();
        assert_eq!(
            judge_within(300, &parts, BODY, SECRET, T),
            Ok(()),
            "{header}"
        );
    }
}

#[test]
fn what_is_written_otherwise_fits_nothing() {
    let good = good();
    for (header, garbled) in [
        (format!("ts={T};h1={bad}", bad = "0".repeat(64)), false),
        (format!("ts={T};h1={}", good.to_ascii_uppercase()), false),
        (format!("ts={T};h1={good}00"), false),
        (format!("ts={T};h1="), false),
        (format!("ts=0{T};h1={good}"), true),
        (format!("ts=+{T};h1={good}"), true),
        (format!("ts={T}.0;h1={good}"), true),
        (format!("ts={};ts={T};h1={good}", T + 1), true),
        (format!("ts={T}:h1={good}"), true),
        (format!("t={T};v1={good}"), true),
        (format!("ts={T};H1={good}"), true),
        (format!("ts={T}"), true),
        (format!("h1={good}"), true),
        (" ".to_owned(), true),
    ] {
        let refused = judge(&header).expect_err(&header);
        let is_garbled = matches!(refused, VerificationError::HeaderGarbled { .. });
        assert_eq!(is_garbled, garbled, "{header}: {refused}");
        assert!(
            garbled || refused == VerificationError::SignatureMismatch,
            "{header}: {refused}"
        );
    }
    let seventeen = format!(
        "ts={T};{}h1={good}",
        format!("h1={};", "0".repeat(64)).repeat(16)
    );
    assert!(matches!(
        judge(&seventeen),
        Err(VerificationError::TooManySignatures { limit: 16, .. })
    ));
}

#[test]
fn the_text_of_a_secret_is_the_key() {
    let weak = |text| paddle().secrets([text]).err();
    assert!(weak("").is_some());
    assert!(weak("pdl_short").is_some());
    assert!(weak("pdl_ntfset_with a blank in it").is_some());
    assert!(weak(SECRET).is_none());
}

#[test]
fn the_doctor_names_what_is_wrong_with_one() {
    use crate::diagnose::{Cause, EndpointKind, KnownSecrets, diagnose};
    let good = good();
    let encoded = STANDARD.encode(hex::decode(&good).expect("is hex"));
    let later = T + 60;
    for (header, now, cause) in [
        (format!("ts={T};h1={good}"), T, Cause::Fits),
        (format!("ts={T};h1={good}"), T + 900, Cause::ClockBehind),
        (format!("ts={T};h1={good}"), T - 900, Cause::ClockAhead),
        (
            format!("ts={T};h1={}", good.to_uppercase()),
            T,
            Cause::SignatureEncoding,
        ),
        (format!("ts={T};h1={encoded}"), T, Cause::SignatureEncoding),
        (
            format!("ts={T};h1={good}, ts={later};h1={good}"),
            T,
            Cause::HeadersJoined,
        ),
        (format!("ts%3D{T}%3Bh1%3D{good}"), T, Cause::HeaderGarbled),
    ] {
        let headers = Headers::new([(HEADER, &header)]).expect("is one");
        let endpoint = EndpointKind::Provider(paddle(), EndpointConfig::new(Mode::Test));
        let known = KnownSecrets {
            in_force: &[SECRET],
            elsewhere: &[],
        };
        let diagnosis = diagnose(endpoint, &post(&headers, BODY), known, at(now));
        assert_eq!(diagnosis.cause, cause, "{header}: {}", diagnosis.what);
    }
}
