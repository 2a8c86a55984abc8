//! What is asked of DynamoDB, word for word, and what its answers are taken for. The table in
//! memory answers the port; that the port asks for what that table promises stands here.

use crate::support::{acme, at, customer};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::dynamo::DynamoTable;
use store::partners::PartnerRow;
use store::{Item, Key, PutOutcome, StoreError, Table, TransactWrite, WriteCondition};

/// Notes what is asked, and gives one answer to all.
#[derive(Clone, Debug)]
struct Service {
    status: u16,
    answer: Value,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.asked.lock().unwrap().push((target, body));
        let body = SdkBody::from(self.answer.to_string());
        let status = self.status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
    }
}

impl HttpClient for Service {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn answering(status: u16, answer: Value) -> (DynamoTable, Service) {
    let service = Service {
        status,
        answer,
        asked: Arc::default(),
    };
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-3"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(service.clone())
        .build();
    let table = DynamoTable::new(Client::from_conf(config), "orangery");
    (table, service)
}

impl Service {
    /// The one request, and what it was.
    fn asked(&self) -> (String, Value) {
        let asked = self.asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        let (target, body) = asked[0].clone();
        let (_, operation) = target.split_once('.').unwrap();
        (operation.to_owned(), body)
    }
}

fn key() -> Key {
    Key::record(&customer(1))
}

fn key_json() -> Value {
    json!({ "pk": { "S": "customer#stripe/test/cus_1" }, "sk": { "S": "record" } })
}

fn partner() -> Item {
    Item::Partner(Arc::new(PartnerRow {
        version: 3,
        ..PartnerRow::new(acme())
    }))
}

fn partner_json() -> Value {
    json!({
        "pk": { "S": "partners" },
        "sk": { "S": "acme" },
        "type": { "S": "partner" },
        "format": { "N": "1" },
        "partner": { "S": "acme" },
        "version": { "N": "3" },
        "keys": { "L": [{ "N": "1" }] },
        "last_key": { "N": "1" },
    })
}

#[tokio::test]
async fn one_item_is_read_consistently() {
    let (table, service) = answering(200, json!({ "Item": partner_json() }));
    assert_eq!(table.get(key()).await, Ok(Some(partner())));
    let asked = json!({ "TableName": "orangery", "Key": key_json(), "ConsistentRead": true });
    assert_eq!(service.asked(), ("GetItem".into(), asked));
}

#[tokio::test]
async fn an_item_is_put_where_there_is_none() {
    let (table, service) = answering(200, json!({}));
    let put = table.put(partner(), WriteCondition::Absent).await;
    assert_eq!(put, Ok(PutOutcome::Done));
    let asked = json!({
        "TableName": "orangery",
        "Item": partner_json(),
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    assert_eq!(service.asked(), ("PutItem".into(), asked));
}

#[tokio::test]
async fn an_item_is_put_over_the_version_that_was_read_and_what_is_there_comes_back() {
    let refused = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": partner_json(),
    });
    let (table, service) = answering(400, refused);
    let put = table.put(partner(), WriteCondition::Version(2)).await;
    assert_eq!(put, Ok(PutOutcome::Refused(Some(Box::new(partner())))));
    let asked = json!({
        "TableName": "orangery",
        "Item": partner_json(),
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": { "#version": "version" },
        "ExpressionAttributeValues": { ":version": { "N": "2" } },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    assert_eq!(service.asked(), ("PutItem".into(), asked));
}

#[tokio::test]
async fn one_item_is_deleted() {
    let (table, service) = answering(200, json!({}));
    assert_eq!(table.delete(key()).await, Ok(()));
    let asked = json!({ "TableName": "orangery", "Key": key_json() });
    assert_eq!(service.asked(), ("DeleteItem".into(), asked));
}

#[tokio::test]
async fn a_page_is_read_consistently_from_where_the_last_one_ended() {
    // A page may be empty although others follow.
    let (table, service) = answering(200, json!({ "Items": [], "LastEvaluatedKey": key_json() }));
    let page = table.query("partners", "a", Some(key())).await.unwrap();
    assert_eq!((page.items.len(), page.next), (0, Some(key())));
    let asked = json!({
        "TableName": "orangery",
        "ConsistentRead": true,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": { ":pk": { "S": "partners" }, ":prefix": { "S": "a" } },
        "ExclusiveStartKey": key_json(),
    });
    assert_eq!(service.asked(), ("Query".into(), asked));
}

#[tokio::test]
async fn a_whole_partition_is_asked_for_without_a_prefix() {
    let (table, service) = answering(200, json!({ "Items": [partner_json()] }));
    let page = table.query("partners", "", None).await.unwrap();
    assert_eq!((page.items, page.next), (vec![partner()], None));
    let asked = json!({
        "TableName": "orangery",
        "ConsistentRead": true,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": "partners" } },
    });
    assert_eq!(service.asked(), ("Query".into(), asked));
}

#[tokio::test]
async fn everything_is_read_consistently_page_by_page() {
    let answer = json!({ "Items": [partner_json()], "LastEvaluatedKey": key_json() });
    let (table, service) = answering(200, answer);
    let page = table.scan(Some(key()), 500).await.unwrap();
    assert_eq!((page.items, page.next), (vec![partner()], Some(key())));
    let asked = json!({
        "TableName": "orangery",
        "ConsistentRead": true,
        "Limit": 500,
        "ExclusiveStartKey": key_json(),
    });
    assert_eq!(service.asked(), ("Scan".into(), asked));
}

#[tokio::test]
async fn the_index_is_asked_for_a_shard_to_the_whole_second() {
    let (table, service) = answering(200, json!({ "Items": [key_json()] }));
    let until = at(1) + jiff::SignedDuration::from_millis(1_500);
    assert_eq!(table.query_due(5, until, 250).await, Ok(vec![key()]));
    let asked = json!({
        "TableName": "orangery",
        "IndexName": "due",
        "Limit": 250,
        "KeyConditionExpression": "due_shard = :shard AND next_due_at <= :until",
        "ExpressionAttributeValues": {
            ":shard": { "S": "due#5" },
            ":until": { "S": "2026-01-01T01:00:01Z" },
        },
    });
    assert_eq!(service.asked(), ("Query".into(), asked));
}

fn writes() -> Vec<TransactWrite> {
    vec![
        TransactWrite::Put(partner(), WriteCondition::Version(2)),
        TransactWrite::Check(key(), WriteCondition::Version(7)),
    ]
}

#[tokio::test]
async fn a_transaction_writes_and_checks_under_their_conditions() {
    let (table, service) = answering(200, json!({}));
    assert_eq!(table.transact(writes()).await, Ok(true));
    let (operation, mut asked) = service.asked();
    let token = asked.as_object_mut().unwrap().remove("ClientRequestToken");
    assert!(token.is_some());
    let over = |version: &str| {
        json!({
            "TableName": "orangery",
            "ConditionExpression": "#version = :version",
            "ExpressionAttributeNames": { "#version": "version" },
            "ExpressionAttributeValues": { ":version": { "N": version } },
        })
    };
    let (mut put, mut check) = (over("2"), over("7"));
    put["Item"] = partner_json();
    check["Key"] = key_json();
    let parts = json!({ "TransactItems": [{ "Put": put }, { "ConditionCheck": check }] });
    assert_eq!((operation.as_str(), asked), ("TransactWriteItems", parts));
}

#[tokio::test]
async fn a_transaction_that_is_canceled_wrote_nothing_or_came_too_fast() {
    let reasons = [
        ("ConditionalCheckFailed", Ok(false)),
        ("TransactionConflict", Ok(false)),
        ("ThrottlingError", Err(StoreError::Throttled)),
        ("ProvisionedThroughputExceeded", Err(StoreError::Throttled)),
    ];
    for (reason, expected) in reasons {
        let answer = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "CancellationReasons": [{ "Code": "None" }, { "Code": reason }],
        });
        let (table, _) = answering(400, answer);
        assert_eq!(table.transact(writes()).await, expected, "{reason}");
    }
}

#[tokio::test]
async fn no_error_means_that_nothing_was_done() {
    let errors = [
        (400, "ThrottlingException", StoreError::Throttled),
        (
            400,
            "ProvisionedThroughputExceededException",
            StoreError::Throttled,
        ),
        (400, "RequestLimitExceeded", StoreError::Throttled),
        (400, "TransactionConflictException", StoreError::Contended),
        (
            400,
            "ValidationException",
            StoreError::Invalid("ValidationException".into()),
        ),
        (
            500,
            "InternalServerError",
            StoreError::NoAnswer("InternalServerError".into()),
        ),
    ];
    for (status, code, expected) in errors {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
        let (table, _) = answering(status, json!({ "__type": kind }));
        let put = table.put(partner(), WriteCondition::Absent).await;
        assert_eq!(put, Err(expected.clone()), "{code}");
        assert_eq!(table.get(key()).await, Err(expected), "{code}");
    }
}
