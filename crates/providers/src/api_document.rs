//! Documents of the provider's API, which complete a reference-only item.

use crate::fetch::{ApiCall, MissingResponse, PendingCalls, ResponseTracker};
use crate::json::validate_json;
use crate::wire::UnclearValue;
use serde_json::value::RawValue;

/// Why an item can't be read in full.
pub(crate) enum ReadError {
    /// It or a fetched document has a value that we do not understand.
    Unclear(UnclearValue),
    /// These calls have to be made first.
    NotFetched(PendingCalls),
    /// The API does not respond; this is what was fetched.
    Unavailable(&'static str),
}

impl From<UnclearValue> for ReadError {
    fn from(unclear: UnclearValue) -> Self {
        Self::Unclear(unclear)
    }
}

/// The document of that call; `what` names it as the provider does. `None` where the API does not
/// know it, or no longer.
pub(crate) fn find<'f>(
    responses: &ResponseTracker<'f>,
    call: Option<ApiCall>,
    what: &'static str,
) -> Result<Option<&'f RawValue>, ReadError> {
    let call = call.ok_or_else(|| UnclearValue(format!("the id of the {what} is none")))?;
    let answer = responses.response(call).map_err(|missing| match missing {
        MissingResponse::NotFetched(questions) => ReadError::NotFetched(questions),
        MissingResponse::Unavailable => ReadError::Unavailable(what),
    })?;
    match answer.status {
        200 => {
            let unclear = |_| UnclearValue(format!("the API's {what} is no JSON"));
            let text = validate_json(&answer.body).map_err(unclear)?;
            let document = serde_json::from_str(text);
            let unclear = |_| UnclearValue(format!("the API's {what} is no JSON"));
            Ok(Some(document.map_err(unclear)?))
        }
        404 | 410 => Ok(None),
        status => Err(UnclearValue(format!("asked for the {what}, the API says {status}")).into()),
    }
}

/// The same where the document has to exist.
pub(crate) fn fetch<'f>(
    responses: &ResponseTracker<'f>,
    call: Option<ApiCall>,
    what: &'static str,
) -> Result<&'f RawValue, ReadError> {
    let document = find(responses, call, what)?;
    Ok(document.ok_or_else(|| UnclearValue(format!("the API knows no such {what}")))?)
}
