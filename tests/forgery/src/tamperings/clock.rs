//! What is done to time and name, and to the borders between them and the body.

use super::{Tampering, breaking, position, preserving};
use crate::delivery_format::ProofKind;
use crate::tampered::TamperedDelivery;
use crate::types::{T, at};

#[rustfmt::skip] // a table
pub(super) const TAMPERINGS: &[Tampering] = &[
    breaking("long after it was signed", |bent, _, rng| {
        let (past, _) = bent.endpoint.delivery_format.tolerances?;
        bent.now = T + past + *rng.choice(&[1, 2, 60, 3600, 86_400, 31_536_000, 3_000_000_000])?;
        Some(())
    }),
    breaking("long before it was signed", |bent, _, rng| {
        let (_, ahead) = bent.endpoint.delivery_format.tolerances?;
        bent.now = T - ahead - *rng.choice(&[1, 2, 60, 3600, 86_400, 31_536_000])?;
        Some(())
    }),
    preserving("as late or as early as may be", |bent, _, rng| {
        let (past, ahead) = bent.endpoint.delivery_format.tolerances?;
        bent.now = T + *rng.choice(&[past, -ahead, past - 1, 0])?;
        Some(())
    }),
    breaking("an old signature with a new time", |bent, _, rng| {
        let (past, _) = bent.endpoint.delivery_format.tolerances?;
        bent.now = T + past + rng.i64(1..1_000_000);
        let now = time_of(bent, bent.now);
        bent.retime(|_| Some(now))
    }),
    breaking("another time", |bent, _, rng| {
        let time = time_of(bent, T + *rng.choice(&[-300, -60, -1, 1, 2, 60, 300])?);
        bent.retime(|_| Some(time))
    }),
    breaking("the same time, written otherwise", |bent, _, rng| {
        let iso = at(T).to_string();
        let day = iso.trim_end_matches('Z').to_owned();
        let ways = [
            format!("0{T}"), format!("+{T}"), format!("{T}.0"), format!("{T}000"), iso.clone(),
            format!("{T} "), format!("\t{T}"), format!("{T:#x}"), "1.7672256e9".to_owned(),
            format!("{day}+00:00"), format!("{day}.000Z"), day.replace('T', " "), String::new(),
            format!("-{T}"), format!("{T}\0"), "9".repeat(20), "NaN".to_owned(),
            T.to_string().chars().filter_map(|c| char::from_u32(c as u32 + 0xfee0)).collect(),
        ];
        let way = rng.choice(&ways)?.clone();
        bent.retime(|text| (way != text).then_some(way))
    }),
    breaking("two times", |bent, _, rng| {
        let (header, tag) = bent.endpoint.delivery_format.time?;
        bent.now = T + rng.i64(-1000..1000);
        let time = time_of(bent, bent.now);
        let between = bent.endpoint.delivery_format.separators.first()?;
        let item = format!("{tag}{time}");
        let value = bent.header(header)?;
        *value = if rng.bool() {
            format!("{item}{between}{value}")
        } else {
            format!("{value}{between}{item}")
        };
        Some(())
    }),
    breaking("no time", |bent, _, rng| {
        let empty = rng.bool();
        bent.retime(|text| Some(if empty { String::new() } else { text.chars().rev().collect() }))
    }),
    breaking("another name", |bent, ground, rng| {
        let header = bent.endpoint.delivery_format.id?;
        let ways = [
            "msg_1".to_owned(), String::new(), "../msg_1".to_owned(), "a".repeat(129),
            bent.header(header)?.to_ascii_uppercase(), format!("{} ", bent.header(header)?),
            ground.genuine.headers.first()?.1.replace('_', "-"),
        ];
        bent.header(header)?.clone_from(rng.choice(&ways)?);
        Some(())
    }),
    breaking("the name of another event", |bent, ground, _| {
        let header = bent.endpoint.delivery_format.id?;
        let (_, other) = ground.other.headers.iter().find(|(name, _)| name == header)?;
        bent.header(header)?.clone_from(other);
        Some(())
    }),
    breaking("the border of time and body moved, the signed bytes the same", |bent, _, rng| {
        let shape = bent.endpoint.delivery_format;
        signs_body(shape.proof)?;
        let signed = bent.message();
        let joint = shape.joiner.as_bytes();
        let borders: Vec<usize> = bent.body.windows(joint.len().max(1))
            .enumerate().filter(|(_, bytes)| *bytes == joint).map(|(at, _)| at).collect();
        let border = *rng.choice(&borders)?;
        let moved = String::from_utf8(bent.body.drain(..border).collect()).ok()?;
        bent.body.drain(..joint.len());
        bent.retime(|time| Some(format!("{time}{}{moved}", shape.joiner)))?;
        // Unless a mark in it ends the item: then it is signed otherwise, and refused the more.
        (bent.message() == signed || moved.contains(shape.separators)).then_some(())
    }),
    breaking("the border of name and time moved, the signed bytes the same", |bent, _, _| {
        let shape = bent.endpoint.delivery_format;
        signs_body(shape.proof)?;
        let (name, (time, _)) = (shape.id?, shape.time?);
        let signed = bent.message();
        let stated = bent.header(time)?.clone();
        let joint = shape.joiner.as_bytes().first()?;
        let border = bent.body.iter().position(|byte| byte == joint)?;
        let moved = String::from_utf8(bent.body.drain(..border).collect()).ok()?;
        bent.body.drain(..1);
        *bent.header(name)? += &format!("{}{stated}", shape.joiner);
        *bent.header(time)? = moved;
        (bent.message() == signed).then_some(())
    }),
    breaking("the end of the name in the time", |bent, _, rng| {
        let shape = bent.endpoint.delivery_format;
        let (name, (time, _)) = (shape.id?, shape.time?);
        let id = bent.header(name)?;
        let at = position(rng, id.len());
        id.is_char_boundary(at).then_some(())?;
        let rest = id.split_off(at);
        let joint = if rng.bool() { shape.joiner } else { "" };
        bent.header(time)?.insert_str(0, &format!("{rest}{joint}"));
        Some(())
    }),
    breaking("the beginning of the body in the time", |bent, _, rng| {
        signs_body(bent.endpoint.delivery_format.proof)?;
        let cut = position(rng, bent.body.len().min(8));
        let moved = String::from_utf8(bent.body.drain(..cut).collect()).ok()?;
        bent.retime(|time| Some(format!("{time}{moved}")))
    }),
    breaking("the end of the time in the body", |bent, _, rng| {
        signs_body(bent.endpoint.delivery_format.proof)?;
        let joint = bent.endpoint.delivery_format.joiner;
        let mut moved = String::new();
        bent.retime(|time| {
            let (head, rest) = time.split_at_checked(position(rng, time.len()))?;
            moved = format!("{rest}{joint}");
            Some(head.to_owned())
        })?;
        bent.body.splice(..0, moved.bytes());
        Some(())
    }),
];

/// As that endpoint's senders write it.
fn time_of(bent: &TamperedDelivery<'_>, second: i64) -> String {
    match bent.endpoint.delivery_format.proof {
        ProofKind::Rsa => at(second).to_string(),
        ProofKind::Hex
        | ProofKind::Base64
        | ProofKind::Ed25519
        | ProofKind::ApiConfirmed
        | ProofKind::Query => second.to_string(),
    }
}

/// Only where the body itself is signed its borders mean something.
fn signs_body(proof: ProofKind) -> Option<()> {
    match proof {
        ProofKind::Hex | ProofKind::Base64 | ProofKind::Ed25519 => Some(()),
        ProofKind::Rsa | ProofKind::ApiConfirmed | ProofKind::Query => None,
    }
}
