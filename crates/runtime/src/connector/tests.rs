//! The SDK's requests over loopback, against something that answers, or hangs up.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail loudly; the lints' exception covers test functions alone"
)]

use super::{HttpClient, call, client};
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http_body_util::BodyExt;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_request_goes_out_whole_and_its_answer_comes_back() {
    let (url, connections) = open(true).await;
    let client = trusting_nobody();
    for _ in 0..2 {
        let answer = call(&client, request(&url)).await.expect("is answered");
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(whole(answer).await, b"POST / heard: asked");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "the pool keeps it");
}

#[tokio::test]
async fn a_poisoned_connection_is_not_used_again() {
    let (url, connections) = open(true).await;
    let client = trusting_nobody();
    let mut first = request(&url);
    let capture = CaptureSmithyConnection::new();
    first.add_extension(capture.clone());
    let answer = call(&client, first).await.expect("is answered");
    whole(answer).await;
    capture.get().expect("is captured").poison();
    call(&client, request(&url)).await.expect("is answered");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_broke_off_or_never_arrived_may_be_sent_again() {
    let (url, _) = open(false).await;
    let broken = call(&trusting_nobody(), request(&url)).await;
    let broken = broken.expect_err("hangs up");
    let may = broken.is_io() || broken.as_other() == Some(ErrorKind::TransientError);
    assert!(may, "{broken:?}");
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("is free");
    let url = format!("http://{}/", closed.local_addr().expect("is bound"));
    drop(closed);
    let refused = call(&trusting_nobody(), request(&url)).await;
    assert!(refused.expect_err("nobody listens").is_io());
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_sent_again() {
    let wrong = call(&trusting_nobody(), request("no address")).await;
    let wrong = wrong.expect_err("is no address");
    let again = wrong.is_io() || wrong.is_timeout() || wrong.as_other().is_some();
    assert!(!again, "{wrong:?}");
}

fn trusting_nobody() -> HttpClient {
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS");
    let nobody = RootCertStore::empty();
    client(tls.with_root_certificates(nobody).with_no_client_auth())
}

fn request(url: &str) -> HttpRequest {
    let mut request = HttpRequest::new(SdkBody::from("asked"));
    request.set_method("POST").expect("is a method");
    if request.set_uri(url).is_err() {
        request.set_uri("/nowhere").expect("is a path");
    }
    request
}

async fn whole(answer: HttpResponse) -> Vec<u8> {
    let body = answer.into_body().collect().await;
    body.expect("comes whole").to_bytes().to_vec()
}

/// Where it listens, and how many connections came.
async fn open(answers: bool) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("is free");
    let url = format!("http://{}/", listener.local_addr().expect("is bound"));
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, answers));
        }
    });
    (url, connections)
}

/// Requests here are so short that each comes in one piece.
async fn serve(mut stream: TcpStream, answers: bool) {
    let mut read = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut read).await {
        if !answers {
            return;
        }
        let asked = String::from_utf8_lossy(&read[..count]).into_owned();
        let (head, body) = asked.split_once("\r\n\r\n").expect("is whole");
        let line = head.split(" HTTP").next().expect("has a line");
        let reply = format!("{line} heard: {body}");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{reply}",
            reply.len()
        );
        stream
            .write_all(answer.as_bytes())
            .await
            .expect("is written");
    }
}
