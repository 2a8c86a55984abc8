//! Sub-ids: what a partner calls the campaign, the page or the person that a customer came by.

use super::UnreadableReport;
use super::report::{check, field};
use std::collections::BTreeMap;
use std::sync::Arc;

/// By name, both as the partner has them.
pub type SubIds = BTreeMap<Arc<str>, Arc<str>>;

/// Those of a report or a postback. What is there and says nothing is left out.
pub(super) fn read(name: &str, said: &SubIds) -> Result<SubIds, UnreadableReport> {
    if said.len() > MAX_ENTRIES {
        return Err(field(name, "has more than 10 entries"));
    }
    let said = said.iter().filter(|(_, text)| !text.trim().is_empty());
    said.map(|(key, text)| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if key.is_empty() || key.len() > MAX_NAME_BYTES || !key.bytes().all(plain) {
            let what = "has a name that is not 1 to 64 letters, digits, `_`, `-` or `.`";
            return Err(field(name, what));
        }
        Ok((key.clone(), check(name, text.trim())?))
    })
    .collect()
}

pub(super) const MAX_ENTRIES: usize = 10;
pub(super) const MAX_NAME_BYTES: usize = 64;
