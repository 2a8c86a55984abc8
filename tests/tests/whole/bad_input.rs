//! Whatever comes to a door has one named answer: never a 500, never a panic, and no store
//! request where nothing was proven.

use crate::support::house::{House, shop};
use crate::support::logs;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use orangery::delivery::{Answer, sample, set};
use orangery::wiring::{LOCAL_MASTER, Shop};
use providers::{Secret, partner, partner_secret};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

const DOOR: &str = "/webhooks/stripe";
const PARTNERS: &str = "/partners/acme/events";

/// Who sends, as which partner, and from how far in time.
struct Sender {
    house: House,
    secret: Secret,
}

impl Sender {
    fn now(&self) -> Timestamp {
        self.house.now()
    }

    fn header(&self, body: &[u8], now: Timestamp) -> String {
        let signed = self.house.signers().provider.sign(body, &self.secret, now);
        signed.unwrap().remove(0).1
    }

    fn stripe(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        vec![("stripe-signature", self.header(body, self.now()))]
    }

    async fn at_door(&self, headers: &[(&'static str, String)], body: Vec<u8>) -> Answer {
        self.house.post("POST", DOOR, headers, body).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_proves_nothing_is_refused_by_name_and_costs_no_store_request() {
    let (house, wire) = House::counted(shop()).await;
    let secret = Secret::new(&house.signers().secret).unwrap();
    let sender = Sender { house, secret };
    let body = invoice(&[]);
    let header = |text: String| vec![("stripe-signature", text)];
    let good = sender.header(&body, sender.now());
    let (time, signature) = good.split_once(',').unwrap();
    let far = SignedDuration::from_secs(302);
    let (past, future) = (sender.now() - far, sender.now() + far);
    let other = Secret::new("whsec_of_another_endpoint_altogether").unwrap();
    let others = Sender {
        secret: other,
        house: sender.house,
    };
    let wrong = others.header(&body, others.now());
    let sender = Sender {
        secret: Secret::new(&others.house.signers().secret).unwrap(),
        ..others
    };
    let many = format!("{time},{}", vec![signature; 17].join(","));
    let mut tampered = body.clone();
    tampered.push(b' ');
    let cases: Vec<(&str, Vec<(&'static str, String)>, Vec<u8>, u16, &str)> = vec![
        (
            "unsigned",
            vec![],
            body.clone(),
            401,
            "`stripe-signature` is missing",
        ),
        (
            "an empty header",
            header(String::new()),
            body.clone(),
            401,
            "is missing",
        ),
        (
            "wrong secret",
            header(wrong),
            body.clone(),
            401,
            "no signature fits",
        ),
        (
            "tampered body",
            header(good.clone()),
            tampered,
            401,
            "no signature fits",
        ),
        (
            "stale",
            header(sender.header(&body, past)),
            body.clone(),
            401,
            "s ago",
        ),
        (
            "future",
            header(sender.header(&body, future)),
            body.clone(),
            401,
            "s ahead",
        ),
        (
            "no time",
            header(signature.into()),
            body.clone(),
            400,
            "no time",
        ),
        (
            "no signature",
            header(time.into()),
            body.clone(),
            400,
            "no signature",
        ),
        (
            "a time of letters",
            header(format!("t=soon,{signature}")),
            body.clone(),
            400,
            "plain",
        ),
        (
            "a signed time",
            header(format!("t=+1,{signature}")),
            body.clone(),
            400,
            "plain",
        ),
        (
            "two times",
            header(format!("{time},t=1,{signature}")),
            body.clone(),
            400,
            "two",
        ),
        (
            "garbage",
            header("\u{1f34a};;=,=,".into()),
            body.clone(),
            400,
            "no time",
        ),
        (
            "5 kB of header",
            header("x".repeat(5000)),
            body.clone(),
            400,
            "4096",
        ),
        ("seventeen", header(many), body.clone(), 401, "more than 16"),
        (
            "upper case",
            header(good.to_uppercase()),
            body.clone(),
            400,
            "no time",
        ),
        ("zero bytes", sender.stripe(b""), Vec::new(), 400, "empty"),
        (
            "2 MB",
            sender.stripe(&[b' '; 2 << 20]),
            vec![b' '; 2 << 20],
            413,
            "this door takes",
        ),
        (
            "6 MB",
            sender.stripe(&[b' '; 6 << 20]),
            vec![b' '; 6 << 20],
            413,
            "this door takes",
        ),
        ("7 MB", sender.stripe(b""), vec![b' '; 7 << 20], 413, "6 MB"),
        (
            "40 kB of headers",
            vec![("x-more", "x".repeat(40_000))],
            body.clone(),
            431,
            "headers",
        ),
    ];
    for (name, headers, body, status, words) in cases {
        let answer = sender.at_door(&headers, body).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert!(answer.body.contains(words), "{name}: {}", answer.body);
        assert_eq!(wire.since(), [""; 0], "{name} cost store requests");
    }
    for (method, path, status) in [
        ("GET", DOOR, 405),
        ("PUT", DOOR, 405),
        ("DELETE", DOOR, 405),
        ("POST", "/webhooks/nobody", 404),
        ("POST", "/webhooks/stripe/", 404),
        ("POST", "/webhooks", 404),
        ("GET", PARTNERS, 405),
        ("POST", "/partners/ACME/events", 404),
        ("POST", "/partners//events", 404),
        ("POST", "/partners/acme", 404),
    ] {
        let answer = sender
            .house
            .post(method, path, &sender.stripe(&body), body.clone())
            .await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(wire.since(), [""; 0], "{method} {path} cost store requests");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_authentic_is_taken_whatever_it_says_and_its_verdict_is_named() {
    let (house, wire) = House::counted(shop()).await;
    let secret = Secret::new(&house.signers().secret).unwrap();
    let sender = Sender { house, secret };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = String::from_utf8(invoice(&[])).unwrap();
    let twice = text.replacen("\"amount_paid\"", "\"amount_paid\":1,\"amount_paid\"", 1);
    let status = ("data.object.status", json!("hibernating"));
    for (name, body, verdict, journaled) in [
        (
            "invalid UTF-8",
            [b"{\"id\":\"\xff\xfe\"".to_vec(), b"}".to_vec()].concat(),
            "quarantined",
            true,
        ),
        ("NUL bytes", vec![0; 64], "quarantined", true),
        (
            "a byte order mark",
            format!("\u{feff}{text}").into_bytes(),
            "quarantined",
            true,
        ),
        ("duplicate keys", twice.into_bytes(), "quarantined", true),
        ("deep nesting", deep.into_bytes(), "quarantined", true),
        ("no object", b"[1, 2]".to_vec(), "quarantined", true),
        (
            "half of it",
            text.as_bytes()[..text.len() / 2].to_vec(),
            "quarantined",
            true,
        ),
        (
            "unknown status",
            changed("customer.subscription.updated", &[status]),
            "quarantined",
            true,
        ),
        (
            "unknown currency",
            invoice(&[("data.object.currency", json!("qqq"))]),
            "quarantined",
            true,
        ),
        (
            "no amount",
            invoice(&[("data.object.amount_paid", json!("12"))]),
            "quarantined",
            true,
        ),
        (
            "unknown event type",
            invoice(&[("type", json!("invoice.hummed"))]),
            "ignored",
            false,
        ),
        (
            "wrong mode",
            invoice(&[("livemode", json!(true))]),
            "wrong_mode",
            false,
        ),
    ] {
        let answer = sender.at_door(&sender.stripe(&body), body.clone()).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert!(
            answer.body.contains(&format!("\"{verdict}\":1")),
            "{name}: {}",
            answer.body
        );
        assert_eq!(!wire.since().is_empty(), journaled, "{name}");
        let again = sender.at_door(&sender.stripe(&body), body).await;
        let verdict = if journaled { "repeated" } else { verdict };
        assert!(
            again.body.contains(&format!("\"{verdict}\":1")),
            "{name}: {}",
            again.body
        );
        wire.since();
    }
    sender.house.settle().await;
    assert_eq!(sender.house.stack.counts().unwrap().failed_batches, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_partners_door_names_every_answer_too() {
    let (house, wire) = House::counted(shop()).await;
    house.partner("acme").await;
    let master = Secret::new(LOCAL_MASTER).unwrap();
    let of = |name: &str, version| {
        partner_secret(&master, &PartnerId::parse(name).unwrap(), version).unwrap()
    };
    let (acme, now) = (of("acme", 1), house.now());
    let far = SignedDuration::from_secs(302);
    let report = sample(partner::samples(), "referral.created")
        .unwrap()
        .into_bytes();
    let sign = |body: &[u8], secret: &Secret, at| partner::sign(body, secret, at);
    let twice = String::from_utf8(report.clone()).unwrap();
    let twice = twice
        .replacen("\"data\"", "\"data\":1,\"data\"", 1)
        .into_bytes();
    let nobody = br#"{"type":"referral.created","data":{"referral_id":"r-1"}}"#.to_vec();
    let unheard = br#"{"type":"referral.hummed","data":{}}"#.to_vec();
    let garbled = vec![
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", "soon".to_owned()),
        ("webhook-signature", "v1,AAAA".to_owned()),
    ];
    let big = vec![b' '; 65 * 1024];
    let deep = vec![b'['; 10_000];
    // One read of the partner's row is what an authentic signature may cost.
    for (name, path, headers, body, status, reads) in [
        ("unsigned", PARTNERS, vec![], report.clone(), 401, 0),
        (
            "wrong secret",
            PARTNERS,
            sign(&report, &of("other", 1), now),
            report.clone(),
            401,
            0,
        ),
        (
            "stale",
            PARTNERS,
            sign(&report, &acme, now - far),
            report.clone(),
            401,
            0,
        ),
        (
            "future",
            PARTNERS,
            sign(&report, &acme, now + far),
            report.clone(),
            401,
            0,
        ),
        ("garbled", PARTNERS, garbled, report.clone(), 400, 0),
        (
            "zero bytes",
            PARTNERS,
            sign(b"", &acme, now),
            vec![],
            400,
            0,
        ),
        ("65 kB", PARTNERS, sign(&big, &acme, now), big, 413, 0),
        (
            "invalid UTF-8",
            PARTNERS,
            sign(b"\xff", &acme, now),
            b"\xff".to_vec(),
            400,
            0,
        ),
        (
            "deep nesting",
            PARTNERS,
            sign(&deep, &acme, now),
            deep,
            400,
            0,
        ),
        (
            "duplicate keys",
            PARTNERS,
            sign(&twice, &acme, now),
            twice,
            400,
            0,
        ),
        (
            "names nobody",
            PARTNERS,
            sign(&nobody, &acme, now),
            nobody,
            422,
            0,
        ),
        (
            "unknown partner",
            "/partners/ghost/events",
            sign(&report, &of("ghost", 1), now),
            report.clone(),
            401,
            1,
        ),
        (
            "a key not in force",
            PARTNERS,
            sign(&report, &of("acme", 2), now),
            report.clone(),
            401,
            1,
        ),
        (
            "unknown type",
            PARTNERS,
            sign(&unheard, &acme, now),
            unheard,
            202,
            0,
        ),
        (
            "a sound report",
            PARTNERS,
            sign(&report, &acme, now),
            report,
            202,
            2,
        ),
    ] {
        let answer = house.post("POST", path, &headers, body).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert_eq!(wire.since().len(), reads, "{name}: store requests");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lambda_event_that_is_none_or_lies_about_base64_is_a_400_and_no_panic() {
    let (house, wire) = House::counted(shop()).await;
    let secret = Secret::new(&house.signers().secret).unwrap();
    let sender = Sender { house, secret };
    let body = invoice(&[]);
    let signature = sender.header(&body, sender.now());
    let event = |body: &str, flagged: bool| {
        json!({
            "version": "2.0", "rawPath": DOOR, "body": body, "isBase64Encoded": flagged,
            "headers": { "Stripe-Signature": signature },
            "requestContext": { "requestId": "r-1", "http": { "method": "POST" } },
        })
        .to_string()
    };
    let text = String::from_utf8(body.clone()).unwrap();
    let packed = STANDARD.encode(&body);
    for route in &sender.house.wiring.routes {
        for (name, payload) in [
            ("bad base64", event("%%% no base64 %%%", true)),
            ("plain text flagged base64", event(&text, true)),
            ("cut base64", event(&packed[..packed.len() - 3], true)),
            ("no HTTP event", json!({ "Records": [] }).to_string()),
            ("no JSON", "orange".into()),
            ("nothing", String::new()),
        ] {
            let answer = route.function.invoke(payload.as_bytes()).await.unwrap();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            assert_eq!(
                answer["statusCode"], 400,
                "{name} at {}: {answer}",
                route.path
            );
            assert_eq!(wire.since(), [""; 0], "{name}");
        }
    }
    let door = &sender.house.wiring.routes[0].function;
    for (payload, status) in [
        (event(&packed, false), 401),
        (event(&packed, true), 200),
        (event(&text, false), 200),
    ] {
        let answer = door.invoke(payload.as_bytes()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["statusCode"], status, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_an_address_and_a_name_are_never_logged_nor_said_in_an_answer() {
    let canaries = [
        "whsec_canary7secret7canary7",
        "canary.bird@example.com",
        "Canary McTweet",
    ];
    let [secret, email, name] = canaries;
    let shop = Shop {
        secrets: [("stripe".to_owned(), vec![secret.to_owned()])].into(),
        ..shop()
    };
    let (house, _wire) = House::counted(shop).await;
    house.partner("acme").await;
    let sender = Sender {
        house,
        secret: Secret::new(secret).unwrap(),
    };
    let mut said = String::new();
    let person = [
        ("data.object.customer_email", json!(email)),
        ("data.object.customer_name", json!(name)),
    ];
    for field in [
        "data.object.status",
        "data.object.currency",
        "data.object.created",
        "data.object.amount_paid",
        "id",
        "created",
    ] {
        let mut fields = person.to_vec();
        fields.push((field, format!("{name} <{email}> {secret}").into()));
        let body = invoice(&fields);
        said.push_str(
            &sender
                .at_door(&sender.stripe(&body), body.clone())
                .await
                .body,
        );
        // The same from somebody who can't sign, with the secret where a signature belongs.
        let forged = vec![("stripe-signature", format!("t={secret},v1={email}"))];
        said.push_str(&sender.at_door(&forged, body).await.body);
    }
    for body in [
        invoice(&person),
        changed(
            "customer.created",
            &[
                ("data.object.email", json!(email)),
                ("data.object.name", json!(name)),
            ],
        ),
        changed("customer.subscription.updated", &[]),
    ] {
        said.push_str(&sender.at_door(&sender.stripe(&body), body).await.body);
    }
    let acme = partner_secret(
        &Secret::new(LOCAL_MASTER).unwrap(),
        &PartnerId::parse("acme").unwrap(),
        1,
    )
    .unwrap();
    for customer in [
        json!({ "email": email }),
        json!({ "email": name }),
        json!(email),
    ] {
        let report = json!({
            "type": "referral.created", "data": { "referral_id": "r-1", "customer": customer },
        });
        let report = report.to_string().into_bytes();
        let headers = partner::sign(&report, &acme, sender.now());
        said.push_str(
            &sender
                .house
                .post("POST", PARTNERS, &headers, report)
                .await
                .body,
        );
    }
    sender.house.settle().await;
    let logged = logs::lines();
    assert!(
        logged.contains("\"verdict\":\"refused\""),
        "nothing was captured"
    );
    let reveal = acme.reveal_standard();
    for canary in canaries.into_iter().chain(["canary", "Canary", &*reveal]) {
        assert!(!said.contains(canary), "an answer says `{canary}`: {said}");
        let line = logged.lines().find(|line| line.contains(canary));
        assert!(line.is_none(), "a log line says `{canary}`: {line:?}");
    }
}

/// Every event under an id of its own.
static EVENTS: AtomicU32 = AtomicU32::new(0);

fn invoice(fields: &[(&str, Value)]) -> Vec<u8> {
    changed("invoice.paid", fields)
}

fn changed(name: &str, fields: &[(&str, Value)]) -> Vec<u8> {
    let samples = providers::provider("stripe").unwrap().samples();
    let mut body: Value = serde_json::from_str(&sample(samples, name).unwrap()).unwrap();
    let number = EVENTS.fetch_add(1, Ordering::Relaxed);
    set(&mut body, "id", format!("evt_bad{number}").into()).unwrap();
    for (path, value) in fields {
        set(&mut body, path, value.clone()).unwrap();
    }
    body.to_string().into_bytes()
}
