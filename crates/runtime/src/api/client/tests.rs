//! The client over loopback, against something that answers in turn and remembers.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail loudly; the lints' exception covers test functions alone"
)]

use super::{ApiKey, HttpApi, api_key};
use crate::Clock;
use crate::api::ApiClient as _;
use crate::secrets::{SecretCache, SecretSource};
use jiff::{SignedDuration, Timestamp};
use providers::{ApiAuth, ApiCall, ApiConfig, CallTarget, Method};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Stands in for a provider's API.
#[derive(Clone, Default)]
struct FakeApi {
    url: String,
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl FakeApi {
    /// Gives these answers in turn, then the last one for ever.
    async fn open(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("is free");
        let address = listener.local_addr().expect("is bound");
        let answers = answers.iter().rev();
        let answers = answers.map(|(status, body)| (*status, (*body).to_owned()));
        let stand_in = Self {
            url: format!("http://{address}"),
            answers: Arc::new(Mutex::new(answers.collect())),
            ..Self::default()
        };
        let served = stand_in.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *served.connections.lock().expect("is whole") += 1;
                tokio::spawn(served.clone().serve(stream));
            }
        });
        stand_in
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut read = Vec::new();
        loop {
            let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
                let mut more = [0; 1024];
                match stream.read(&mut more).await {
                    Ok(count) if count > 0 => read.extend_from_slice(&more[..count]),
                    Ok(_) | Err(_) => return,
                }
                continue;
            };
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse::<usize>().expect("is a number"));
            while read.len() < end + 4 + length {
                let mut more = [0; 1024];
                let count = stream.read(&mut more).await.expect("goes on");
                read.extend_from_slice(&more[..count]);
            }
            read.drain(..end + 4 + length);
            self.requests.lock().expect("is whole").push(head);
            let answer = self.next();
            // Whoever has read enough may be gone.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }

    fn next(&self) -> String {
        let mut answers = self.answers.lock().expect("is whole");
        let last = answers.len() == 1;
        let (status, body) = match answers.last().cloned() {
            Some(answer) => answer,
            None => (500, String::new()),
        };
        if !last {
            answers.pop();
        }
        format!(
            "HTTP/1.1 {status} So\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("is whole").clone()
    }

    fn client(&self, key: ApiAuth) -> HttpApi {
        self.client_at(key, Clock::new(|| Timestamp::UNIX_EPOCH))
    }

    fn client_at(&self, key: ApiAuth, clock: Clock) -> HttpApi {
        HttpApi::new(&api(key), &self.url, key_of("id:secret"), clock).expect("is on loopback")
    }
}

fn api(key: ApiAuth) -> ApiConfig {
    ApiConfig {
        live: "https://live.example.com",
        test: "https://test.example.com",
        auth: key,
        headers: &[("api-version", "2015-07-06")],
    }
}

fn key_of(text: &str) -> SecretCache<ApiKey> {
    SecretCache::new(
        SecretSource::Given(vec![text.into()]),
        api_key,
        Clock::system(),
    )
}

fn payment() -> ApiCall {
    ApiCall::get(&["payments", "PM1"]).expect("is plain")
}

const TOKEN: ApiAuth = ApiAuth::ClientCredentials {
    token_path: "/token",
};

#[tokio::test]
async fn a_question_goes_out_with_key_and_headers_over_one_connection() {
    let stand_in = FakeApi::open(&[(200, "{\"a\":1}"), (404, "{}")]).await;
    let client = stand_in.client(ApiAuth::Bearer);
    let found = client.call(&payment()).await.expect("answers");
    assert_eq!((found.status, &*found.body), (200, &b"{\"a\":1}"[..]));
    let missing = client
        .call(&payment())
        .await
        .expect("says that there is none");
    assert_eq!(missing.status, 404);
    for head in stand_in.requests() {
        assert!(head.starts_with("GET /payments/PM1 HTTP/1.1"), "{head}");
        assert!(head.contains("authorization: Bearer id:secret"), "{head}");
        assert!(head.contains("api-version: 2015-07-06"), "{head}");
    }
    assert_eq!(*stand_in.connections.lock().expect("is whole"), 1);
}

#[tokio::test]
async fn what_says_later_is_asked_thrice_and_then_no_answer() {
    let once = FakeApi::open(&[(503, ""), (200, "{}")]).await;
    let answer = once.client(ApiAuth::Bearer).call(&payment()).await;
    assert_eq!(answer.expect("answers at last").status, 200);
    for status in [429, 500, 503, 401, 403] {
        let never = FakeApi::open(&[(status, "{}")]).await;
        assert_eq!(never.client(ApiAuth::Bearer).call(&payment()).await, None);
        assert_eq!(never.requests().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn a_token_is_had_once_and_anew_when_it_is_old_or_refused() {
    let granted = |token: &str| format!("{{\"access_token\":\"{token}\",\"expires_in\":3600}}");
    let (one, two, three) = (granted("one"), granted("two"), granted("three"));
    let answers = [
        (200, one.as_str()),
        (200, "{}"),
        (200, "{}"),
        (200, &two),
        (401, "{}"),
        (200, &three),
        (200, "{}"),
    ];
    let stand_in = FakeApi::open(&answers).await;
    let now = Arc::new(Mutex::new(Timestamp::UNIX_EPOCH));
    let shared = Arc::clone(&now);
    let client = stand_in.client_at(TOKEN, Clock::new(move || *shared.lock().expect("is whole")));
    for _ in 0..2 {
        assert!(client.call(&payment()).await.is_some());
    }
    // A minute before it ends it is old.
    *now.lock().expect("is whole") += SignedDuration::from_secs(3541);
    assert!(client.call(&payment()).await.is_some());
    let asked: Vec<String> = stand_in
        .requests()
        .iter()
        .map(|head| {
            let first = head.lines().next().expect("is there").to_owned();
            let key = head
                .lines()
                .find_map(|line| line.strip_prefix("authorization: "));
            format!("{} {}", first.replace(" HTTP/1.1", ""), key.unwrap_or("-"))
        })
        .collect();
    let basic = "POST /token Basic aWQ6c2VjcmV0";
    let with = |token: &str| format!("GET /payments/PM1 Bearer {token}");
    let expected = [
        basic,
        &with("one"),
        &with("one"),
        basic,
        &with("two"),
        basic,
        &with("three"),
    ];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_certificate_is_fetched_without_a_key() {
    let stand_in = FakeApi::open(&[(200, "PEM")]).await;
    let call = ApiCall {
        method: Method::Get,
        target: CallTarget::Certificate(format!("{}/cert", stand_in.url).into()),
        body: Arc::default(),
    };
    let answer = stand_in.client(ApiAuth::Bearer).call(&call).await;
    assert_eq!(&*answer.expect("answers").body, b"PEM");
    assert!(!stand_in.requests()[0].contains("authorization"));
}

#[tokio::test]
async fn an_answer_without_end_and_a_key_that_is_none_are_no_answer() {
    let large = format!("\"{}\"", "x".repeat(super::MAX_ANSWER_BYTES));
    let stand_in = FakeApi::open(&[(200, &large)]).await;
    assert_eq!(
        stand_in.client(ApiAuth::Bearer).call(&payment()).await,
        None
    );
    let clock = Clock::system();
    let keyless = HttpApi::new(&api(ApiAuth::Bearer), &stand_in.url, key_of(""), clock);
    let before = stand_in.requests().len();
    assert_eq!(
        keyless.expect("is on loopback").call(&payment()).await,
        None
    );
    assert_eq!(
        stand_in.requests().len(),
        before,
        "nothing is asked without a key"
    );
}

#[test]
fn a_key_goes_over_tls_or_to_this_machine_alone() {
    for (base, may) in [
        ("https://api.example.com", true),
        ("https://api.example.com/v2", true),
        ("http://127.0.0.1:4010", true),
        ("http://localhost:4010", true),
        ("http://api.example.com", false),
        ("http://127.0.0.1.example.com", false),
        ("ftp://127.0.0.1", false),
        ("api.example.com", false),
        ("", false),
    ] {
        let made = HttpApi::new(&api(ApiAuth::Bearer), base, key_of("key"), Clock::system());
        assert_eq!(made.is_ok(), may, "{base}");
    }
}
