//! Sub-ids: the partner's own ids of the campaign, page or person through which a customer came.

use super::error::{UnreadableReport, check, field};
pub use domain::partner::referral::SubIds;

/// Those of a report or a postback, without empty values.
pub(super) fn read(name: &str, sub_ids: &SubIds) -> Result<SubIds, UnreadableReport> {
    if sub_ids.len() > MAX_ENTRIES {
        return Err(field(name, "has more than 10 entries"));
    }
    let sub_ids = sub_ids.iter().filter(|(_, text)| !text.trim().is_empty());
    sub_ids
        .map(|(key, text)| {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
            if key.is_empty() || key.len() > MAX_NAME_BYTES || !key.bytes().all(is_allowed) {
                let what = "has a name that is not 1 to 64 letters, digits, `_`, `-` or `.`";
                return Err(field(name, what));
            }
            Ok((key.clone(), check(name, text.trim())?))
        })
        .collect()
}

pub(super) const MAX_ENTRIES: usize = 10;
pub(super) const MAX_NAME_BYTES: usize = 64;
