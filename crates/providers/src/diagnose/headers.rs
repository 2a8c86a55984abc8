//! Mistakes in the headers that carry a signature, undone one at a time.

use super::{Cause, Diagnosis};
use crate::provider::{Scheme, SignatureEncoding};
use crate::request::Headers;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Headers with one mistake undone.
pub(super) struct HeaderCorrection {
    pub(super) cause: Cause,
    pub(super) what: String,
    pub(super) headers: Headers,
}

/// Every known way to repair the signature headers.
pub(super) fn corrections(headers: &Headers, schemes: &[Scheme]) -> Vec<HeaderCorrection> {
    let mut found = Vec::new();
    for (scheme, name, value) in signature_headers(headers, schemes) {
        let mut push = |cause, what: &str, value: String| {
            if let Some(headers) = with_header(headers, name, &value) {
                let what = format!("{name}: {what}");
                found.push(HeaderCorrection {
                    cause,
                    what,
                    headers,
                });
            }
        };
        for part in split_joined(scheme, value) {
            push(
                Cause::HeadersJoined,
                "two headers were joined into one",
                part,
            );
        }
        for (what, rewritten) in reencoded(scheme, value) {
            push(Cause::SignatureEncoding, what, rewritten);
        }
        push(
            Cause::HeaderGarbled,
            "quotes or blanks around it",
            stripped(value),
        );
        push(
            Cause::HeaderGarbled,
            "percent-encoded",
            value
                .replace("%3D", "=")
                .replace("%2C", ",")
                .replace("%3B", ";"),
        );
    }
    found
}

/// A guess from the headers, where no repair helps.
pub(super) fn guess(headers: &Headers, schemes: &[Scheme]) -> Option<Diagnosis> {
    for (scheme, name, value) in signature_headers(headers, schemes) {
        let items = || value.split(scheme.separator).map(str::trim);
        let listed = items().any(|item| item.starts_with(scheme.signature_prefix));
        let guessed = |cause, what: &str, certain| {
            Some(Diagnosis {
                cause,
                certain,
                seconds: None,
                what: format!("{name}: {what}").into(),
            })
        };
        let other = |item: &str| OTHER_SCHEMES.iter().any(|begin| item.starts_with(begin));
        if !listed && items().any(other) {
            return guessed(
                Cause::WrongScheme,
                "it offers only a scheme that proves nothing",
                true,
            );
        }
        let times = scheme.time_prefix.map_or(0, |time| {
            items().filter(|item| item.starts_with(time)).count()
        });
        if times > 1 {
            return guessed(Cause::HeadersJoined, "it states several times", false);
        }
        if !listed {
            continue;
        }
        let mut signatures = items().filter_map(|item| item.strip_prefix(scheme.signature_prefix));
        if !signatures.any(|text| scheme.encoding.is_valid(text)) {
            let what = match scheme.encoding {
                SignatureEncoding::Hex => {
                    format!("`{}` is not 64 hex digits", scheme.signature_prefix)
                }
                SignatureEncoding::Base64 => {
                    format!("`{}` is not 32 bytes in base64", scheme.signature_prefix)
                }
            };
            return guessed(Cause::SignatureEncoding, &what, true);
        }
    }
    None
}

impl SignatureEncoding {
    fn is_valid(self, text: &str) -> bool {
        match self {
            Self::Hex => text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Self::Base64 => STANDARD.decode(text).is_ok_and(|key| key.len() == 32),
        }
    }
}

/// The headers of these schemes: scheme, name and value.
fn signature_headers<'a>(
    headers: &'a Headers,
    schemes: &'a [Scheme],
) -> Vec<(&'a Scheme, &'a str, &'a str)> {
    let of = |scheme: &'a Scheme| {
        let values = headers.all(scheme.header);
        values.map(move |value| (scheme, scheme.header, value))
    };
    schemes.iter().flat_map(of).collect()
}

/// The headers with only this value under that name.
fn with_header(headers: &Headers, name: &str, value: &str) -> Option<Headers> {
    let others = headers.0.iter().filter(|(known, _)| known != name);
    let others = others.map(|(name, value)| (name.as_str(), value.as_str()));
    Headers::new(others.chain([(name, value)])).ok()
}

/// The parts of a joined header; each begins with its time.
fn split_joined(scheme: &Scheme, value: &str) -> Vec<String> {
    let Some(time) = scheme.time_prefix else {
        return Vec::new();
    };
    let starts: Vec<usize> = value.match_indices(time).map(|(at, _)| at).collect();
    if starts.len() < 2 {
        return Vec::new();
    }
    let ends = starts.iter().copied().skip(1).chain([value.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(start, end)| value.get(*start..end))
        .map(|part| part.trim_matches([',', ';', ' ']).to_owned())
        .collect()
}

/// What a signature's text may have been: the change in words, and the whole header.
fn reencoded(scheme: &Scheme, value: &str) -> Vec<(&'static str, String)> {
    let each = |rewrite: &dyn Fn(&str) -> Option<String>| {
        let item = |item: &str| match item.trim_start().strip_prefix(scheme.signature_prefix) {
            Some(text) => rewrite(text).map_or_else(
                || item.to_owned(),
                |text| format!("{}{text}", scheme.signature_prefix),
            ),
            None => item.to_owned(),
        };
        let items: Vec<String> = value.split(scheme.separator).map(item).collect();
        items.join(&scheme.separator.to_string())
    };
    match scheme.encoding {
        SignatureEncoding::Hex => vec![
            (
                "hex digits in upper case",
                each(&|text| Some(text.to_ascii_lowercase())),
            ),
            (
                "base64 where hex is expected",
                each(&|text| STANDARD.decode(text).ok().map(hex::encode)),
            ),
        ],
        SignatureEncoding::Base64 => vec![
            (
                "hex where base64 is expected",
                each(&|text| hex::decode(text).ok().map(|bytes| STANDARD.encode(bytes))),
            ),
            (
                "URL-safe base64 where the plain one is expected",
                each(&|text| Some(standard_base64(text))),
            ),
            ("base64 without its padding", format!("{value}=")),
        ],
    }
}

fn standard_base64(text: &str) -> String {
    let text = text.replace('-', "+").replace('_', "/");
    let text = text.trim_end_matches('=');
    let padding = match text.len().checked_rem(4) {
        Some(2) => "==",
        Some(3) => "=",
        Some(_) | None => "",
    };
    format!("{text}{padding}")
}

fn stripped(value: &str) -> String {
    value.trim().trim_matches(['"', '\'']).to_owned()
}

/// Prefixes of items in schemes that prove nothing to us.
const OTHER_SCHEMES: [&str; 4] = ["v0=", "v1a", "sha256=", "sha1="];
