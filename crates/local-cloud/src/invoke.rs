//! One invocation of a function: in a task of its own, so that a panic is an answer.

use std::sync::Arc;
use std::time::Duration;

use runtime::function::{Failure, Function};
use tokio::task::JoinError;
use tokio::time::timeout;

/// Calls a function as Lambda does: a panic or a call without end is a [`Failure`].
pub(crate) async fn invoke(
    function: &Arc<dyn Function>,
    payload: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    let function = Arc::clone(function);
    // Spawned, so that the call ends even if the caller hangs up, as it does in Lambda.
    let mut call = tokio::spawn(async move { function.invoke(&payload).await });
    match timeout(INVOKE_TIMEOUT, &mut call).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(ended)) => Err(panic_failure(ended)),
        Err(_) => {
            call.abort();
            let seconds = INVOKE_TIMEOUT.as_secs();
            Err(Failure::new(
                "Sandbox.Timedout",
                format!("no answer within {seconds} seconds"),
            ))
        }
    }
}

fn panic_failure(ended: JoinError) -> Failure {
    let message = match ended.try_into_panic() {
        Ok(payload) => match (
            payload.downcast_ref::<&str>(),
            payload.downcast_ref::<String>(),
        ) {
            (Some(text), _) => (*text).to_owned(),
            (None, Some(text)) => text.clone(),
            (None, None) => "a panic without words".to_owned(),
        },
        Err(_) => "the call was canceled".to_owned(),
    };
    Failure::new("Runtime.Panic", message)
}

/// What the template gives the slowest function.
const INVOKE_TIMEOUT: Duration = Duration::from_secs(60);
