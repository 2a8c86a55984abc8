//! What a sender may do: secrets, ids, times and bodies, signed as they are.

use crate::Bend;
use crate::draft::{Draft, SIGNED_AT, secret};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use fastrand::Rng;

/// All of them; what has many forms stands several times.
pub(crate) const BENDS: &[Bend] = &[
    encoded_secret,
    encoded_secret,
    text_secret,
    several_secrets,
    id,
    id,
    clock,
    clock,
    time_form,
    body,
];

fn some_words(words: impl Into<String>) -> Option<String> {
    Some(words.into())
}

/// Secrets whose text is base64 of the key.
fn encoded_secret(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    (draft.scheme.encoded_key && !draft.key.is_empty()).then_some(())?;
    let padded = STANDARD.encode(&draft.key);
    let unpadded = STANDARD_NO_PAD.encode(&draft.key);
    let (words, text) = match rng.u8(..12) {
        0 => ("secret without its prefix", padded),
        1 => ("secret without padding", format!("whsec_{unpadded}")),
        2 => ("secret without prefix and padding", unpadded),
        3 => ("secret in the URL's alphabet", {
            draft.key = [&[0xfb, 0xff, 0xfe], draft.key.as_slice()].concat();
            format!("whsec_{}", URL_SAFE.encode(&draft.key))
        }),
        4 => ("secret of 12 bytes", {
            draft.key.truncate(12);
            format!("whsec_{}", STANDARD.encode(&draft.key))
        }),
        5 => ("secret whose last bits are not zero", {
            draft.key.truncate(24);
            draft.key.push(0);
            let text = STANDARD_NO_PAD.encode(&draft.key);
            format!("whsec_{}B==", text.strip_suffix('A')?)
        }),
        6 => (
            "secret whose prefix is in capitals",
            format!("WHSEC_{padded}"),
        ),
        7 => (
            "secret with its prefix twice",
            format!("whsec_whsec_{padded}"),
        ),
        8 => (
            "secret with a line end behind it",
            format!("whsec_{padded}\n"),
        ),
        9 => ("secret with a blank before it", format!(" whsec_{padded}")),
        10 => ("secret of 64 bytes", {
            draft.key = (0..64).map(|_| rng.u8(..)).collect();
            format!("whsec_{}", STANDARD.encode(&draft.key))
        }),
        _ => ("secret that is a bare text", {
            draft.key = format!("bare-text.{:016x}", rng.u64(..)).into_bytes();
            String::from_utf8(draft.key.clone()).ok()?
        }),
    };
    draft.secrets = vec![text];
    some_words(words)
}

/// Secrets whose text is the key.
fn text_secret(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    (!draft.scheme.encoded_key).then_some(())?;
    let text = draft.secrets.first()?.clone();
    let (words, text, key) = match rng.u8(..9) {
        0 => ("secret of 8 characters", "whsec_ab".to_owned(), None),
        1 => (
            "secret with a line end behind it",
            format!("{text}\n"),
            Some(text),
        ),
        2 => (
            "secret with a blank before it",
            format!(" {text}"),
            Some(text),
        ),
        3 => ("secret with a blank in it", format!("{text} two"), None),
        4 => ("secret beyond ASCII", format!("{text}-Zoë"), None),
        5 => (
            "secret without its prefix",
            text.replacen("whsec_", "", 1),
            None,
        ),
        6 => ("secret with marks", format!("{text}+/=!:;,*"), None),
        7 => (
            "secret of 200 characters",
            text.repeat(6).chars().take(200).collect(),
            None,
        ),
        _ => {
            let encoded = STANDARD.encode(text.as_bytes());
            // The sender decodes what the receiver takes as it is.
            ("secret that one side decodes", encoded, Some(text))
        }
    };
    draft.key = key.unwrap_or_else(|| text.clone()).into_bytes();
    draft.secrets = vec![text];
    some_words(words)
}

fn several_secrets(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let (other, key) = secret(draft.scheme, rng);
    match rng.u8(..4) {
        0 => {
            draft.key = key;
            some_words("another's secret")
        }
        1 => {
            draft.secrets.push(other);
            some_words("two secrets, the first signs")
        }
        2 => {
            draft.secrets.insert(0, other);
            some_words("two secrets, the second signs")
        }
        _ => {
            draft.key = Vec::new();
            some_words("the empty key signs")
        }
    }
}

fn id(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    draft.scheme.has_id().then_some(())?;
    let marks: Vec<char> = ('!'..='~').filter(|c| !c.is_alphanumeric()).collect();
    let (words, id) = match rng.u8(..12) {
        0 => ("id of 128 characters".to_owned(), "m".repeat(128)),
        1 => ("id of 129 characters".to_owned(), "m".repeat(129)),
        2 => ("id of one character".to_owned(), "1".to_owned()),
        3 => ("no id".to_owned(), String::new()),
        4 => ("id with a blank".to_owned(), "msg one".to_owned()),
        5 => (
            "id that is a UUID".to_owned(),
            "0f8fad5b-d9cb-469f-a165-70867728950e".to_owned(),
        ),
        6 => ("id with a tab".to_owned(), "msg\tone".to_owned()),
        _ => {
            let mark = *rng.choice(&marks)?;
            // A table's columns are divided by one of them.
            let name = if mark == '|' {
                "bar".to_owned()
            } else {
                format!("`{mark}`")
            };
            (
                format!("id with {name}"),
                format!("msg_1{mark}{:x}", rng.u32(..)),
            )
        }
    };
    draft.id = id;
    some_words(words)
}

/// Arrivals at the edge of what is still in time, and far beyond.
fn clock(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    draft.scheme.joiner?;
    let edge = draft.scheme.tolerance;
    let (words, late) = match rng.u8(..12) {
        0 => ("arrives in the last second", edge * 1000),
        1 => (
            "arrives within the second after the last",
            edge * 1000 + rng.i64(1..1000),
        ),
        2 => ("arrives one second too late", (edge + 1) * 1000),
        3 => (
            "arrives before the last second",
            (edge - 1) * 1000 + rng.i64(0..1000),
        ),
        4 => ("arrives a day too late", 86_400_000),
        5 => ("signed ahead, just within the tolerance", -edge * 1000),
        6 => (
            "signed ahead, a part of a second beyond it",
            -edge * 1000 - rng.i64(1..1000),
        ),
        7 => ("signed ahead, one second beyond it", (-edge - 1) * 1000),
        8 => (
            "signed ahead, less than the tolerance",
            -rng.i64(1..edge) * 1000,
        ),
        9 => ("signed a day ahead", -86_400_000),
        10 => ("signed ten years ahead", -315_360_000_000),
        _ => ("arrives ten years too late", 315_360_000_000),
    };
    draft.now_milliseconds = SIGNED_AT * 1000 + late;
    some_words(words)
}

/// The time in another form, signed in that form.
fn time_form(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    draft.scheme.joiner?;
    let at = SIGNED_AT;
    let (words, time) = match rng.u8(..12) {
        0 => ("a leading zero", format!("0{at}")),
        1 => ("a plus", format!("+{at}")),
        2 => ("a point and a zero", format!("{at}.0")),
        3 => ("a fraction", format!("{at}.25")),
        4 => ("milliseconds", format!("{at}000")),
        5 => ("letters behind", format!("{at}abc")),
        6 => ("an exponent", "1.7672256e9".to_owned()),
        7 => ("hexadecimal", format!("{at:#x}")),
        8 => ("a date", "2026-01-01T00:00:00Z".to_owned()),
        9 => ("nothing", String::new()),
        10 => ("a minus", format!("-{at}")),
        _ => ("an underscore", "1_767_225_600".to_owned()),
    };
    draft.time = time;
    some_words(format!("time with {words}"))
}

/// Bodies, signed as they are.
fn body(draft: &mut Draft, rng: &mut Rng) -> Option<String> {
    let whole = draft.body.clone();
    let (words, body): (_, Vec<u8>) = match rng.u8(..13) {
        0 => ("empty", Vec::new()),
        1 => (
            "with a byte order mark",
            [b"\xef\xbb\xbf", whole.as_slice()].concat(),
        ),
        2 => (
            "that is not UTF-8",
            [whole.as_slice(), b"\xff\xfe"].concat(),
        ),
        3 => ("with a zero byte", [whole.as_slice(), b"\0"].concat()),
        4 => ("that is not JSON", b"id=tr_1&state=paid".to_vec()),
        5 => ("with a line end", [whole.as_slice(), b"\r\n"].concat()),
        6 => (
            "with blanks around",
            [b" \t\n", whole.as_slice(), b" \n"].concat(),
        ),
        7 => ("that is a number", b"1".to_vec()),
        8 => ("that is null", b"null".to_vec()),
        9 => (
            "of 60 kB",
            [whole.as_slice(), " ".repeat(60_000).as_bytes()].concat(),
        ),
        10 => (
            "with escapes",
            r#"{"events":[],"n":"\u00fc\ud83d\ude00\u0000"}"#.into(),
        ),
        11 => (
            "with signs of many kinds",
            r#"{"events":[],"n":"漢字 😀 é e\u0301 ﷽"}"#.into(),
        ),
        _ => {
            rng.u8(..40).eq(&0).then_some(())?;
            (
                "of more than 1 MiB",
                [whole.as_slice(), " ".repeat(1 << 20).as_bytes()].concat(),
            )
        }
    };
    draft.body = body;
    some_words(format!("body {words}"))
}
