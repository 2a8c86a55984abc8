//! The signature doctor on requests that a door really refused.

use super::support::{SECRET, get, open, post, shop};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use orangery::doctor::{Known, Saved, signature};
use orangery::stack::Stack;
use orangery::stack::seen::Seen;
use orangery::wiring::{LOCAL_MASTER, Shop};
use providers::{Secret, partner_secret, standard};

type Headers = Vec<(String, String)>;

/// A mistake, the request it makes, and the cause to be named.
struct Mistake {
    what: &'static str,
    headers: Headers,
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

fn stripe(value: String) -> Headers {
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
    let body = sample();
    let signed = |key: &[u8]| signed_by_key(key, &body, now);
    let right = signed(SECRET.as_bytes());
    let at = |seconds| {
        signed_by_key(
            SECRET.as_bytes(),
            &body,
            now + SignedDuration::from_secs(seconds),
        )
    };
    let bare = SECRET.strip_prefix("whsec_").unwrap();
    let hex = right.split_once("v1=").unwrap().1.to_owned();
    let time = right.split_once(',').unwrap().0.to_owned();
    let base64 = STANDARD.encode(hex_bytes(&hex));
    let compact =
        serde_json::to_vec(&serde_json::from_slice::<serde_json::Value>(&body).unwrap()).unwrap();
    let squeezed = squeezed(&body);
    let live = String::from_utf8(body.clone())
        .unwrap()
        .replace("\"livemode\": false", "\"livemode\": true");
    let live = live.into_bytes();
    let other = "whsec_of_another_endpoint_of_this_shop";
    let forged = "whsec_nobody_here_has_ever_seen_this";
    let local = orangery::wiring::local_secret("stripe");
    let spaced = |around: &str| signed(around.replace('*', SECRET).as_bytes());
    let with_line = [&body[..], b"\n\n"].concat();
    let mut all = vec![
        Mistake {
            headers: vec![],
            ..mistake(
                "not signed at all",
                "header_missing",
                String::new(),
                body.clone(),
            )
        },
        mistake(
            "another endpoint's secret",
            "wrong_secret",
            signed(other.as_bytes()),
            body.clone(),
        ),
        mistake(
            "a secret nobody knows",
            "wrong_secret",
            signed(forged.as_bytes()),
            body.clone(),
        ),
        mistake(
            "the local stack's own secret",
            "other_endpoint",
            signed(local.as_bytes()),
            body.clone(),
        ),
        mistake(
            "JSON squeezed on the way",
            "body_rewritten",
            right.clone(),
            squeezed,
        ),
        mistake(
            "JSON with its keys sorted",
            "body_rewritten",
            right.clone(),
            compact,
        ),
        mistake(
            "line ends added",
            "body_rewritten",
            right.clone(),
            with_line,
        ),
        mistake(
            "body in base64",
            "body_rewritten",
            right.clone(),
            STANDARD.encode(&body).into(),
        ),
        mistake(
            "clock 20 minutes behind",
            "clock_behind",
            at(-1200),
            body.clone(),
        ),
        mistake("clock an hour ahead", "clock_ahead", at(3600), body.clone()),
        mistake(
            "live secret at the test door",
            "other_mode",
            signed_by_key(other.as_bytes(), &live, now),
            live,
        ),
        mistake(
            "secret decoded from base64",
            "secret_encoding",
            signed(&STANDARD_NO_PAD.decode(bare).unwrap()),
            body.clone(),
        ),
        mistake(
            "secret without whsec_",
            "secret_encoding",
            signed(bare.as_bytes()),
            body.clone(),
        ),
        mistake(
            "secret with a line end",
            "secret_space",
            spaced("*\n"),
            body.clone(),
        ),
        mistake(
            "secret in quotes",
            "secret_space",
            spaced("\"*\""),
            body.clone(),
        ),
        mistake(
            "body cut in the middle",
            "body_cut",
            right.clone(),
            body[..body.len() / 2].to_vec(),
        ),
        mistake("no body", "body_empty", right.clone(), vec![]),
        mistake(
            "two headers joined",
            "headers_joined",
            format!("{}, {right}", at(-5)),
            body.clone(),
        ),
        mistake(
            "only scheme v0",
            "wrong_scheme",
            right.replace("v1=", "v0="),
            body.clone(),
        ),
        mistake(
            "upper-case hex",
            "signature_encoding",
            format!("{time},v1={}", hex.to_uppercase()),
            body.clone(),
        ),
        mistake(
            "signature in base64",
            "signature_encoding",
            format!("{time},v1={base64}"),
            body.clone(),
        ),
        mistake(
            "signature cut short",
            "signature_encoding",
            format!("{time},v1={}", &hex[..40]),
            body.clone(),
        ),
        mistake("no time", "header_garbled", format!("v1={hex}"), body),
    ];
    all.extend(partners(now));
    all
}

fn partners(now: Timestamp) -> Vec<Mistake> {
    let body = br#"{"type":"referral.created","data":{"referral_id":"r-1","code":"x"}}"#.to_vec();
    let acme = domain::ids::PartnerId::parse("acme").unwrap();
    let master = Secret::new(LOCAL_MASTER).unwrap();
    let secret = partner_secret(&master, &acme, 1).unwrap();
    let text = secret.reveal_standard();
    let signed = |secret: &Secret| -> Headers {
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
fn squeezed(body: &[u8]) -> Vec<u8> {
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

async fn refused(stack: &Stack, mistake: &Mistake) -> Seen {
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
    let known = Known {
        secrets: vec![SECRET.into()],
        ..Known::default()
    };
    for mistake in mistakes(stack.clock().now()) {
        let seen = refused(&stack, &mistake).await;
        let saved = Saved::from(&seen);
        let diagnosis = saved.diagnosis(
            &Known {
                secrets: secrets(&mistake),
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
            &Known {
                secrets: secrets(&mistake),
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
async fn a_door_without_a_secret_says_so() {
    let shop = Shop {
        secrets: [("stripe".to_owned(), vec![format!("{SECRET}\n")])].into(),
        ..shop()
    };
    let stack = open(&shop).await;
    let now = stack.clock().now();
    let value = signed_by_key(SECRET.as_bytes(), &sample(), now);
    let mistake = mistake(
        "the door's own copy has a line end",
        "no_secret",
        value,
        sample(),
    );
    let seen = refused(&stack, &mistake).await;
    assert_eq!(seen.status, 503);
    let (_, page) = get(&stack, &format!("/refused/one?id={}", seen.id)).await;
    assert!(
        page.contains("The door has no secret it may believe (it has white space in it"),
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
    let known = Known {
        secrets: vec![SECRET.into()],
        ..Known::default()
    };
    let said = signature(&text, &known).unwrap();
    assert!(
        said.starts_with("clock_behind: Rightly signed, but 36"),
        "{said}"
    );
    assert!(signature(b"no request", &known).is_err());
}
