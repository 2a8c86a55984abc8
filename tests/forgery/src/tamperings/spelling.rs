//! What is done to the signature as it is written.

use super::{Tampering, breaking, flipped, position, preserving, with_lookalike};
use crate::delivery_format::ProofKind;
use crate::tampered::TamperedDelivery;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

#[rustfmt::skip] // a table
pub(super) const TAMPERINGS: &[Tampering] = &[
    breaking("a signature cut short", |bent, _, rng| {
        bent.resign(|text| Some(text.get(..position(rng, text.len()))?.to_owned()))
    }),
    breaking("a signature without its beginning", |bent, _, rng| {
        bent.resign(|text| Some(text.get(position(rng, text.len())..)?.to_owned()))
    }),
    breaking("a signature with something behind it", |bent, _, rng| {
        let more = ["0", "00", "=", "A", "AAAA", "\0", "\t", "\n", ".", "\u{a0}", "%00"];
        let more = *rng.choice(&more)?;
        bent.resign(|text| Some(format!("{text}{more}")))
    }),
    breaking("a signature with something before it", |bent, _, rng| {
        let more = *rng.choice(&["0", "0x", "+", "-", "=", "\t", "\u{feff}", "\"", "v1=", "1,"])?;
        bent.resign(|text| Some(format!("{more}{text}")))
    }),
    breaking("only the beginning of a signature, filled up", |bent, _, rng| {
        let fill = *rng.choice(&["0", "A", "f"])?;
        bent.resign(|text| {
            let kept = position(rng, text.len());
            Some(format!("{}{}", text.get(..kept)?, fill.repeat(text.len() - kept)))
        })
    }),
    breaking("one bit of a signature as it is written", |bent, _, rng| {
        bent.resign(|text| String::from_utf8(flipped(text.as_bytes(), rng)?).ok())
    }),
    breaking("one bit of a signature", |bent, _, rng| {
        reencode(bent, |bytes, written| Some(written(&flipped(bytes, rng)?)))
    }),
    breaking("a signature in the other case", |bent, _, rng| {
        bent.resign(|text| {
            let text: String = if rng.bool() {
                text.to_ascii_uppercase()
            } else {
                text.chars().map(|c| if rng.bool() { c.to_ascii_uppercase() } else { c }).collect()
            };
            Some(text)
        })
    }),
    breaking("a signature in another alphabet", |bent, _, rng| {
        reencode(bent, |bytes, _| Some(match rng.u8(..7) {
            0 => URL_SAFE.encode(bytes),
            1 => URL_SAFE_NO_PAD.encode(bytes),
            2 => STANDARD_NO_PAD.encode(bytes),
            3 => hex::encode_upper(bytes),
            4 => STANDARD.encode(hex::encode(bytes)),
            5 => hex::encode(STANDARD.encode(bytes)),
            _ => bytes.iter().map(|byte| byte.to_string()).collect::<Vec<_>>().join("."),
        }))
    }),
    breaking("base64 whose last bits are not zero", |bent, _, rng| {
        bent.resign(|text| {
            let end = text.trim_end_matches('=');
            let pad = text.len() - end.len();
            let last = *rng.choice(b"BCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789+/")?;
            let kept = end.get(..end.len().checked_sub(1)?)?;
            (pad > 0).then(|| format!("{kept}{}{}", char::from(last), "=".repeat(pad)))
        })
    }),
    breaking("white space in a signature", |bent, _, rng| {
        let blank = *rng.choice(&[" ", "\t", "\n", "\r\n ", "\u{a0}", "\u{200b}"])?;
        bent.resign(|text| {
            let at = position(rng, text.len());
            Some(format!("{}{blank}{}", text.get(..at)?, text.get(at..)?))
        })
    }),
    breaking("letters of a header that look alike", |bent, _, rng| {
        let (_, value) = rng.choice(&mut bent.headers)?;
        *value = with_lookalike(value, rng)?;
        Some(())
    }),
    breaking("no signature behind its tag", |bent, _, _| bent.resign(|_| Some(String::new()))),
    breaking("a signature of zeros or ones", |bent, _, rng| {
        let byte = *rng.choice(&[0, 0xff, 1])?;
        reencode(bent, |bytes, written| Some(written(&vec![byte; bytes.len()])))
    }),
    breaking("a signature of no bytes, or of too many", |bent, _, rng| {
        reencode(bent, |bytes, written| {
            let length = *rng.choice(&[0, 1, 16, 20, 31, 33, 63, 64, 65, 255, 257])?;
            Some(written(&bytes.iter().copied().cycle().take(length).collect::<Vec<_>>()))
        })
    }),
    breaking("a signature backwards", |bent, _, rng| {
        reencode(bent, |bytes, written| {
            let mut bytes = bytes.to_vec();
            let turned = bytes.len().min(1);
            if rng.bool() { bytes.reverse() } else { bytes.rotate_left(turned) }
            Some(written(&bytes))
        })
    }),
    breaking("the signature of another event", |bent, ground, _| {
        let header = bent.endpoint.delivery_format.header;
        let other = ground.other.headers.iter().find(|(name, _)| name == header)?;
        bent.header(header)?.clone_from(&other.1);
        Some(())
    }),
    breaking("another tag", |bent, _, rng| {
        let shape = bent.endpoint.delivery_format;
        let tag = *rng.choice(TAGS)?;
        let value = bent.header(shape.header)?;
        (tag != shape.tag).then(|| *value = value.replace(shape.tag, tag))
    }),
    breaking("tag and signature the wrong way round", |bent, _, _| {
        let shape = bent.endpoint.delivery_format;
        let value = bent.header(shape.header)?;
        let (tag, text) = (shape.tag, value.rsplit(shape.tag).next()?.to_owned());
        let mark = tag.chars().last()?;
        let turned = format!("{text}{mark}{}", tag.trim_end_matches(mark));
        *value = value.replace(&format!("{tag}{text}"), &turned);
        Some(())
    }),
    breaking("nothing but random bytes", |bent, _, rng| {
        reencode(bent, |bytes, written| {
            Some(written(&bytes.iter().map(|_| rng.u8(..)).collect::<Vec<_>>()))
        })
    }),
    preserving("others beside the signature that fits", |bent, _, rng| {
        let shape = bent.endpoint.delivery_format;
        // One signature is the whole value there.
        (shape.proof != ProofKind::Rsa).then_some(())?;
        let own = bent.header(shape.header)?.split(shape.separators)
            .find(|item| item.starts_with(shape.tag))?.to_owned();
        let bytes: Vec<u8> = (0..32).map(|_| rng.u8(..)).collect();
        let other = format!("{}{}", shape.tag, bent.encode_signature(&bytes));
        let between = shape.separators.first()?.to_string();
        let mut items = vec![other; rng.usize(1..8)];
        items.insert(position(rng, items.len()), own.clone());
        let value = bent.header(shape.header)?;
        *value = value.replace(&own, &items.join(&between));
        Some(())
    }),
];

/// Writes the signature's bytes in some other way; `written` is the endpoint's own.
fn reencode(
    bent: &mut TamperedDelivery<'_>,
    change: impl FnOnce(&[u8], &dyn Fn(&[u8]) -> String) -> Option<String>,
) -> Option<()> {
    let proof = bent.endpoint.delivery_format.proof;
    bent.resign(|text| {
        let bytes = match proof {
            ProofKind::Hex | ProofKind::ApiConfirmed | ProofKind::Query => {
                hex::decode(text).ok()?
            }
            ProofKind::Base64 | ProofKind::Ed25519 | ProofKind::Rsa => {
                STANDARD.decode(text).ok()?
            }
        };
        let written = |bytes: &[u8]| match proof {
            ProofKind::Hex | ProofKind::ApiConfirmed | ProofKind::Query => hex::encode(bytes),
            ProofKind::Base64 | ProofKind::Ed25519 | ProofKind::Rsa => STANDARD.encode(bytes),
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
