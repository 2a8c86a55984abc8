//! The catalog that a stack was started with, for commands that show or change what it knows.

use crate::delivery::{agent, no_answer_message};
use anyhow::{Context, bail};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use domain::catalog::Catalog;

/// Where a stack says what its prices are called; it says nothing if nothing was said to it.
pub fn router(text: Option<String>) -> Router {
    let answer = move || async move { text.ok_or(StatusCode::NO_CONTENT) };
    Router::new().route(PATH, get(answer))
}

/// The catalog of the stack at this gateway, if it was started with one.
///
/// # Errors
/// When nobody answers there, or with no catalog.
pub fn read(gateway: &str) -> anyhow::Result<Option<Catalog>> {
    let url = format!("{gateway}{PATH}");
    let answer = agent(&url).get(&url).call();
    let mut answer = answer.with_context(|| no_answer_message(gateway))?;
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    match answer.status().as_u16() {
        200 => Ok(Some(
            Catalog::parse(&text).context("in the stack's catalog")?,
        )),
        // An older stack has none to give.
        204 | 404 => Ok(None),
        other => bail!("the stack does not say its catalog ({other})"),
    }
}

const PATH: &str = "/_stack/catalog";
