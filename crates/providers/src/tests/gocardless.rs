//! GoCardless: one body, many events, each answered for by itself.

use super::api_documents::{answer, at_path, entry, expect_received, one};
use super::{T, at, person_key, post, recorded_responses, secret_of, secrets_of};
use crate::{
    ApiResponses, EndpointConfig, FetchStep, Headers, InboundRequest, ItemOutcome, Provider,
    VerificationError, receive,
};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{Mode, ObjectId};
use domain::state::fold::fold;
use domain::subscription::terms::SubscriptionStatus;
use serde_json::{Value, json};

fn gocardless() -> &'static Provider {
    crate::provider("gocardless").expect("is in the list")
}

fn event(kind: &str, links: &Value, id: &str) -> Value {
    let (resource_type, action) = kind.split_once('.').expect("has two parts");
    json!({
        "id": id, "created_at": "2026-01-20T09:00:00.000Z", "resource_type": resource_type,
        "action": action, "links": links, "details": {}, "metadata": {},
    })
}

fn confirmed(id: &str) -> Value {
    event(
        "payments.confirmed",
        &json!({ "payment": "PM000Grove01" }),
        id,
    )
}

fn sample(name: &str) -> NormalizedEvent {
    let samples = gocardless().samples().iter();
    let (_, body) = samples
        .clone()
        .find(|(known, _)| *known == name)
        .expect("is one");
    one(expect_received(
        gocardless(),
        body.as_bytes(),
        &recorded_responses(gocardless(), name),
    )
    .expect("is proven"))
}

#[test]
fn each_event_keeps_its_own_bytes_and_a_bad_one_holds_up_no_other() {
    let first = confirmed("EV1").to_string();
    let last = r#"{ "id":"EV3",  "created_at":"2026-01-20T09:00:00.000Z",
        "resource_type":"payouts", "action":"paid", "links":{} }"#;
    let twice = r#"{"id":"EV2","id":"EV2"}"#;
    let odd = event("payments.confirmed", &json!({ "payment": 7 }), "EV4").to_string();
    let items = [first.as_str(), twice, last, "7", &odd, "null"];
    let body = format!("{{\"events\":[{}],\"meta\":{{}}}}", items.join(" , "));
    let fetched = recorded_responses(gocardless(), "");
    let received = expect_received(gocardless(), body.as_bytes(), &fetched).expect("is proven");
    let verdicts: Vec<_> = received
        .iter()
        .map(|one| match &one.outcome {
            ItemOutcome::Event(reading) if reading.is_unclear() => "unclear",
            ItemOutcome::Event(_) => "event",
            ItemOutcome::Ignored { .. } => "ignored",
            ItemOutcome::WrongMode { .. } => "wrong mode",
            ItemOutcome::OtherAccount { .. } => "other account",
        })
        .collect();
    let expected = [
        "event", "unclear", "ignored", "unclear", "unclear", "unclear",
    ];
    assert_eq!(verdicts, expected);
    for (received, item) in received.iter().zip(items).skip(1) {
        assert_eq!(&*received.raw, item.as_bytes(), "as it was sent");
    }
    let kept = std::str::from_utf8(&received[0].raw).expect("is text");
    assert!(kept.starts_with(&format!("{{\"wire_item\":{first},\"fetched\":[")));
}

#[test]
fn a_silent_api_lets_some_events_of_a_body_wait_and_others_not() {
    let mut fetched = (*recorded_responses(gocardless(), "")).clone();
    fetched.insert(at_path("/payments/PM000Later01"), None);
    let later = json!({ "payment": "PM000Later01" });
    let events = [confirmed("EV1"), event("payments.confirmed", &later, "EV2")];
    let body = json!({ "events": events }).to_string();
    let received = expect_received(gocardless(), body.as_bytes(), &fetched).expect("is proven");
    let waiting: Vec<bool> = received
        .iter()
        .map(|one| one.outcome.is_waiting())
        .collect();
    assert_eq!(waiting, [false, true]);
}

#[test]
fn a_thousand_events_are_taken_and_more_are_refused_whatever_they_say() {
    let payout = event("payouts.paid", &json!({}), "EV1").to_string();
    for (count, taken) in [
        (0, true),
        (250, true),
        (1000, true),
        (1001, false),
        (3500, false),
    ] {
        let events = vec![payout.as_str(); count].join(",");
        let body = format!("{{\"events\":[{events}]}}");
        let received = expect_received(gocardless(), body.as_bytes(), &ApiResponses::closed());
        match received {
            Ok(received) => assert!(taken && received.len() == count, "{count}"),
            Err(refused) => {
                assert!(!taken, "{count}: {refused}");
                assert_eq!(refused.status(), 413);
            }
        }
    }
    let numbers = vec!["7"; 10_000].join(",");
    let body = format!("{{\"events\":[{numbers}]}}");
    let refused = expect_received(gocardless(), body.as_bytes(), &ApiResponses::closed());
    assert_eq!(refused.expect_err("are too many").status(), 413);
}

#[test]
fn it_is_answered_as_it_asks_to_be() {
    assert_eq!(gocardless().accepted_status(), 200);
    assert_eq!(gocardless().ignored_status(), 204);
    assert_eq!(
        gocardless().refused_status(&VerificationError::SignatureMismatch),
        498
    );
    let header = "webhook-signature";
    assert_eq!(
        gocardless().refused_status(&VerificationError::HeaderMissing { header }),
        401
    );
}

#[test]
fn a_signature_is_written_in_one_way_and_no_part_of_it_is_enough() {
    let body = json!({ "events": [] }).to_string();
    let signed = gocardless().sign(body.as_bytes(), &secret_of(gocardless()), at(T));
    let good = signed.expect("can sign").remove(0).1;
    let judge = |value: &str| {
        let headers = Headers::new([("Webhook-Signature", value)]).expect("are few");
        let arrival = InboundRequest {
            request: post(&headers, body.as_bytes()),
            endpoint: EndpointConfig::new(Mode::Test),
            secrets: &secrets_of(gocardless()),
            fetched: &ApiResponses::closed(),
            now: at(T),
        };
        receive(gocardless(), &arrival, &person_key())
    };
    assert_eq!(judge(&good), Ok(FetchStep::Done(Vec::new())));
    for length in 1..good.len() {
        let part = good.get(..length).expect("is ASCII");
        assert_eq!(
            judge(part),
            Err(VerificationError::SignatureMismatch),
            "{length}"
        );
    }
    for bent in [
        good.to_ascii_uppercase(),
        format!("{good}00"),
        format!("sha256={good}"),
        format!("{good} "),
        format!("\"{good}\""),
    ] {
        assert_eq!(
            judge(&bent),
            Err(VerificationError::SignatureMismatch),
            "{bent}"
        );
    }
    let header = "webhook-signature";
    assert_eq!(judge(""), Err(VerificationError::HeaderMissing { header }));
    let many = vec![good.as_str(); 17].join(",");
    assert_eq!(judge(&many).expect_err("are too many").status(), 401);
}

#[test]
fn a_mandate_that_dies_ends_its_subscriptions_but_none_that_ended_as_agreed() {
    for name in ["mandates.cancelled", "mandates.expired", "mandates.failed"] {
        let reading = sample(name);
        let mut ended = Vec::new();
        for fact in &reading.facts {
            if let Fact::Subscription(seen) = fact {
                ended.push((seen.id.as_str(), seen.terms.status));
            }
        }
        assert_eq!(
            ended,
            [("SB000Grove01", SubscriptionStatus::Canceled)],
            "{name}"
        );
    }
}

#[test]
fn a_page_of_a_mandates_subscriptions_is_not_taken_for_all_of_them() {
    let call = "/subscriptions?mandate=MD000Grove01&limit=500";
    let page = json!({ "subscriptions": [], "meta": { "cursors": { "after": "SB9" } } });
    let mut fetched = (*recorded_responses(gocardless(), "")).clone();
    fetched.insert(at_path(call), Some(answer(200, &page.to_string())));
    let links = json!({ "mandate": "MD000Grove01" });
    let body = json!({ "events": [event("mandates.cancelled", &links, "EV1")] }).to_string();
    let reading = one(expect_received(gocardless(), body.as_bytes(), &fetched).expect("is proven"));
    assert!(reading.is_unclear());
    let behind = gocardless()
        .account(Mode::Test)
        .customer(&ObjectId::parse("CU000Grove01").unwrap());
    assert_eq!(reading.about, About::Customer(behind));
}

#[test]
fn a_debit_that_fails_after_it_was_confirmed_never_arrived_until_it_is_collected() {
    let mut confirmed = sample("payments.confirmed");
    let mut failed = sample("payments.failed");
    let mut again = sample("payments.paid_out");
    for (second, reading) in [&mut confirmed, &mut failed, &mut again]
        .into_iter()
        .enumerate()
    {
        let second = i64::try_from(second).expect("is small");
        reading.occurred_at = at(T + second);
    }
    let paid = |readings: &[&NormalizedEvent]| -> Vec<i64> {
        let state = fold(readings.iter().copied());
        let payments = state.payments.settled();
        payments.filter_map(|one| Some(one.paid()?.minor)).collect()
    };
    assert_eq!(paid(&[&confirmed]), [2880]);
    assert_eq!(paid(&[&confirmed, &failed]), [0_i64; 0]);
    assert_eq!(paid(&[&failed, &confirmed]), [0_i64; 0]);
    assert_eq!(paid(&[&again, &confirmed, &failed]), [2880]);
}

#[test]
fn an_id_that_could_lead_elsewhere_is_never_asked_for() {
    for id in ["..", "PM1?a=b", "PM1#", "PM%2f1", "PM 1"] {
        let links = json!({ "payment": id });
        let body = json!({ "events": [event("payments.confirmed", &links, "EV1")] });
        let received = super::step(
            gocardless(),
            body.to_string().as_bytes(),
            &ApiResponses::default(),
        );
        let Ok(FetchStep::Done(received)) = received else {
            panic!("asks for {id}");
        };
        let entry = entry(received.into_iter().next().expect("is one"));
        assert!(entry.event.is_unclear(), "{id}");
    }
}
