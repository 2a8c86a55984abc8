//! The signature doctor on requests that an endpoint really refused.

use super::support::{SECRET, get, open, post, shop};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use local_cloud::Stack;
use local_cloud::recorded_requests::RecordedRequest;
use local_shop::saved_request::{DiagnosisContext, SavedRequest};
use local_shop::shop::{LOCAL_MASTER, Shop};
use orangery::doctor::signature;
use providers::{Secret, partner_secret, standard};

type MistakeHeaders = Vec<(String, String)>;

/// A mistake, the request it makes, and the cause to be named.
struct Mistake {
    what: &'static str,
    headers: MistakeHeaders,
    body: Vec<u8>,
    cause: &'static str,
    path: &'static str,
}

fn sample() -> Vec<u8> {
    let provider = providers::provider("stripe").unwrap();
    let (_, body) = provider
        .samples()
        .iter()
        .find(|(name, _)| *name == "invoice.paid")
        .unwrap();
    body.as_bytes().to_vec()
}

fn signed_by_key(key: &[u8], body: &[u8], now: Timestamp) -> String {
    let provider = providers::provider("stripe").unwrap();
    let secret = Secret::from_bytes(key).unwrap();
    provider.sign(body, &secret, now).unwrap()[0].1.clone()
}

fn stripe(value: String) -> MistakeHeaders {
    vec![("stripe-signature".into(), value)]
}

fn mistake(what: &'static str, cause: &'static str, value: String, body: Vec<u8>) -> Mistake {
    Mistake {
        what,
        headers: stripe(value),
        body,
        cause,
        path: "/webhooks/stripe",
    }
}

/// Every kind of mistake, made as people make it.
fn mistakes(now: Timestamp) -> Vec<Mistake> {
    let kinds = [
        secret_mistakes,
        header_mistakes,
        body_mistakes,
        partner_mistakes,
    ];
    kinds.into_iter().flat_map(|kind| kind(now)).collect()
}

fn secret_mistakes(now: Timestamp) -> Vec<Mistake> {
    let body = sample();
    let live = String::from_utf8(sample()).unwrap();
    let live = live.replace("\"livemode\": false", "\"livemode\": true");
    let bare = SECRET.strip_prefix("whsec_").unwrap();
    let decoded = STANDARD_NO_PAD.decode(bare).unwrap();
    let other = b"whsec_of_another_endpoint_of_this_shop";
    let local = local_shop::shop::local_secret("stripe");
    let of = |what, cause, key: &[u8]| {
        let value = signed_by_key(key, &body, now);
        mistake(what, cause, value, body.clone())
    };
    let line = format!("{SECRET}\n");
    let quoted = format!("\"{SECRET}\"");
    let elsewhere = "the local stack's own secret";
    let live_value = signed_by_key(other, live.as_bytes(), now);
    vec![
        of("another endpoint's secret", "wrong_secret", other),
        of(
            "a secret nobody knows",
            "wrong_secret",
            b"whsec_nobody_has_ever_seen_this",
        ),
        of(elsewhere, "other_endpoint", local.as_bytes()),
        of("secret decoded from base64", "secret_encoding", &decoded),
        of("secret without whsec_", "secret_encoding", bare.as_bytes()),
        of("secret with a line end", "secret_space", line.as_bytes()),
        of("secret in quotes", "secret_space", quoted.as_bytes()),
        mistake(
            "live secret at the test endpoint",
            "other_mode",
            live_value,
            live.into(),
        ),
    ]
}

fn header_mistakes(now: Timestamp) -> Vec<Mistake> {
    let body = sample();
    let at = |seconds| {
        let at = now + SignedDuration::from_secs(seconds);
        signed_by_key(SECRET.as_bytes(), &body, at)
    };
    let right = at(0);
    let (time, hex) = right.split_once(",v1=").unwrap();
    let base64 = STANDARD.encode(hex_bytes(hex));
    let of = |what, cause, value: String| mistake(what, cause, value, body.clone());
    let encoding = "signature_encoding";
    let unsigned = of("not signed at all", "header_missing", String::new());
    let upper = format!("{time},v1={}", hex.to_uppercase());
    vec![
        Mistake {
            headers: vec![],
            ..unsigned
        },
        of("clock 20 minutes behind", "clock_behind", at(-1200)),
        of("clock an hour ahead", "clock_ahead", at(3600)),
        of(
            "two headers joined",
            "headers_joined",
            format!("{}, {right}", at(-5)),
        ),
        of(
            "only scheme v0",
            "wrong_scheme",
            right.replace("v1=", "v0="),
        ),
        of("upper-case hex", encoding, upper),
        of(
            "signature in base64",
            encoding,
            format!("{time},v1={base64}"),
        ),
        of(
            "signature cut short",
            encoding,
            format!("{time},v1={}", &hex[..40]),
        ),
        of("no time", "header_garbled", format!("v1={hex}")),
    ]
}

fn body_mistakes(now: Timestamp) -> Vec<Mistake> {
    let body = sample();
    let value = signed_by_key(SECRET.as_bytes(), &body, now);
    let of = |what, cause, body: Vec<u8>| mistake(what, cause, value.clone(), body);
    let rewritten = "body_rewritten";
    let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let sorted = serde_json::to_vec(&read).unwrap();
    vec![
        of("JSON squeezed on the way", rewritten, minified(&body)),
        of("JSON with its keys sorted", rewritten, sorted),
        of("line ends added", rewritten, [&body[..], b"\n\n"].concat()),
        of("body in base64", rewritten, STANDARD.encode(&body).into()),
        of(
            "body cut in the middle",
            "body_cut",
            body[..body.len() / 2].to_vec(),
        ),
        of("no body", "body_empty", vec![]),
    ]
}

fn partner_mistakes(now: Timestamp) -> Vec<Mistake> {
    let body = br#"{"type":"referral.created","data":{"referral_id":"r-1","code":"x"}}"#.to_vec();
    let acme = domain::ids::PartnerId::parse("acme").unwrap();
    let master = Secret::new(LOCAL_MASTER).unwrap();
    let secret = partner_secret(&master, &acme, 1).unwrap();
    let text = secret.reveal_standard();
    let signed = |secret: &Secret| -> MistakeHeaders {
        let headers = standard::sign("msg_1", &body, secret, now);
        headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    let of = |what, cause, headers| Mistake {
        what,
        headers,
        body: body.clone(),
        cause,
        path: "/partners/acme/events",
    };
    let mut url_safe = signed(&secret);
    let encoded = url_safe[2].1.strip_prefix("v1,").unwrap().to_owned();
    url_safe[2].1 = format!(
        "v1,{}",
        URL_SAFE_NO_PAD.encode(STANDARD.decode(&encoded).unwrap())
    );
    let mut bad = signed(&secret);
    bad[2].1 = "v1,not*base64".into();
    let mut timeless = signed(&secret);
    timeless.remove(1);
    vec![
        of(
            "partner: secret not decoded",
            "secret_encoding",
            signed(&Secret::new(&text).unwrap()),
        ),
        of("partner: URL-safe base64", "signature_encoding", url_safe),
        of("partner: bad base64", "signature_encoding", bad),
        of("partner: no webhook-timestamp", "header_missing", timeless),
    ]
}

fn hex_bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// As a proxy writes JSON: no blanks, the order of keys kept.
fn minified(body: &[u8]) -> Vec<u8> {
    let (mut out, mut quoted, mut escaped) = (Vec::new(), false, false);
    for byte in body {
        if quoted || !byte.is_ascii_whitespace() {
            out.push(*byte);
        }
        if *byte == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = *byte == b'\\' && !escaped;
    }
    out
}

async fn send_refused(stack: &Stack, mistake: &Mistake) -> RecordedRequest {
    let (status, _) = post(stack, mistake.path, &mistake.headers, &mistake.body).await;
    assert!(status >= 400, "{} was accepted", mistake.what);
    stack.state().refused_before(i64::MAX, 1).unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_names_the_right_cause_of_refused_requests() {
    let shop = shop();
    let stack = open(&shop).await;
    let mut wrong = 0;
    println!("| mistake | named | right | certain |\n| --- | --- | --- | --- |");
    let known = DiagnosisContext {
        secrets_in_force: vec![SECRET.into()],
        ..DiagnosisContext::default()
    };
    for mistake in mistakes(stack.clock().now()) {
        let seen = send_refused(&stack, &mistake).await;
        let saved = SavedRequest::from(&seen);
        let diagnosis = saved.diagnosis(
            &DiagnosisContext {
                secrets_in_force: secrets(&mistake),
                ..known.clone()
            },
            stack.clock().now(),
        );
        let diagnosis = diagnosis.unwrap().unwrap();
        let right = diagnosis.cause.as_str() == mistake.cause;
        wrong += usize::from(!right);
        let certain = if diagnosis.certain {
            "yes"
        } else {
            "likeliest"
        };
        println!(
            "| {} | {} {} | {right} | {certain} |",
            mistake.what,
            diagnosis.cause.as_str(),
            diagnosis.what
        );
        let (status, page) = get(&stack, &format!("/refused/one?id={}", seen.id)).await;
        assert_eq!(status, 200);
        let file = serde_json::to_vec(&saved).unwrap();
        let printed = signature(
            &file,
            &DiagnosisContext {
                secrets_in_force: secrets(&mistake),
                ..known.clone()
            },
        )
        .unwrap();
        assert!(printed.starts_with(diagnosis.cause.as_str()), "{printed}");
        let bare = SECRET.strip_prefix("whsec_").unwrap();
        assert!(
            !page.contains(bare) && !printed.contains(bare),
            "a secret is shown"
        );
    }
    assert_eq!(wrong, 0, "causes were named wrongly");
}

fn secrets(mistake: &Mistake) -> Vec<String> {
    if mistake.path.starts_with("/webhooks") {
        vec![SECRET.into()]
    } else {
        vec![]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_without_a_secret_says_so() {
    let shop = Shop {
        secrets: [("stripe".to_owned(), vec![format!("{SECRET}\n")])].into(),
        ..shop()
    };
    let stack = open(&shop).await;
    let now = stack.clock().now();
    let value = signed_by_key(SECRET.as_bytes(), &sample(), now);
    let mistake = mistake(
        "the endpoint's own copy has a line end",
        "no_secret",
        value,
        sample(),
    );
    let seen = send_refused(&stack, &mistake).await;
    assert_eq!(seen.status, 503);
    let (_, page) = get(&stack, &format!("/refused/one?id={}", seen.id)).await;
    assert!(
        page.contains("The webhook endpoint has no valid secret (it has white space in it"),
        "{page}"
    );
}

#[test]
fn a_request_saved_from_the_wire_is_read() {
    let now = Timestamp::now();
    let body = sample();
    let value = signed_by_key(
        SECRET.as_bytes(),
        &body,
        now - SignedDuration::from_hours(1),
    );
    let mut text = format!(
        "POST /webhooks/stripe?x=1 HTTP/1.1\r\nHost: x\r\nStripe-Signature: {value}\r\n\r\n"
    )
    .into_bytes();
    text.extend(&body);
    let known = DiagnosisContext {
        secrets_in_force: vec![SECRET.into()],
        ..DiagnosisContext::default()
    };
    let said = signature(&text, &known).unwrap();
    assert!(
        said.starts_with("clock_behind: Correctly signed, but 36"),
        "{said}"
    );
    assert!(signature(b"no request", &known).is_err());
}
