//! What is done to the body.

use super::{Tampering, breaking, flipped, position, with_lookalike};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use serde_json::Value;

#[rustfmt::skip] // a table
pub(super) const TAMPERINGS: &[Tampering] = &[
    breaking("a body cut short", |bent, _, rng| {
        let length = position(rng, bent.body.len());
        bent.body.truncate(length);
        Some(())
    }),
    breaking("a body without its beginning", |bent, _, rng| {
        let length = position(rng, bent.body.len());
        bent.body.drain(..length);
        Some(())
    }),
    breaking("a body with something behind it", |bent, _, rng| {
        let more: &[u8] = rng.choice([&b" "[..], b"\n", b"\r\n", b"\0", b"}", b"{}", b"&id=1"])?;
        bent.body.extend_from_slice(more);
        Some(())
    }),
    breaking("a body with something before it", |bent, _, rng| {
        let more: &[u8] = rng.choice([&b" "[..], b"\n", b"\xef\xbb\xbf", b"\0", b"{}", b"id=1&"])?;
        bent.body.splice(..0, more.iter().copied());
        Some(())
    }),
    breaking("two parts of the body swapped", |bent, _, rng| {
        let mut cuts: [usize; 3] = std::array::from_fn(|_| position(rng, bent.body.len()));
        cuts.sort_unstable();
        bent.body[cuts[0]..cuts[2]].rotate_left(cuts[1] - cuts[0]);
        Some(())
    }),
    breaking("a part of the body left out", |bent, _, rng| {
        let mut cuts: [usize; 2] = std::array::from_fn(|_| position(rng, bent.body.len()));
        cuts.sort_unstable();
        bent.body.drain(cuts[0]..cuts[1]);
        Some(())
    }),
    breaking("one bit of the body", |bent, _, rng| {
        bent.body = flipped(&bent.body, rng)?;
        Some(())
    }),
    breaking("a digit of the body", |bent, _, rng| {
        let digits = bent.body.iter_mut().filter(|byte| byte.is_ascii_digit());
        let digits: Vec<&mut u8> = digits.collect();
        *rng.choice(digits)? = b'0' + rng.u8(..10);
        Some(())
    }),
    breaking("the body of another event", |bent, ground, _| {
        bent.body.clone_from(&ground.other.body);
        Some(())
    }),
    breaking("two events in one body", |bent, ground, _| {
        bent.body.extend_from_slice(&ground.other.body);
        Some(())
    }),
    breaking("half of it from another event", |bent, ground, rng| {
        let at = position(rng, bent.body.len().min(ground.other.body.len()));
        bent.body.truncate(at);
        bent.body.extend_from_slice(&ground.other.body[at..]);
        Some(())
    }),
    breaking("a body read and written anew", |bent, _, rng| {
        let value: Value = serde_json::from_slice(&bent.body).ok()?;
        bent.body = if rng.bool() {
            serde_json::to_vec(&value).ok()?
        } else {
            serde_json::to_vec_pretty(&value).ok()?
        };
        Some(())
    }),
    breaking("a key of the body twice", |bent, ground, _| {
        let rest = bent.body.strip_prefix(b"{")?;
        let other = ground.other.body.trim_ascii_end().strip_suffix(b"}")?;
        bent.body = [other, b",", rest].concat();
        Some(())
    }),
    breaking("other line ends", |bent, _, rng| {
        let text = String::from_utf8(bent.body.clone()).ok()?;
        let (from, to) = *rng.choice(&[("\n", "\r\n"), ("\n", ""), ("\": ", "\":"), ("  ", "\t")])?;
        bent.body = text.replace(from, to).into_bytes();
        Some(())
    }),
    breaking("a body in another encoding", |bent, _, rng| {
        bent.body = encoded(&bent.body, rng)?;
        Some(())
    }),
    breaking("letters of the body that look alike", |bent, _, rng| {
        let text = String::from_utf8(bent.body.clone()).ok()?;
        bent.body = with_lookalike(&text, rng)?.into_bytes();
        Some(())
    }),
    breaking("an empty body", |bent, _, _| {
        bent.body.clear();
        Some(())
    }),
    breaking("another body under the same checksum", |bent, ground, _| {
        let body = [ground.other.body.trim_ascii_end(), &[b' '; 64]].concat();
        bent.body = checksummed(body, crc32fast::hash(&ground.genuine.body));
        Some(())
    }),
];

fn encoded(body: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    Some(match rng.u8(..6) {
        0 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        1 => STANDARD.encode(body).into_bytes(),
        2 => hex::encode(body).into_bytes(),
        3 => body
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>()
            .into_bytes(),
        4 => text
            .replace('/', "\\/")
            .replace('@', "\\u0040")
            .into_bytes(),
        _ => text.replace('"', "%22").replace('_', "%5F").into_bytes(),
    })
}

/// Blanks and tabs for the 64 blanks at its end, so that its CRC32 is this: each place flips a
/// fixed set of the checksum's bits, so 32 equations over GF(2) say which.
fn checksummed(mut body: Vec<u8>, wanted: u32) -> Vec<u8> {
    let plain = crc32fast::hash(&body);
    let begin = body.len() - 64;
    let mut basis: Vec<(u32, u64)> = Vec::new();
    let reduced = |basis: &[(u32, u64)], mut row: (u32, u64)| {
        for (flips, places) in basis {
            if row.0 & (1 << flips.ilog2()) != 0 {
                row = (row.0 ^ flips, row.1 ^ places);
            }
        }
        row
    };
    for place in 0..64 {
        body[begin + place] = b'\t';
        let row = reduced(&basis, (crc32fast::hash(&body) ^ plain, 1 << place));
        body[begin + place] = b' ';
        if row.0 != 0 {
            basis.push(row);
        }
    }
    let (_, places) = reduced(&basis, (plain ^ wanted, 0));
    for place in (0..64).filter(|place| places & (1 << place) != 0) {
        body[begin + place] = b'\t';
    }
    body
}
