//! A CRC32 protects no body: what somebody can do who has one delivery's headers.

use super::{
    SECRET, T, answered, arrive, certificate_call, confirmed_by_api, event_call, sample, signed,
};
use crate::fetch::{ApiResponses, FetchStep};
use crate::tests::fixtures::shown;
use crate::{ItemOutcome, VerificationError};
use domain::event::Fact;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// White space behind the body that gives it this CRC32: each place is a blank or a tab, which
/// flips a fixed set of the checksum's bits, so 32 equations over GF(2) say which.
fn padded(body: &str, wanted: u32) -> Option<Vec<u8>> {
    let mut forged = [body.as_bytes(), &[b' '; PLACES]].concat();
    let (mut rest, mut places) = (crc32fast::hash(&forged) ^ wanted, 0);
    for (flips, made_of) in ROWS.iter() {
        if rest & leading(*flips) != 0 {
            rest ^= flips;
            places ^= made_of;
        }
    }
    let behind = forged.iter_mut().skip(body.len());
    for (place, byte) in behind.enumerate() {
        if places & (1 << place) != 0 {
            *byte = b'\t';
        }
    }
    (rest == 0).then_some(forged)
}

/// The equations, solved: what a row flips, each with a leading bit of its own, and the places
/// that make it up. What a place flips depends only on how far from the end it is.
static ROWS: LazyLock<Vec<(u32, u64)>> = LazyLock::new(|| {
    let plain = [b' '; PLACES];
    let mut rows: Vec<(u32, u64)> = Vec::new();
    for place in 0..PLACES {
        let mut tab = plain;
        tab[place] = b'\t';
        let mut flips = crc32fast::hash(&tab) ^ crc32fast::hash(&plain);
        let mut places = 1_u64 << place;
        for (known, made_of) in &rows {
            if flips & leading(*known) != 0 {
                flips ^= known;
                places ^= made_of;
            }
        }
        if flips != 0 {
            rows.push((flips, places));
        }
    }
    rows
});

fn leading(bits: u32) -> u32 {
    1_u32.rotate_right(bits.leading_zeros().saturating_add(1))
}

fn verdict_of(
    headers: &[(&'static str, String)],
    body: &[u8],
    known: &ApiResponses,
) -> Result<Value, VerificationError> {
    let received = arrive(headers, body, known, T)?;
    Ok(shown(&received[0]))
}

#[test]
fn ten_thousand_bodies_changed_under_the_same_crc32_change_nothing() {
    let canceled = sample("BILLING.SUBSCRIPTION.CANCELLED");
    let genuine = canceled.to_string().into_bytes();
    let headers = signed(&genuine, T, SECRET);
    let known = confirmed_by_api(&genuine, "sandbox");
    let truth = verdict_of(&headers, &genuine, &known).expect("is genuine");
    let (mut same_event, mut refused) = (0, 0);
    for number in 0..10_000 {
        let mut forged = canceled.clone();
        match number % 4 {
            0 => forged["resource"]["status"] = "ACTIVE".into(),
            1 => forged["event_type"] = "BILLING.SUBSCRIPTION.ACTIVATED".into(),
            2 => forged["id"] = format!("WH-{number}").into(),
            _ => forged["resource"]["subscriber"]["payer_id"] = format!("P{number}").into(),
        }
        forged["summary"] = number.to_string().into();
        let forged = padded(&forged.to_string(), crc32fast::hash(&genuine)).expect("can be forged");
        assert_eq!(crc32fast::hash(&forged), crc32fast::hash(&genuine));
        assert_ne!(forged, genuine);
        match super::step(&headers, &forged, &known, T) {
            Ok(FetchStep::Done(received)) => {
                assert_eq!(shown(&received[0]), truth, "only the truth is told");
                assert_eq!(&*received[0].raw, genuine.as_slice());
                same_event += 1;
            }
            Ok(FetchStep::Fetch(questions)) => {
                // An event that PayPal may know is asked for; of this id it knows none.
                let [call] = questions.calls() else {
                    panic!("asks {questions:?}");
                };
                let mut known = known.clone();
                known.insert(call.clone(), Some(answered((404, Vec::new()))));
                assert!(verdict_of(&headers, &forged, &known).is_err());
                refused += 1;
            }
            Err(refusal) => {
                assert_eq!(refusal.reason(), "disproved");
                refused += 1;
            }
        }
    }
    assert_eq!((same_event, refused), (5000, 5000));
}

#[test]
fn what_names_no_event_is_refused_without_a_question() {
    let genuine = sample("BILLING.SUBSCRIPTION.CANCELLED").to_string();
    let twice = genuine.replacen("\"id\"", "\"id\":\"WH-1\",\"id\"", 1);
    let deep = format!(
        "{{\"id\":\"WH-1\",\"deep\":{}1{}}}",
        "[".repeat(70),
        "]".repeat(70)
    );
    for body in [
        "{",
        "[]",
        "null",
        "{}",
        r#"{"id":"WH-1"}"#,
        r#"{"id":"WH-1/../../x","event_type":"A"}"#,
        r#"{"id":"..","event_type":"A"}"#,
        r#"{"id":7,"event_type":"A"}"#,
        twice.as_str(),
        deep.as_str(),
    ] {
        let known = confirmed_by_api(b"{}", "sandbox");
        let headers = signed(body.as_bytes(), T, SECRET);
        let judged = super::step(&headers, body.as_bytes(), &known, T);
        let refused = judged.expect_err(body);
        assert_eq!(
            (refused.status(), refused.reason()),
            (401, "disproved"),
            "{body}"
        );
    }
}

#[test]
fn what_paypal_itself_shows_and_nobody_can_read_is_kept_under_its_hash() {
    let event = sample("BILLING.SUBSCRIPTION.CANCELLED");
    let body = event.to_string();
    let id = event["id"].as_str().expect("has an id");
    let headers = signed(body.as_bytes(), T, SECRET);
    let deep = format!("{{\"id\":{}1{}}}", "[".repeat(70), "]".repeat(70));
    for shown in [
        "{",
        "\u{feff}{}",
        deep.as_str(),
        &body.replacen("{", "{\"id\":1,", 1),
    ] {
        let mut known = confirmed_by_api(body.as_bytes(), "sandbox");
        known.insert(event_call(id), Some(answered((200, shown.into()))));
        let received = arrive(&headers, body.as_bytes(), &known, T).expect("is PayPal's word");
        let ItemOutcome::Event(reading) = &received[0].outcome else {
            panic!("is journaled");
        };
        assert_eq!(&*reading.kind, "unreadable");
        assert!(reading.id.as_str().starts_with("paypal/test/unread/"));
        assert!(matches!(reading.facts.as_slice(), [Fact::Unclear { .. }]));
        assert_eq!(&*received[0].raw, shown.as_bytes());
    }
}

#[test]
fn what_is_read_is_what_paypal_shows() {
    let event = sample("PAYMENT.CAPTURE.COMPLETED");
    let body = event.to_string();
    let mut shown = event.clone();
    shown["resource"]["amount"]["value"] = "1.00".into();
    shown["transmissions"] = json!([{ "status": "PENDING" }]);
    let mut known = confirmed_by_api(body.as_bytes(), "sandbox");
    let id = event["id"].as_str().expect("has an id");
    let answer = answered((200, shown.to_string().into_bytes()));
    known.insert(event_call(id), Some(answer));
    let headers = signed(body.as_bytes(), T, SECRET);
    let told = verdict_of(&headers, body.as_bytes(), &known).expect("is PayPal's word");
    let facts = told["normalized"]["facts"].as_array().expect("are some");
    let paid = facts.iter().find_map(|fact| fact.get("payment"));
    assert_eq!(paid.expect("is one")["paid"]["amount_minor"], 100);
}

#[test]
fn large_and_empty_bodies_cost_nothing() {
    let ask_nothing = ApiResponses::default();
    for (body, status) in [(vec![b' '; 6 * 1024 * 1024], 413), (Vec::new(), 400)] {
        let headers = signed(b"{}", T, SECRET);
        let refused = super::step(&headers, &body, &ask_nothing, T).expect_err("is refused");
        assert_eq!(refused.status(), status);
    }
    let mut large = confirmed_by_api(b"{}", "sandbox");
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".repeat(4000);
    let pem = answered((200, pem.into_bytes()));
    large.insert(certificate_call(super::ADDRESS), Some(pem));
    let headers = signed(b"{}", T, SECRET);
    let refused = super::step(&headers, b"{}", &large, T).expect_err("is no certificate");
    assert_eq!(refused.reason(), "disproved");
}

const PLACES: usize = 64;
