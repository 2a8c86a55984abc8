//! The clock, the schedules and the state, over HTTP.

use std::time::Duration;

use jiff::SignedDuration;
use local_cloud::error::StackError;
use local_cloud::schedules::Schedule;
use local_cloud::streams::StreamMapping;
use local_cloud::{Stack, StackSettings, Wiring};
use runtime::function::Failure;
use serde_json::{Value, json};

use crate::support::{Dummy, dummy, get, post, put, queue, silent_dummy, stack, stream};

fn hourly(function: &std::sync::Arc<Dummy>) -> Wiring {
    let function = std::sync::Arc::<Dummy>::clone(function);
    let every = Duration::from_secs(3_600);
    let schedules = vec![Schedule {
        name: "calendar".to_owned(),
        interval: every,
        function,
    }];
    Wiring {
        schedules,
        ..Wiring::default()
    }
}

#[tokio::test]
async fn moving_the_clock_runs_the_schedules_with_the_new_time() {
    let function = silent_dummy();
    let stack = stack(|_| hourly(&function)).await;
    let set = json!({ "set": "2026-03-01T09:00:00Z" });
    assert_eq!(
        post(stack.gateway_url(), "/_stack/clock", &set)
            .await
            .status,
        200
    );
    for (amount, day) in [
        ("3d", "2026-03-04"),
        ("1w", "2026-03-11"),
        ("-24h", "2026-03-10"),
    ] {
        let answer = post(
            stack.gateway_url(),
            "/_stack/clock",
            &json!({ "advance": amount }),
        )
        .await;
        assert!(
            answer.json()["now"].as_str().unwrap().starts_with(day),
            "{}",
            answer.text()
        );
    }
    let shown = get(stack.gateway_url(), "/_stack/clock").await.json();
    assert!(
        shown["now"]
            .as_str()
            .unwrap()
            .starts_with("2026-03-10T09:00")
    );
    let calls = function.calls();
    assert_eq!(calls.len(), 4);
    assert_eq!(calls[0]["source"], "aws.scheduler");
    assert_eq!(calls[0]["detail-type"], "Scheduled Event");
    let time = calls[3]["time"].as_str().unwrap();
    assert!(
        time.starts_with("2026-03-10T09:00:") && time.ends_with('Z'),
        "{time}"
    );
}

#[tokio::test]
async fn what_is_no_time_is_refused_with_what_is_wrong_and_moves_nothing() {
    let stack = stack(|_| Wiring::default()).await;
    for (body, response) in [
        (json!({ "advance": "soon" }), "an amount like 3d"),
        (json!({ "advance": "400000w" }), "after 2099"),
        (json!({ "advance": "-40y" }), "an amount like 3d"),
        (
            json!({ "set": "tomorrow" }),
            "a time like 2026-03-01T09:00:00Z",
        ),
        (
            json!({ "set": "2026-02-30T09:00:00Z" }),
            "`2026-02-30T09:00:00Z` is no moment",
        ),
        (json!({ "set": "2026-13-01" }), "`2026-13-01` is no moment"),
        (json!({ "set": "2026-03-01T25:00:00Z" }), "is no moment"),
        (json!({ "set": "1026-03-01" }), "before the year 2000"),
        (json!({ "set": "9026-03-01T00:00:00Z" }), "after 2099"),
    ] {
        let answer = post(stack.gateway_url(), "/_stack/clock", &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert!(
            answer.text().contains(response),
            "{body}: {}",
            answer.text()
        );
    }
    assert_eq!(stack.clock().offset(), 0);
    let day = post(
        stack.gateway_url(),
        "/_stack/clock",
        &json!({ "set": "2026-03-01" }),
    )
    .await;
    let now = day.json()["now"].as_str().unwrap().to_owned();
    assert!(now.starts_with("2026-03-01T00:00"), "{now}");
}

#[tokio::test]
async fn what_waits_is_delivered_before_the_clock_moves_and_a_move_ages_nothing() {
    let reader = dummy(|_| Err(Failure::new("Bug", "not yet")));
    let worker = silent_dummy();
    let stack = stack(|_| Wiring {
        streams: vec![StreamMapping {
            maximum_record_age: Some(Duration::from_secs(3_600)),
            maximum_retry_attempts: None,
            ..stream("reader", &reader)
        }],
        queues: vec![queue("letters", &worker)],
        ..Wiring::default()
    })
    .await;
    let send = || {
        stack
            .queues()
            .send("letters", "x", &json!({}), Duration::ZERO)
    };
    send().unwrap();
    put(stack.engine(), "a");
    let sent = stack.clock().now();
    let forward = json!({ "advance": "3d" });
    assert_eq!(
        post(stack.gateway_url(), "/_stack/clock", &forward)
            .await
            .status,
        200
    );
    let received = worker.calls()[0]["Records"][0]["attributes"].clone();
    let first: i64 = received["ApproximateFirstReceiveTimestamp"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        first - sent.as_millisecond() < 60_000,
        "delivered three days late: {received}"
    );
    // What fails goes on being tried, however many days the stack's time has gone on.
    assert!(!reader.calls().is_empty());
    let state = get(stack.gateway_url(), "/_stack/state").await.json();
    assert_eq!(state["failed_batches"], 0);
    assert_eq!(state["stream_lag"]["reader"], 1);
}

#[tokio::test]
async fn a_clock_that_returns_to_now_keeps_nobody_waiting_until_then() {
    let worker = silent_dummy();
    let stack = stack(|_| Wiring {
        queues: vec![queue("letters", &worker)],
        ..Wiring::default()
    })
    .await;
    stack.advance(SignedDuration::from_hours(72)).await.unwrap();
    let delay = Duration::from_secs(60);
    stack
        .queues()
        .send("letters", "x", &json!({}), delay)
        .unwrap();
    post(
        stack.gateway_url(),
        "/_stack/clock",
        &json!({ "set": "now" }),
    )
    .await;
    assert_eq!(stack.clock().offset(), 0);
    stack.settle().await.unwrap();
    assert!(worker.calls().is_empty(), "its minute has not passed");
    stack.advance(SignedDuration::from_secs(61)).await.unwrap();
    stack.settle().await.unwrap();
    assert_eq!(worker.calls().len(), 1);
}

#[tokio::test]
async fn a_schedule_runs_on_demand_and_its_failure_is_kept() {
    let function = dummy(|_| Err(Failure::new("Bug", "the sweep broke")));
    let stack = stack(|_| hourly(&function)).await;
    let ran = post(
        stack.gateway_url(),
        "/_stack/schedules/calendar/run",
        &json!({}),
    )
    .await;
    assert_eq!(ran.status, 502);
    let unknown = post(
        stack.gateway_url(),
        "/_stack/schedules/other/run",
        &json!({}),
    )
    .await;
    assert_eq!(unknown.status, 404);
    let failed = get(stack.gateway_url(), "/_stack/failed-batches")
        .await
        .json();
    assert_eq!(
        failed["failed_batches"][0]["message"],
        "Bug: the sweep broke"
    );
    assert!(matches!(
        stack.run_schedule("calendar").await,
        Err(StackError::Function(_))
    ));
}

#[tokio::test]
async fn settling_delivers_what_deliveries_bring_about() {
    let function = silent_dummy();
    let stack = stack(|endpoints| {
        let engine = endpoints.engine.clone();
        let worker = dummy(move |_| {
            put(&engine, "from the queue");
            Ok(Value::Null)
        });
        Wiring {
            streams: vec![stream("reader", &function)],
            queues: vec![queue("letters", &worker)],
            ..Wiring::default()
        }
    })
    .await;
    stack
        .queues()
        .send("letters", "x", &json!({}), Duration::ZERO)
        .unwrap();
    let before = get(stack.gateway_url(), "/_stack/state").await.json();
    assert_eq!(before["queues"]["letters"]["visible"], 1);
    let settled = post(stack.gateway_url(), "/_stack/settle", &json!({})).await;
    assert_eq!(settled.json(), json!({ "quiet": true }));
    assert_eq!(function.calls().len(), 1);
    let expected = json!({
        "stream_lag": { "reader": 0 },
        "queues": { "letters": { "visible": 0, "in_flight": 0, "delayed": 0 } },
        "dead_letters": { "letters-dead": 0 },
        "failed_batches": 0, "mails": 0, "refusals": 0,
    });
    assert_eq!(
        get(stack.gateway_url(), "/_stack/state").await.json(),
        expected
    );
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = stack(|_| Wiring::default()).await;
    let port = first
        .gateway_url()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let settings = StackSettings {
        port,
        ..StackSettings::default()
    };
    let Err(refused) = Stack::start(settings, |_| Wiring::default()).await else {
        panic!("the port is taken")
    };
    assert!(refused.to_string().contains(&port.to_string()));
}
