use super::{JsonLineLayer, start_invocation};
use crate::http::{HttpHandler, HttpRequest, HttpResponse, answer};
use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Mutex;
use tracing_subscriber::layer::SubscriberExt;

static WRITTEN: Mutex<String> = Mutex::new(String::new());
static ALONE: Mutex<()> = Mutex::new(());

/// The lines that this work writes.
fn lines(stage: Option<&str>, work: impl FnOnce()) -> Vec<Value> {
    let _alone = ALONE.lock().unwrap();
    WRITTEN.lock().unwrap().clear();
    let lines = JsonLineLayer {
        stage: stage.map(str::to_owned),
        clock: || Timestamp::from_second(1_772_323_200).unwrap(),
        write: |line| WRITTEN.lock().unwrap().push_str(line),
    };
    let subscriber = tracing_subscriber::registry().with(lines);
    tracing::subscriber::with_default(subscriber, work);
    let written = WRITTEN.lock().unwrap();
    let lines = written.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_line_has_its_level_and_time_where_lambda_looks_for_them() {
    let lines = lines(Some("try"), || {
        tracing::info!(provider = "p", verdict = "applied", count = 3_u64);
        tracing::error!(why = %"it broke", "left to the queue");
    });
    let at = "2026-03-01T00:00:00Z";
    for (line, level) in lines.iter().zip(["INFO", "ERROR"]) {
        assert_eq!(
            (&line["level"], &line["timestamp"]),
            (&json!(level), &json!(at))
        );
        assert!(
            line["timestamp"]
                .as_str()
                .unwrap()
                .parse::<Timestamp>()
                .is_ok()
        );
        assert!(line.get("_aws").is_none(), "{line}");
    }
    assert_eq!(lines[0]["count"], 3);
    assert_eq!(lines[1]["message"], "left to the queue");
}

#[test]
fn a_line_that_counts_is_a_metric_of_its_stage() {
    let lines = lines(Some("try"), || {
        tracing::warn!(verdict = "refused", metrics = "refused");
        tracing::info!(
            parked_age = 90_u64,
            unknown = 0_u64,
            metrics = "parked_age unknown"
        );
        tracing::info!(verdict = "applied", metrics = None::<&str>);
    });
    let form = |names: Value| {
        json!({
            "Timestamp": 1_772_323_200_000_i64,
            "CloudWatchMetrics": [
                { "Namespace": "Orangery", "Dimensions": [["stage"]], "Metrics": names },
            ],
        })
    };
    assert_eq!(lines[0]["_aws"], form(json!([{ "Name": "refused" }])));
    assert_eq!(
        (&lines[0]["refused"], &lines[0]["stage"]),
        (&json!(1), &json!("try"))
    );
    let both = json!([{ "Name": "parked_age" }, { "Name": "unknown" }]);
    assert_eq!(lines[1]["_aws"], form(both));
    assert_eq!(
        (&lines[1]["parked_age"], &lines[1]["unknown"]),
        (&json!(90), &json!(0))
    );
    assert!(lines[2].get("_aws").is_none());
}

#[test]
fn without_a_stage_nothing_is_a_metric() {
    let lines = lines(None, || {
        tracing::warn!(verdict = "refused", metrics = "refused")
    });
    assert!(lines[0].get("_aws").is_none() && lines[0].get("refused").is_none());
}

#[test]
fn the_line_of_an_accepted_webhook_is_short() {
    let lines = lines(Some("production-eu"), || {
        start_invocation("7f0f1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b");
        tracing::info!(
            provider = "grocer",
            id = "grocer/live/evt_1QwErTyUiOpAsDfGhJkLzXcV",
            kind = "customer.subscription.pending_update_applied",
            verdict = "applied"
        );
    });
    assert_eq!(
        lines[0]["requestId"],
        "7f0f1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b"
    );
    assert!(lines[0]["us"].is_u64());
    let bytes = WRITTEN.lock().unwrap().len();
    assert!(bytes <= 320, "{bytes} bytes for an accepted webhook");
}

#[test]
fn no_control_character_reaches_a_line_whatever_unpacks_it() {
    let obeyed = "a\u{1b}[2Jb\nc\rd\u{0}e\u{7f}f\u{9b}31mg\u{202e}h\u{2066}i\u{2028}j\u{200f}k";
    let shown = "a?[2Jb?c?d?e?f?31mg?h?i?j?k";
    let lines = lines(Some("try"), || {
        start_invocation(obeyed);
        tracing::warn!(kind = obeyed, why = %obeyed, about = ?obeyed, "{obeyed}");
        start_invocation("r-1");
        tracing::info!(kind = "Grüße, 日本 🍊");
    });
    for field in ["kind", "why", "message", "requestId"] {
        assert_eq!(lines[0][field], shown, "{field}");
    }
    let about = lines[0]["about"].as_str().unwrap();
    assert!(!about.chars().any(char::is_control), "{about}");
    assert_eq!(lines[1]["kind"], "Grüße, 日本 🍊");
}

struct Unreached;

impl HttpHandler for Unreached {
    async fn handle(&self, _: HttpRequest) -> HttpResponse {
        panic!("no request was there to handle")
    }
}

#[test]
fn an_event_that_is_no_request_leaves_a_line_and_a_metric_and_nothing_of_itself() {
    for event in [
        &b"nell@example.com"[..],
        br#"{"Records":["nell@example.com"]}"#,
        br#"{"requestContext":{},"body":"nell@example.com","isBase64Encoded":true}"#,
    ] {
        let lines = lines(Some("try"), || {
            let answered = answer(&Unreached, event).now_or_never().unwrap();
            let answered: Value = serde_json::from_slice(&answered).unwrap();
            assert_eq!(answered["statusCode"], 400);
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["verdict"], "malformed");
        assert_eq!(lines[0]["malformed_events"], 1);
        let metrics = &lines[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(*metrics, json!([{ "Name": "malformed_events" }]));
        assert!(!lines[0].to_string().contains("nell"), "{}", lines[0]);
    }
}
