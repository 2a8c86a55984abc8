//! What is done to the items of the signature's header.

use crate::Bend;
use crate::draft::Draft;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use fastrand::Rng;

/// All of them; what has many forms stands several times.
pub(crate) const BENDS: &[Bend] = &[
    spelling,
    spelling,
    forged,
    others,
    others,
    arrangement,
    arrangement,
    blanks,
    tag,
    time_item,
];

fn some_words(words: impl Into<String>) -> Option<String> {
    Some(words.into())
}

fn random(rng: &mut Rng) -> Vec<u8> {
    (0..32).map(|_| rng.u8(..)).collect()
}

/// The right signature, written otherwise.
fn spelling(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let bytes = draft.signature();
    let tag = draft.scheme.tag;
    let text = draft.item(&bytes).strip_prefix(tag)?.to_owned();
    let (words, text) = match rng.u8(..14) {
        0 => ("in capitals", text.to_ascii_uppercase()),
        1 => ("partly in capitals", mixed(&text, rng)),
        2 => ("without padding", STANDARD_NO_PAD.encode(&bytes)),
        3 => ("in the URL's alphabet", URL_SAFE.encode(&bytes)),
        4 => ("in hexadecimal where base64 is right, or the reverse", {
            if draft.scheme.base64 {
                hex::encode(&bytes)
            } else {
                STANDARD.encode(&bytes)
            }
        }),
        5 => ("with more padding", format!("{text}=")),
        6 => ("with text behind it", format!("{text}zz")),
        7 => ("with digits behind it", format!("{text}00")),
        8 => ("with `0x` before it", format!("0x{text}")),
        9 => (
            "with a blank in it",
            format!("{} {}", text.get(..20)?, text.get(20..)?),
        ),
        10 => ("with last bits that are not zero", last_bits(&text)?),
        11 => ("in quotes", format!("\"{text}\"")),
        12 => ("with its padding as `%3D`", text.replace('=', "%3D")),
        _ => (
            "with a mark in it",
            format!("{}-{}", text.get(..20)?, text.get(20..)?),
        ),
    };
    *draft.signed_item()? = format!("{tag}{text}");
    some_words(format!("signature {words}"))
}

fn mixed(text: &str, rng: &mut Rng) -> String {
    let other = |c: char| {
        if rng.bool() {
            c.to_ascii_uppercase()
        } else {
            c
        }
    };
    text.chars().map(other).collect()
}

/// Base64 that decodes to the same bytes where the decoder does not mind.
fn last_bits(text: &str) -> Option<String> {
    let end = text.strip_suffix('=')?;
    let (kept, last) = end.split_at_checked(end.len().checked_sub(1)?)?;
    let next = char::from(last.bytes().next()?.checked_add(1)?);
    next.is_ascii_alphanumeric()
        .then(|| format!("{kept}{next}="))
}

/// Signatures that are none.
fn forged(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let bytes = draft.signature();
    let (words, forged) = match rng.u8(..7) {
        0 => ("one bit changed", {
            let mut changed = bytes;
            *changed.get_mut(rng.usize(..32))? ^= 1 << rng.u8(..8);
            changed
        }),
        1 => ("cut short", bytes.get(..rng.usize(..32))?.to_vec()),
        2 => ("random", random(rng)),
        3 => ("zeros", vec![0; 32]),
        4 => ("no bytes", Vec::new()),
        5 => ("twice as long", [bytes.clone(), bytes].concat()),
        _ => ("backwards", bytes.into_iter().rev().collect()),
    };
    let forged = draft.item(&forged);
    *draft.signed_item()? = forged;
    some_words(format!("forged signature: {words}"))
}

/// More signatures beside the right one.
fn others(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let other = draft.item(&random(rng));
    let tag = draft.scheme.tag;
    let own = draft.signed_item()?.clone();
    let first = draft.items.iter().position(|item| *item == own)?;
    let (words, added, before) = match rng.u8(..11) {
        0 => ("one other before it", vec![other], true),
        1 => ("one other behind it", vec![other], false),
        2 => ("five others before it", vec![other; 5], true),
        3 => ("fifteen others before it", vec![other; 15], true),
        4 => ("sixteen others before it", vec![other; 16], true),
        5 => ("forty others behind it", vec![other; 40], false),
        6 => ("itself again", vec![own], false),
        7 => (
            "one that can't be decoded before it",
            vec![format!("{tag}zz!")],
            true,
        ),
        8 => (
            "one of another kind before it",
            vec![foreign(draft, rng)?],
            true,
        ),
        9 => (
            "one of another kind behind it",
            vec![foreign(draft, rng)?],
            false,
        ),
        _ => ("an empty one before it", vec![tag.to_owned()], true),
    };
    let at = if before { first } else { draft.items.len() };
    draft.items.splice(at..at, added);
    some_words(format!("beside the signature {words}"))
}

fn foreign(draft: &Draft, rng: &mut Rng) -> Option<String> {
    let tags: &[&str] = if draft.scheme.base64 {
        &["v1a,", "v2,", "v1b,", "V1,"]
    } else {
        &["v0=", "v2=", "h2=", "V1=", "sha1="]
    };
    let other = draft.item(&random(rng));
    let text = other.strip_prefix(draft.scheme.tag)?;
    Some(format!("{}{text}", rng.choice(tags)?))
}

/// Order and separators.
fn arrangement(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let several = draft.items.len() > 1;
    let choice = rng.u8(..11);
    if !several && matches!(choice, 0..=6) {
        return None;
    }
    let words = match choice {
        0 => {
            draft.items.reverse();
            "items in reverse"
        }
        1 => separated(
            draft,
            |own| format!("{own} "),
            "a blank behind each separator",
        ),
        2 => separated(
            draft,
            |own| format!(" {own}"),
            "a blank before each separator",
        ),
        3 => separated(draft, |own| format!("{own}{own}"), "each separator twice"),
        4 => separated(draft, |_| ";".to_owned(), "items divided by `;`"),
        5 => separated(draft, |_| ",".to_owned(), "items divided by `,`"),
        6 => separated(draft, |_| " ".to_owned(), "items divided by blanks"),
        7 => {
            draft.items.push(String::new());
            "a separator at the end"
        }
        8 => {
            draft.items.insert(0, String::new());
            "a separator at the beginning"
        }
        9 => {
            draft.items.insert(0, "k=2".to_owned());
            "an item that nobody knows, first"
        }
        _ => {
            draft.items.push("nothing".to_owned());
            "an item without a value, last"
        }
    };
    some_words(words)
}

fn separated(draft: &mut Draft, to: fn(&str) -> String, words: &'static str) -> &'static str {
    draft.separator = to(draft.scheme.separator);
    words
}

/// Blanks within an item.
fn blanks(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let mark = draft.scheme.tag.chars().last()?;
    let (words, to) = match rng.u8(..3) {
        0 => (
            "a blank before the mark of the signature's tag",
            format!(" {mark}"),
        ),
        1 => (
            "a blank behind the mark of the signature's tag",
            format!("{mark} "),
        ),
        _ => (
            "a tab behind the mark of the signature's tag",
            format!("{mark}\t"),
        ),
    };
    let item = draft.signed_item()?;
    *item = item.replacen(mark, &to, 1);
    some_words(words)
}

/// Another tag, over the right signature.
fn tag(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let own = draft.scheme.tag;
    let tags = [
        "v0=", "v2=", "V1=", "H1=", "h2=", "v11=", "sha256=", "v1a,", "v2,", "V1,", "=",
    ];
    let other = *rng.choice(&tags)?;
    let item = draft.signed_item()?;
    *item = format!("{other}{}", item.strip_prefix(own)?);
    some_words("signature under another tag")
}

/// The time's item, doubled or moved, where it has one.
fn time_item(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let tag = draft.scheme.time_tag?;
    let own = format!("{tag}{}", draft.time);
    let at = draft.items.iter().position(|item| *item == own)?;
    let other = format!("{tag}{}", crate::draft::SIGNED_AT + rng.i64(1..9));
    let words = match rng.u8(..7) {
        0 => {
            draft.items.push(own);
            "the time twice"
        }
        1 => {
            draft.items.push(other);
            "another time behind"
        }
        2 => {
            draft.items.insert(0, other);
            "another time before"
        }
        3 => {
            *draft.items.get_mut(at)? = other;
            "another time than was signed"
        }
        4 => {
            draft.items.remove(at);
            "no time"
        }
        5 => {
            *draft.items.get_mut(at)? = own.replacen('=', "=0", 1);
            "a leading zero before the signed time"
        }
        _ => {
            *draft.items.get_mut(at)? = format!("{own}.5");
            "a fraction behind the signed time"
        }
    };
    some_words(words)
}
