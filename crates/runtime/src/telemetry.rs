//! One JSON line an event, as Lambda's log levels want it, and metrics in the same lines; never
//! personal data or a secret.
//!
//! A line that counts says so: `metrics = "refused"` makes of the line's field `refused`, or of
//! one where there is none, a metric of that name in the namespace `Orangery`, by stage. Several
//! names stand apart by spaces. The form is CloudWatch's "embedded metric format".

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Starts logging for this process: JSON on standard output, `INFO` and up. A second call
/// changes nothing.
pub fn start() {
    let lines = JsonLineLayer {
        stage: std::env::var("STAGE")
            .ok()
            .filter(|stage| !stage.is_empty()),
        clock: Timestamp::now,
        write: |line| {
            // Where nobody reads the log, nothing can be done about it.
            let _ = std::io::stdout().lock().write_all(line.as_bytes());
        },
    };
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(lines);
    let already = tracing::subscriber::set_global_default(subscriber).is_err();
    if already {
        tracing::debug!("logging was started before");
    }
}

/// Every line from now on is of this invocation. An environment has one at a time.
pub fn start_invocation(request_id: &str) {
    let mut invocation = INVOCATION.lock().unwrap_or_else(PoisonError::into_inner);
    *invocation = Some((request_id.to_owned(), Instant::now()));
}

static INVOCATION: Mutex<Option<(String, Instant)>> = Mutex::new(None);

/// Writes each event as one line.
struct JsonLineLayer {
    stage: Option<String>,
    clock: fn() -> Timestamp,
    write: fn(&str),
}

impl<S: Subscriber> Layer<S> for JsonLineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut event_fields = EventFields::default();
        event.record(&mut event_fields);
        let level = event.metadata().level().as_str();
        let line = line((self.clock)(), level, event_fields, self.stage.as_deref());
        (self.write)(&line);
    }
}

/// What an event says: its fields, and which of them are metrics.
#[derive(Default)]
struct EventFields {
    fields: Map<String, Value>,
    metrics: Vec<String>,
}

impl EventFields {
    fn insert_text(&mut self, field: &Field, text: &str) {
        self.insert(field, plain(text).into());
    }

    fn insert(&mut self, field: &Field, value: Value) {
        if field.name() == "metrics" {
            let names = value.as_str().unwrap_or_default().split(' ');
            self.metrics = names.map(str::to_owned).collect();
        } else {
            self.fields.insert(field.name().to_owned(), value);
        }
    }
}

impl Visit for EventFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert_text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert_text(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }
}

/// A text that no terminal obeys, whoever wrote it and whatever unpacks the line: a control
/// character, and what turns the direction of writing, becomes a question mark.
fn plain(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(obeyed) {
        text.replace(obeyed, "?").into()
    } else {
        text.into()
    }
}

/// Lambda reads `level` and `timestamp` at the top of a line; `us` is the time since its call
/// began, in microseconds.
fn line(now: Timestamp, level: &str, event_fields: EventFields, stage: Option<&str>) -> String {
    let mut fields = event_fields.fields;
    fields.insert("timestamp".into(), now.to_string().into());
    fields.insert("level".into(), level.into());
    if let Some((request_id, since)) = &*INVOCATION.lock().unwrap_or_else(PoisonError::into_inner) {
        let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        fields.insert("requestId".into(), plain(request_id).into());
        fields.insert("us".into(), us.into());
    }
    if let (Some(stage), false) = (stage, event_fields.metrics.is_empty()) {
        for name in &event_fields.metrics {
            fields.entry(name.as_str()).or_insert_with(|| 1.into());
        }
        let names = event_fields
            .metrics
            .iter()
            .map(|name| json!({ "Name": name }));
        let form = json!({
            "Namespace": "Orangery",
            "Dimensions": [["stage"]],
            "Metrics": names.collect::<Vec<_>>(),
        });
        fields.insert("stage".into(), stage.into());
        let about = json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [form] });
        fields.insert("_aws".into(), about);
    }
    let mut line = Value::Object(fields).to_string();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests;
