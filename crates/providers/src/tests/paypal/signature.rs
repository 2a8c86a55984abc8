//! What the signature, its certificate and its clock let through.

use super::{
    ADDRESS, SECRET, T, answered, arrive, certificate_call, certificates, confirmed_by_api,
    event_call, sample, secrets, signed, signed_as, step, step_at,
};
use crate::fetch::{ApiResponses, FetchStep};
use crate::paypal::PAYPAL;
use crate::{ItemOutcome, ReceivedItem, VerificationError, WeakSecret};
use domain::ids::Mode;

fn small() -> Vec<u8> {
    sample("ignored-unknown-type").to_string().into_bytes()
}

type DeliveryHeaders = Vec<(&'static str, String)>;

fn with(name: &str, value: &str) -> DeliveryHeaders {
    let headers = signed(&small(), T, SECRET).into_iter();
    let changed = |(known, old)| (known, if known == name { value.to_owned() } else { old });
    headers.map(changed).collect()
}

fn judge(headers: &DeliveryHeaders) -> Result<(), VerificationError> {
    let body = small();
    arrive(headers, &body, &confirmed_by_api(&body, "sandbox"), T).map(drop)
}

fn judge_certificate(name: &str) -> Result<(), VerificationError> {
    let body = small();
    let headers = signed(&body, T, SECRET);
    arrive(&headers, &body, &confirmed_by_api(&body, name), T).map(drop)
}

/// What is asked, one round after the other, as long as `known` answers.
fn pending_calls(body: &[u8], known: &ApiResponses) -> Vec<String> {
    let mut fetched = ApiResponses::default();
    let mut asked = Vec::new();
    loop {
        let headers = signed(body, T, SECRET);
        let FetchStep::Fetch(questions) = step(&headers, body, &fetched, T).expect("is proven")
        else {
            return asked;
        };
        for call in questions.calls() {
            asked.push(format!("{call:?}"));
            fetched.insert(call.clone(), known.response(call).ok().cloned());
        }
    }
}

#[test]
fn the_certificate_is_asked_for_then_the_event_then_what_it_names() {
    let sale = sample("PAYMENT.SALE.COMPLETED");
    let body = sale.to_string();
    let id = sale["id"].as_str().expect("has an id");
    let known = confirmed_by_api(body.as_bytes(), "sandbox");
    assert_eq!(
        pending_calls(body.as_bytes(), &known),
        [
            format!("GET Certificate({ADDRESS:?})"),
            format!("GET Api(\"/v1/notifications/webhooks-events/{id}\")"),
            "GET Api(\"/v1/billing/subscriptions/I-GR0VE0000001\")".to_owned(),
        ]
    );
}

#[test]
fn nothing_is_believed_while_the_api_is_silent() {
    let body = small();
    let headers = signed(&body, T, SECRET);
    let refused = |fetched: &ApiResponses| arrive(&headers, &body, fetched, T).map(drop);
    assert_eq!(
        refused(&ApiResponses::closed()),
        Err(VerificationError::Unconfirmed)
    );
    let mut fetched = ApiResponses::default();
    let pem = answered((200, certificates("sandbox")));
    fetched.insert(certificate_call(ADDRESS), Some(pem));
    fetched.close();
    assert_eq!(refused(&fetched), Err(VerificationError::Unconfirmed));
    assert_eq!(VerificationError::Unconfirmed.status(), 503);
    for (status, expected) in [(404, 401), (400, 401), (302, 503), (204, 503)] {
        fetched.insert(event_call("WH-1"), None);
        let id = sample("ignored-unknown-type")["id"]
            .as_str()
            .unwrap()
            .to_owned();
        fetched.insert(event_call(&id), Some(answered((status, b"{}".to_vec()))));
        let refused = refused(&fetched).expect_err("is not shown");
        assert_eq!(refused.status(), expected, "{status}");
    }
}

#[test]
fn every_changed_bit_of_body_headers_and_webhook_is_refused() {
    let body = small();
    let headers = signed(&body, T, SECRET);
    let known = confirmed_by_api(&body, "sandbox");
    let judge = |headers: &DeliveryHeaders, body: &[u8], webhook: &str| {
        let secrets = PAYPAL
            .secrets([webhook])
            .is_ok()
            .then(|| secrets(&[webhook]));
        let secrets = secrets.ok_or(VerificationError::NoSecret(WeakSecret::Empty))?;
        step_at(Mode::Test, headers, body, &secrets, &known, T).map(|step| match step {
            FetchStep::Done(_) => true,
            FetchStep::Fetch(_) => false,
        })
    };
    assert_eq!(judge(&headers, &body, SECRET), Ok(true));
    let bent = |text: &[u8], place: usize| {
        let mut bent = text.to_vec();
        bent[place / 8] ^= 1 << (place % 8);
        bent
    };
    for place in 0..body.len() * 8 {
        let judged = judge(&headers, &bent(&body, place), SECRET);
        assert_eq!(judged, Err(VerificationError::SignatureMismatch), "{place}");
    }
    for which in 0..headers.len() {
        for place in 0..headers[which].1.len() * 8 {
            let mut headers = headers.clone();
            let Ok(value) = String::from_utf8(bent(headers[which].1.as_bytes(), place)) else {
                continue;
            };
            headers[which].1 = value;
            // Another certificate is only another question.
            assert_ne!(judge(&headers, &body, SECRET), Ok(true), "{headers:?}");
        }
    }
    for place in 0..SECRET.len() * 8 {
        if let Ok(webhook) = String::from_utf8(bent(SECRET.as_bytes(), place)) {
            assert_ne!(judge(&headers, &body, &webhook), Ok(true), "{webhook}");
        }
    }
}

#[test]
fn any_webhook_in_force_may_be_meant() {
    let body = small();
    let known = confirmed_by_api(&body, "sandbox");
    let [others, second] = ["3TR748995U920805P", "9XL90610J3647323C"];
    for webhooks in [
        [SECRET, others, second],
        [others, SECRET, second],
        [others, second, SECRET],
    ] {
        let headers = signed(&body, T, SECRET);
        let judged = step_at(Mode::Test, &headers, &body, &secrets(&webhooks), &known, T);
        assert!(matches!(judged, Ok(FetchStep::Done(_))), "{webhooks:?}");
    }
    let headers = signed(&body, T, SECRET);
    let judged = step_at(Mode::Test, &headers, &body, &secrets(&[others]), &known, T);
    assert_eq!(judged, Err(VerificationError::SignatureMismatch));
    // A root is no webhook.
    let judged = step_at(Mode::Test, &headers, &body, &secrets(&[]), &known, T);
    assert_eq!(judged, Err(VerificationError::SignatureMismatch));
}

#[test]
fn a_header_may_be_repeated_or_joined_in_any_case_but_not_missing_or_contradicted() {
    let headers = signed(&small(), T, SECRET);
    let upper = ["PAYPAL-TRANSMISSION-ID", "PayPal-Transmission-Time"];
    let mut odd = headers.clone();
    (odd[0].0, odd[1].0) = (upper[0], upper[1]);
    assert_eq!(judge(&odd), Ok(()));
    for (place, (name, value)) in headers.iter().enumerate() {
        let mut without = headers.clone();
        without.remove(place);
        assert_eq!(
            judge(&without),
            Err(VerificationError::HeaderMissing { header: name })
        );
        let mut repeated = headers.clone();
        repeated.push((name, value.clone()));
        assert_eq!(judge(&repeated), Ok(()), "{name}");
        assert_eq!(judge(&with(name, &format!("{value}, {value}"))), Ok(()));
        for other in ["", "x", "SHA256withRSA "] {
            let mut contradicted = headers.clone();
            contradicted.push((name, other.to_owned()));
            let judged = judge(&contradicted);
            let same = other.trim() == value;
            assert_eq!(judged.is_ok(), same, "{name}: {other}");
            assert_eq!(judge(&with(name, &format!("{other},{value}"))), judged);
        }
    }
}

#[test]
fn the_request_does_not_choose_how_it_is_checked() {
    for algorithm in [
        "SHA1withRSA",
        "SHA512withRSA",
        "sha256withrsa",
        "none",
        "SHA256withRSAandMGF1",
        "",
    ] {
        let judged = judge(&with("paypal-auth-algo", algorithm));
        let header = "paypal-auth-algo";
        let what = "it is not `SHA256withRSA`";
        assert_eq!(
            judged,
            Err(VerificationError::HeaderGarbled { header, what })
        );
    }
    for id in ["a|2016-10-05T14:57:40Z", "a b", "", "é"] {
        assert!(judge(&with("paypal-transmission-id", id)).is_err(), "{id}");
    }
}

#[test]
fn no_address_but_paypals_own_is_ever_asked() {
    let path = "v1/notifications/certs/CERT-360caa42-1";
    for address in [
        format!("http://api.sandbox.paypal.com/{path}"),
        format!("HTTPS://api.sandbox.paypal.com/{path}"),
        format!("https://api.sandbox.paypal.com:443/{path}"),
        format!("https://api.sandbox.paypal.com:8443/{path}"),
        format!("https://a@api.sandbox.paypal.com/{path}"),
        format!("https://api.sandbox.paypal.com@evil.example/{path}"),
        format!("https://evil.example/{path}"),
        format!("https://api.sandbox.paypal.com.evil.example/{path}"),
        format!("https://apixsandbox.paypal.com/{path}"),
        format!("https://evilapi.sandbox.paypal.com/{path}"),
        format!("https://api.sandbox.paypal.com./{path}"),
        format!("https://API.sandbox.paypal.com/{path}"),
        format!("https://api.sandbox.paypal.com\\@evil.example/{path}"),
        // Another mode's.
        format!("https://api.paypal.com/{path}"),
        format!("https://www.paypal.com/{path}"),
        format!("https://api.sandbox.paypal.com/{path}?a=b"),
        format!("https://api.sandbox.paypal.com/{path}#a"),
        format!("https://api.sandbox.paypal.com//{path}"),
        format!("https://api.sandbox.paypal.com/{path}/"),
        format!("https://api.sandbox.paypal.com/{path}%2f"),
        "https://api.sandbox.paypal.com/v1/notifications/certs/".to_owned(),
        "https://api.sandbox.paypal.com/v1/notifications/certs/..".to_owned(),
        "https://api.sandbox.paypal.com/v1/notifications/certs/../../redirect".to_owned(),
        "https://api.sandbox.paypal.com/redirect?to=https://evil.example".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        "//api.sandbox.paypal.com/v1/notifications/certs/CERT-1".to_owned(),
    ] {
        let headers = with("paypal-cert-url", &address);
        // Nothing is closed: whatever may be asked would be.
        let judged = step(&headers, &small(), &ApiResponses::default(), T);
        let garbled = matches!(judged, Err(VerificationError::HeaderGarbled { header, .. })
            if header == "paypal-cert-url");
        assert!(garbled, "{address}: {judged:?}");
    }
    for host in ["api.sandbox.paypal.com", "api-m.sandbox.paypal.com"] {
        let headers = with("paypal-cert-url", &format!("https://{host}/{path}"));
        let judged = step(&headers, &small(), &ApiResponses::default(), T);
        assert!(matches!(judged, Ok(FetchStep::Fetch(_))), "{host}");
    }
}

#[test]
fn only_a_certificate_made_out_to_paypal_under_a_trusted_root_and_valid_now_signs() {
    assert_eq!(judge_certificate("sandbox"), Ok(()));
    assert_eq!(judge_certificate("live"), Ok(()));
    for (name, said) in [
        ("expired", "not valid at this time"),
        ("too-early", "not valid at this time"),
        ("other-name", "not made out to PayPal"),
        ("lookalike-name", "not made out to PayPal"),
        ("wildcard-name", "not made out to PayPal"),
        ("other-purpose", "no trusted root"),
        ("other-root", "no trusted root"),
        ("without-issuer", "no trusted root"),
        // An authority is no signer, nor is a key alone a certificate.
        ("root", "no trusted root"),
        ("key", "there is no certificate"),
    ] {
        let refused = judge_certificate(name).expect_err(name);
        assert_eq!(refused.status(), 401, "{name}");
        assert!(refused.to_string().contains(said), "{name}: {refused}");
    }
    let body = small();
    let headers = signed(&body, T, SECRET);
    let untrusting = PAYPAL.secrets([SECRET]).expect("is strong");
    let known = confirmed_by_api(&body, "sandbox");
    let judged = step_at(Mode::Test, &headers, &body, &untrusting, &known, T);
    assert_eq!(judged.expect_err("no root").reason(), "disproved");
}

#[test]
fn the_sandbox_signs_nothing_about_real_money() {
    let body = small();
    let address = ADDRESS.replace("sandbox.", "");
    let mut headers = signed(&body, T, SECRET);
    headers[3].1.clone_from(&address);
    for (certificate, accepted) in [("live", true), ("sandbox", false)] {
        let mut known = confirmed_by_api(&body, certificate);
        let pem = answered((200, certificates(certificate)));
        known.insert(certificate_call(&address), Some(pem));
        let judged = step_at(Mode::Live, &headers, &body, &secrets(&[SECRET]), &known, T);
        assert_eq!(
            matches!(judged, Ok(FetchStep::Done(_))),
            accepted,
            "{judged:?}"
        );
    }
}

#[test]
fn retries_are_accepted_for_as_long_as_they_come_and_no_longer() {
    let body = small();
    let known = confirmed_by_api(&body, "sandbox");
    let judge = |signed_at: i64| {
        let headers = signed(&body, signed_at, SECRET);
        arrive(&headers, &body, &known, T).map(drop)
    };
    let days = 4 * 86_400;
    assert_eq!(judge(T), Ok(()));
    assert_eq!(judge(T - days), Ok(()));
    let seconds = days + 1;
    assert_eq!(
        judge(T - days - 1),
        Err(VerificationError::TooOld { seconds })
    );
    assert_eq!(judge(T + 300), Ok(()));
    assert_eq!(
        judge(T + 301),
        Err(VerificationError::TooNew { seconds: 301 })
    );
    for time in [
        "",
        "now",
        "2026-01-01",
        "1767225600",
        "2026-01-01T00:00:00Z\u{a0}",
    ] {
        let headers = signed_as(&body, time, SECRET);
        let refused = arrive(&headers, &body, &known, T).expect_err(time);
        assert_eq!(refused.reason(), "header_garbled", "{time}");
    }
}

#[test]
fn a_root_is_a_certificate() {
    for text in [
        "root:",
        "root:AAAA",
        "root:!!",
        "root:AAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert!(PAYPAL.secrets([SECRET, text]).is_err(), "{text}");
    }
    assert!(PAYPAL.secrets(["3TR748995U920805P"]).is_ok());
    assert!(PAYPAL.secrets(["WEBHOOK_ID"]).is_err());
}

#[test]
fn a_delivery_of_paypals_own_from_2016_is_accepted_by_the_pinned_roots() {
    let Some(folder) = crate::tests::corpus::shared("facts") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("vectors.json")).expect("can be read");
    let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).expect("is a list");
    let of_paypal = vectors.iter().filter(|one| one["provider"] == "paypal");
    let mut count = 0;
    for vector in of_paypal {
        let text = |field: &str| vector[field].as_str().expect("is text").to_owned();
        let body = text("body");
        let headers = vec![
            ("Paypal-Transmission-Id", text("transmission_id")),
            ("Paypal-Transmission-Time", text("transmission_time")),
            ("Paypal-Transmission-Sig", text("transmission_sig")),
            ("Paypal-Cert-Url", ADDRESS.to_owned()),
            ("Paypal-Auth-Algo", text("auth_algo")),
        ];
        let mut known = confirmed_by_api(body.as_bytes(), "sandbox");
        let pem = answered((200, text("cert_pem").into_bytes()));
        known.insert(certificate_call(ADDRESS), Some(pem));
        let webhook = PAYPAL
            .secrets([text("webhook_id").as_str()])
            .expect("is one");
        let sent: jiff::Timestamp = text("transmission_time").parse().expect("is a time");
        let judge = |body: &str, now| {
            let body = body.as_bytes();
            match step_at(Mode::Test, &headers, body, &webhook, &known, now)? {
                FetchStep::Done(received) => Ok(received),
                FetchStep::Fetch(questions) => panic!("asks: {questions:?}"),
            }
        };
        let received: Vec<ReceivedItem> = judge(&body, sent.as_second()).expect("is PayPal's");
        assert!(matches!(received[0].outcome, ItemOutcome::Event(_)));
        let altered = body.replace("6.01", "6.02");
        let refused = judge(&altered, sent.as_second());
        assert_eq!(refused, Err(VerificationError::SignatureMismatch));
        // By now its certificate has run out.
        assert_eq!(judge(&body, T).expect_err("is old").reason(), "disproved");
        count += 1;
    }
    assert!(count >= 1);
}
