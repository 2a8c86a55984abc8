//! What a stack with a data directory still knows after it ended, gently or not.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use local_cloud::error::StackError;
use local_cloud::{Stack, Wiring};
use serde_json::json;

use crate::support::{
    Dummy, persistent_stack, put, queue, silent_dummy, sqs, stream, temp_directory,
};

const SORT_KEY: &str = "/dynamodb/Keys/sk/S";

fn wiring(reader: &Arc<Dummy>, worker: &Arc<Dummy>) -> Wiring {
    Wiring {
        streams: vec![stream("reader", reader)],
        queues: vec![queue("letters", worker)],
        ..Wiring::default()
    }
}

#[tokio::test]
async fn a_restart_goes_on_from_the_checkpoint() {
    let data = temp_directory();
    let function = silent_dummy();
    let stack = persistent_stack(&data, wiring(&function, &silent_dummy()))
        .await
        .unwrap();
    put(stack.engine(), "a");
    stack.settle().await.unwrap();
    put(stack.engine(), "b");
    stack.shutdown().await;
    let stack = persistent_stack(&data, wiring(&function, &silent_dummy()))
        .await
        .unwrap();
    put(stack.engine(), "c");
    stack.settle().await.unwrap();
    assert_eq!(function.batches(SORT_KEY), [vec!["a"], vec!["b", "c"]]);
}

#[tokio::test]
async fn a_restart_keeps_the_clocks_offset_and_a_given_moment_replaces_it() {
    let data = temp_directory();
    let stack = persistent_stack(&data, Wiring::default()).await.unwrap();
    stack.advance(SignedDuration::from_hours(72)).await.unwrap();
    let before = stack.clock().offset();
    stack.shutdown().await;
    let stack = persistent_stack(&data, Wiring::default()).await.unwrap();
    assert_eq!(stack.clock().offset(), before);
    stack.shutdown().await;
    let settings = local_cloud::StackSettings {
        data: Some(data.to_owned()),
        clock: Some("2020-01-01T00:00:00Z".parse().unwrap()),
        ..Default::default()
    };
    let stack = Stack::start(settings, |_| Wiring::default()).await.unwrap();
    assert!(
        stack
            .clock()
            .now()
            .to_string()
            .starts_with("2020-01-01T00:00")
    );
}

#[tokio::test]
async fn two_stacks_cannot_share_a_directory() {
    let data = temp_directory();
    let first = persistent_stack(&data, Wiring::default()).await.unwrap();
    let second = persistent_stack(&data, Wiring::default()).await;
    assert!(matches!(second, Err(StackError::InUse)));
    first.shutdown().await;
    persistent_stack(&data, Wiring::default()).await.unwrap();
}

#[tokio::test]
async fn a_start_forgets_old_changes_that_were_delivered_and_no_others() {
    let data = temp_directory();
    let function = silent_dummy();
    let stack = persistent_stack(&data, wiring(&function, &silent_dummy()))
        .await
        .unwrap();
    put(stack.engine(), "a");
    put(stack.engine(), "b");
    stack.settle().await.unwrap();
    put(stack.engine(), "c");
    stack.shutdown().await;
    let sql = rusqlite::Connection::open(data.join("table.sqlite")).unwrap();
    sql.execute("UPDATE _stream_records SET created_at = 0", [])
        .unwrap();
    let stack = persistent_stack(&data, wiring(&function, &silent_dummy()))
        .await
        .unwrap();
    assert_eq!(stack.engine().changes(None, 10).unwrap().len(), 1);
    put(stack.engine(), "d");
    stack.settle().await.unwrap();
    assert_eq!(function.batches(SORT_KEY), [vec!["a", "b"], vec!["c", "d"]]);
}

#[tokio::test]
async fn a_killed_stack_loses_no_message_no_mail_and_no_change() {
    let data = temp_directory();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "restart::the_stack_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env("ORANGERY_TEST_DATA", data.as_os_str())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let ready = out
        .lines()
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("ready ").map(str::to_owned));
    let aws = ready.expect("the child tells where it listens");
    let client = sqs(&aws);
    let url = format!("{aws}/000000000000/letters");
    client
        .send_message()
        .queue_url(url)
        .message_body("late")
        .send()
        .await
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let (reader, worker) = (silent_dummy(), silent_dummy());
    let stack = persistent_stack(&data, wiring(&reader, &worker))
        .await
        .unwrap();
    assert_eq!(stack.mailbox().mails().unwrap().len(), 1);
    stack.settle().await.unwrap();
    assert_eq!(worker.batches("/body"), [vec!["early", "late"]]);
    assert_eq!(
        reader.batches(SORT_KEY),
        [vec!["b"]],
        "a was done before the kill"
    );
}

/// The other process of the test above: it serves until it is killed.
#[tokio::test]
#[ignore = "runs only as the child of the test that kills it"]
async fn the_stack_that_is_killed() {
    let Some(data) = std::env::var_os("ORANGERY_TEST_DATA") else {
        return;
    };
    let (reader, worker) = (silent_dummy(), silent_dummy());
    let stack = persistent_stack(Path::new(&data), wiring(&reader, &worker))
        .await
        .unwrap();
    put(stack.engine(), "a");
    stack.settle().await.unwrap();
    put(stack.engine(), "b");
    stack
        .queues()
        .send("letters", "early", &json!({}), Duration::ZERO)
        .unwrap();
    let raw = aws_sdk_sesv2::types::RawMessage::builder();
    let raw = raw
        .data(aws_sdk_sesv2::primitives::Blob::new("Subject: x\n\ny"))
        .build()
        .unwrap();
    let content = aws_sdk_sesv2::types::EmailContent::builder()
        .raw(raw)
        .build();
    let client = crate::support::ses(stack.aws_endpoint());
    client.send_email().content(content).send().await.unwrap();
    writeln!(std::io::stdout(), "\nready {}", stack.aws_endpoint()).unwrap();
    std::future::pending::<()>().await;
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_stack_keeps_is_its_owners_alone_also_in_a_folder_that_was_open() {
    use std::os::unix::fs::PermissionsExt;
    let data = temp_directory();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let fresh = data.join("deep/fresh");
    // Made by an older stack, for all to read.
    for open in ["table.sqlite", "stack.sqlite", "table.sqlite-wal"] {
        std::fs::write(data.join(open), b"").unwrap();
        let all = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(data.join(open), all).unwrap();
    }
    for folder in [data.to_path_buf(), fresh.clone()] {
        let stack = persistent_stack(&folder, Wiring::default()).await.unwrap();
        put(stack.engine(), "a");
        let files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file())
            .collect();
        assert!(
            files.len() >= 4,
            "the two databases, and what is beside them: {files:?}"
        );
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        stack.shutdown().await;
    }
    assert_eq!(mode(&fresh), 0o700);
}
