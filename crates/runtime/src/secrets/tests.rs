//! How long a secret is believed, and how often it is asked for.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail loudly; the lints' exception covers test functions alone"
)]

use super::held::{FRESH_FOR, HeldSecrets, IN_FORCE_FOR, NextStep};
use super::{SecretCache, SecretSource, SecretsError, roots};
use crate::Clock;
use crate::aws::{AwsService, Cloud};
use crate::settings::Settings;
use aws_sdk_ssm::Client;
use jiff::{SignedDuration, Timestamp};
use providers::WeakSecret;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Read = Result<&'static str, SecretsError>;

fn unreadable() -> SecretsError {
    SecretsError::Unreadable("ThrottlingException".into())
}

/// One request a second for so long, while reading comes to this: how many reads there were, and
/// the last second at which the secret was still in force.
fn flood(held: &mut HeldSecrets<&'static str>, seconds: i64, read: &Read) -> (usize, Option<i64>) {
    let (mut reads, mut believed) = (0, None);
    for second in 0..seconds {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        let answer = match held.next_step(now) {
            NextStep::Answer(answer) => answer,
            NextStep::Read => {
                reads += 1;
                held.note(read.clone(), now)
            }
        };
        if answer.is_ok() {
            believed = Some(second);
        }
    }
    (reads, believed)
}

/// Read once at the start of the flood.
fn held() -> HeldSecrets<&'static str> {
    let mut held = HeldSecrets::default();
    assert!(held.note(Ok("first"), Timestamp::UNIX_EPOCH).is_ok());
    held
}

#[test]
fn a_secret_that_cant_be_read_again_is_believed_for_ten_minutes_and_no_longer() {
    // Before: for as long as somebody asked, since each failed try made it young again.
    let (reads, believed) = flood(&mut held(), 3_600, &Err(unreadable()));
    assert_eq!(believed, Some(IN_FORCE_FOR.as_secs() - 1));
    assert!(reads <= 61, "{reads}");
}

#[test]
fn a_secret_that_was_deleted_or_spoiled_is_believed_for_five_minutes_and_no_longer() {
    for gone in [SecretsError::Missing, WeakSecret::Empty.into()] {
        let (_, believed) = flood(&mut held(), 3_600, &Err(gone.clone()));
        assert_eq!(believed, Some(FRESH_FOR.as_secs() - 1), "{gone}");
        // And not again while it then can't be read.
        let mut held = held();
        let after = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert!(held.note(Err(gone), after(300)).is_err());
        assert!(held.note(Err(unreadable()), after(302)).is_err());
    }
}

#[test]
fn while_a_secret_is_missing_a_flood_reads_once_a_minute() {
    // Before: 1,800 reads in this hour, one every two seconds.
    let (reads, believed) = flood(
        &mut HeldSecrets::default(),
        3_600,
        &Err(SecretsError::Missing),
    );
    assert_eq!(believed, None);
    assert!((60..=66).contains(&reads), "{reads}");
}

#[test]
fn a_secret_that_was_put_is_in_force_within_a_minute() {
    let mut held = HeldSecrets::default();
    flood(&mut held, 600, &Err(SecretsError::Missing));
    let mut second = 600;
    loop {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        match held.next_step(now) {
            NextStep::Answer(answer) => assert!(answer.is_err()),
            NextStep::Read => break assert!(held.note(Ok("new"), now).is_ok()),
        }
        second += 1;
        assert!(second <= 660);
    }
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
    let step = held.next_step(at);
    assert!(matches!(step, NextStep::Answer(Ok("new"))));
}

#[test]
fn a_clock_that_is_set_back_makes_no_secret_young() {
    let held = held();
    let before = Timestamp::UNIX_EPOCH - FRESH_FOR;
    assert!(matches!(held.next_step(before), NextStep::Read));
}

/// Parameter Store, as far as this needs it: it says the same to everybody, and counts.
struct FakeStore {
    client: Client,
    reads: Arc<AtomicUsize>,
    answer: Arc<Mutex<(u16, String)>>,
}

impl FakeStore {
    async fn open(status: u16, answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("is free");
        let url = format!("http://{}", listener.local_addr().expect("is bound"));
        let reads = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(Mutex::new((status, answer.to_owned())));
        let served = (Arc::clone(&reads), Arc::clone(&answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (reads, answer) = served.clone();
                tokio::spawn(async move {
                    let mut request = [0; 8192];
                    while matches!(stream.read(&mut request).await, Ok(1..)) {
                        reads.fetch_add(1, Ordering::SeqCst);
                        let (status, body) = answer.lock().expect("is whole").clone();
                        let length = body.len();
                        let head = format!("HTTP/1.1 {status} So\r\ncontent-length: {length}");
                        let response = format!("{head}\r\n\r\n{body}");
                        let _ = stream.write_all(response.as_bytes()).await;
                    }
                });
            }
        });
        let settings = [
            ("AWS_ACCESS_KEY_ID", "none"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("AWS_REGION", "eu-west-3"),
            ("AWS_ENDPOINT_URL", &url),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::new(settings);
        let cloud = Cloud::from_settings(&settings).expect("is complete");
        Self {
            client: Client::new(&cloud.config(AwsService::Ssm)),
            reads,
            answer,
        }
    }

    fn source(&self) -> SecretSource {
        SecretSource::Parameter {
            client: self.client.clone(),
            name: "/orangery/try/keys".into(),
        }
    }
}

const THERE: &str = r#"{"Parameter":{"Value":"a secret of twenty bytes"}}"#;
const GONE: &str = r#"{"__type":"ParameterNotFound"}"#;

#[tokio::test]
async fn a_parameter_that_is_deleted_is_told_from_one_that_cant_be_read() {
    let store = FakeStore::open(200, &THERE.replace(' ', "-")).await;
    let now = Arc::new(Mutex::new(Timestamp::UNIX_EPOCH));
    let shared = Arc::clone(&now);
    let clock = Clock::new(move || *shared.lock().expect("is whole"));
    let cache = SecretCache::new(store.source(), roots, clock);
    assert!(cache.in_force().await.is_ok());
    *store.answer.lock().expect("is whole") = (400, GONE.into());
    assert!(cache.in_force().await.is_ok());
    *now.lock().expect("is whole") += FRESH_FOR;
    for _ in 0..100 {
        let error = cache.in_force().await.expect_err("is gone");
        assert!(matches!(error, SecretsError::Missing), "{error}");
    }
    assert_eq!(store.reads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_hundred_requests_at_once_read_once() {
    let store = FakeStore::open(400, GONE).await;
    let clock = Clock::new(|| Timestamp::UNIX_EPOCH);
    let cache = SecretCache::new(store.source(), roots, clock);
    let all = (0..100).map(|_| cache.in_force());
    let answers = futures_util::future::join_all(all).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(store.reads.load(Ordering::SeqCst), 1);
}
