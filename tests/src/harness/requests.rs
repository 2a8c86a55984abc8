//! Requests to the stack's gateway.

use anyhow::Context;
use local_shop::delivery::{DeliveryResponse, agent};

/// Runs what blocks where it may.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// One request, whatever it is worth.
pub(super) fn call(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> anyhow::Result<DeliveryResponse> {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let agent = agent(url);
    let request = agent
        .configure_request(request.body(body)?)
        .allow_non_standard_methods(true);
    let mut answer = agent.run(request.build()).context("nobody answers")?;
    let body = answer.body_mut().read_to_string().unwrap_or_default();
    Ok(DeliveryResponse {
        status: answer.status().as_u16(),
        body,
    })
}
