//! SQS and SES on one loopback port, as the SDK's clients find them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::HeaderMap;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::post;

use crate::guard;
use crate::mail::StackMailbox;
use crate::ses;
use crate::sqs::Sqs;

/// The routes of both; a queue's own URL is one of them.
pub(crate) fn router(sqs: Sqs, mailbox: StackMailbox) -> Router {
    let queues = Router::new()
        .route("/", post(queue_call))
        .route("/{account}/{queue}", post(queue_call))
        .with_state(sqs);
    let mails = Router::new()
        .route("/v2/email/outbound-emails", post(send_email))
        .with_state(mailbox);
    queues
        .merge(mails)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(guard::own_machine_only))
}

async fn queue_call(Shared(sqs): Shared<Sqs>, headers: HeaderMap, body: Bytes) -> Response {
    sqs.answer(&headers, &body).await
}

async fn send_email(Shared(mailbox): Shared<StackMailbox>, body: Bytes) -> Response {
    ses::send_email(&mailbox, &body)
}

/// SES takes 40 MB, which base64 and JSON make more of.
const BODY_LIMIT: usize = 64 * 1024 * 1024;
