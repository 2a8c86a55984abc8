//! The clock, the schedules and the state, over HTTP.

use std::time::Duration;

use local_cloud::error::StackError;
use local_cloud::schedules::Schedule;
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
    let told = get(stack.gateway_url(), "/_stack/clock").await.json();
    assert!(
        told["now"]
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
async fn what_is_no_time_is_refused_with_an_example() {
    let stack = stack(|_| Wiring::default()).await;
    for body in [json!({ "advance": "soon" }), json!({ "set": "tomorrow" })] {
        let answer = post(stack.gateway_url(), "/_stack/clock", &body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("3d"), "{}", answer.text());
    }
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
