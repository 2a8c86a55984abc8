//! What the client decides while the stage answers, is silent, or refuses.

use super::memory::AnswerMemory;
use super::question::Question;
use super::transport::read_answer;
use super::*;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// Answers what it was given, one after the other; then nobody answers.
struct Scripted(Mutex<VecDeque<Result<FeatureAnswer, CheckError>>>);

impl CheckTransport for Scripted {
    fn ask(&self, _: &[u8]) -> Result<FeatureAnswer, CheckError> {
        let next = self.0.lock().unwrap().pop_front();
        next.unwrap_or_else(|| Err(CheckError::NoAnswer("silence".into())))
    }
}

fn answer(allowed: bool) -> FeatureAnswer {
    FeatureAnswer {
        allowed,
        why: "in_plan".into(),
        limit: None,
        unlimited: false,
        level: None,
        until: None,
        next_change: None,
        as_of: Timestamp::UNIX_EPOCH,
    }
}

fn client(
    answers: impl IntoIterator<Item = Result<FeatureAnswer, CheckError>>,
    options: ClientOptions,
) -> ShopClient<Scripted> {
    let scripted = Scripted(Mutex::new(answers.into_iter().collect()));
    ShopClient::with_transport(scripted, options)
}

/// Nothing is used again without asking.
fn asking(unanswered: Unanswered) -> ClientOptions {
    ClientOptions {
        fresh_for: Duration::ZERO,
        ..ClientOptions::failing(unanswered)
    }
}

fn check<T: CheckTransport>(client: &ShopClient<T>) -> AccessDecision {
    client.check("shop/1", "export", &Wanted::Any)
}

#[test]
fn an_answer_is_used_again_while_it_is_fresh_and_for_its_own_question_alone() {
    let options = ClientOptions::failing(Unanswered::Refuse);
    let client = client([Ok(answer(true)), Ok(answer(false))], options);
    assert_eq!(check(&client).basis, DecisionBasis::Answered);
    let again = check(&client);
    assert!(again.allowed && matches!(again.basis, DecisionBasis::Remembered { .. }));
    let other = client.check("shop/1", "export", &Wanted::Quantity(1));
    assert_eq!(
        (other.allowed, other.basis),
        (false, DecisionBasis::Answered)
    );
}

#[test]
fn while_nobody_answers_the_last_answer_counts_and_says_that_it_is_stale() {
    for allowed in [true, false] {
        let client = client([Ok(answer(allowed))], asking(Unanswered::Allow));
        assert_eq!(check(&client).basis, DecisionBasis::Answered);
        let decided = check(&client);
        assert_eq!(decided.allowed, allowed);
        assert!(
            matches!(decided.basis, DecisionBasis::Stale { .. }),
            "{decided:?}"
        );
    }
}

#[test]
fn without_any_answer_it_does_what_it_was_told_and_says_so() {
    for (unanswered, allowed) in [(Unanswered::Allow, true), (Unanswered::Refuse, false)] {
        for why in [
            CheckError::NoAnswer("silence".into()),
            CheckError::Unavailable { status: 503 },
            CheckError::Unreadable { status: 200 },
        ] {
            let client = client([Err(why.clone())], asking(unanswered));
            let decided = check(&client);
            assert_eq!(decided.allowed, allowed);
            assert_eq!(decided.basis, DecisionBasis::Assumed { why });
            assert_eq!(decided.answer, None);
        }
    }
}

#[test]
fn a_question_that_is_refused_is_not_answered_by_an_older_answer() {
    let refused = CheckError::Refused {
        status: 401,
        code: "revoked_key".into(),
        error: "this key is no longer in force".into(),
    };
    let options = asking(Unanswered::Refuse);
    let client = client([Ok(answer(true)), Err(refused.clone())], options);
    assert!(check(&client).allowed);
    let tried = client.try_check("shop/1", "export", &Wanted::Any);
    assert_eq!(tried, Err(refused));
}

#[test]
fn no_answer_is_used_past_its_age_or_the_moment_at_which_it_changes() {
    let (mut memory, start) = (AnswerMemory::new(10), Instant::now());
    let question = Question::new("shop/1", "export", &Wanted::Any);
    let after = |seconds| start + Duration::from_secs(seconds);
    let five = Duration::from_secs(5);
    memory.keep(question.clone(), answer(true), start);
    assert!(memory.fresh(&question, five, after(4)).is_some());
    assert!(memory.fresh(&question, five, after(5)).is_none());
    let ending = FeatureAnswer {
        next_change: Some(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(3)),
        ..answer(true)
    };
    memory.keep(question.clone(), ending, start);
    assert!(memory.fresh(&question, five, after(2)).is_some());
    assert!(memory.fresh(&question, five, after(3)).is_none());
}

#[test]
fn what_is_remembered_is_bounded_and_the_latest_stays() {
    let (mut memory, start) = (AnswerMemory::new(100), Instant::now());
    for n in 0..1_000 {
        let question = Question::new(&format!("shop/{n}"), "export", &Wanted::Any);
        let at = start + Duration::from_millis(n);
        memory.keep(question.clone(), answer(true), at);
        assert!(memory.len() <= 100);
        assert!(
            memory
                .fresh(&question, Duration::from_secs(5), at)
                .is_some()
        );
    }
    assert!(memory.len() >= 50);
}

#[test]
fn a_status_says_whose_it_is_to_mend() {
    let refused = br#"{"code":"invalid_field","error":"`customer` is missing"}"#;
    assert!(matches!(
        read_answer(422, refused),
        Err(CheckError::Refused { status: 422, .. })
    ));
    assert_eq!(
        read_answer(503, refused),
        Err(CheckError::Unavailable { status: 503 })
    );
    assert_eq!(
        read_answer(429, b""),
        Err(CheckError::Unavailable { status: 429 })
    );
    for status in [200, 302, 404] {
        let outcome = read_answer(status, b"<html>");
        assert_eq!(outcome, Err(CheckError::Unreadable { status }));
    }
    let more = br#"{"allowed":true,"why":"in_plan","as_of":"2026-01-01T00:00:00Z","new":[1]}"#;
    assert!(read_answer(200, more).unwrap().allowed);
}

#[test]
fn nothing_shows_the_key() {
    let client = ShopClient::new("http://127.0.0.1:1", "the-key", asking(Unanswered::Refuse));
    let transport = HttpTransport::new("http://127.0.0.1:1", "the-key", Duration::from_millis(50));
    let decided = check(&client);
    for shown in [
        format!("{client:?}"),
        format!("{transport:?}"),
        format!("{decided:?}"),
    ] {
        assert!(!shown.contains("the-key"), "{shown}");
    }
}
