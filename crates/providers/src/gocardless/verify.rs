//! `Webhook-Signature: …`: a MAC over the body; then the body taken apart, event by event.

use crate::body_mac::BodyMac;
use crate::endpoint::InboundRequest;
use crate::fetch::FetchStep;
use crate::verification_error::VerificationError;
use crate::verified::VerifiedItems;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Proves that GoCardless sent this body.
pub(crate) fn verify(
    inbound: &InboundRequest<'_>,
) -> Result<FetchStep<VerifiedItems>, VerificationError> {
    inbound.request.check_body(MAX_BODY)?;
    MAC.verify(inbound)?.split(events).map(FetchStep::Done)
}

/// The events with their own bytes. A body that holds none of GoCardless' lists stays whole.
fn events(body: &[u8]) -> Option<Vec<Arc<[u8]>>> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let batch: Batch<'_> = serde_json::from_slice(body).ok()?;
    let bytes = |event: &&RawValue| event.get().as_bytes().into();
    Some(batch.events.iter().map(bytes).collect())
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

pub(super) const MAC: BodyMac = BodyMac {
    header: "webhook-signature",
    prefix: "",
};
/// 250 events of less than a kilobyte each, four times over.
const MAX_BODY: usize = 1024 * 1024;
