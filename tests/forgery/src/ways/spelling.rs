//! What is done to the signature as it is written.

use super::{Way, breaks, disguised, flipped, keeps, place};
use crate::bent::Bent;
use crate::shape::Proof;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

#[rustfmt::skip] // a table
pub(super) const WAYS: &[Way] = &[
    breaks("a signature cut short", |bent, _, rng| {
        bent.resign(|text| Some(text.get(..place(rng, text.len()))?.to_owned()))
    }),
    breaks("a signature without its beginning", |bent, _, rng| {
        bent.resign(|text| Some(text.get(place(rng, text.len())..)?.to_owned()))
    }),
    breaks("a signature with something behind it", |bent, _, rng| {
        let more = ["0", "00", "=", "A", "AAAA", "\0", "\t", "\n", ".", "\u{a0}", "%00"];
        let more = *rng.choice(&more)?;
        bent.resign(|text| Some(format!("{text}{more}")))
    }),
    breaks("a signature with something before it", |bent, _, rng| {
        let more = *rng.choice(&["0", "0x", "+", "-", "=", "\t", "\u{feff}", "\"", "v1=", "1,"])?;
        bent.resign(|text| Some(format!("{more}{text}")))
    }),
    breaks("only the beginning of a signature, filled up", |bent, _, rng| {
        let fill = *rng.choice(&["0", "A", "f"])?;
        bent.resign(|text| {
            let kept = place(rng, text.len());
            Some(format!("{}{}", text.get(..kept)?, fill.repeat(text.len() - kept)))
        })
    }),
    breaks("one bit of a signature as it is written", |bent, _, rng| {
        bent.resign(|text| String::from_utf8(flipped(text.as_bytes(), rng)?).ok())
    }),
    breaks("one bit of a signature", |bent, _, rng| {
        respelled(bent, |bytes, written| Some(written(&flipped(bytes, rng)?)))
    }),
    breaks("a signature in the other case", |bent, _, rng| {
        bent.resign(|text| {
            let text: String = if rng.bool() {
                text.to_ascii_uppercase()
            } else {
                text.chars().map(|c| if rng.bool() { c.to_ascii_uppercase() } else { c }).collect()
            };
            Some(text)
        })
    }),
    breaks("a signature in another alphabet", |bent, _, rng| {
        respelled(bent, |bytes, _| Some(match rng.u8(..7) {
            0 => URL_SAFE.encode(bytes),
            1 => URL_SAFE_NO_PAD.encode(bytes),
            2 => STANDARD_NO_PAD.encode(bytes),
            3 => hex::encode_upper(bytes),
            4 => STANDARD.encode(hex::encode(bytes)),
            5 => hex::encode(STANDARD.encode(bytes)),
            _ => bytes.iter().map(|byte| byte.to_string()).collect::<Vec<_>>().join("."),
        }))
    }),
    breaks("base64 whose last bits are not zero", |bent, _, rng| {
        bent.resign(|text| {
            let end = text.trim_end_matches('=');
            let pad = text.len() - end.len();
            let last = *rng.choice(b"BCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789+/")?;
            let kept = end.get(..end.len().checked_sub(1)?)?;
            (pad > 0).then(|| format!("{kept}{}{}", char::from(last), "=".repeat(pad)))
        })
    }),
    breaks("white space in a signature", |bent, _, rng| {
        let blank = *rng.choice(&[" ", "\t", "\n", "\r\n ", "\u{a0}", "\u{200b}"])?;
        bent.resign(|text| {
            let at = place(rng, text.len());
            Some(format!("{}{blank}{}", text.get(..at)?, text.get(at..)?))
        })
    }),
    breaks("letters of a header that look alike", |bent, _, rng| {
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = disguised(value, rng)?;
        Some(())
    }),
    breaks("no signature behind its tag", |bent, _, _| bent.resign(|_| Some(String::new()))),
    breaks("a signature of zeros or ones", |bent, _, rng| {
        let byte = *rng.choice(&[0, 0xff, 1])?;
        respelled(bent, |bytes, written| Some(written(&vec![byte; bytes.len()])))
    }),
    breaks("a signature of no bytes, or of too many", |bent, _, rng| {
        respelled(bent, |bytes, written| {
            let length = *rng.choice(&[0, 1, 16, 20, 31, 33, 63, 64, 65, 255, 257])?;
            Some(written(&bytes.iter().copied().cycle().take(length).collect::<Vec<_>>()))
        })
    }),
    breaks("a signature backwards", |bent, _, rng| {
        respelled(bent, |bytes, written| {
            let mut bytes = bytes.to_vec();
            let turned = bytes.len().min(1);
            if rng.bool() { bytes.reverse() } else { bytes.rotate_left(turned) }
            Some(written(&bytes))
        })
    }),
    breaks("the signature of another event", |bent, ground, _| {
        let header = bent.door.shape.header;
        let other = ground.other.headers.iter().find(|(name, _)| name == header)?;
        bent.header(header)?.clone_from(&other.1);
        Some(())
    }),
    breaks("another tag", |bent, _, rng| {
        let shape = bent.door.shape;
        let tag = *rng.choice(TAGS)?;
        let value = bent.header(shape.header)?;
        (tag != shape.tag).then(|| *value = value.replace(shape.tag, tag))
    }),
    breaks("tag and signature the wrong way round", |bent, _, _| {
        let shape = bent.door.shape;
        let value = bent.header(shape.header)?;
        let (tag, text) = (shape.tag, value.rsplit(shape.tag).next()?.to_owned());
        let mark = tag.chars().last()?;
        let turned = format!("{text}{mark}{}", tag.trim_end_matches(mark));
        *value = value.replace(&format!("{tag}{text}"), &turned);
        Some(())
    }),
    breaks("nothing but random bytes", |bent, _, rng| {
        respelled(bent, |bytes, written| {
            Some(written(&bytes.iter().map(|_| rng.u8(..)).collect::<Vec<_>>()))
        })
    }),
    keeps("others beside the signature that fits", |bent, _, rng| {
        let shape = bent.door.shape;
        // One signature is the whole value there.
        (shape.proof != Proof::Rsa).then_some(())?;
        let own = bent.header(shape.header)?.split(shape.between)
            .find(|item| item.starts_with(shape.tag))?.to_owned();
        let bytes: Vec<u8> = (0..32).map(|_| rng.u8(..)).collect();
        let other = format!("{}{}", shape.tag, bent.written(&bytes));
        let between = shape.between.first()?.to_string();
        let mut items = vec![other; rng.usize(1..8)];
        items.insert(place(rng, items.len()), own.clone());
        let value = bent.header(shape.header)?;
        *value = value.replace(&own, &items.join(&between));
        Some(())
    }),
];

/// Writes the signature's bytes in some other way; `written` is the door's own.
fn respelled(
    bent: &mut Bent<'_>,
    change: impl FnOnce(&[u8], &dyn Fn(&[u8]) -> String) -> Option<String>,
) -> Option<()> {
    let proof = bent.door.shape.proof;
    bent.resign(|text| {
        let bytes = match proof {
            Proof::Hex | Proof::Asked | Proof::Query => hex::decode(text).ok()?,
            Proof::Base64 | Proof::Ed25519 | Proof::Rsa => STANDARD.decode(text).ok()?,
        };
        let written = |bytes: &[u8]| match proof {
            Proof::Hex | Proof::Asked | Proof::Query => hex::encode(bytes),
            Proof::Base64 | Proof::Ed25519 | Proof::Rsa => STANDARD.encode(bytes),
        };
        change(&bytes, &written)
    })
}

const TAGS: &[&str] = &[
    "v0=",
    "v1=",
    "v2=",
    "v11=",
    "V1=",
    "h1=",
    "h2=",
    "s1=",
    "sha1=",
    "sha256=",
    "sha512=",
    "v1,",
    "v1a,",
    "v1b,",
    "v2,",
    "V1,",
    "v1;",
    "hmac-sha256=",
    "none=",
    "=",
    "",
];
