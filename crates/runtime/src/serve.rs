//! The Lambda loop: one function, one process, the Runtime API.

use crate::function::{Failure, Function};
use crate::settings::{BadSetting, Settings};
use crate::telemetry;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use std::time::Duration;

/// A function's program: opens it with the settings of the environment, and serves it until the
/// environment is taken away.
///
/// # Errors
/// [`BadSetting`]; and when the Runtime API can't be reached.
pub fn run<F: Function>(
    open: impl FnOnce(&Settings) -> Result<F, BadSetting>,
) -> Result<(), lambda_runtime::Error> {
    let one_thread = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    one_thread.block_on(async {
        telemetry::start();
        serve(open(&Settings::from_env())?).await
    })
}

/// Runs a function under Lambda's Runtime API until the environment is taken away.
///
/// # Errors
/// When the Runtime API can't be reached.
async fn serve(function: impl Function) -> Result<(), lambda_runtime::Error> {
    let function = &function;
    // Too slow is as good as failed: the first invocation then opens what it needs.
    let _ = tokio::time::timeout(WARM_UP_TIMEOUT, function.warm()).await;
    lambda_runtime::run(service_fn(
        move |event: LambdaEvent<Box<RawValue>>| async move {
            telemetry::start_invocation(&event.context.request_id);
            let answer = function.invoke(event.payload.get().as_bytes()).await;
            let answer = answer.inspect_err(|failure| {
                let kind = &*failure.error_type;
                tracing::error!(kind, why = %failure.message, metrics = "failed_calls");
            })?;
            let text = String::from_utf8(answer).unwrap_or_default();
            RawValue::from_string(text)
                .map_err(|error| Failure::new("BadAnswer", error.to_string()))
        },
    ))
    .await
}

/// Lambda gives a start ten seconds in all.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(2);

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.error_type,
            error_message: failure.message,
        }
    }
}
