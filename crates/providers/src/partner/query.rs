//! A query that can be read in one way only: every name once, percent-encoded UTF-8.

use super::error::UnreadableReport;
use std::collections::BTreeMap;

/// Names and values, decoded.
pub(super) fn read(query: &str) -> Result<BTreeMap<String, String>, UnreadableReport> {
    let unclear = |what| UnreadableReport::Query { what };
    if query.len() > MAX_BYTES {
        return Err(unclear("is longer than 4096 bytes"));
    }
    let mut parameters = BTreeMap::new();
    for pair in query.split('&').filter(|_| !query.is_empty()) {
        let (name, value) = pair
            .split_once('=')
            .ok_or(unclear("has a part without `=`"))?;
        let decoded = decoded(name).zip(decoded(value));
        let (name, value) = decoded.ok_or(unclear("is not plain percent-encoded UTF-8"))?;
        if !is_name(&name) {
            return Err(unclear(
                "has a name that is not 1 to 64 letters, digits, `_`, `-` or `.`",
            ));
        }
        if parameters.insert(name, value).is_some() {
            return Err(unclear("has a name twice"));
        }
        if parameters.len() > MAX_PAIRS {
            return Err(unclear("has more than 32 parts"));
        }
    }
    Ok(parameters)
}

/// A decoded part. Control characters are refused, because line ends divide the signed text.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (pair, after) = tail.split_at_checked(2)?;
                rest = after;
                let mut byte = [0];
                hex::decode_to_slice(pair, &mut byte).ok()?;
                u8::from_be_bytes(byte)
            }
            is_allowed if is_allowed.is_ascii_graphic() => *is_allowed,
            _ => return None,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains(char::is_control)).then_some(text)
}

fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_allowed)
}

const MAX_BYTES: usize = 4096;
const MAX_PAIRS: usize = 32;
