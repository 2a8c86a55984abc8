//! The table as the SDK's DynamoDB client meets it.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use local_cloud::Wiring;
use local_cloud::streams::StreamMapping;

use crate::support::{
    dynamodb, persistent_stack, put, silent_dummy, stack, stream, temp_directory,
};

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[tokio::test]
async fn the_sdk_finds_the_table_with_its_index_and_its_stream() {
    let stack = stack(|_| Wiring::default()).await;
    let client = dynamodb(&stack);
    let described = client
        .describe_table()
        .table_name("orangery")
        .send()
        .await
        .unwrap();
    let table = described.table().unwrap();
    assert!(table.stream_specification().unwrap().stream_enabled());
    assert_eq!(
        table.global_secondary_indexes()[0].index_name(),
        Some("due")
    );
    let put = client.put_item().table_name(&stack.endpoints().table_name);
    let put = put
        .item("pk", s("c"))
        .item("sk", s("record"))
        .item("due_shard", s("0"));
    put.item("next_due_at", s("2026-01-01"))
        .item("more", s("kept"))
        .send()
        .await
        .unwrap();
    let query = client.query().table_name("orangery").index_name("due");
    let query = query.key_condition_expression("due_shard = :s AND next_due_at <= :t");
    let query = query.expression_attribute_values(":s", s("0"));
    let found = query
        .expression_attribute_values(":t", s("2026-02-01"))
        .send()
        .await
        .unwrap();
    assert_eq!(found.items().len(), 1);
    assert!(!found.items()[0].contains_key("more"), "keys only");
}

#[tokio::test]
async fn an_item_expires_when_the_clock_passes_its_time_in_memory_and_in_a_file() {
    for data in [None, Some(temp_directory())] {
        let function = silent_dummy();
        let wiring = Wiring {
            streams: vec![stream("reader", &function)],
            ..Wiring::default()
        };
        let stack = match &data {
            Some(data) => persistent_stack(data, wiring).await.unwrap(),
            None => stack(|_| wiring).await,
        };
        let client = dynamodb(&stack);
        let due = stack.clock().now().as_second() + 3_600;
        let put = client
            .put_item()
            .table_name("orangery")
            .item("pk", s("c"))
            .item("sk", s("x"));
        put.item("expires_at", AttributeValue::N(due.to_string()))
            .send()
            .await
            .unwrap();
        stack.advance(SignedDuration::from_hours(2)).await.unwrap();
        stack.settle().await.unwrap();
        let names = function.batches("/eventName").concat();
        assert_eq!(names, ["INSERT", "REMOVE"], "{data:?}");
        let record = &function.calls()[1]["Records"][0];
        assert_eq!(
            record["userIdentity"]["principalId"],
            "dynamodb.amazonaws.com"
        );
        stack.shutdown().await;
    }
}

#[tokio::test]
async fn a_change_carries_the_stacks_time_in_memory_and_in_a_file() {
    for data in [None, Some(temp_directory())] {
        let function = silent_dummy();
        let mapping = StreamMapping {
            filters: Vec::new(),
            ..stream("reader", &function)
        };
        let wiring = Wiring {
            streams: vec![mapping],
            ..Wiring::default()
        };
        let stack = match &data {
            Some(data) => persistent_stack(data, wiring).await.unwrap(),
            None => stack(|_| wiring).await,
        };
        stack
            .clock()
            .set("2031-05-01T00:00:00Z".parse().unwrap())
            .unwrap();
        put(stack.engine(), "a");
        stack.settle().await.unwrap();
        let record = &function.calls()[0]["Records"][0];
        let at = record["dynamodb"]["ApproximateCreationDateTime"]
            .as_i64()
            .unwrap();
        let now = stack.clock().now().as_second();
        assert!((now - 60..=now).contains(&at), "{at} is not about {now}");
        stack.shutdown().await;
    }
}
