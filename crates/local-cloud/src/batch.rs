//! What a function says about a batch: all done, done up to here, or all failed.

use serde::Deserialize;

/// The outcome of one invocation with a batch of identified records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchOutcome {
    /// Everything was done.
    Done,
    /// These places in the batch failed; ascending, none twice.
    Failed(Vec<usize>),
    /// The answer does not say what was done, so nothing counts as done.
    Unreadable(String),
}

/// Reads a function's answer under `ReportBatchItemFailures`.
///
/// Shapes: <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>.
/// An empty or absent list is success; an identifier that is null, empty or not of this batch
/// fails all of it.
pub fn batch_outcome(answer: &[u8], identifiers: &[&str]) -> BatchOutcome {
    if answer.is_empty() {
        return BatchOutcome::Done;
    }
    let report: Option<FailureReport> = match serde_json::from_slice(answer) {
        Ok(report) => report,
        Err(cause) => return BatchOutcome::Unreadable(format!("the answer is no report: {cause}")),
    };
    let failures = report
        .and_then(|report| report.failures)
        .unwrap_or_default();
    let mut places = Vec::with_capacity(failures.len());
    for failure in failures {
        let named = failure.identifier.unwrap_or_default();
        match identifiers
            .iter()
            .position(|identifier| *identifier == named)
        {
            Some(place) => places.push(place),
            None => return BatchOutcome::Unreadable(format!("`{named}` is not of this batch")),
        }
    }
    places.sort_unstable();
    places.dedup();
    if places.is_empty() {
        BatchOutcome::Done
    } else {
        BatchOutcome::Failed(places)
    }
}

#[derive(Deserialize)]
struct FailureReport {
    #[serde(rename = "batchItemFailures")]
    failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
struct ItemFailure {
    #[serde(rename = "itemIdentifier")]
    identifier: Option<String>,
}
