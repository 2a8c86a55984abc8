//! What holds of every provider whose API is asked: driven answer by answer.

use super::{T, at, person_key, recorded_responses, step};
use crate::fetch::{ApiCall, ApiResponse, ApiResponses, CallTarget, FetchStep, Method};
use crate::{ItemOutcome, PROVIDERS, Provider, ReceivedItem, VerificationError, read_again};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::Mode;
use domain::record::Entry;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// What comes of a body once these answers are all there are.
pub(super) fn expect_received(
    provider: &'static Provider,
    body: &[u8],
    fetched: &ApiResponses,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    match step(provider, body, fetched)? {
        FetchStep::Done(received) => Ok(received),
        FetchStep::Fetch(questions) => panic!("asks {questions:?} though nobody answers"),
    }
}

pub(super) fn one(received: Vec<ReceivedItem>) -> NormalizedEvent {
    let [received] = received.try_into().expect("is one");
    entry(received).event
}

pub(super) fn entry(received: ReceivedItem) -> Entry {
    let ItemOutcome::Event(reading) = received.outcome else {
        panic!("{:?} is not journaled", received.outcome);
    };
    Entry::new(reading, received.raw, 1, at(T), "receipt".into())
}

pub(super) fn answer(status: u16, body: &str) -> ApiResponse {
    ApiResponse {
        status,
        body: body.as_bytes().into(),
    }
}

pub(super) fn at_path(path: &str) -> ApiCall {
    ApiCall {
        method: Method::Get,
        target: CallTarget::Api(path.into()),
        body: [].into(),
    }
}

/// What is asked for a body, round by round, where the API answers what it answers to samples.
fn rounds(provider: &'static Provider, name: &str, body: &str) -> Vec<Vec<ApiCall>> {
    let known = recorded_responses(provider, name);
    let mut fetched = ApiResponses::default();
    let mut rounds = Vec::new();
    while let FetchStep::Fetch(questions) =
        step(provider, body.as_bytes(), &fetched).expect("is proven")
    {
        for call in questions.calls() {
            fetched.insert(call.clone(), known.response(call).ok().cloned());
        }
        rounds.push(questions.calls().to_vec());
    }
    rounds
}

fn providers_with_api() -> impl Iterator<Item = &'static Provider> {
    PROVIDERS.iter().copied().filter(|one| one.api().is_some())
}

fn samples() -> impl Iterator<Item = (&'static Provider, &'static str, &'static str)> {
    let of = |provider: &'static Provider| {
        let all = provider.samples().iter();
        all.map(move |(name, body)| (provider, *name, *body))
    };
    providers_with_api().flat_map(of)
}

#[test]
fn nothing_takes_more_than_four_rounds_and_nothing_is_asked_twice() {
    // Four is what the endpoint grants.
    let mut most = 0;
    for (provider, name, body) in samples() {
        let rounds = rounds(provider, name, body);
        assert!(rounds.len() <= 4, "{provider:?} {name}: {rounds:?}");
        most = most.max(rounds.len());
        let mut all = rounds.concat();
        let asked = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), asked, "{provider:?} {name}: {rounds:?}");
    }
    assert_eq!(most, 4, "a refund, its payment, its mandate, its customer");
}

#[test]
fn whatever_is_silent_nothing_is_half_believed_and_what_waited_is_the_same_event_later() {
    let mut waited = 0;
    for (provider, name, body) in samples() {
        let known = recorded_responses(provider, name);
        let Ok(whole) = expect_received(provider, body.as_bytes(), &known) else {
            panic!("{provider:?} {name} is refused");
        };
        let whole = entry(whole.into_iter().next().expect("is one"));
        for silent in rounds(provider, name, body).concat() {
            let mut fetched = (*known).clone();
            fetched.insert(silent.clone(), None);
            match expect_received(provider, body.as_bytes(), &fetched) {
                // The answer would have been the proof.
                Err(refused) => assert_eq!(refused, VerificationError::Unconfirmed),
                Ok(received) => {
                    let entry = entry(received.into_iter().next().expect("is one"));
                    assert!(entry.event.is_waiting(), "{name} without {silent:?}");
                    assert_eq!(entry.event.id, whole.event.id, "{name}");
                    let keys = person_key();
                    let again = read_again(provider, Mode::Test, &entry, &known, &keys);
                    let FetchStep::Done(again) = again else {
                        panic!("{name} asks again");
                    };
                    assert_eq!(again.outcome, ItemOutcome::Event(whole.event.clone()));
                    waited += 1;
                }
            }
        }
    }
    assert!(waited > 50, "only {waited}");
}

#[test]
fn what_was_kept_reads_the_same_again_though_the_api_says_otherwise_by_then() {
    for (provider, name, body) in samples() {
        let known = recorded_responses(provider, name);
        let received = expect_received(provider, body.as_bytes(), &known).expect("is proven");
        let first = received.into_iter().next().expect("is one");
        let entry = entry(first.clone());
        let again = read_again(
            provider,
            Mode::Test,
            &entry,
            &ApiResponses::closed(),
            &person_key(),
        );
        assert_eq!(again, FetchStep::Done(first), "{provider:?} {name}");
    }
}

/// A sample and its answers, with one value of one answer replaced.
fn tampered() -> impl Strategy<Value = (&'static Provider, &'static str, ApiResponses)> {
    let odd = select(vec![
        json!(null),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!("odd"),
        json!(""),
        json!([]),
        json!({}),
        json!([{ "id": "x" }]),
    ]);
    let samples: Vec<_> = samples().collect();
    (select(samples), any::<Index>(), any::<Index>(), odd).prop_map(
        |((provider, name, body), which, place, odd)| {
            let calls = rounds(provider, name, body).concat();
            let mut fetched = (*recorded_responses(provider, name)).clone();
            if !calls.is_empty() {
                let call = which.get(&calls);
                let known = fetched.response(call).expect("is known").clone();
                let mut document: Value = serde_json::from_slice(&known.body).expect("is JSON");
                let mut pointers = Vec::new();
                super::arbitrary::pointers_of(&document, "", &mut pointers);
                let pointer = place.get(&pointers).as_str();
                *document.pointer_mut(pointer).expect("is there") = odd;
                fetched.insert(call.clone(), Some(answer(200, &document.to_string())));
            }
            (provider, body, fetched)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn whatever_the_api_answers_there_is_an_outcome((provider, body, fetched) in tampered()) {
        let Ok(received) = expect_received(provider, body.as_bytes(), &fetched) else {
            return Ok(());
        };
        for received in received {
            if let ItemOutcome::Event(reading) = received.outcome {
                let waits = reading.is_waiting();
                prop_assert!(!waits || reading.facts.len() == 1, "{:?}", reading.facts);
                let notes = reading.facts.iter();
                let notes = notes.filter(|fact| matches!(fact, Fact::Unclear { .. }));
                prop_assert!(notes.count() <= 1, "{:?}", reading.facts);
            }
        }
    }
}
