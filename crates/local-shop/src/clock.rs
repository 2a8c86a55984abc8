//! The local stack's clock from outside.

use crate::delivery::{agent, no_answer_message};
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

/// What time it is in the stack.
///
/// # Errors
/// When no stack answers there.
pub fn now(gateway: &str) -> anyhow::Result<Timestamp> {
    Ok(read_status(gateway)?.now)
}

/// What time it is in the stack, and where its table answers.
///
/// # Errors
/// When no stack answers there.
pub fn read_status(gateway: &str) -> anyhow::Result<ClockStatus> {
    let address = address(gateway);
    let answer = agent(&address).get(&address).call();
    let status = read(answer.with_context(|| no_answer_message(gateway))?);
    status.map_err(|error| match is_table(gateway) {
        true => TablePort(gateway.to_owned()).into(),
        false => error,
    })
}

/// A gateway's address that is a table's.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} is a stack's table, and its gateway is at another port: 9090 unless it was told another \
     with --port"
)]
pub struct TablePort(String);

/// Tables say so where gateways show a page.
fn is_table(address: &str) -> bool {
    let answer = agent(address).get(format!("{address}/")).call();
    let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
    text.is_ok_and(|text| text.starts_with("healthy: dynamodb"))
}

/// Moves it on.
///
/// # Errors
/// When no stack answers there, or the length can't be read.
pub fn advance(gateway: &str, by: &str) -> anyhow::Result<Timestamp> {
    post_change(gateway, &json!({ "advance": by }))
}

/// Sets it.
///
/// # Errors
/// When no stack answers there, or the moment can't be read.
pub fn set(gateway: &str, to: &str) -> anyhow::Result<Timestamp> {
    post_change(gateway, &json!({ "set": to }))
}

/// What a stack says of itself.
#[derive(Deserialize)]
pub struct ClockStatus {
    /// Its time.
    pub now: Timestamp,
    /// The port of its table.
    pub table_port: u16,
}

fn post_change(gateway: &str, to: &serde_json::Value) -> anyhow::Result<Timestamp> {
    let address = address(gateway);
    let answer = agent(&address).post(&address).send_json(to);
    Ok(read(answer.with_context(|| no_answer_message(gateway))?)?.now)
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> anyhow::Result<ClockStatus> {
    let status = answer.status();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    match status.as_u16() {
        200..=299 => {}
        400 => bail!("{}", text.trim()),
        404 | 405 => bail!("{NO_STACK}"),
        other => bail!("the stack answered {other}: {}", text.trim()),
    }
    serde_json::from_str(&text).context(NO_STACK)
}

fn address(gateway: &str) -> String {
    format!("{gateway}/_stack/clock")
}

const NO_STACK: &str =
    "what answers there is not a local stack; --port, --url or ORANGERY_URL say where it is";
