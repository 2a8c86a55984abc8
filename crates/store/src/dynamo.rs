//! The port over DynamoDB.

use crate::error::StoreError;
use crate::items::attributes::{
    Attributes, LARGEST_ITEM, item_bytes, key_attributes, key_of, text,
};
use crate::items::due_index::due_shard_name;
use crate::items::item::Item;
use crate::items::key::Key;
use crate::port::{Page, PutOutcome, Table, TransactWrite, WriteCondition};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::Put as PutWrite;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jiff::Timestamp;
use std::collections::HashMap;

/// A DynamoDB table with string keys `pk` and `sk`.
#[derive(Clone, Debug)]
pub struct DynamoTable {
    client: Client,
    name: String,
}

impl DynamoTable {
    /// A table by its name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }
}

/// The item of a stream image or any other attributes as the SDK gives them.
///
/// # Errors
/// [`StoreError::Unreadable`] when it is none of ours.
pub fn read_item(attributes: HashMap<String, AttributeValue>) -> Result<Item, StoreError> {
    Item::from_attributes(attributes)
}

impl Table for DynamoTable {
    async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key_attributes(&key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| store_error(&error))?;
        answer.item.map(Item::from_any_attributes).transpose()
    }

    async fn put(&self, item: Item, when: WriteCondition) -> Result<PutOutcome, StoreError> {
        let condition = ConditionExpression::from(when);
        let attributes = item.to_attributes()?;
        check_size(&attributes)?;
        let answer = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(attributes))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(PutOutcome::Done),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                    let there = refused
                        .item
                        .clone()
                        .map(Item::from_any_attributes)
                        .transpose()?;
                    Ok(PutOutcome::Refused(there.map(Box::new)))
                }
                Some(_) | None => Err(store_error(&error)),
            },
        }
    }

    async fn delete(&self, key: Key) -> Result<(), StoreError> {
        self.client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_attributes(&key)))
            .send()
            .await
            .map_err(|error| store_error(&error))?;
        Ok(())
    }

    async fn query(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<Key>,
    ) -> Result<Page, StoreError> {
        let query = self.client.query().table_name(&self.name);
        let query = match prefix {
            // No value of a key may be empty in a condition.
            "" => query.key_condition_expression("pk = :pk"),
            prefix => query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.into())),
        };
        let answer = query
            .consistent_read(true)
            .expression_attribute_values(":pk", AttributeValue::S(partition.into()))
            .set_exclusive_start_key(after.as_ref().map(key_attributes))
            .send()
            .await
            .map_err(|error| store_error(&error))?;
        page(answer.items, answer.last_evaluated_key)
    }

    async fn scan(&self, after: Option<Key>, limit: u32) -> Result<Page, StoreError> {
        let answer = self
            .client
            .scan()
            .table_name(&self.name)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.as_ref().map(key_attributes))
            .send()
            .await
            .map_err(|error| store_error(&error))?;
        page(answer.items, answer.last_evaluated_key)
    }

    async fn query_due(
        &self,
        shard: u64,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Key>, StoreError> {
        // To the whole second, as records have it: with a fraction it would sort before them.
        let until = until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND next_due_at <= :until")
            .expression_attribute_values(":shard", AttributeValue::S(due_shard_name(shard)))
            .expression_attribute_values(":until", AttributeValue::S(until))
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| store_error(&error))?;
        // One page is enough: what is looked at leaves the index, and the rest comes next time.
        let keys = answer.items.unwrap_or_default();
        keys.iter().map(key_of).collect()
    }

    async fn transact(&self, writes: Vec<TransactWrite>) -> Result<bool, StoreError> {
        let mut parts = Vec::with_capacity(writes.len());
        for write in writes {
            parts.push(match write {
                TransactWrite::Put(item, when) => put_part(&self.name, &item, when)?,
                TransactWrite::Check(key, when) => check_part(&self.name, &key, when)?,
            });
        }
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(parts));
        match answer.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                    let throttled = canceled.cancellation_reasons().iter().any(|reason| {
                        matches!(reason.code(), Some("ThrottlingError"))
                            || matches!(reason.code(), Some("ProvisionedThroughputExceeded"))
                    });
                    if throttled {
                        Err(StoreError::Throttled)
                    } else {
                        Ok(false)
                    }
                }
                Some(_) | None => Err(store_error(&error)),
            },
        }
    }
}

/// Says that an item grows too large before it is too late, and what is wrong once it is: the table
/// itself would call the request invalid.
fn check_size(attributes: &Attributes) -> Result<(), StoreError> {
    let bytes = item_bytes(attributes);
    if bytes > LARGE_ITEM {
        let kind = text(attributes, "type").unwrap_or_default();
        let key = text(attributes, "pk").unwrap_or_default();
        let metrics = "large_item";
        tracing::warn!(
            kind,
            key,
            bytes,
            metrics,
            "an item nears the table's 400 KB"
        );
    }
    if bytes > LARGEST_ITEM {
        return Err(StoreError::TooLarge { bytes });
    }
    Ok(())
}

/// From here on an item is told of.
const LARGE_ITEM: usize = 200 * 1024;

struct ConditionExpression {
    expression: &'static str,
    names: Option<HashMap<String, String>>,
    values: Option<HashMap<String, AttributeValue>>,
}

impl From<WriteCondition> for ConditionExpression {
    fn from(when: WriteCondition) -> Self {
        match when {
            WriteCondition::Absent => Self {
                expression: "attribute_not_exists(pk)",
                names: None,
                values: None,
            },
            WriteCondition::Version(version) => Self {
                expression: "#version = :version",
                names: Some(HashMap::from([("#version".into(), "version".into())])),
                values: Some(HashMap::from([(
                    ":version".into(),
                    AttributeValue::N(version.to_string()),
                )])),
            },
        }
    }
}

fn put_part(
    table: &str,
    item: &Item,
    when: WriteCondition,
) -> Result<TransactWriteItem, StoreError> {
    let condition = ConditionExpression::from(when);
    let put = PutWrite::builder()
        .table_name(table)
        .set_item(Some(item.to_stored_attributes()?))
        .condition_expression(condition.expression)
        .set_expression_attribute_names(condition.names)
        .set_expression_attribute_values(condition.values)
        .build()
        .map_err(|error| StoreError::Invalid(error.to_string()))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn check_part(
    table: &str,
    key: &Key,
    when: WriteCondition,
) -> Result<TransactWriteItem, StoreError> {
    let condition = ConditionExpression::from(when);
    let check = ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(key_attributes(key)))
        .condition_expression(condition.expression)
        .set_expression_attribute_names(condition.names)
        .set_expression_attribute_values(condition.values)
        .build()
        .map_err(|error| StoreError::Invalid(error.to_string()))?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}

fn page(items: Option<Vec<Attributes>>, next: Option<Attributes>) -> Result<Page, StoreError> {
    let items = items
        .unwrap_or_default()
        .into_iter()
        .map(Item::from_any_attributes)
        .collect::<Result<_, _>>()?;
    let next = next.as_ref().map(key_of).transpose()?;
    Ok(Page { items, next })
}

/// What an error means to the protocol. A throttled request may follow one of our own that was
/// applied without an answer, so neither kind is ever read as "not done".
fn store_error<E, R>(error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata,
{
    const OURS: [&str; 4] = [
        "ValidationException",
        "AccessDeniedException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
    ];
    match error.code() {
        Some(code) if code.contains("Throttl") || code.contains("LimitExceeded") => {
            StoreError::Throttled
        }
        Some("ProvisionedThroughputExceededException") => StoreError::Throttled,
        // A single write while a transaction is on the same item.
        Some("TransactionConflictException") => StoreError::Contended,
        Some(code) if OURS.contains(&code) => StoreError::Invalid(code.to_owned()),
        Some(code) => StoreError::NoAnswer(code.to_owned()),
        None => StoreError::NoAnswer(transport_error_name(error).to_owned()),
    }
}

fn transport_error_name<E, R>(error: &SdkError<E, R>) -> &'static str {
    match error {
        SdkError::TimeoutError(_) => "time-out",
        SdkError::DispatchFailure(_) => "no connection",
        SdkError::ResponseError(_) => "unreadable response",
        SdkError::ConstructionFailure(_) => "request not built",
        // The SDK keeps this enum open.
        SdkError::ServiceError(_) | _ => "unnamed error",
    }
}
