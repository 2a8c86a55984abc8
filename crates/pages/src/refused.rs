//! Refused requests, each with a cause that a person can act on.

use crate::console::Console;
use crate::diagnosis_text::{DiagnosisText, diagnosis_text};
use crate::display_prefs::DisplayPrefs;
use crate::page_result::{BeforeQuery, PageError, PageResult, next_page};
use crate::render::values;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use local_cloud::recorded_requests::RecordedRequest;
use local_shop::saved_request::{DiagnosisContext, SavedRequest};
use serde::{Deserialize, Serialize};

/// A refused request and why.
#[derive(Serialize)]
struct RefusedRequest {
    #[serde(flatten)]
    request: RecordedRequest,
    cause: Option<&'static str>,
    text: Option<DiagnosisText>,
    certain: bool,
}

pub(crate) async fn list(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(asked): Query<BeforeQuery>,
) -> PageResult {
    let recorded = console
        .endpoints
        .state
        .refused_before(asked.number(), PAGE_SIZE)?;
    let next = next_page(&recorded, PAGE_SIZE, |recorded| recorded.id);
    let refused: Vec<RefusedRequest> = recorded
        .into_iter()
        .map(|recorded| console.explain_refusal(&display, recorded))
        .collect();
    console.page(&display, "refused.html", values! { refused, next })
}

#[derive(Deserialize)]
pub(crate) struct RefusedQuery {
    id: i64,
}

pub(crate) async fn one(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(which): Query<RefusedQuery>,
) -> PageResult {
    let recorded = console.recorded_request(which.id)?;
    let body = String::from_utf8_lossy(&recorded.body).into_owned();
    let cut = recorded.body_bytes > recorded.body.len();
    let refused = console.explain_refusal(&display, recorded);
    console.page(&display, "refusal.html", values! { refused, body, cut })
}

/// The request as `orangery doctor signature` reads it.
pub(crate) async fn save(
    State(console): State<Console>,
    Query(which): Query<RefusedQuery>,
) -> PageResult {
    let recorded = console.recorded_request(which.id)?;
    let text = serde_json::to_string_pretty(&SavedRequest::from(&recorded))?;
    let name = format!("attachment; filename=\"refused-{}.json\"", recorded.id);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, text).into_response())
}

impl Console {
    fn recorded_request(&self, id: i64) -> Result<RecordedRequest, PageError> {
        let recorded = self.endpoints.state.recorded_request(id)?;
        recorded.ok_or_else(|| PageError::NotFound(format!("request {id} is not kept any more")))
    }

    fn explain_refusal(&self, display: &DisplayPrefs, recorded: RecordedRequest) -> RefusedRequest {
        let name = recorded.path.strip_prefix("/webhooks/").unwrap_or_default();
        let mut others: Vec<(String, String)> = Vec::new();
        for (provider, secrets) in self.shop.secrets.iter().filter(|(known, _)| *known != name) {
            others.extend(
                secrets
                    .iter()
                    .map(|text| (format!("/webhooks/{provider}"), text.clone())),
            );
        }
        let known = DiagnosisContext {
            secrets_in_force: self.shop.secrets.get(name).cloned().unwrap_or_default(),
            other_secrets: others,
            ..DiagnosisContext::default()
        };
        let now = self.endpoints.clock.now();
        let found = SavedRequest::from(&recorded)
            .diagnosis(&known, now)
            .ok()
            .flatten();
        // A rightly signed request was refused for another reason than its signature.
        let found = found.filter(|found| found.cause != providers::diagnose::Cause::Fits);
        RefusedRequest {
            cause: found.as_ref().map(|found| found.cause.as_str()),
            certain: found.as_ref().is_some_and(|found| found.certain),
            text: found.map(|found| diagnosis_text(display.language, &found)),
            request: recorded,
        }
    }
}

const PAGE_SIZE: u32 = 50;
