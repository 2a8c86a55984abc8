//! `X-Mollie-Signature: sha256=…`, a MAC over the body; without it, the payment that a form
//! names, as Mollie's own API shows it.

use super::payment;
use crate::body_mac::BodyMac;
use crate::endpoint::InboundRequest;
use crate::fetch::{ApiResponse, FetchStep, MissingResponse};
use crate::provider::SignedHeaders;
use crate::secret::Secret;
use crate::verification_error::VerificationError;
use crate::verified::VerifiedItems;
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;

/// Proves that Mollie sent this body, or says by itself what it names.
pub(crate) fn verify(
    inbound: &InboundRequest<'_>,
) -> Result<FetchStep<VerifiedItems>, VerificationError> {
    inbound.request.check_body(MAX_BODY)?;
    // One that is offered has to fit: what is signed wrongly is not asked for instead.
    if inbound.request.headers.all(MAC.header).next().is_some() {
        return MAC.verify(inbound).map(FetchStep::Done);
    }
    if !inbound.secrets.open_path(inbound.request.path) {
        return Err(VerificationError::Disproved {
            what: OTHER_ADDRESS,
        });
    }
    let missing = || VerificationError::HeaderMissing { header: MAC.header };
    let id = form_id(inbound.request.body).ok_or_else(missing)?;
    let call = payment::call(id).ok_or_else(missing)?;
    match inbound.fetched.response(&call) {
        Ok(answer) if is_about(answer, id) => Ok(FetchStep::Done(VerifiedItems::by_api_response(
            answer,
            inbound.now,
        ))),
        Err(MissingResponse::NotFetched(questions)) => Ok(FetchStep::Fetch(questions)),
        Ok(_) | Err(MissingResponse::Unavailable) => Err(VerificationError::Unconfirmed),
    }
}

/// Signs JSON as Mollie does; a form is not signed.
pub(crate) fn sign(
    _: Option<&str>,
    body: &[u8],
    secret: &Secret,
    _: Timestamp,
) -> Option<SignedHeaders> {
    match form_id(body) {
        Some(_) => Some(Vec::new()),
        None => MAC.sign(body, secret),
    }
}

/// The id in a form, which has one such field.
fn form_id(body: &[u8]) -> Option<&str> {
    let form = body.get(..).filter(|body| body.len() <= MAX_FORM)?;
    let form = std::str::from_utf8(form).ok()?;
    let mut ids = form
        .split('&')
        .filter_map(|field| field.strip_prefix("id="));
    match (ids.next(), ids.next()) {
        (Some(id), None) if !id.is_empty() => Some(id),
        (Some(_), _) | (None, _) => None,
    }
}

/// Whether this is what Mollie says: of the payment that was asked for, or that there is none.
/// Anything else is somebody's between us, and proves nothing.
fn is_about(answer: &ApiResponse, id: &str) -> bool {
    let Ok(fields) = serde_json::from_slice::<ResponseFields<'_>>(&answer.body) else {
        return false;
    };
    match answer.status {
        200 => fields.resource.as_deref() == Some("payment") && fields.id.as_deref() == Some(id),
        400..=499 => fields.resource.is_none() && fields.status == Some(answer.status.into()),
        _ => false,
    }
}

#[derive(Deserialize)]
struct ResponseFields<'a> {
    #[serde(borrow, default)]
    resource: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    // A number where something is wrong, a word of a payment's own otherwise.
    #[serde(default)]
    status: Option<serde_json::Value>,
}

pub(super) const MAC: BodyMac = BodyMac {
    header: "x-mollie-signature",
    prefix: "sha256=",
};
const OTHER_ADDRESS: &str = "a form came to an address without the secret segment that is in force";
/// A snapshot of one entity is some kilobytes.
const MAX_BODY: usize = 1024 * 1024;
const MAX_FORM: usize = 1024;
