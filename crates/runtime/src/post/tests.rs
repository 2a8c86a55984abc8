//! Which addresses are posted to, and what answers mean; over loopback, nothing goes further.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail loudly; the lints' exception covers test functions alone"
)]

use super::{BadDestination, NetworkScope, Post as _, PostOutcome, Poster};
use hyper_util::client::legacy::connect::dns::Name;
use jiff::{SignedDuration, Timestamp};
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower_service::Service;

#[test]
fn only_addresses_that_everybody_reaches_are_public() {
    for public in [
        "1.1.1.1",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.167.1.1",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:200::1",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::1",
    ] {
        assert!(is_public(public), "{public}");
    }
    for address in RESERVED {
        assert!(!is_public(address), "{address}");
        let IpAddr::V4(v4) = parsed(address) else {
            panic!("{address} is of the other kind")
        };
        let [a, b, c, d] = v4.octets();
        for carried in [
            format!("::ffff:{address}"),
            format!("64:ff9b::{address}"),
            format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1"),
            format!("::{address}"),
        ] {
            assert!(!is_public(&carried), "{carried}");
        }
    }
    for address in [
        "::",
        "::1",
        "64:ff9b:1::1.1.1.1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:db8::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(address), "{address}");
    }
}

/// One or more of each network that is not public.
const RESERVED: [&str; 23] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
];

#[test]
fn an_address_to_post_to_is_https_and_a_public_name() {
    use BadDestination::{IpLiteral, NotHttps, NotLoopback, PrivateName, Unreadable, UserInfo};
    let long = format!("https://example.com/{}", "x".repeat(2_000));
    for (url, found) in [
        ("https://example.com/notices?key=1", None),
        ("https://notices.example.com:8443/", None),
        ("https://example.com./", None),
        ("http://example.com/", Some(NotHttps)),
        ("ftp://example.com/", Some(NotHttps)),
        ("https://me:word@example.com/", Some(UserInfo)),
        ("https://example.com@127.0.0.1/", Some(UserInfo)),
        ("https://127.0.0.1/", Some(IpLiteral)),
        ("https://1.1.1.1/", Some(IpLiteral)),
        ("https://[2606:4700::1111]/", Some(IpLiteral)),
        ("https://[::ffff:169.254.169.254]/", Some(IpLiteral)),
        ("https://127.1/", Some(IpLiteral)),
        ("https://2130706433/", Some(IpLiteral)),
        ("https://0177.0.0.1/", Some(IpLiteral)),
        ("https://127.0.0.1./", Some(IpLiteral)),
        ("https://0x7f.0x1/", Some(IpLiteral)),
        ("https://0X7F000001/", Some(IpLiteral)),
        ("https://localhost/", Some(PrivateName)),
        ("https://metadata/", Some(PrivateName)),
        ("https://localhost./", Some(PrivateName)),
        ("", Some(Unreadable)),
        ("example.com", Some(Unreadable)),
        ("https://", Some(Unreadable)),
        ("/notices", Some(Unreadable)),
        ("https://example.com/a b", Some(Unreadable)),
        ("https://example.com/\r\nX: 1", Some(Unreadable)),
        ("https://exämple.com/", Some(Unreadable)),
        (&long, Some(Unreadable)),
    ] {
        assert_eq!(NetworkScope::Public.check(url).err(), found, "{url}");
    }
    for (url, found) in [
        ("http://127.0.0.1:8080/notices", None),
        ("http://localhost:8080/", None),
        ("http://[::1]:8080/", None),
        ("https://example.com/", Some(NotLoopback)),
        ("http://10.0.0.1/", Some(NotLoopback)),
        ("http://127.0.0.1.example.com/", Some(NotLoopback)),
        ("http://me@127.0.0.1/", Some(UserInfo)),
    ] {
        assert_eq!(NetworkScope::Loopback.check(url).err(), found, "{url}");
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let receiver = TestReceiver::open("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let port = receiver.address.port();
    for addresses in [
        vec!["127.0.0.1"],
        vec!["::ffff:127.0.0.1"],
        vec!["1.1.1.1", "127.0.0.1"],
    ] {
        let names = FixedResolver(addresses.iter().map(|address| parsed(address)).collect());
        let poster = Poster::with_resolver(names, NetworkScope::Public).expect("roots are there");
        let url = format!("https://partner.example.com:{port}/notices");
        let PostOutcome::Failed { why, retry_after } = posted(&poster, &url).await else {
            panic!("posted to {addresses:?}")
        };
        assert!(why.starts_with("its name leads to an address"), "{why}");
        assert_eq!(retry_after, None);
    }
    assert!(receiver.requests().is_empty());
    // The same name, where it may lead here, does connect: what refused it was the look.
    let names = FixedResolver(vec![parsed("127.0.0.1")]);
    let poster = Poster::with_resolver(names, NetworkScope::Loopback).expect("roots are there");
    let url = format!("http://localhost:{port}/");
    assert_eq!(posted(&poster, &url).await, PostOutcome::Accepted);
}

#[tokio::test]
async fn answers_say_whether_and_when_to_come_again() {
    let failed = |why: &str, seconds: Option<i64>| PostOutcome::Failed {
        why: why.to_owned(),
        retry_after: seconds.map(SignedDuration::from_secs),
    };
    let elsewhere = "it answered 302 elsewhere, and none is followed";
    let metadata = "location: http://169.254.169.254/latest/meta-data/\r\n";
    for (status, headers, expected) in [
        (200, "", PostOutcome::Accepted),
        (204, "", PostOutcome::Accepted),
        (410, "", PostOutcome::Gone),
        (302, metadata, failed(elsewhere, None)),
        (500, "", failed("it answered 500", None)),
        (404, "", failed("it answered 404", None)),
        (
            429,
            "retry-after: 120\r\n",
            failed("it answered 429", Some(120)),
        ),
        (
            503,
            "retry-after: Thu, 01 Jan 2026 01:00:00 GMT\r\n",
            failed("it answered 503", Some(3_600)),
        ),
        (
            503,
            "retry-after: soon\r\n",
            failed("it answered 503", None),
        ),
        (503, "retry-after: -5\r\n", failed("it answered 503", None)),
    ] {
        let answer = format!("HTTP/1.1 {status} So\r\n{headers}content-length: 0\r\n\r\n");
        let receiver = TestReceiver::open(&answer).await;
        let poster = Poster::loopback().expect("roots are there");
        assert_eq!(posted(&poster, &receiver.url()).await, expected, "{answer}");
        let heard = receiver.requests();
        assert_eq!(heard.len(), 1, "{answer}");
        let text = heard.concat();
        assert!(text.starts_with("POST /notices HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("\r\nwebhook-id: msg_1\r\n"), "{text}");
        assert!(text.contains("\r\ncontent-type: application/json\r\n"));
        assert!(text.ends_with("\r\n\r\n{}"), "{text}");
    }
}

#[tokio::test]
async fn whoever_answers_too_late_or_not_at_all_has_not_answered() {
    let silent = TestReceiver::open("").await;
    let mut poster = Poster::loopback().expect("roots are there");
    poster.time_limit = Duration::from_millis(200);
    let late = PostOutcome::Failed {
        why: "no answer in time".to_owned(),
        retry_after: None,
    };
    assert_eq!(posted(&poster, &silent.url()).await, late);
    poster.time_limit = Duration::from_secs(10);
    let broken = PostOutcome::Failed {
        why: "no connection, or one that broke".to_owned(),
        retry_after: None,
    };
    let garbled = TestReceiver::open("what?\r\n\r\n").await;
    assert_eq!(posted(&poster, &garbled.url()).await, broken);
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("is free");
    let url = format!("http://{}/", closed.local_addr().expect("is bound"));
    drop(closed);
    assert_eq!(posted(&poster, &url).await, broken);
    // Told over plain HTTP or to somebody else's machine, nothing is sent at all.
    let why = BadDestination::NotLoopback.to_string();
    let outside = PostOutcome::Failed {
        why,
        retry_after: None,
    };
    assert_eq!(posted(&poster, "http://example.com/").await, outside);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let endless = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{}",
        "x".repeat(64 * 1024)
    );
    let receiver = TestReceiver::open(&endless).await;
    let poster = Poster::loopback().expect("roots are there");
    assert_eq!(
        posted(&poster, &receiver.url()).await,
        PostOutcome::Accepted
    );
}

fn parsed(address: &str) -> IpAddr {
    address.parse().expect("is an address")
}

fn is_public(address: &str) -> bool {
    NetworkScope::Public.includes(parsed(address))
}

async fn posted<R: super::Resolver>(poster: &Poster<R>, url: &str) -> PostOutcome {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("is a moment");
    let headers = [("webhook-id", "msg_1".to_owned())];
    poster.post(url, &headers, b"{}".to_vec(), now).await
}

/// Leads every name to these.
#[derive(Clone)]
struct FixedResolver(Vec<IpAddr>);

impl Service<Name> for FixedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        let found: Vec<_> = self.0.iter().map(|ip| SocketAddr::new(*ip, 0)).collect();
        ready(Ok(found.into_iter()))
    }
}

/// Takes one request a connection and gives each the same answer, then waits to be left.
struct TestReceiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TestReceiver {
    async fn open(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("is free");
        let address = listener.local_addr().expect("is bound");
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answer, hearing) = (answer.to_owned(), heard.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, hearing) = (answer.clone(), hearing.clone());
                tokio::spawn(async move {
                    let mut read = vec![0; 64 * 1024];
                    let mut length = 0;
                    while !read[..length].ends_with(b"{}") {
                        match stream.read(&mut read[length..]).await {
                            Ok(count) if count > 0 => length += count,
                            Ok(_) | Err(_) => break,
                        }
                    }
                    let text = String::from_utf8_lossy(&read[..length]).into_owned();
                    hearing.lock().expect("is whole").push(text);
                    // Whoever has read enough may be gone.
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.read(&mut read).await;
                });
            }
        });
        Self {
            address,
            requests: heard,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/notices", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("is whole").clone()
    }
}
