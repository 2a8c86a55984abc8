//! A question's body: small, typed, and read in one way only.

use crate::refusal::Refusal;
use serde::Deserialize;

/// A question is a few words; a larger body is not read.
pub(crate) const MAX_BODY_BYTES: usize = 4 * 1024;

/// Reads a body. What can't be read is named by its place; nothing of it is repeated.
pub(crate) fn read_body<'a, B: Deserialize<'a>>(body: &'a [u8]) -> Result<B, Refusal> {
    read_body_up_to(body, MAX_BODY_BYTES)
}

/// Reads a body of at most so many bytes.
pub(crate) fn read_body_up_to<'a, B: Deserialize<'a>>(
    body: &'a [u8],
    most: usize,
) -> Result<B, Refusal> {
    if body.len() > most {
        return Err(Refusal::BodyTooLarge {
            kilobytes: most / 1024,
        });
    }
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Data => "it has other fields than this address takes",
            serde_json::error::Category::Eof => "it ends too early",
            serde_json::error::Category::Io | serde_json::error::Category::Syntax => {
                "it is no JSON"
            }
        };
        Refusal::Body(format!("{what} (line {line}, column {column})"))
    })
}
