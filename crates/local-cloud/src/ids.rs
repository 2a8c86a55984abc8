//! Ids that nobody repeats: request ids, message ids and receipt handles.

use std::hash::{BuildHasher, RandomState};

/// A fresh id in the shape of a UUID; unguessable enough for loopback, not for a secret.
pub(crate) fn fresh() -> String {
    // The standard library's own random keys: no crate for sixteen bytes.
    let (high, low) = (word(), word());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff,
    )
}

fn word() -> u64 {
    RandomState::new().hash_one("orangery")
}
