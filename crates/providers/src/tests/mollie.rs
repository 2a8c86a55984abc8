//! Mollie: a form that proves nothing, the payment behind it that does, and signed events.

use super::api_documents::{answer, at_path, expect_received, one};
use super::step;
use super::{T, at, person_key, post, recorded_responses, secret_of, secrets_of};
use crate::fetch::{ApiResponse, FetchStep};
use crate::{
    ApiResponses, EndpointConfig, Headers, InboundRequest, ItemOutcome, Provider, ReceivedItem,
    VerificationError,
};
use crate::{Secret, Secrets, receive};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::Mode;

const FORM: &[u8] = b"id=tr_Grove01";
const PAYMENT: &str = "/payments/tr_Grove01?embed=refunds,chargebacks";
const HEADER: &str = "X-Mollie-Signature";

fn mollie() -> &'static Provider {
    crate::provider("mollie").expect("is in the list")
}

fn sample(name: &str) -> (&'static str, NormalizedEvent) {
    let mut samples = mollie().samples().iter();
    let (_, body) = samples.find(|(known, _)| *known == name).expect("is one");
    let received = expect_received(
        mollie(),
        body.as_bytes(),
        &recorded_responses(mollie(), name),
    );
    (body, one(received.expect("is proven")))
}

/// The form, where the API answers so.
fn receive_form(said: ApiResponse) -> Result<Vec<ReceivedItem>, VerificationError> {
    let mut fetched = (*recorded_responses(mollie(), "")).clone();
    fetched.insert(at_path(PAYMENT), Some(said));
    expect_received(mollie(), FORM, &fetched)
}

fn judge(
    headers: &[(&str, &str)],
    body: &[u8],
    secrets: &Secrets,
) -> Result<(), VerificationError> {
    let headers = Headers::new(headers.iter().copied())?;
    let arrival = InboundRequest {
        request: post(&headers, body),
        endpoint: EndpointConfig::new(Mode::Test),
        secrets,
        fetched: &recorded_responses(mollie(), ""),
        now: at(T),
    };
    match receive(mollie(), &arrival, &person_key())? {
        FetchStep::Done(_) => Ok(()),
        FetchStep::Fetch(questions) => panic!("asks {questions:?}"),
    }
}

#[test]
fn the_same_body_is_another_event_for_each_state_and_the_same_for_the_same() {
    let names = [
        "payment.paid",
        "payment.refunded",
        "payment.refunded-failed",
    ];
    let more = ["payment.charged_back", "payment.charged_back-reversed"];
    let mut ids = Vec::new();
    for name in names.into_iter().chain(more) {
        let (body, reading) = sample(name);
        assert_eq!(body, "id=tr_Grove01", "byte for byte");
        assert_eq!(
            sample(name).1.id,
            reading.id,
            "{name} again is a repetition"
        );
        ids.push(reading.id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[test]
fn what_says_nothing_new_is_the_same_state() {
    let known = recorded_responses(mollie(), "");
    let known = known.response(&at_path(PAYMENT)).expect("is known");
    let text = std::str::from_utf8(&known.body).expect("is text");
    let other = text.replacen(
        "\"description\"",
        "\"settlementId\":\"stl_1\",\"description\"",
        1,
    );
    assert_ne!(text, other);
    let first = one(receive_form(answer(200, text)).expect("is proven"));
    let second = one(receive_form(answer(200, &other)).expect("is proven"));
    assert_eq!(first.id, second.id);
}

#[test]
fn a_refund_that_can_still_be_withdrawn_is_none_yet() {
    let with = |refunds: &str| {
        let known = recorded_responses(mollie(), "");
        let known = known.response(&at_path(PAYMENT)).expect("is known");
        let text = std::str::from_utf8(&known.body).expect("is text");
        let mut payment: serde_json::Value = serde_json::from_str(text).expect("is JSON");
        payment["_embedded"]["refunds"] = serde_json::from_str(refunds).expect("is JSON");
        one(receive_form(answer(200, &payment.to_string())).expect("is proven"))
    };
    let refund = |status: &str| {
        let amount = r#"{"value":"9.60","currency":"EUR"}"#;
        let at = "2026-01-22T10:00:00+00:00";
        with(&format!(
            r#"[{{"id":"re_1","amount":{amount},"status":"{status}","createdAt":"{at}"}}]"#
        ))
    };
    // One that was withdrawn may be left out of the list: this is the state before it, again.
    let without = with("[]");
    for status in ["queued", "pending"] {
        assert_eq!(refund(status), without, "{status}");
    }
    for status in ["processing", "refunded", "failed", "canceled"] {
        assert_ne!(refund(status).id, without.id, "{status}");
    }
}

#[test]
fn an_unknown_id_is_answered_200_and_written_nowhere() {
    let unknown = r#"{"status":404,"title":"Not Found","detail":"No payment exists."}"#;
    let received = receive_form(answer(404, unknown)).expect("is Mollie's word");
    let kind = "payment.unknown".into();
    assert_eq!(received[0].outcome, ItemOutcome::Ignored { id: None, kind });
    assert_eq!(mollie().ignored_status(), 200);
}

#[test]
fn an_api_that_is_silent_or_says_something_else_proves_nothing() {
    let mut silent = (*recorded_responses(mollie(), "")).clone();
    silent.insert(at_path(PAYMENT), None);
    assert_eq!(
        expect_received(mollie(), FORM, &silent),
        Err(VerificationError::Unconfirmed)
    );
    assert_eq!(
        mollie().refused_status(&VerificationError::Unconfirmed),
        503
    );
    for (status, body) in [
        (404, "<html>no such page</html>"),
        (404, "{}"),
        (404, r#"{"status":"404"}"#),
        (404, r#"{"status":410}"#),
        (
            404,
            r#"{"resource":"payment","id":"tr_Grove01","status":404}"#,
        ),
        (200, "<html>back soon</html>"),
        (200, "{}"),
        (200, ""),
        (
            200,
            r#"{"resource":"payment","id":"tr_Another01","status":"paid"}"#,
        ),
        (200, r#"{"resource":"customer","id":"tr_Grove01"}"#),
        (
            200,
            r#"{"resource":"payment","resource":"payment","id":"tr_Grove01"}"#,
        ),
        (200, r#"{"status":404}"#),
        (302, ""),
    ] {
        let refused = receive_form(answer(status, body));
        assert_eq!(
            refused,
            Err(VerificationError::Unconfirmed),
            "{status} {body}"
        );
    }
}

#[test]
fn what_is_no_form_with_one_plain_id_is_refused_and_nothing_is_asked() {
    let long = format!("id={}", "a".repeat(129));
    let padded = format!("id=tr_Grove01&pad={}", "x".repeat(1024));
    for body in [
        "id=",
        "id",
        "ID=tr_Grove01",
        "id=tr_Grove01&id=tr_Grove02",
        "id=../customers",
        "id=tr_Grove01?embed=x",
        "id=tr%5FGrove01",
        "id=tr_Grove01\n",
        "{\"id\":\"tr_Grove01\"}",
        "tr_Grove01",
        &long,
        &padded,
    ] {
        let headers = Headers::default();
        let arrival = InboundRequest {
            request: post(&headers, body.as_bytes()),
            endpoint: EndpointConfig::new(Mode::Test),
            secrets: &secrets_of(mollie()),
            fetched: &ApiResponses::default(),
            now: at(T),
        };
        let refused = receive(mollie(), &arrival, &person_key());
        let header = "x-mollie-signature";
        assert_eq!(
            refused,
            Err(VerificationError::HeaderMissing { header }),
            "{body:.40}"
        );
    }
    let Ok(FetchStep::Fetch(questions)) = step(
        mollie(),
        b"testByMollie=1&id=tr_1",
        &ApiResponses::default(),
    ) else {
        panic!("asks nothing");
    };
    let path = "/payments/tr_1?embed=refunds,chargebacks";
    assert_eq!(questions.calls(), [at_path(path)]);
}

#[test]
fn a_signature_that_is_offered_has_to_fit_even_over_a_form() {
    let secrets = secrets_of(mollie());
    let nobodys = format!("sha256={}", "0".repeat(64));
    assert_eq!(judge(&[], FORM, &secrets), Ok(()));
    let refused = judge(&[(HEADER, &nobodys)], FORM, &secrets);
    assert_eq!(refused, Err(VerificationError::SignatureMismatch));
    let header = "x-mollie-signature";
    let refused = judge(&[(HEADER, "")], FORM, &secrets);
    assert_eq!(refused, Err(VerificationError::HeaderMissing { header }));
}

#[test]
fn while_a_secret_rolls_either_of_two_headers_is_enough_joined_or_not() {
    let (body, _) = sample("payment-link.paid");
    let body = body.as_bytes();
    let sign = |secret: &Secret| {
        let signed = mollie().sign(body, secret, at(T));
        signed.expect("can sign").remove(0).1
    };
    let next = Secret::new("the-secret-that-comes-next").expect("is strong");
    let (old, new) = (sign(&secret_of(mollie())), sign(&next));
    let joined = format!("{old}, {new}");
    let tight = format!("{new},{old}");
    for secret in [secret_of(mollie()), next] {
        let secrets = Secrets::new(vec![secret]).expect("is one");
        assert_eq!(
            judge(&[(HEADER, &old), (HEADER, &new)], body, &secrets),
            Ok(())
        );
        assert_eq!(
            judge(&[(HEADER, &new), (HEADER, &old)], body, &secrets),
            Ok(())
        );
        assert_eq!(
            judge(&[("x-MOLLIE-signature", &joined)], body, &secrets),
            Ok(())
        );
        assert_eq!(judge(&[(HEADER, &tight)], body, &secrets), Ok(()));
    }
    let other = mollie()
        .secrets(["the-secret-of-somebody-else"])
        .expect("is strong");
    let refused = judge(&[(HEADER, &old), (HEADER, &new)], body, &other);
    assert_eq!(refused, Err(VerificationError::SignatureMismatch));
}

#[test]
fn the_prefix_may_be_missing_and_nothing_else() {
    let (body, _) = sample("payment-link.paid");
    let body = body.as_bytes();
    let signed = mollie().sign(body, &secret_of(mollie()), at(T));
    let whole = signed.expect("can sign").remove(0).1;
    let digits = whole.strip_prefix("sha256=").expect("has it");
    let secrets = secrets_of(mollie());
    assert_eq!(judge(&[(HEADER, &whole)], body, &secrets), Ok(()));
    assert_eq!(judge(&[(HEADER, digits)], body, &secrets), Ok(()));
    for bent in [
        format!("sha512={digits}"),
        format!("sha256=sha256={digits}"),
        format!("SHA256={digits}"),
        format!("sha256={}", digits.to_ascii_uppercase()),
        format!("sha256= {digits}"),
        format!("sha256={digits}00"),
        format!("sha256={}", digits.get(..62).expect("is ASCII")),
    ] {
        let refused = judge(&[(HEADER, &bent)], body, &secrets);
        assert_eq!(refused, Err(VerificationError::SignatureMismatch), "{bent}");
    }
}

#[test]
fn a_signature_made_elsewhere_under_a_short_secret_fits_and_the_secret_is_still_too_weak() {
    // Python: hmac.new(b"mo_secret", body, sha256). A MAC's key is padded with zeros.
    let body = "{\"id\":\"evt_\u{e9}_1\",\"type\":\"grove.watered\"}".as_bytes();
    let made = "sha256=d3744d3e89b2a2bc5fce0ccb7d0e9b41eea3a6023f3a3e6efff567a6252a5f08";
    let padded = Secret::from_bytes(b"mo_secret\0\0\0\0\0\0\0").expect("is long enough");
    let secrets = Secrets::new(vec![padded]).expect("is one");
    assert_eq!(judge(&[(HEADER, made)], body, &secrets), Ok(()));
    assert!(mollie().secrets(["mo_secret"]).is_err());
}

#[test]
fn a_reusable_link_tells_of_the_payment_that_was_made_by_then() {
    let (_, reading) = sample("payment-link.paid");
    let mut paid = Vec::new();
    for fact in &reading.facts {
        if let Fact::Payment(payment) = fact {
            paid.push(payment.ids[0].as_str());
        }
    }
    assert_eq!(paid, ["tr_Link03"]);
}
