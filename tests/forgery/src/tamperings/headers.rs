//! What gateways and forgers do to headers.

use super::{Tampering, breaking, flipped, position, preserving};

#[rustfmt::skip] // a table
pub(super) const TAMPERINGS: &[Tampering] = &[
    breaking("a header missing", |bent, _, rng| {
        let which = rng.usize(..bent.headers.len().max(1));
        (which < bent.headers.len()).then(|| bent.headers.remove(which))?;
        Some(())
    }),
    breaking("no header at all", |bent, _, _| {
        (!bent.headers.is_empty()).then(|| bent.headers.clear())
    }),
    breaking("a header under another name", |bent, _, rng| {
        let (name, _) = rng.choice(&mut bent.headers)?;
        *name = match rng.u8(..7) {
            0 => format!("x-{name}"),
            1 => name.replace('-', "_"),
            2 => format!("{name} "),
            3 => format!("\0{name}"),
            4 => name.replacen('s', "\u{17f}", 1),
            5 => name.replacen("webhook-", "svix-", 1),
            _ => name.replacen('i', "\u{131}", 1),
        };
        Some(())
    }),
    preserving("header names in odd case", |bent, _, rng| {
        for (name, _) in &mut bent.headers {
            *name = name.chars()
                .map(|c| if rng.bool() { c.to_ascii_uppercase() } else { c })
                .collect();
        }
        Some(())
    }),
    preserving("every header twice, in any order", |bent, _, rng| {
        bent.headers.extend_from_within(..);
        rng.shuffle(&mut bent.headers);
        Some(())
    }),
    breaking("a header joined with itself", |bent, _, rng| {
        let between = *rng.choice(&[",", ", ", ";", " ", "\n", "\0"])?;
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = format!("{value}{between}{value}");
        Some(())
    }),
    breaking("a header beside another event's", |bent, ground, rng| {
        let other = rng.choice(&ground.other.headers)?.clone();
        bent.headers.insert(position(rng, bent.headers.len()), other);
        Some(())
    }),
    breaking("a header joined with another event's", |bent, ground, rng| {
        let (name, other) = rng.choice(&ground.other.headers)?;
        let between = *rng.choice(&[",", ", ", ";", " "])?;
        let value = bent.header(name)?;
        *value = if rng.bool() {
            format!("{value}{between}{other}")
        } else {
            format!("{other}{between}{value}")
        };
        Some(())
    }),
    breaking("a header of another event", |bent, ground, rng| {
        let (name, other) = rng.choice(&ground.other.headers)?;
        bent.header(name)?.clone_from(other);
        Some(())
    }),
    breaking("headers that changed places", |bent, _, rng| {
        let count = bent.headers.len();
        (count > 1).then_some(())?;
        let (first, second) = (rng.usize(..count), rng.usize(..count));
        let value = bent.headers[first].1.clone();
        bent.headers[first].1 = std::mem::replace(&mut bent.headers[second].1, value);
        Some(())
    }),
    breaking("a header on two lines", |bent, _, rng| {
        let which = rng.usize(..bent.headers.len().max(1));
        let (name, value) = bent.headers.get(which)?.clone();
        let between = bent.endpoint.delivery_format.separators;
        let borders: Vec<usize> = value.match_indices(between).map(|(at, _)| at).collect();
        let at = match rng.choice(&borders) {
            Some(border) if rng.bool() => *border,
            Some(_) | None => position(rng, value.len()),
        };
        let (head, rest) = value.split_at_checked(at)?;
        let rest = rest.strip_prefix(between).unwrap_or(rest);
        bent.headers[which].1 = head.to_owned();
        bent.headers.insert(which + 1, (name, rest.to_owned()));
        Some(())
    }),
    breaking("thousands of signatures", |bent, _, rng| {
        let shape = bent.endpoint.delivery_format;
        let value = bent.header(shape.header)?.clone();
        let own = value.split(shape.separators).find(|item| item.starts_with(shape.tag))?;
        let bytes: Vec<u8> = (0..32).map(|_| rng.u8(..)).collect();
        let other = format!("{}{}", shape.tag, bent.encode_signature(&bytes));
        let mut items = vec![other.as_str(); *rng.choice(&[16, 17, 40, 400])?];
        items.push(own);
        let between = shape.separators.first()?.to_string();
        let many = value.replace(own, &items.join(&between));
        *bent.header(shape.header)? = many;
        Some(())
    }),
    breaking("items in any order", |bent, _, rng| {
        let shape = bent.endpoint.delivery_format;
        let between = shape.separators.first()?.to_string();
        let value = bent.header(shape.header)?;
        let mut items: Vec<&str> = value.split(shape.separators).collect();
        rng.shuffle(&mut items);
        *value = items.join(&between);
        Some(())
    }),
    breaking("items divided otherwise", |bent, _, rng| {
        let shape = bent.endpoint.delivery_format;
        let mark = *rng.choice(&[";", ",", "|", " ", "&", "", "\n"])?;
        let value = bent.header(shape.header)?;
        *value = value.replace(shape.separators, mark);
        Some(())
    }),
    breaking("a header within a header", |bent, ground, rng| {
        let (name, other) = rng.choice(&ground.other.headers)?;
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = format!("{value}\r\n{name}: {other}");
        Some(())
    }),
    breaking("quotes around a value", |bent, _, rng| {
        let quotes = [("\"", "\""), ("'", "'"), ("<", ">"), (" ", " "), ("\t", "")];
        let (open, close) = *rng.choice(&quotes)?;
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = format!("{open}{value}{close}");
        Some(())
    }),
    breaking("one bit of a header", |bent, _, rng| {
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = String::from_utf8(flipped(value.as_bytes(), rng)?).ok()?;
        Some(())
    }),
    breaking("more headers than anybody sends", |bent, _, rng| {
        let (name, value) = rng.choice(&bent.headers)?.clone();
        let pad = || ("x-padding".to_owned(), "x".repeat(300));
        bent.headers.extend(std::iter::repeat_with(pad).take(125));
        bent.headers.push((name, value));
        Some(())
    }),
    breaking("a header longer than anybody sends", |bent, _, rng| {
        let length = *rng.choice(&[4097, 33_000])?;
        let value = bent.header(bent.endpoint.delivery_format.header)?;
        value.push_str(&",".repeat(length));
        Some(())
    }),
];
