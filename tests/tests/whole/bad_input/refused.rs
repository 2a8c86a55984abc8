//! What proves nothing.

use super::{
    PARTNER_EVENTS_PATH, RequestCase, RequestHeaders, SignedSender, WEBHOOK_PATH, case, invoice,
};
use jiff::SignedDuration;
use providers::Secret;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_proves_nothing_is_refused_by_name_and_costs_no_store_request() {
    let sender = SignedSender::open().await;
    let cases = signatures(&sender).into_iter().chain(headers(&sender));
    let mut count = 0;
    for case in cases.chain(bodies(&sender)) {
        let answer = sender.post(&case.headers, case.body).await;
        assert_eq!(answer.status, case.status, "{}: {answer:?}", case.name);
        assert!(
            answer.body.contains(case.expected_text),
            "{}: {}",
            case.name,
            answer.body
        );
        assert_eq!(
            sender.proxy.take_operations(),
            [""; 0],
            "{} cost store requests",
            case.name
        );
        count += 1;
    }
    println!("{count} ways to prove nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_method_is_a_405_and_a_wrong_path_a_404() {
    let sender = SignedSender::open().await;
    let body = invoice(&[]);
    for (method, path, status) in [
        ("GET", WEBHOOK_PATH, 405),
        ("PUT", WEBHOOK_PATH, 405),
        ("DELETE", WEBHOOK_PATH, 405),
        ("PATCH", WEBHOOK_PATH, 405),
        ("POST", "/webhooks/nobody", 404),
        ("POST", "/webhooks/stripe/", 404),
        ("POST", "/webhooks/stripe/extra", 404),
        ("POST", "/webhooks", 404),
        ("GET", PARTNER_EVENTS_PATH, 405),
        ("POST", "/partners/ACME/events", 404),
        ("POST", "/partners/a%2Fb/events", 404),
        ("POST", "/partners//events", 404),
        ("POST", "/partners/acme", 404),
    ] {
        let headers = sender.signed(&body);
        let answer = sender
            .harness
            .post(method, path, &headers, body.clone())
            .await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(
            sender.proxy.take_operations(),
            [""; 0],
            "{method} {path} cost store requests"
        );
    }
}

fn signatures(sender: &SignedSender) -> Vec<RequestCase> {
    let body = invoice(&[]);
    let far = SignedDuration::from_secs(900);
    let at = |now| header(sender.header(&body, &sender.secret, now));
    let other = Secret::new("whsec_of_another_endpoint_altogether").unwrap();
    let wrong = header(sender.header(&body, &other, sender.now()));
    let mut tampered = body.clone();
    tampered.push(b' ');
    let (past, future) = (at(sender.now() - far), at(sender.now() + far));
    vec![
        case(
            "unsigned",
            vec![],
            &body,
            401,
            "`stripe-signature` is missing",
        ),
        case(
            "an empty header",
            header(String::new()),
            &body,
            401,
            "is missing",
        ),
        case("wrong secret", wrong, &body, 401, "no signature fits"),
        case(
            "tampered body",
            sender.signed(&body),
            &tampered,
            401,
            "no signature fits",
        ),
        case("stale", past, &body, 401, "s ago"),
        case("future", future, &body, 401, "s ahead"),
    ]
}

fn headers(sender: &SignedSender) -> Vec<RequestCase> {
    let body = invoice(&[]);
    let good = sender.header(&body, &sender.secret, sender.now());
    let (t, v1) = good.split_once(',').unwrap();
    let many = header(format!("{t},{}", [v1; 17].join(",")));
    let v0 = header(format!("{t},{}", v1.replace("v1", "v0")));
    let big = vec![("x-more", "x".repeat(40_000))];
    let garbage = header("\u{1f34a};;=,=,".into());
    let plain = "plain seconds";
    vec![
        case("no time", header(v1.into()), &body, 400, "no time"),
        case("no signature", header(t.into()), &body, 400, "no signature"),
        case("only a test's scheme", v0, &body, 400, "no signature"),
        case(
            "a time of letters",
            header(format!("t=soon,{v1}")),
            &body,
            400,
            plain,
        ),
        case(
            "a time with a sign",
            header(format!("t=+1,{v1}")),
            &body,
            400,
            plain,
        ),
        case(
            "a time before time",
            header(format!("t=-1,{v1}")),
            &body,
            400,
            plain,
        ),
        case(
            "two times",
            header(format!("{t},t=1,{v1}")),
            &body,
            400,
            "two different times",
        ),
        case("garbage", garbage, &body, 400, "no time"),
        case(
            "upper case",
            header(good.to_uppercase()),
            &body,
            400,
            "no time",
        ),
        case("5 kB of it", header("x".repeat(5000)), &body, 400, "4096"),
        case("seventeen signatures", many, &body, 401, "more than 16"),
        case("40 kB of headers", big, &body, 431, "headers"),
    ]
}

fn bodies(sender: &SignedSender) -> Vec<RequestCase> {
    let of = |megabytes: usize| vec![b' '; megabytes << 20];
    let (two, six, seven) = (of(2), of(6), of(7));
    vec![
        case("zero bytes", sender.signed(b""), b"", 400, "empty"),
        case(
            "2 MB",
            sender.signed(&two),
            &two,
            413,
            "this endpoint takes",
        ),
        case(
            "6 MB",
            sender.signed(&six),
            &six,
            413,
            "this endpoint takes",
        ),
        case("7 MB", sender.signed(b""), &seven, 413, "6 MB"),
    ]
}

fn header(text: String) -> RequestHeaders {
    vec![("stripe-signature", text)]
}
