//! What gateways and forgers do to headers.

use super::{Way, breaks, flipped, keeps, place};

#[rustfmt::skip] // a table
pub(super) const WAYS: &[Way] = &[
    breaks("a header missing", |bent, _, rng| {
        let which = rng.usize(..bent.headers.len().max(1));
        (which < bent.headers.len()).then(|| bent.headers.remove(which))?;
        Some(())
    }),
    breaks("no header at all", |bent, _, _| {
        (!bent.headers.is_empty()).then(|| bent.headers.clear())
    }),
    breaks("a header under another name", |bent, _, rng| {
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
    keeps("header names in odd case", |bent, _, rng| {
        for (name, _) in &mut bent.headers {
            *name = name.chars()
                .map(|c| if rng.bool() { c.to_ascii_uppercase() } else { c })
                .collect();
        }
        Some(())
    }),
    keeps("every header twice, in any order", |bent, _, rng| {
        bent.headers.extend_from_within(..);
        rng.shuffle(&mut bent.headers);
        Some(())
    }),
    breaks("a header joined with itself", |bent, _, rng| {
        let between = *rng.choice(&[",", ", ", ";", " ", "\n", "\0"])?;
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = format!("{value}{between}{value}");
        Some(())
    }),
    breaks("a header beside another event's", |bent, ground, rng| {
        let other = rng.choice(&ground.other.headers)?.clone();
        bent.headers.insert(place(rng, bent.headers.len()), other);
        Some(())
    }),
    breaks("a header joined with another event's", |bent, ground, rng| {
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
    breaks("a header of another event", |bent, ground, rng| {
        let (name, other) = rng.choice(&ground.other.headers)?;
        bent.header(name)?.clone_from(other);
        Some(())
    }),
    breaks("headers that changed places", |bent, _, rng| {
        let count = bent.headers.len();
        (count > 1).then_some(())?;
        let (first, second) = (rng.usize(..count), rng.usize(..count));
        let value = bent.headers[first].1.clone();
        bent.headers[first].1 = std::mem::replace(&mut bent.headers[second].1, value);
        Some(())
    }),
    breaks("a header on two lines", |bent, _, rng| {
        let which = rng.usize(..bent.headers.len().max(1));
        let (name, value) = bent.headers.get(which)?.clone();
        let between = bent.door.shape.between;
        let borders: Vec<usize> = value.match_indices(between).map(|(at, _)| at).collect();
        let at = match rng.choice(&borders) {
            Some(border) if rng.bool() => *border,
            Some(_) | None => place(rng, value.len()),
        };
        let (head, rest) = value.split_at_checked(at)?;
        let rest = rest.strip_prefix(between).unwrap_or(rest);
        bent.headers[which].1 = head.to_owned();
        bent.headers.insert(which + 1, (name, rest.to_owned()));
        Some(())
    }),
    breaks("thousands of signatures", |bent, _, rng| {
        let shape = bent.door.shape;
        let value = bent.header(shape.header)?.clone();
        let own = value.split(shape.between).find(|item| item.starts_with(shape.tag))?;
        let bytes: Vec<u8> = (0..32).map(|_| rng.u8(..)).collect();
        let other = format!("{}{}", shape.tag, bent.written(&bytes));
        let mut items = vec![other.as_str(); *rng.choice(&[16, 17, 40, 400])?];
        items.push(own);
        let between = shape.between.first()?.to_string();
        let many = value.replace(own, &items.join(&between));
        *bent.header(shape.header)? = many;
        Some(())
    }),
    breaks("items in any order", |bent, _, rng| {
        let shape = bent.door.shape;
        let between = shape.between.first()?.to_string();
        let value = bent.header(shape.header)?;
        let mut items: Vec<&str> = value.split(shape.between).collect();
        rng.shuffle(&mut items);
        *value = items.join(&between);
        Some(())
    }),
    breaks("items divided otherwise", |bent, _, rng| {
        let shape = bent.door.shape;
        let mark = *rng.choice(&[";", ",", "|", " ", "&", "", "\n"])?;
        let value = bent.header(shape.header)?;
        *value = value.replace(shape.between, mark);
        Some(())
    }),
    breaks("a header within a header", |bent, ground, rng| {
        let (name, other) = rng.choice(&ground.other.headers)?;
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = format!("{value}\r\n{name}: {other}");
        Some(())
    }),
    breaks("quotes around a value", |bent, _, rng| {
        let quotes = [("\"", "\""), ("'", "'"), ("<", ">"), (" ", " "), ("\t", "")];
        let (open, close) = *rng.choice(&quotes)?;
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = format!("{open}{value}{close}");
        Some(())
    }),
    breaks("one bit of a header", |bent, _, rng| {
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = String::from_utf8(flipped(value.as_bytes(), rng)?).ok()?;
        Some(())
    }),
    breaks("more headers than anybody sends", |bent, _, rng| {
        let (name, value) = rng.choice(&bent.headers)?.clone();
        let pad = || ("x-padding".to_owned(), "x".repeat(300));
        bent.headers.extend(std::iter::repeat_with(pad).take(125));
        bent.headers.push((name, value));
        Some(())
    }),
    breaks("a header longer than anybody sends", |bent, _, rng| {
        let length = *rng.choice(&[4097, 33_000])?;
        let value = bent.header(bent.door.shape.header)?;
        value.push_str(&",".repeat(length));
        Some(())
    }),
];
