//! Where a partner is told of its rows, as people set it: commands as processes of their own
//! against a stack of its own, and what then comes.

use super::command_line::CommandLine;
use super::support::{open, shop};
use axum::Router;
use axum::http::StatusCode;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_set_and_told_and_put_on_again_and_forgotten_by_command() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    let reports = typed.run_ok("partner add acme --rate 20% --life --hold 30d --window 60d");
    for (words, said) in INVALID_COMMANDS {
        let refused = typed.run_refused(words);
        assert!(refused.contains(said), "{words}: {refused}");
    }
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let gone = Arc::new(AtomicBool::new(true));
    let url = notice_receiver(told.clone(), gone.clone()).await;
    let secret = typed.run_ok(&format!("partner endpoint acme {url}"));
    assert!(
        secret.starts_with("whsec_") && secret != reports,
        "{secret}"
    );
    typed.run_ok("send partner/acme referral.created --set data.customer.email=ada@x.example");
    typed.send_payment("cus_ada", "in_1", "ada@x.example");
    stack.settle().await.unwrap();
    assert!(!told.lock().unwrap().is_empty());
    let stands = || {
        let output = typed.run("partner endpoint acme");
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), secret);
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(stands().contains("it answered 410 Gone"), "{}", stands());
    told.lock().unwrap().clear();
    gone.store(false, Relaxed);
    assert_eq!(typed.run_ok("partner endpoint acme --enable"), secret);
    assert!(
        stands().ends_with("the endpoint is enabled\n"),
        "{}",
        stands()
    );
    typed.run_ok("calendar run");
    stack.settle().await.unwrap();
    let kinds: BTreeSet<String> = told.lock().unwrap().drain(..).collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    assert_eq!(kinds, ["commission.created", "referral.attributed"]);
    // A secret that can't be shown is not changed.
    typed.run_refused("partner endpoint acme --rotate --root short");
    assert!(
        stands().ends_with("the endpoint is enabled\n"),
        "{}",
        stands()
    );
    let rotated = typed.run_ok("partner endpoint acme --rotate");
    assert!(rotated.starts_with("whsec_") && rotated != secret);
    let both = || {
        let output = typed.run("partner endpoint acme");
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), rotated);
        let said = String::from_utf8(output.stderr).unwrap();
        said.contains("also with the one before")
    };
    assert!(both());
    typed.run_ok("clock advance 1d");
    assert!(!both(), "a day later it signs alone");
    let wrong = typed.run_refused("partner endpoint acme --rotate --remove");
    assert!(wrong.contains("cannot be used with"), "{wrong}");
    typed.run_ok("partner endpoint acme --remove");
    let none = typed.run_refused("partner endpoint acme --rotate");
    assert!(none.contains("has no notice endpoint"), "{none}");
    let none = typed.run_refused("partner endpoint acme");
    assert!(none.contains("has no notice endpoint"), "{none}");
    typed.send_payment("cus_ada", "in_2", "ada@x.example");
    stack.settle().await.unwrap();
    assert!(told.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_is_tried_with_a_notice_of_every_kind_before_there_is_anything_to_tell() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    typed.run_ok("partner add acme");
    let none = typed.run_refused("partner test acme http://127.0.0.1:1/ --notices");
    assert!(none.contains("has no notice endpoint"), "{none}");
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let gone = Arc::new(AtomicBool::new(false));
    let url = notice_receiver(told.clone(), gone.clone()).await;
    typed.run_ok(&format!("partner endpoint acme {url}"));
    let test = format!("partner test acme {url} --notices");
    typed.run_ok(&test);
    let kinds: BTreeSet<String> = told.lock().unwrap().drain(..).collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "commission.created",
            "commission.disputed",
            "commission.refunded",
            "commission.released",
            "commission.reversed",
            "payout.created",
            "referral.attributed",
            "referral.held",
            "referral.refused",
            "referral.waiting",
        ]
    );
    gone.store(true, Relaxed);
    let refused = typed.run_refused(&test);
    assert!(
        refused.contains("not accepted: referral.attributed"),
        "{refused}"
    );
    // It stands for nothing: neither rows nor the endpoint's own state change.
    assert!(
        typed
            .run_ok("partner statement acme")
            .contains("nothing is owed yet")
    );
    let output = typed.run("partner endpoint acme");
    let stands = String::from_utf8(output.stderr).unwrap();
    assert!(stands.contains("the endpoint is enabled"), "{stands}");
}

/// What is typed before an endpoint is set, and a part of what is said to it.
const INVALID_COMMANDS: &[(&str, &str)] = &[
    ("partner endpoint acme", "acme has no notice endpoint"),
    (
        "partner endpoint acme --enable",
        "acme has no notice endpoint",
    ),
    (
        "partner endpoint acme https://example.com/",
        "sends to this machine alone",
    ),
    (
        "partner endpoint acme http://10.0.0.1/",
        "sends to this machine alone",
    ),
    (
        "partner endpoint acme http://me@127.0.0.1/",
        "holds a user name",
    ),
    (
        "partner endpoint nobody http://127.0.0.1:1/",
        "no partner is called nobody",
    ),
    (
        "partner endpoint acme http://127.0.0.1:1/ --remove",
        "cannot be used with",
    ),
];

/// An endpoint that answers 410 while it is gone; it keeps the type of all that comes.
async fn notice_receiver(told: Arc<Mutex<Vec<String>>>, gone: Arc<AtomicBool>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notices", listener.local_addr().unwrap());
    let router = Router::new().fallback(move |body: String| async move {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let kind = body["type"].as_str().unwrap();
        told.lock().unwrap().push(kind.to_owned());
        match gone.load(Relaxed) {
            true => StatusCode::GONE,
            false => StatusCode::NO_CONTENT,
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
