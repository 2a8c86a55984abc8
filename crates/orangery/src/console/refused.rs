//! Refused requests, each with a cause that a person can act on.

use super::look::Look;
use super::render::values;
use super::{Before, Console, Fault, Page, next_page, words};
use crate::doctor::{Known, Saved};
use crate::stack::seen::Seen;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};

/// A refused request and why.
#[derive(Serialize)]
struct Refused {
    #[serde(flatten)]
    seen: Seen,
    cause: Option<&'static str>,
    words: Option<super::Words>,
    certain: bool,
}

pub(crate) async fn list(
    State(console): State<Console>,
    look: Look,
    Query(asked): Query<Before>,
) -> Page {
    let seen = console
        .endpoints
        .state
        .refused_before(asked.number(), PAGE)?;
    let next = next_page(&seen, PAGE, |seen| seen.id);
    let refused: Vec<Refused> = seen
        .into_iter()
        .map(|seen| console.why(&look, seen))
        .collect();
    console.page(&look, "refused.html", values! { refused, next })
}

#[derive(Deserialize)]
pub(crate) struct Which {
    id: i64,
}

pub(crate) async fn one(
    State(console): State<Console>,
    look: Look,
    Query(which): Query<Which>,
) -> Page {
    let seen = console.refusal(which.id)?;
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    let cut = seen.body_bytes > seen.body.len();
    let refused = console.why(&look, seen);
    console.page(&look, "refusal.html", values! { refused, body, cut })
}

/// The request as `orangery doctor signature` reads it.
pub(crate) async fn save(State(console): State<Console>, Query(which): Query<Which>) -> Page {
    let seen = console.refusal(which.id)?;
    let text = serde_json::to_string_pretty(&Saved::from(&seen))?;
    let name = format!("attachment; filename=\"refused-{}.json\"", seen.id);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, text).into_response())
}

impl Console {
    fn refusal(&self, id: i64) -> Result<Seen, Fault> {
        let seen = self.endpoints.state.seen(id)?;
        seen.ok_or_else(|| Fault::NotThere(format!("request {id} is not kept any more")))
    }

    fn why(&self, look: &Look, seen: Seen) -> Refused {
        let name = seen.path.strip_prefix("/webhooks/").unwrap_or_default();
        let mut others: Vec<(String, String)> = Vec::new();
        for (provider, secrets) in self.shop.secrets.iter().filter(|(known, _)| *known != name) {
            others.extend(
                secrets
                    .iter()
                    .map(|text| (format!("/webhooks/{provider}"), text.clone())),
            );
        }
        let known = Known {
            secrets: self.shop.secrets.get(name).cloned().unwrap_or_default(),
            others,
            ..Known::default()
        };
        let now = self.endpoints.clock.now();
        let found = Saved::from(&seen).diagnosis(&known, now).ok().flatten();
        // What a door says of a rightly signed request is about something else than signatures.
        let found = found.filter(|found| found.cause != providers::diagnose::Cause::Fits);
        Refused {
            cause: found.as_ref().map(|found| found.cause.as_str()),
            certain: found.as_ref().is_some_and(|found| found.certain),
            words: found.map(|found| words(look.language, &found)),
            seen,
        }
    }
}

const PAGE: u32 = 50;
