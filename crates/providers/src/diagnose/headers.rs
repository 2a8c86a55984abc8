//! Mistakes in the headers that carry a signature, undone one at a time.

use super::{Cause, Diagnosis};
use crate::Headers;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Headers with one mistake undone.
pub(super) struct Undone {
    pub(super) cause: Cause,
    pub(super) what: String,
    pub(super) headers: Headers,
}

/// Every way we know to put the signature headers right again.
pub(super) fn undone(headers: &Headers) -> Vec<Undone> {
    let mut found = Vec::new();
    for (name, value) in signature_headers(headers) {
        let mut push = |cause, what: &str, value: String| {
            if let Some(headers) = with(headers, name, &value) {
                let what = format!("{name}: {what}");
                found.push(Undone {
                    cause,
                    what,
                    headers,
                });
            }
        };
        for part in parts(value) {
            push(
                Cause::HeadersJoined,
                "two headers were joined into one",
                part,
            );
        }
        let encoding = Cause::SignatureEncoding;
        push(encoding, "hex digits in upper case", lower_hex(value));
        push(
            encoding,
            "base64 where hex is expected",
            base64_to_hex(value),
        );
        push(
            encoding,
            "hex where base64 is expected",
            hex_to_base64(value),
        );
        push(
            encoding,
            "URL-safe base64 where the plain one is expected",
            plain_base64(value),
        );
        push(encoding, "base64 without its padding", format!("{value}="));
        push(
            Cause::HeaderGarbled,
            "quotes or blanks around it",
            stripped(value),
        );
        push(
            Cause::HeaderGarbled,
            "percent-encoded",
            value.replace("%3D", "=").replace("%2C", ","),
        );
    }
    found
}

/// What the headers look like where no undoing helps.
pub(super) fn guess(headers: &Headers) -> Option<Diagnosis> {
    for (name, value) in signature_headers(headers) {
        let schemes: Vec<&str> = value.split([',', ' ']).map(str::trim).collect();
        let has = |prefix: &str| schemes.iter().any(|scheme| scheme.starts_with(prefix));
        let listed = has("v1=") || value.contains("v1,");
        let times = schemes
            .iter()
            .filter(|scheme| scheme.starts_with("t="))
            .count();
        let guessed = |cause, what: &str, certain| {
            Some(Diagnosis {
                cause,
                certain,
                seconds: None,
                what: format!("{name}: {what}").into(),
            })
        };
        if !listed && (has("v0=") || has("v1a") || has("sha256=") || has("sha1=")) {
            return guessed(
                Cause::WrongScheme,
                "it offers only a scheme that proves nothing",
                true,
            );
        }
        if times > 1 {
            return guessed(Cause::HeadersJoined, "it states several times", false);
        }
        if !listed {
            continue;
        }
        let hex = schemes
            .iter()
            .filter_map(|scheme| scheme.strip_prefix("v1="));
        let sound = hex
            .clone()
            .any(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if hex.clone().count() > 0 && !sound {
            return guessed(Cause::SignatureEncoding, "`v1=` is not 64 hex digits", true);
        }
        let encoded: Vec<&str> = value
            .split(' ')
            .filter_map(|s| s.strip_prefix("v1,"))
            .collect();
        let sound = |text: &&str| STANDARD.decode(text).is_ok_and(|key| key.len() == 32);
        if !encoded.is_empty() && !encoded.iter().any(sound) {
            return guessed(
                Cause::SignatureEncoding,
                "`v1,` is not 32 bytes in base64",
                true,
            );
        }
    }
    None
}

fn signature_headers(headers: &Headers) -> Vec<(&str, &str)> {
    let names = headers
        .0
        .iter()
        .filter(|(name, _)| name.contains("signature"));
    names
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// The headers with only this value under that name.
fn with(headers: &Headers, name: &str, value: &str) -> Option<Headers> {
    let others = headers.0.iter().filter(|(known, _)| known != name);
    let others = others.map(|(name, value)| (name.as_str(), value.as_str()));
    Headers::new(others.chain([(name, value)])).ok()
}

/// A joined header's parts: each begins with its time.
fn parts(value: &str) -> Vec<String> {
    let starts: Vec<usize> = value.match_indices("t=").map(|(at, _)| at).collect();
    if starts.len() < 2 {
        return Vec::new();
    }
    let ends = starts.iter().copied().skip(1).chain([value.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(start, end)| value.get(*start..end))
        .map(|part| part.trim_matches([',', ' ']).to_owned())
        .collect()
}

/// Each item's value rewritten, the name before its `=` kept.
fn each(value: &str, rewrite: impl Fn(&str) -> Option<String>) -> String {
    let item = |item: &str| match item.split_once('=') {
        Some((name, text)) if name.trim() == "v1" => {
            rewrite(text).map_or_else(|| item.to_owned(), |text| format!("{name}={text}"))
        }
        Some(_) | None => item.to_owned(),
    };
    value.split(',').map(item).collect::<Vec<_>>().join(",")
}

fn lower_hex(value: &str) -> String {
    each(value, |text| Some(text.to_ascii_lowercase()))
}

fn base64_to_hex(value: &str) -> String {
    each(value, |text| STANDARD.decode(text).ok().map(hex::encode))
}

fn hex_to_base64(value: &str) -> String {
    let item = |item: &str| {
        let bytes = item
            .strip_prefix("v1,")
            .and_then(|text| hex::decode(text).ok());
        bytes.map_or_else(
            || item.to_owned(),
            |bytes| format!("v1,{}", STANDARD.encode(bytes)),
        )
    };
    value.split(' ').map(item).collect::<Vec<_>>().join(" ")
}

fn plain_base64(value: &str) -> String {
    let item = |item: &str| match item.strip_prefix("v1,") {
        None => item.to_owned(),
        Some(text) => {
            let text = text.replace('-', "+").replace('_', "/");
            let text = text.trim_end_matches('=');
            let padding = match text.len().checked_rem(4) {
                Some(2) => "==",
                Some(3) => "=",
                Some(_) | None => "",
            };
            format!("v1,{text}{padding}")
        }
    };
    value.split(' ').map(item).collect::<Vec<_>>().join(" ")
}

fn stripped(value: &str) -> String {
    value.trim().trim_matches(['"', '\'']).to_owned()
}
