//! How long the pages are that the table in memory answers with.

use crate::items::key::Key;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many items a page of a query or a scan holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// As many as there are, within the request's own limit.
    Whole,
    /// At most so many.
    AtMost(usize),
    /// One, and before each of them a page without any.
    OneBehindEmpty,
    /// One to five, and now and then none of several that follow, drawn for each request from this
    /// seed. The same request draws the same number again, so that a schedule can be repeated.
    Drawn(u64),
}

impl Default for Paging {
    fn default() -> Self {
        Self::Drawn(0)
    }
}

impl Paging {
    /// How many items the answer to this request holds at most, within the request's own limit.
    /// 0 is a page that is empty although others follow.
    pub(super) fn length(self, request: impl Hash, limit: usize) -> usize {
        match self {
            Self::Whole => limit,
            Self::AtMost(length) => limit.min(length.max(1)),
            Self::OneBehindEmpty => 0,
            Self::Drawn(seed) => {
                let drawn = draw(seed, request);
                match drawn.checked_rem(ONE_EMPTY_IN).unwrap_or_default() {
                    0 => 0,
                    other => limit.min(LENGTHS.get(other).copied().unwrap_or(1)),
                }
            }
        }
    }
}

/// The key at which a page begins that follows an empty one: no item has it, and the first of
/// the items to come stands behind it.
pub(super) fn key_before(first: &Key, prefix: &str, after: Option<&Key>) -> Option<Key> {
    let begins = match after {
        // One empty page in a row.
        Some(after) if after.sort.ends_with(BEFORE) => return None,
        Some(after) if after.partition == first.partition => &*after.sort,
        Some(_) | None => prefix,
    };
    let sort = [begins, BEFORE].concat();
    (*sort < *first.sort).then(|| Key::new(first.partition.clone(), sort))
}

/// What no key of ours ends with; it sorts before whatever else a key goes on with.
const BEFORE: &str = "\0";

/// One page in so many is empty.
const ONE_EMPTY_IN: usize = 11;

/// The lengths of the others, by what was drawn.
const LENGTHS: [usize; ONE_EMPTY_IN] = [0, 1, 2, 3, 4, 5, 1, 2, 3, 1, 2];

fn draw(seed: u64, request: impl Hash) -> usize {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    request.hash(&mut hasher);
    usize::try_from(hasher.finish() >> 33).unwrap_or_default()
}
