//! Endpoints that must ask first: where the answer is the proof, and where it is the meaning.

use super::{T, at, master, person_key, post};
use crate::fetch::{
    ApiCall, ApiResponse, ApiResponses, FetchStep, MissingResponse, ResponseTracker,
};
use crate::provider::{Provider, ProviderSamples, ResponseStatuses, SigningMethod, WireItem};
use crate::quarantine::{unreadable_event, waiting_event};
use crate::{
    CallPurpose, EndpointConfig, Headers, InboundRequest, ItemOutcome, ReceivedItem, Secrets,
    VerificationError, VerifiedItems,
};
use crate::{raw_entry, read_again, receive};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{Mode, ObjectId};
use domain::person::Profile;
use domain::record::Entry;
use std::sync::Arc;

/// `id=…`: the object behind it is the proof. Anything else: a list of ids, each of an item
/// that says nothing but where it can be asked for.
static REFERENCE_ONLY: Provider = Provider {
    name: "thin",
    normalizer: 1,
    exponents: &[],
    statuses: ResponseStatuses {
        accepted: 200,
        ignored: 204,
        mismatch: 498,
    },
    schemes: &[],
    api: None,
    has_path_secret: false,
    secrets: |text| Ok(vec![crate::Secret::new(text)?]),
    verify,
    normalize,
    sign: SigningMethod::Secret(|_, _, _, _| None),
    samples: ProviderSamples {
        handled_types: Vec::new,
        bodies: &[],
        scenario: &[],
        recorded_responses: &[],
        id_path: None,
        time_path: "",
    },
    setup: crate::SetupGuide {
        forward: None,
        endpoint: "",
        secret: "",
        separator: ",",
        events: Vec::new,
        mistaken: &[],
    },
};

fn verify(arrival: &InboundRequest<'_>) -> Result<FetchStep<VerifiedItems>, VerificationError> {
    let body = std::str::from_utf8(arrival.request.body).expect("is text");
    let call = |id| ApiCall::get(&["things", id]).ok_or(VerificationError::BodyEmpty);
    let (id, batch) = match body.strip_prefix("id=") {
        Some(id) => (id, false),
        None => ("all", true),
    };
    let answer = match arrival.fetched.response(&call(id)?) {
        Ok(answer) => answer,
        Err(MissingResponse::NotFetched(questions)) => return Ok(FetchStep::Fetch(questions)),
        Err(MissingResponse::Unavailable) => return Err(VerificationError::Unconfirmed),
    };
    let verified = VerifiedItems::by_api_response(answer, arrival.now);
    let apart = |whole: &[u8]| {
        let words = whole.split(|byte| *byte == b' ');
        batch.then(|| words.map(Arc::from).collect())
    };
    Ok(FetchStep::Done(verified.split(apart)?))
}

fn normalize(item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    let Ok(id) = serde_json::from_slice::<String>(item.raw) else {
        return FetchStep::Done(unreadable_event(
            item.account,
            item.raw,
            item.signed_at,
            "no text",
        ));
    };
    let Some(call) = ApiCall::get(&["people", &id]) else {
        return FetchStep::Done(unreadable_event(
            item.account,
            item.raw,
            item.signed_at,
            "no id",
        ));
    };
    let event = item.account.event(&ObjectId::parse(id.as_str()).unwrap());
    let answer = match item.responses.response(call) {
        Ok(answer) => answer,
        Err(MissingResponse::NotFetched(questions)) => return FetchStep::Fetch(questions),
        Err(MissingResponse::Unavailable) => {
            let what = "the person behind it";
            return FetchStep::Done(waiting_event(
                item.account,
                event,
                "thing".into(),
                at(T),
                what,
            ));
        }
    };
    let email: String = serde_json::from_slice(&answer.body).expect("is text");
    FetchStep::Done(ItemOutcome::Event(NormalizedEvent {
        id: event,
        kind: "thing".into(),
        occurred_at: at(T),
        rank: 1,
        about: About::Customer(item.account.customer(&ObjectId::parse(id).unwrap())),
        facts: vec![Fact::Profile(Profile {
            email: Some(email.into()),
            ..Profile::default()
        })],
        references: Vec::new(),
    }))
}

#[test]
fn who_only_an_answer_vouches_for_is_asked_about_and_refused_for_now_without_one() {
    let mut fetched = ApiResponses::default();
    assert_eq!(
        pending_calls(b"id=t1", &fetched),
        ["GET Api(\"/things/t1\")"]
    );
    fetched.insert(get(&["things", "t1"]), None);
    assert_eq!(
        expect_received(b"id=t1", &fetched),
        Err(VerificationError::Unconfirmed)
    );
    assert_eq!(VerificationError::Unconfirmed.status(), 503);
    assert_eq!(
        expect_received(b"id=t1", &ApiResponses::closed()),
        Err(VerificationError::Unconfirmed)
    );
}

#[test]
fn an_id_that_could_lead_elsewhere_is_never_asked_for() {
    for id in [
        "",
        "..",
        "a/b",
        "a?b",
        "a%2fb",
        "a#b",
        "é",
        "a b",
        "a\n",
        &"a".repeat(129),
    ] {
        assert_eq!(ApiCall::get(&["things", id]), None, "{id:?}");
    }
}

#[test]
fn items_ask_together_and_one_that_is_odd_holds_nobody_up() {
    let mut fetched = ApiResponses::default();
    fetched.insert(get(&["things", "all"]), answer(b"\"p1\" odd \"p2\" \"p1\""));
    let both = ["GET Api(\"/people/p1\")", "GET Api(\"/people/p2\")"];
    assert_eq!(pending_calls(b"all", &fetched), both);
    fetched.insert(get(&["people", "p1"]), answer(b"\"p1@example.com\""));
    fetched.close();
    let received = expect_received(b"all", &fetched).expect("is proven");
    let verdicts: Vec<&str> = received.iter().map(|one| verdict(&one.outcome)).collect();
    assert_eq!(verdicts, ["event", "unclear", "waiting", "event"]);
}

#[test]
fn what_waits_keeps_its_own_bytes_and_reads_in_full_once_the_answer_is_there() {
    let mut fetched = ApiResponses::default();
    fetched.insert(get(&["things", "all"]), answer(b"\"p1\""));
    fetched.close();
    let received = expect_received(b"all", &fetched)
        .expect("is proven")
        .remove(0);
    assert_eq!(&*received.raw, b"\"p1\"");
    let entry = entry(received);
    assert_eq!(
        entry.event.about,
        About::ByReference(vec![REFERENCE_ONLY.account(Mode::Test).waiting_reference()])
    );

    let mut later = ApiResponses::default();
    let FetchStep::Fetch(questions) =
        read_again(&REFERENCE_ONLY, Mode::Test, &entry, &later, &person_key())
    else {
        panic!("knows without asking");
    };
    assert_eq!(questions.calls(), [get(&["people", "p1"])]);
    later.insert(get(&["people", "p1"]), answer(b"\"p1@example.com\""));
    let FetchStep::Done(whole) =
        read_again(&REFERENCE_ONLY, Mode::Test, &entry, &later, &person_key())
    else {
        panic!("asks again");
    };
    assert_eq!(verdict(&whole.outcome), "event");
    let ItemOutcome::Event(reading) = &whole.outcome else {
        panic!("is journaled");
    };
    assert_eq!(
        reading.id, entry.event.id,
        "a repetition of what waited is one"
    );
}

#[test]
fn what_is_kept_reads_the_same_again_whatever_the_api_says_by_then() {
    let mut fetched = ApiResponses::default();
    fetched.insert(get(&["things", "all"]), answer(b"\"p1\""));
    fetched.insert(get(&["people", "p1"]), answer(b"\"p1@example.com\""));
    let first = expect_received(b"all", &fetched)
        .expect("is proven")
        .remove(0);
    let kept = std::str::from_utf8(&first.raw).expect("is text");
    assert_eq!(
        kept,
        "{\"wire_item\":\"p1\",\"fetched\":[{\"method\":\"GET\",\"path\":\"/people/p1\",\
         \"status\":200,\"body\":\"p1@example.com\"}]}"
    );
    let mut other = ApiResponses::default();
    other.insert(get(&["people", "p1"]), answer(b"\"p2@example.com\""));
    for later in [ApiResponses::closed(), other] {
        let again = read_again(
            &REFERENCE_ONLY,
            Mode::Test,
            &entry(first.clone()),
            &later,
            &person_key(),
        );
        assert_eq!(again, FetchStep::Done(first.clone()));
    }
}

#[test]
fn an_item_that_only_looks_like_a_kept_one_stays_what_it_is() {
    for odd in [
        "{\"wire_item\":",
        "{\"wire_item\":1}",
        "{\"wire_item\":1,\"fetched\":2}",
    ] {
        let item: Arc<[u8]> = odd.as_bytes().into();
        assert_eq!(raw_entry::unpack(&item).0, item);
    }
}

#[test]
fn more_items_than_anybody_sends_are_refused() {
    let mut fetched = ApiResponses::default();
    fetched.insert(get(&["things", "all"]), answer(&b" ".repeat(1000)));
    let refused = expect_received(b"all", &fetched).expect_err("are too many");
    assert_eq!(refused.status(), 413);
    assert_eq!(REFERENCE_ONLY.refused_status(&refused), 413);
    assert_eq!(
        REFERENCE_ONLY.refused_status(&VerificationError::SignatureMismatch),
        498
    );
}

#[test]
fn a_closed_endpoint_asks_nothing() {
    let fetched = ApiResponses::closed();
    let asking = ResponseTracker::new(&fetched);
    assert_eq!(
        asking.response(get(&["people", "p1"])),
        Err(MissingResponse::Unavailable)
    );
    assert!(asking.into_used().is_empty());
}

#[test]
fn a_call_says_whether_it_is_to_prove_the_request_or_to_complete_what_is_proven() {
    let mut fetched = ApiResponses::default();
    for purpose in [CallPurpose::Proof, CallPurpose::Completion] {
        let Ok(FetchStep::Fetch(calls)) = step(b"id=o1", &fetched) else {
            panic!("asks nothing");
        };
        assert_eq!(calls.purpose(), purpose);
        for call in calls.calls() {
            fetched.insert(call.clone(), answer(b"\"p1\""));
        }
    }
}

fn step(
    body: &[u8],
    fetched: &ApiResponses,
) -> Result<FetchStep<Vec<ReceivedItem>>, VerificationError> {
    let headers = Headers::default();
    let secrets = Secrets::new(vec![master()]).expect("is one");
    let arrival = InboundRequest {
        request: post(&headers, body),
        endpoint: EndpointConfig::new(Mode::Test),
        secrets: &secrets,
        fetched,
        now: at(T),
    };
    receive(&REFERENCE_ONLY, &arrival, &person_key())
}

fn pending_calls(body: &[u8], fetched: &ApiResponses) -> Vec<String> {
    match step(body, fetched) {
        Ok(FetchStep::Fetch(questions)) => {
            let calls = questions.calls().iter();
            calls.map(|call| format!("{call:?}")).collect()
        }
        other => panic!("asks nothing: {other:?}"),
    }
}

fn expect_received(
    body: &[u8],
    fetched: &ApiResponses,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    match step(body, fetched)? {
        FetchStep::Done(received) => Ok(received),
        FetchStep::Fetch(questions) => panic!("asks: {questions:?}"),
    }
}

fn verdict(outcome: &ItemOutcome) -> &'static str {
    match outcome {
        ItemOutcome::Event(reading) if reading.is_waiting() => "waiting",
        ItemOutcome::Event(reading) if reading.is_unclear() => "unclear",
        ItemOutcome::Event(_) => "event",
        ItemOutcome::Ignored { .. } => "ignored",
        ItemOutcome::WrongMode { .. } => "wrong mode",
        ItemOutcome::OtherAccount { .. } => "other account",
    }
}

fn entry(received: ReceivedItem) -> Entry {
    let ItemOutcome::Event(reading) = received.outcome else {
        panic!("is not journaled");
    };
    Entry::new(reading, received.raw, 1, at(T), "receipt".into())
}

fn get(segments: &[&str]) -> ApiCall {
    ApiCall::get(segments).expect("is plain")
}

fn answer(body: &[u8]) -> Option<ApiResponse> {
    Some(ApiResponse {
        status: 200,
        body: body.into(),
    })
}
