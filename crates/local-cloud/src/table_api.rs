//! The table's API on loopback: DynamoDB's JSON protocol in front of the embedded engine.
//!
//! The engine has a server of its own, which lets pages of every site read and write the table;
//! so the stack speaks the protocol itself, behind its guard.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use dynoxide::auth_material::{AuthMaterial, validate};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Engine, REGION};
use crate::{guard, ids};

/// The one address that every operation goes to.
pub(crate) fn router(engine: Engine) -> Router {
    Router::new()
        .route("/", post(answer).get(health))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(guard::own_machine_only))
        .with_state(engine)
}

async fn health() -> String {
    format!("healthy: dynamodb.{REGION}.amazonaws.com ")
}

/// Answers one call; `X-Amz-Target` names the operation. Credentials must be there; any will do.
async fn answer(
    Shared(engine): Shared<Engine>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let content = text("content-type").unwrap_or_default();
    let content = content.split(';').next().unwrap_or_default().trim();
    let operation = text("x-amz-target").and_then(|target| {
        let prefixes = ["DynamoDB_20120810.", "DynamoDBStreams_20120810."];
        prefixes
            .iter()
            .find_map(|prefix| target.strip_prefix(prefix))
    });
    let is_json = ["application/x-amz-json-1.0", "application/json"].contains(&content);
    let Some(operation) = operation.filter(|_| is_json) else {
        return respond(StatusCode::BAD_REQUEST, UNKNOWN_OPERATION.to_owned());
    };
    let material = AuthMaterial {
        authorization: text("authorization"),
        query: uri.query().unwrap_or_default(),
        has_date_header: text("x-amz-date").or(text("date")).is_some(),
    };
    if let Some(refused) = validate(material) {
        return respond(StatusCode::BAD_REQUEST, refused);
    }
    match dispatch(engine.database(), operation, &body) {
        Some(Ok(json)) => respond(StatusCode::OK, json),
        Some(Err(error)) => {
            let status = StatusCode::from_u16(error.status_code());
            respond(status.unwrap_or(StatusCode::BAD_REQUEST), error.to_json())
        }
        None => respond(StatusCode::BAD_REQUEST, UNKNOWN_OPERATION.to_owned()),
    }
}

/// None for an operation that is not spoken here.
fn dispatch(
    database: &Database,
    operation: &str,
    body: &[u8],
) -> Option<Result<String, DynoxideError>> {
    macro_rules! operations {
        ($($name:literal: $method:ident,)*) => {
            match operation {
                $($name => Some(run(body, |request| database.$method(request))),)*
                _ => None,
            }
        };
    }
    operations! {
        "BatchExecuteStatement": batch_execute_statement,
        "BatchGetItem": batch_get_item,
        "BatchWriteItem": batch_write_item,
        "CreateTable": create_table,
        "DeleteItem": delete_item,
        "DeleteTable": delete_table,
        "DescribeStream": describe_stream,
        "DescribeTable": describe_table,
        "DescribeTimeToLive": describe_time_to_live,
        "ExecuteStatement": execute_statement,
        "ExecuteTransaction": execute_transaction,
        "GetItem": get_item,
        "GetRecords": get_records,
        "GetShardIterator": get_shard_iterator,
        "ListStreams": list_streams,
        "ListTables": list_tables,
        "ListTagsOfResource": list_tags_of_resource,
        "PutItem": put_item,
        "Query": query,
        "Scan": scan,
        "TagResource": tag_resource,
        "TransactGetItems": transact_get_items,
        "TransactWriteItems": transact_write_items,
        "UntagResource": untag_resource,
        "UpdateItem": update_item,
        "UpdateTable": update_table,
        "UpdateTimeToLive": update_time_to_live,
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_slice(body).map_err(|cause| unreadable(&cause.to_string()))?;
    serde_json::to_string(&call(request)?)
        .map_err(|cause| DynoxideError::InternalServerError(cause.to_string()))
}

/// A value that the operation does not allow, as the engine's types mark it, or another shape.
fn unreadable(message: &str) -> DynoxideError {
    let message = match message.rsplit_once(" at line ") {
        Some((message, _)) => message,
        None => message,
    };
    let is_value = [
        "missing field",
        "unknown variant",
        "invalid type: null",
        "AttributeValue",
    ]
    .iter()
    .any(|words| message.contains(words));
    match message.split_once(':') {
        Some((mark, words)) if mark.starts_with("VALIDATION") => {
            DynoxideError::ValidationException(words.to_owned())
        }
        Some((mark, words)) if mark.starts_with("SERIALIZATION") => {
            DynoxideError::SerializationException(words.to_owned())
        }
        Some(_) | None if is_value => DynoxideError::ValidationException(message.to_owned()),
        Some(_) | None => DynoxideError::SerializationException(message.to_owned()),
    }
}

fn respond(status: StatusCode, json: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE.as_str(), "application/x-amz-json-1.0"),
        ("x-amzn-requestid", &ids::fresh()),
    ];
    (status, headers, json).into_response()
}

const UNKNOWN_OPERATION: &str =
    "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}";
/// DynamoDB's own limit.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
