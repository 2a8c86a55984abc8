//! Sub-ids: the partner's own ids of the campaign, page or person through which a customer came.

use super::error::{UnreadableReport, check, field};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values by name, both as the partner writes them.
pub type SubIds = BTreeMap<Arc<str>, Arc<str>>;

/// Those of a report, without empty values.
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

/// Takes those of a postback out of its parameters.
pub(super) fn take_from_query(
    parameters: &mut BTreeMap<String, String>,
) -> Result<SubIds, UnreadableReport> {
    let named = QUERY_NAMES.iter().filter_map(|name| {
        let text = parameters.remove(*name)?;
        Some((Arc::from(*name), Arc::from(text)))
    });
    read("sub1 to sub5", &named.collect())
}

const MAX_ENTRIES: usize = 10;
const MAX_NAME_BYTES: usize = 64;
/// Their usual names in postbacks.
const QUERY_NAMES: [&str; 5] = ["sub1", "sub2", "sub3", "sub4", "sub5"];
