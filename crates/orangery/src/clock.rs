//! The local stack's clock from outside.

use crate::delivery::agent;
use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

/// What time it is in the stack.
///
/// # Errors
/// When no stack answers there.
pub fn now(gateway: &str) -> anyhow::Result<Timestamp> {
    let answer = agent().get(address(gateway)).call();
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
    let answer = agent().post(address(gateway)).send_json(to);
    told(answer.with_context(|| nobody(gateway))?)
}

fn told(mut answer: ureq::http::Response<ureq::Body>) -> anyhow::Result<Timestamp> {
    let status = answer.status();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    if !status.is_success() {
        bail!("the stack answered {}: {}", status.as_u16(), text.trim());
    }
    let told: Told = serde_json::from_str(&text)
        .context("what answers there is no local stack; --port and ORANGERY_URL say where it is")?;
    Ok(told.now)
}

fn address(gateway: &str) -> String {
    format!("{gateway}/_stack/clock")
}

fn nobody(gateway: &str) -> String {
    format!("no stack answers at {gateway}; start one with `cargo run`, or name its --port")
}
