//! The gateway's own pages: the mailbox, the clock, the state, and the stack's levers.

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::{ClockMove, parse_amount, parse_moment};
use crate::error::StackError;
use crate::inner::StackInner;
use crate::mail::MailFault;

/// The routes under `/_stack`, and the mailbox.
pub(crate) fn router(inner: StackInner) -> Router {
    Router::new()
        .route("/mailbox.json", get(mailbox))
        .route("/_stack/clock", get(clock).post(move_clock))
        .route("/_stack/settle", post(settle))
        .route("/_stack/state", get(state))
        .route("/_stack/refusals", get(refusals))
        .route("/_stack/failed-batches", get(failed_batches))
        .route("/_stack/mail-faults", post(mail_faults))
        .route("/_stack/schedules/{name}/run", post(run_schedule))
        .route("/_stack/queues/{name}/redrive", post(redrive))
        .with_state(inner)
}

type ControlResult = Result<Json<Value>, StackError>;

async fn mailbox(Shared(inner): Shared<StackInner>) -> ControlResult {
    Ok(Json(json!({ "mails": inner.mailbox.mails()? })))
}

async fn clock(Shared(inner): Shared<StackInner>) -> ControlResult {
    Ok(Json(clock_status(&inner)))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClockRequest {
    Set(String),
    Advance(String),
}

/// After a move the schedules run once: what fell due in between is what one moves for.
async fn move_clock(
    Shared(inner): Shared<StackInner>,
    Json(to): Json<ClockRequest>,
) -> ControlResult {
    let to = match to {
        ClockRequest::Set(moment) if moment.trim() == "now" => ClockMove::Real,
        ClockRequest::Set(moment) => ClockMove::To(parse_moment(&moment)?),
        ClockRequest::Advance(amount) => ClockMove::By(parse_amount(&amount)?),
    };
    inner.move_clock(to).await?;
    Ok(Json(clock_status(&inner)))
}

async fn settle(Shared(inner): Shared<StackInner>) -> ControlResult {
    inner.settle().await?;
    Ok(Json(json!({ "quiet": true })))
}

async fn state(Shared(inner): Shared<StackInner>) -> ControlResult {
    Ok(Json(serde_json::to_value(inner.counts()?)?))
}

async fn refusals(Shared(inner): Shared<StackInner>) -> ControlResult {
    Ok(Json(json!({ "refusals": inner.state.refusals()? })))
}

async fn failed_batches(Shared(inner): Shared<StackInner>) -> ControlResult {
    Ok(Json(
        json!({ "failed_batches": inner.state.failed_batches()? }),
    ))
}

#[derive(Deserialize)]
struct MailFaultRequest {
    times: u16,
    fault: MailFault,
}

async fn mail_faults(
    Shared(inner): Shared<StackInner>,
    Json(faults): Json<MailFaultRequest>,
) -> ControlResult {
    inner
        .mailbox
        .fail_next(usize::from(faults.times), faults.fault);
    Ok(Json(json!({ "times": faults.times })))
}

async fn run_schedule(
    Shared(inner): Shared<StackInner>,
    Path(name): Path<String>,
) -> ControlResult {
    inner.run_schedule(&name).await?;
    Ok(Json(json!({ "ran": name })))
}

async fn redrive(Shared(inner): Shared<StackInner>, Path(name): Path<String>) -> ControlResult {
    Ok(Json(json!({ "moved": inner.queues.redrive(&name)? })))
}

fn clock_status(inner: &StackInner) -> Value {
    let now = inner.clock.now().to_string();
    let port = inner.table_url.rsplit(':').next();
    let table_port = port.and_then(|port| port.parse::<u16>().ok());
    json!({
        "now": now,
        "offset_seconds": inner.clock.offset() / 1_000,
        "table_port": table_port,
    })
}

impl IntoResponse for StackError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Time(_) | Self::NoSuchTime(..) | Self::FarTime => StatusCode::BAD_REQUEST,
            Self::UnknownSchedule(_) | Self::UnknownQueue(_) => StatusCode::NOT_FOUND,
            Self::Busy(_) | Self::Closed => StatusCode::SERVICE_UNAVAILABLE,
            Self::Function(_) => StatusCode::BAD_GATEWAY,
            Self::Port { .. }
            | Self::Directory { .. }
            | Self::InUse
            | Self::Engine(_)
            | Self::State(_)
            | Self::Shape(_)
            | Self::Wiring(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, format!("{self}\n")).into_response()
    }
}
