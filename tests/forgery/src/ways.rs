//! The ways: what a forger, a careless proxy or a curious tenant does to a delivery.

mod address;
mod body;
mod clock;
mod door;
mod headers;
mod keys;
mod spelling;

use crate::bent::{Bent, Ground};
use fastrand::Rng;
use std::sync::LazyLock;

/// One way to bend a delivery.
pub(crate) struct Way {
    /// What is done.
    pub(crate) name: &'static str,
    /// Does it; none where it means nothing at that door.
    pub(crate) bend: Bend,
    /// Whether what comes out says the same, so that to refuse it is a fault too.
    pub(crate) keeps: bool,
}

pub(crate) type Bend = for<'a> fn(&mut Bent<'a>, &Ground<'a>, &mut Rng) -> Option<()>;

/// One that makes something else of it, as a rule.
const fn breaks(name: &'static str, bend: Bend) -> Way {
    Way {
        name,
        bend,
        keeps: false,
    }
}

/// One that leaves what it says.
const fn keeps(name: &'static str, bend: Bend) -> Way {
    Way {
        name,
        bend,
        keeps: true,
    }
}

/// All of them, and two at once.
pub(crate) static WAYS: LazyLock<Vec<&'static Way>> = LazyLock::new(|| {
    let outsiders = OUTSIDERS.iter().copied().flatten();
    let insiders = keys::INSIDERS.iter().chain(address::INSIDERS);
    outsiders.chain(insiders).chain([&TWO]).collect()
});

static OUTSIDERS: [&[Way]; 7] = [
    body::WAYS,
    spelling::WAYS,
    keys::WAYS,
    headers::WAYS,
    clock::WAYS,
    door::WAYS,
    address::WAYS,
];

static TWO: Way = breaks("two ways at once", |bent, ground, rng| {
    for _ in 0..2 {
        let table = rng.choice(OUTSIDERS)?;
        let way = rng.choice(table)?;
        (way.bend)(bent, ground, rng)?;
    }
    Some(())
});

/// A place among that many, the end included.
fn place(rng: &mut Rng, length: usize) -> usize {
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
fn disguised(text: &str, rng: &mut Rng) -> Option<String> {
    let twins = TWINS.iter().filter(|(plain, _)| text.contains(*plain));
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

const TWINS: [(char, char); 14] = [
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
