//! Which changes of the table a mapping is there for.

use serde_json::Value;

/// Lambda's filter criteria, as far as they are needed: every stated condition must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The sort key begins with this.
    pub sort_key_prefix: Option<String>,
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub event_names: Option<Vec<String>>,
}

impl Filter {
    /// Records whose sort key begins with this.
    pub fn sort_key(prefix: &str) -> Self {
        Self {
            sort_key_prefix: Some(prefix.to_owned()),
            ..Self::default()
        }
    }

    /// Whether this stream record, as Lambda carries it, meets every stated condition.
    pub fn accepts(&self, record: &Value) -> bool {
        let sort_key = record
            .pointer("/dynamodb/Keys/sk/S")
            .and_then(Value::as_str);
        let event = record
            .get("eventName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let prefix = self.sort_key_prefix.as_ref();
        prefix.is_none_or(|prefix| sort_key.is_some_and(|key| key.starts_with(prefix.as_str())))
            && self
                .event_names
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| name == event))
    }
}
