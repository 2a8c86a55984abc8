//! The local stack's clock from outside.

use crate::delivery::{agent, nobody};
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

/// What time it is in the stack.
///
/// # Errors
/// When no stack answers there.
pub fn now(gateway: &str) -> anyhow::Result<Timestamp> {
    let address = address(gateway);
    let answer = agent(&address).get(&address).call();
    told(answer.with_context(|| nobody(gateway))?)
}

/// Moves it on.
///
/// # Errors
/// When no stack answers there, or the length can't be read.
pub fn advance(gateway: &str, by: &str) -> anyhow::Result<Timestamp> {
    moved(gateway, &json!({ "advance": by }))
}

/// Sets it.
///
/// # Errors
/// When no stack answers there, or the moment can't be read.
pub fn set(gateway: &str, to: &str) -> anyhow::Result<Timestamp> {
    moved(gateway, &json!({ "set": to }))
}

#[derive(Deserialize)]
struct Told {
    now: Timestamp,
}

fn moved(gateway: &str, to: &serde_json::Value) -> anyhow::Result<Timestamp> {
    let address = address(gateway);
    let answer = agent(&address).post(&address).send_json(to);
    told(answer.with_context(|| nobody(gateway))?)
}

fn told(mut answer: ureq::http::Response<ureq::Body>) -> anyhow::Result<Timestamp> {
    let status = answer.status();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    match status.as_u16() {
        200..=299 => {}
        400 => bail!("{}", text.trim()),
        404 | 405 => bail!("{NO_STACK}"),
        other => bail!("the stack answered {other}: {}", text.trim()),
    }
    let told: Told = serde_json::from_str(&text).context(NO_STACK)?;
    Ok(told.now)
}

fn address(gateway: &str) -> String {
    format!("{gateway}/_stack/clock")
}

const NO_STACK: &str =
    "what answers there is no local stack; --port, --url or ORANGERY_URL say where it is";
