//! The ways: what a forger, a careless proxy or a curious tenant does to a delivery.

mod address;
mod body;
mod clock;
mod endpoint;
mod headers;
mod keys;
mod spelling;

use crate::tampered::{TamperedDelivery, TamperingContext};
use fastrand::Rng;
use std::sync::LazyLock;

/// One way to bend a delivery.
pub(crate) struct Tampering {
    /// What is done.
    pub(crate) name: &'static str,
    /// Does it; none where it means nothing at that endpoint.
    pub(crate) apply: TamperFn,
    /// Whether what comes out says the same, so that to refuse it is a fault too.
    pub(crate) keeps_meaning: bool,
}

pub(crate) type TamperFn =
    for<'a> fn(&mut TamperedDelivery<'a>, &TamperingContext<'a>, &mut Rng) -> Option<()>;

/// One that makes something else of it, as a rule.
const fn breaking(name: &'static str, bend: TamperFn) -> Tampering {
    Tampering {
        name,
        apply: bend,
        keeps_meaning: false,
    }
}

/// One that leaves what it says.
const fn preserving(name: &'static str, bend: TamperFn) -> Tampering {
    Tampering {
        name,
        apply: bend,
        keeps_meaning: true,
    }
}

/// All of them, and two at once.
pub(crate) static TAMPERINGS: LazyLock<Vec<&'static Tampering>> = LazyLock::new(|| {
    let outsiders = OUTSIDERS.iter().copied().flatten();
    let insiders = keys::INSIDERS.iter().chain(address::INSIDERS);
    outsiders.chain(insiders).chain([&TWO_AT_ONCE]).collect()
});

static OUTSIDERS: [&[Tampering]; 7] = [
    body::TAMPERINGS,
    spelling::TAMPERINGS,
    keys::TAMPERINGS,
    headers::TAMPERINGS,
    clock::TAMPERINGS,
    endpoint::TAMPERINGS,
    address::TAMPERINGS,
];

static TWO_AT_ONCE: Tampering = breaking("two ways at once", |bent, ground, rng| {
    for _ in 0..2 {
        let table = rng.choice(OUTSIDERS)?;
        let way = rng.choice(table)?;
        (way.apply)(bent, ground, rng)?;
    }
    Some(())
});

/// A place among that many, the end included.
fn position(rng: &mut Rng, length: usize) -> usize {
    rng.usize(..=length)
}

/// Flips one bit.
fn flipped(bytes: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let byte = rng.choice(bytes.iter_mut())?;
    *byte ^= 1 << rng.u32(..8);
    Some(bytes)
}

/// The same text with one of its characters by another that looks alike.
fn with_lookalike(text: &str, rng: &mut Rng) -> Option<String> {
    let twins = LOOKALIKES.iter().filter(|(plain, _)| text.contains(*plain));
    let twins: Vec<_> = twins.collect();
    let (plain, twin) = *rng.choice(&twins)?;
    let places: Vec<usize> = text.match_indices(*plain).map(|(place, _)| place).collect();
    let place = *rng.choice(&places)?;
    let mut text = text.to_owned();
    text.replace_range(
        place..place + plain.len_utf8(),
        twin.encode_utf8(&mut [0; 4]),
    );
    Some(text)
}

const LOOKALIKES: [(char, char); 14] = [
    ('a', '\u{430}'),
    ('e', '\u{435}'),
    ('o', '\u{43e}'),
    ('c', '\u{441}'),
    ('i', '\u{456}'),
    ('0', '\u{ff10}'),
    ('1', '\u{ff11}'),
    ('6', '\u{666}'),
    ('=', '\u{ff1d}'),
    (',', '\u{ff0c}'),
    ('.', '\u{2024}'),
    ('-', '\u{2010}'),
    ('_', '\u{ff3f}'),
    ('/', '\u{2215}'),
];
