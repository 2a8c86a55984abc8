//! One JSON line an event, as Lambda's log levels want it; never personal data or a secret.

use jiff::Timestamp;
use std::fmt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;

/// Starts logging for this process: JSON on standard output, `INFO` and up. A second call
/// changes nothing.
pub fn start() {
    // Lambda reads `level` and `timestamp` at the top of each line, so events are flattened.
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_timer(Rfc3339);
    let subscriber = tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(lines);
    let already = tracing::subscriber::set_global_default(subscriber).is_err();
    if already {
        tracing::debug!("logging was started before");
    }
}

struct Rfc3339;

impl FormatTime for Rfc3339 {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", Timestamp::now())
    }
}
