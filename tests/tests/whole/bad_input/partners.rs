//! The partners' endpoint.

use super::{PARTNER_EVENTS_PATH, RequestCase, case};
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use local_shop::delivery::sample;
use local_shop::shop::LOCAL_MASTER;
use providers::{Secret, partner, partner_secret};
use tests::harness::TestHarness;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_proves_nothing_or_says_nothing_is_refused_by_name() {
    let harness = TestHarness::local_stack().counted().open().await;
    let wire = harness.proxy().clone();
    harness.add_partner("acme").await;
    let now = harness.now();
    for case in unproven(now) {
        let answer = harness
            .post("POST", PARTNER_EVENTS_PATH, &case.headers, case.body)
            .await;
        assert_eq!(answer.status, case.status, "{}: {answer:?}", case.name);
        assert!(
            answer.body.contains(case.expected_text),
            "{}: {}",
            case.name,
            answer.body
        );
        assert_eq!(
            wire.take_operations(),
            [""; 0],
            "{} cost store requests",
            case.name
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_given_out_but_is_not_in_force_costs_one_read() {
    let harness = TestHarness::local_stack().counted().open().await;
    let wire = harness.proxy().clone();
    harness.add_partner("acme").await;
    let (report, now) = (report(), harness.now());
    for (name, version) in [("ghost", 1), ("acme", 2)] {
        let headers = partner::sign(&report, &key(name, version), now);
        let path = format!("/partners/{name}/events");
        let answer = harness.post("POST", &path, &headers, report.clone()).await;
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert!(
            answer.body.contains("no longer in force"),
            "{name}: {}",
            answer.body
        );
        assert_eq!(wire.take_operations(), ["GetItem"], "{name}");
    }
    let unheard = br#"{"type":"referral.hummed","data":{}}"#;
    for (body, status, message) in [
        (&unheard[..], 422, "`referral.created`"),
        (&report, 202, "accepted"),
        (&report, 202, "repeated"),
    ] {
        let headers = partner::sign(body, &key("acme", 1), now);
        let answer = harness
            .post("POST", PARTNER_EVENTS_PATH, &headers, body.to_vec())
            .await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.contains(message), "{answer:?}");
    }
}

fn unproven(now: Timestamp) -> Vec<RequestCase> {
    let (acme, report) = (key("acme", 1), report());
    let far = SignedDuration::from_secs(900);
    let signed = |body: &[u8]| partner::sign(body, &acme, now);
    let twice = String::from_utf8(report.clone()).unwrap();
    let twice = twice.replacen("\"data\"", "\"data\":1,\"data\"", 1);
    let nobody = br#"{"type":"referral.created","data":{"referral_id":"r-1"}}"#;
    let (big, deep) = (vec![b' '; 5 * 1024], vec![b'['; 4_000]);
    let other = partner::sign(&report, &key("other", 1), now);
    let (past, future) = (now - far, now + far);
    let (past, future) = (
        partner::sign(&report, &acme, past),
        partner::sign(&report, &acme, future),
    );
    let garbled = vec![
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", "soon".to_owned()),
        ("webhook-signature", "v1,AAAA".to_owned()),
    ];
    vec![
        case("unsigned", vec![], &report, 401, "`webhook-id` is missing"),
        case(
            "another partner's key",
            other,
            &report,
            401,
            "no signature fits",
        ),
        case("stale", past, &report, 401, "s ago"),
        case("future", future, &report, 401, "s ahead"),
        case("garbled", garbled, &report, 400, "plain seconds"),
        case("zero bytes", signed(b""), b"", 400, "empty"),
        case("5 kB", signed(&big), &big, 413, "4 kB"),
        case("invalid UTF-8", signed(b"\xff"), b"\xff", 400, "UTF-8"),
        case("deep nesting", signed(&deep), &deep, 400, "JSON"),
        case(
            "duplicate keys",
            signed(twice.as_bytes()),
            twice.as_bytes(),
            400,
            "JSON",
        ),
        case("names nobody", signed(nobody), nobody, 422, "names nobody"),
    ]
}

fn report() -> Vec<u8> {
    let report = sample(partner::samples(), "referral.created");
    report.unwrap().into_bytes()
}

fn key(name: &str, version: u32) -> Secret {
    let master = Secret::new(LOCAL_MASTER).unwrap();
    partner_secret(&master, &PartnerId::parse(name).unwrap(), version).unwrap()
}
