//! Doors that must ask first: where the answer is the proof, and where it is the meaning.

use super::{T, at, master, person_key, post};
use crate::fetch::{Answer, Asking, Call, Fetched, Missing, Step};
use crate::provider::{Answers, Provider, Samples, Signing, WireItem};
use crate::quarantine::{unread, waiting};
use crate::{Arrival, Endpoint, Headers, Outcome, Received, Refused, Secrets, Verified};
use crate::{kept, read_again, receive};
use domain::ids::Mode;
use domain::reading::{About, Fact, Profile, Reading};
use domain::record::Entry;
use std::sync::Arc;

/// `id=…`: the object behind it is the proof. Anything else: a list of ids, each of an item
/// that says nothing but where it can be asked for.
static THIN: Provider = Provider {
    name: "thin",
    normalizer: 1,
    exponents: &[],
    answers: Answers {
        accepted: 200,
        ignored: 204,
        mismatch: 498,
    },
    schemes: &[],
    api: None,
    secrets: |text| Ok(vec![crate::Secret::new(text)?]),
    verify,
    normalize,
    sign: Signing::Secret(|_, _, _, _| None),
    samples: Samples {
        acted_upon: Vec::new,
        bodies: &[],
        life: &[],
        answers: &[],
        id: None,
        at: "",
    },
};

fn verify(arrival: &Arrival<'_>) -> Result<Step<Verified>, Refused> {
    let body = std::str::from_utf8(arrival.request.body).expect("is text");
    let call = |id| Call::get(&["things", id]).ok_or(Refused::BodyEmpty);
    let (id, batch) = match body.strip_prefix("id=") {
        Some(id) => (id, false),
        None => ("all", true),
    };
    let answer = match arrival.fetched.answer(&call(id)?) {
        Ok(answer) => answer,
        Err(Missing::Unasked(questions)) => return Ok(Step::Ask(questions)),
        Err(Missing::Silent) => return Err(Refused::Unconfirmed),
    };
    let verified = Verified::by_answer(answer, arrival.now);
    let apart = |whole: &[u8]| {
        let words = whole.split(|byte| *byte == b' ');
        batch.then(|| words.map(Arc::from).collect())
    };
    Ok(Step::Done(verified.split(apart)?))
}

fn normalize(item: &WireItem<'_, '_>) -> Step<Outcome> {
    let Ok(id) = serde_json::from_slice::<String>(item.raw) else {
        return Step::Done(unread(item.account, item.raw, item.signed_at, "no text"));
    };
    let Some(call) = Call::get(&["people", &id]) else {
        return Step::Done(unread(item.account, item.raw, item.signed_at, "no id"));
    };
    let event = item.account.event(&id);
    let answer = match item.asking.answer(call) {
        Ok(answer) => answer,
        Err(Missing::Unasked(questions)) => return Step::Ask(questions),
        Err(Missing::Silent) => {
            let what = "the person behind it";
            return Step::Done(waiting(item.account, event, "thing".into(), at(T), what));
        }
    };
    let email: String = serde_json::from_slice(&answer.body).expect("is text");
    Step::Done(Outcome::Reading(Reading {
        id: event,
        kind: "thing".into(),
        occurred_at: at(T),
        rank: 1,
        about: About::Customer(item.account.customer(&id)),
        facts: vec![Fact::Profile(Profile {
            email: Some(email.into()),
            ..Profile::default()
        })],
        references: Vec::new(),
    }))
}

#[test]
fn who_only_an_answer_vouches_for_is_asked_about_and_refused_for_now_without_one() {
    let mut fetched = Fetched::default();
    assert_eq!(asked(b"id=t1", &fetched), ["GET Api(\"/things/t1\")"]);
    fetched.insert(get(&["things", "t1"]), None);
    assert_eq!(told(b"id=t1", &fetched), Err(Refused::Unconfirmed));
    assert_eq!(Refused::Unconfirmed.status(), 503);
    assert_eq!(
        told(b"id=t1", &Fetched::closed()),
        Err(Refused::Unconfirmed)
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
        assert_eq!(Call::get(&["things", id]), None, "{id:?}");
    }
}

#[test]
fn items_ask_together_and_one_that_is_odd_holds_nobody_up() {
    let mut fetched = Fetched::default();
    fetched.insert(get(&["things", "all"]), answer(b"\"p1\" odd \"p2\" \"p1\""));
    let both = ["GET Api(\"/people/p1\")", "GET Api(\"/people/p2\")"];
    assert_eq!(asked(b"all", &fetched), both);
    fetched.insert(get(&["people", "p1"]), answer(b"\"p1@example.com\""));
    fetched.close();
    let received = told(b"all", &fetched).expect("is proven");
    let verdicts: Vec<&str> = received.iter().map(|one| verdict(&one.outcome)).collect();
    assert_eq!(verdicts, ["reading", "unclear", "waiting", "reading"]);
}

#[test]
fn what_waits_keeps_its_own_bytes_and_reads_in_full_once_the_answer_is_there() {
    let mut fetched = Fetched::default();
    fetched.insert(get(&["things", "all"]), answer(b"\"p1\""));
    fetched.close();
    let received = told(b"all", &fetched).expect("is proven").remove(0);
    assert_eq!(&*received.raw, b"\"p1\"");
    let entry = entry(received);
    assert_eq!(
        entry.reading.about,
        About::Behind(vec![THIN.account(Mode::Test).waiting()])
    );

    let mut later = Fetched::default();
    let Step::Ask(questions) = read_again(&THIN, Mode::Test, &entry, &later, &person_key()) else {
        panic!("knows without asking");
    };
    assert_eq!(questions.calls(), [get(&["people", "p1"])]);
    later.insert(get(&["people", "p1"]), answer(b"\"p1@example.com\""));
    let Step::Done(whole) = read_again(&THIN, Mode::Test, &entry, &later, &person_key()) else {
        panic!("asks again");
    };
    assert_eq!(verdict(&whole.outcome), "reading");
    let Outcome::Reading(reading) = &whole.outcome else {
        panic!("is journaled");
    };
    assert_eq!(
        reading.id, entry.reading.id,
        "a repetition of what waited is one"
    );
}

#[test]
fn what_is_kept_reads_the_same_again_whatever_the_api_says_by_then() {
    let mut fetched = Fetched::default();
    fetched.insert(get(&["things", "all"]), answer(b"\"p1\""));
    fetched.insert(get(&["people", "p1"]), answer(b"\"p1@example.com\""));
    let first = told(b"all", &fetched).expect("is proven").remove(0);
    let kept = std::str::from_utf8(&first.raw).expect("is text");
    assert_eq!(
        kept,
        "{\"wire_item\":\"p1\",\"fetched\":[{\"method\":\"GET\",\"path\":\"/people/p1\",\
         \"status\":200,\"body\":\"p1@example.com\"}]}"
    );
    let mut other = Fetched::default();
    other.insert(get(&["people", "p1"]), answer(b"\"p2@example.com\""));
    for later in [Fetched::closed(), other] {
        let again = read_again(
            &THIN,
            Mode::Test,
            &entry(first.clone()),
            &later,
            &person_key(),
        );
        assert_eq!(again, Step::Done(first.clone()));
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
        assert_eq!(kept::opened(&item).0, item);
    }
}

#[test]
fn more_items_than_anybody_sends_are_refused() {
    let mut fetched = Fetched::default();
    fetched.insert(get(&["things", "all"]), answer(&b" ".repeat(1000)));
    let refused = told(b"all", &fetched).expect_err("are too many");
    assert_eq!(refused.status(), 413);
    assert_eq!(THIN.refused(&refused), 413);
    assert_eq!(THIN.refused(&Refused::SignatureMismatch), 498);
}

#[test]
fn a_closed_door_asks_nothing() {
    let fetched = Fetched::closed();
    let asking = Asking::new(&fetched);
    assert_eq!(asking.answer(get(&["people", "p1"])), Err(Missing::Silent));
    assert!(asking.used().is_empty());
}

fn step(body: &[u8], fetched: &Fetched) -> Result<Step<Vec<Received>>, Refused> {
    let headers = Headers::default();
    let secrets = Secrets::new(vec![master()]).expect("is one");
    let arrival = Arrival {
        request: post(&headers, body),
        endpoint: Endpoint::new(Mode::Test),
        secrets: &secrets,
        fetched,
        now: at(T),
    };
    receive(&THIN, &arrival, &person_key())
}

fn asked(body: &[u8], fetched: &Fetched) -> Vec<String> {
    match step(body, fetched) {
        Ok(Step::Ask(questions)) => {
            let calls = questions.calls().iter();
            calls.map(|call| format!("{call:?}")).collect()
        }
        other => panic!("asks nothing: {other:?}"),
    }
}

fn told(body: &[u8], fetched: &Fetched) -> Result<Vec<Received>, Refused> {
    match step(body, fetched)? {
        Step::Done(received) => Ok(received),
        Step::Ask(questions) => panic!("asks: {questions:?}"),
    }
}

fn verdict(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Reading(reading) if reading.is_waiting() => "waiting",
        Outcome::Reading(reading) if reading.is_unclear() => "unclear",
        Outcome::Reading(_) => "reading",
        Outcome::Ignored { .. } => "ignored",
        Outcome::WrongMode { .. } => "wrong mode",
    }
}

fn entry(received: Received) -> Entry {
    let Outcome::Reading(reading) = received.outcome else {
        panic!("is not journaled");
    };
    Entry::new(reading, received.raw, 1, at(T), "receipt".into())
}

fn get(segments: &[&str]) -> Call {
    Call::get(segments).expect("is plain")
}

fn answer(body: &[u8]) -> Option<Answer> {
    Some(Answer {
        status: 200,
        body: body.into(),
    })
}
