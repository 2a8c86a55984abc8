//! What gateways and strangers do to a delivery on its way.

use crate::Bend;
use crate::draft::{Draft, SIGNED_AT};
use fastrand::Rng;

/// All of them; what has many forms stands several times.
pub(crate) const BENDS: &[Bend] = &[
    names,
    doubled,
    doubled,
    split,
    missing,
    named_values,
    named_values,
    altered_body,
    brands,
];

fn some_words(words: impl Into<String>) -> Option<String> {
    Some(words.into())
}

fn names(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let words = match rng.u8(..3) {
        0 => {
            for (name, _) in &mut draft.headers {
                *name = name.to_ascii_uppercase();
            }
            "header names in capitals"
        }
        1 => {
            draft.headers.reverse();
            "headers in reverse"
        }
        _ => {
            let (name, _) = rng.choice(&mut draft.headers)?;
            *name = format!("x-{name}");
            "a header under another name"
        }
    };
    some_words(words)
}

/// Headers several times.
fn doubled(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let header = draft.scheme.header;
    let own = draft.headers.last()?.1.clone();
    let other = own.replace(['0', '1', '2', 'A', 'a'], "b");
    let words = match rng.u8(..8) {
        0 => {
            draft.headers.push((header.to_owned(), own));
            "the signature's header twice"
        }
        1 => {
            draft.headers.push((header.to_owned(), other));
            "another signature's header behind"
        }
        2 => {
            draft.headers.insert(0, (header.to_owned(), other));
            "another signature's header before"
        }
        3 => {
            draft.headers.last_mut()?.1 = format!("{own}, {own}");
            "the signature's header joined with itself"
        }
        4 => {
            draft.headers.last_mut()?.1 = format!("{own}, {other}");
            "the signature's header joined with another's"
        }
        5 => {
            let first = draft.headers.first()?.clone();
            draft.scheme.named?;
            draft.headers.push(first);
            "the id's header twice"
        }
        6 => {
            let [id, _] = draft.scheme.named?;
            draft.headers.push((id.to_owned(), "msg_other".to_owned()));
            "another id's header behind"
        }
        _ => {
            let [_, time] = draft.scheme.named?;
            draft
                .headers
                .push((time.to_owned(), (SIGNED_AT + 1).to_string()));
            "another time's header behind"
        }
    };
    some_words(words)
}

/// One header on two lines.
fn split(draft: &mut Draft, _: &mut Rng) -> Option<String> {
    let (name, value) = draft.headers.pop()?;
    let (head, rest) = value.split_once(draft.scheme.separator)?;
    draft.headers.push((name.clone(), head.to_owned()));
    draft.headers.push((name, rest.to_owned()));
    some_words("the signature's header on two lines")
}

fn missing(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    if rng.bool() {
        draft.headers.clear();
        return some_words("no headers");
    }
    let at = chosen(draft, rng)?;
    if rng.bool() {
        draft.headers.remove(at);
        return some_words("a header missing");
    }
    draft.headers[at].1.clear();
    some_words("a header empty")
}

/// One of the headers that are left.
fn chosen(draft: &Draft, rng: &mut Rng) -> Option<usize> {
    let count = draft.headers.len();
    (count > 0).then(|| rng.usize(..count))
}

/// Id and time, where they have their own headers, altered after they were signed.
fn named_values(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let names = draft.scheme.named?;
    let [id, time] = draft.headers.get_mut(..2)? else {
        return None;
    };
    ([id.0.as_str(), time.0.as_str()] == names).then_some(())?;
    let words = match rng.u8(..9) {
        0 => {
            id.1.push('x');
            "id altered"
        }
        1 => {
            time.1 = (SIGNED_AT + 1).to_string();
            "time altered"
        }
        2 => {
            time.1.insert(0, '0');
            "a leading zero before the signed time"
        }
        3 => {
            time.1.push_str(".0");
            "a fraction behind the signed time"
        }
        4 => {
            time.1.push_str(" x");
            "text behind the signed time"
        }
        5 => {
            // What is signed stays the same: the border moves.
            let (first, rest) = time.1.split_at_checked(3)?;
            (id.1, time.1) = (format!("{}.{first}", id.1), rest.to_owned());
            "the border of id and time moved"
        }
        6 => {
            std::mem::swap(&mut id.1, &mut time.1);
            "id and time swapped"
        }
        7 => {
            time.1.insert(0, '+');
            "a plus before the signed time"
        }
        _ => {
            time.1 = format!("{}_{}", time.1.get(..1)?, time.1.get(1..)?);
            "an underscore in the signed time"
        }
    };
    some_words(words)
}

fn altered_body(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let length = draft.body.len();
    (length > 2).then_some(())?;
    let words = match rng.u8(..9) {
        0 => {
            let at = rng.usize(..length);
            draft.body[at] ^= 1 << rng.u8(..8);
            "one bit"
        }
        1 => {
            draft.body.push(b'\n');
            "a line end behind"
        }
        2 => {
            draft.body.insert(0, b' ');
            "a blank before"
        }
        3 => {
            draft.body.splice(..0, *b"\xef\xbb\xbf");
            "a byte order mark before"
        }
        4 => {
            draft.body.truncate(length - 1);
            "the last byte missing"
        }
        5 => {
            draft.body.push(0);
            "a zero byte behind"
        }
        6 => {
            draft.body.clear();
            "all of it missing"
        }
        7 => {
            // Where bytes that are not UTF-8 are replaced, another body reads the same.
            let text = String::from_utf8_lossy(&draft.body).into_owned();
            (text.as_bytes() != draft.body).then_some(())?;
            draft.body = text.into_bytes();
            "what is not UTF-8 replaced"
        }
        _ => {
            let text = String::from_utf8(draft.body.clone()).ok()?;
            draft.body = text.replace(':', ": ").into_bytes();
            "written anew"
        }
    };
    some_words(format!("body altered: {words}"))
}

/// Svix and Standard Webhooks name the same three headers otherwise.
fn brands(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    draft.scheme.named?;
    let known = |(name, _): &(String, String)| name.contains("svix-") || name.contains("webhook-");
    draft.headers.iter().all(known).then_some(())?;
    let other = |name: &str| match name.strip_prefix("svix-") {
        Some(rest) => format!("webhook-{rest}"),
        None => name.replacen("webhook-", "svix-", 1),
    };
    let again: Vec<(String, String)> = draft
        .headers
        .iter()
        .map(|(name, value)| (other(name), value.clone()))
        .collect();
    let words = match rng.u8(..4) {
        0 => {
            draft.headers = again;
            "headers of the other brand"
        }
        1 => {
            draft.headers.extend(again);
            "headers of both brands, the same"
        }
        2 => {
            let forged = again
                .into_iter()
                .map(|(name, value)| (name, value.replace('1', "2")));
            draft.headers.extend(forged);
            "headers of both brands, the other's forged"
        }
        _ => {
            let at = chosen(draft, rng)?;
            draft.headers[at].0 = other(&draft.headers[at].0);
            "one header of the other brand"
        }
    };
    some_words(words)
}
