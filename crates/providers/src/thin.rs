//! What a thin item lacks, and how it is had: documents of the provider's API.

use crate::fetch::{Asking, Call, Missing, Questions};
use crate::json::sound;
use crate::wire::Unclear;
use serde_json::value::RawValue;

/// Why an item can't be read in full.
pub(crate) enum Short {
    /// There is something in it or behind it that we do not understand.
    Unclear(Unclear),
    /// These have to be asked first.
    Unasked(Questions),
    /// The API is silent; this is what it was asked for.
    Silent(&'static str),
}

impl From<Unclear> for Short {
    fn from(unclear: Unclear) -> Self {
        Self::Unclear(unclear)
    }
}

/// The document at that address; `what` it is, in the provider's word. None where the API knows
/// no such thing, or no longer.
pub(crate) fn find<'f>(
    asking: &Asking<'f>,
    call: Option<Call>,
    what: &'static str,
) -> Result<Option<&'f RawValue>, Short> {
    let call = call.ok_or_else(|| Unclear(format!("the id of the {what} is none")))?;
    let answer = asking.answer(call).map_err(|missing| match missing {
        Missing::Unasked(questions) => Short::Unasked(questions),
        Missing::Silent => Short::Silent(what),
    })?;
    match answer.status {
        200 => {
            let unclear = |_| Unclear(format!("the API's {what} is no JSON"));
            let text = sound(&answer.body).map_err(unclear)?;
            let document = serde_json::from_str(text);
            let unclear = |_| Unclear(format!("the API's {what} is no JSON"));
            Ok(Some(document.map_err(unclear)?))
        }
        404 | 410 => Ok(None),
        status => Err(Unclear(format!("asked for the {what}, the API says {status}")).into()),
    }
}

/// The same where it has to be there.
pub(crate) fn fetch<'f>(
    asking: &Asking<'f>,
    call: Option<Call>,
    what: &'static str,
) -> Result<&'f RawValue, Short> {
    let known = find(asking, call, what)?;
    Ok(known.ok_or_else(|| Unclear(format!("the API knows no such {what}")))?)
}
