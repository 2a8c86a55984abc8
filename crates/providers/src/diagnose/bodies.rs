//! Bodies as they may have been before something on their way rewrote them.

use crate::request::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What was done to the body, in words, and the body before that.
pub(super) fn corrections(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut found: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let Ok(text) = std::str::from_utf8(body) else {
        return found;
    };
    let mut push = |what, text: String| found.push((what, text.into_bytes()));
    push(
        "a line end was added",
        text.trim_end_matches(['\r', '\n']).to_owned(),
    );
    push("the last line end was taken away", format!("{text}\n"));
    push("line ends were changed", text.replace("\r\n", "\n"));
    push("line ends were changed", text.replace('\n', "\r\n"));
    push("blanks around it were added", text.trim().to_owned());
    push(
        "a byte order mark was added",
        text.trim_start_matches('\u{feff}').to_owned(),
    );
    if let Ok(decoded) = STANDARD.decode(text.trim()) {
        found.push(("it was encoded in base64", decoded));
        return found;
    }
    for spelling in [
        Spelling::Same,
        Spelling::Escaped,
        Spelling::Unescaped,
        Spelling::Slashes,
    ] {
        let respelled = spelling.respell(text);
        for layout in LAYOUTS {
            let laid = layout.render(&respelled);
            found.push((REWRITTEN, format!("{laid}\n").into_bytes()));
            found.push((REWRITTEN, laid.into_bytes()));
        }
    }
    found
}

/// Whether the end of the body is missing.
pub(super) fn cut_off(request: &Request<'_>) -> Option<&'static str> {
    let announced = request.headers.all("content-length").next();
    let announced = announced.and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced > request.body.len()) {
        return Some("it is shorter than its content-length");
    }
    let text = String::from_utf8_lossy(request.body);
    let begun = text.trim_start().starts_with(['{', '[']);
    let unread: Result<IgnoredAny, _> = serde_json::from_str(&text);
    let ended_early = unread.is_err_and(|error| error.is_eof());
    (begun && ended_early).then_some("its JSON ends in the middle")
}

/// The mode in the body. It is not verified, so it only serves for a guess.
pub(super) fn livemode(body: &[u8]) -> Option<bool> {
    #[derive(Deserialize)]
    struct LivemodeField {
        livemode: Option<bool>,
    }
    serde_json::from_slice::<LivemodeField>(body).ok()?.livemode
}

/// Keys in alphabetical order come from a program, not from a provider.
pub(super) fn looks_rewritten(body: &[u8]) -> Option<&'static str> {
    let ObjectKeys(keys) = serde_json::from_slice(body).ok()?;
    let sorted = keys.is_sorted() && keys.len() > 3;
    sorted.then_some("its keys are in the order of the alphabet")
}

/// The keys of an object, in their order.
struct ObjectKeys(Vec<String>);

impl<'de> Deserialize<'de> for ObjectKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectKeysVisitor)
    }
}

struct ObjectKeysVisitor;

impl<'de> Visitor<'de> for ObjectKeysVisitor {
    type Value = ObjectKeys;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ObjectKeys, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, IgnoredAny)) = map.next_entry()? {
            keys.push(key);
        }
        Ok(ObjectKeys(keys))
    }
}

const REWRITTEN: &str = "its JSON was read and written again";

/// A program's layout of JSON.
struct Layout {
    colon: &'static str,
    comma: &'static str,
    indent: Option<&'static str>,
}

const LAYOUTS: [Layout; 5] = [
    Layout {
        colon: ":",
        comma: ",",
        indent: None,
    },
    Layout {
        colon: ": ",
        comma: ", ",
        indent: None,
    },
    Layout {
        colon: ": ",
        comma: ",",
        indent: Some("  "),
    },
    Layout {
        colon: ": ",
        comma: ",",
        indent: Some("    "),
    },
    Layout {
        colon: ": ",
        comma: ",",
        indent: Some("\t"),
    },
];

impl Layout {
    /// The same tokens in this layout, their order and spelling kept.
    fn render(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len().saturating_mul(2));
        let mut depth: usize = 0;
        let mut chars = text.chars().peekable();
        let mut quoted = false;
        while let Some(c) = chars.next() {
            if quoted {
                out.push(c);
                match c {
                    '\\' => out.extend(chars.next()),
                    '"' => quoted = false,
                    _ => {}
                }
                continue;
            }
            match c {
                '"' => {
                    quoted = true;
                    out.push(c);
                }
                '{' | '[' => {
                    out.push(c);
                    while chars.next_if(|c| c.is_whitespace()).is_some() {}
                    if let Some(end) = chars.next_if(|c| matches!(c, '}' | ']')) {
                        out.push(end);
                    } else {
                        depth = depth.saturating_add(1);
                        self.line(&mut out, depth);
                    }
                }
                '}' | ']' => {
                    depth = depth.saturating_sub(1);
                    self.line(&mut out, depth);
                    out.push(c);
                }
                ',' => {
                    out.push_str(self.comma);
                    self.line(&mut out, depth);
                }
                ':' => out.push_str(self.colon),
                c if c.is_whitespace() => {}
                c => out.push(c),
            }
        }
        out
    }

    fn line(&self, out: &mut String, depth: usize) {
        if let Some(indent) = self.indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(indent, depth));
        }
    }
}

/// A program's choice where JSON allows several spellings.
enum Spelling {
    Same,
    /// Beyond ASCII as `\u00e9`.
    Escaped,
    /// Beyond ASCII as itself.
    Unescaped,
    /// `/` as `\/`.
    Slashes,
}

impl Spelling {
    fn respell(&self, text: &str) -> String {
        match self {
            Self::Same => text.to_owned(),
            Self::Escaped => escaped(text),
            Self::Unescaped => unescaped(text),
            Self::Slashes => text.replace('/', "\\/"),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0_u16; 2];
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

/// Replaces `\/` and every `\uXXXX` beyond ASCII by the character; a lone surrogate stays.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('/') {
            out.push('/');
            rest = after;
        } else if let Some((c, after)) = unit(after) {
            out.push(c);
            rest = after;
        } else {
            out.push('\\');
            let mut chars = after.chars();
            out.extend(chars.next());
            rest = chars.as_str();
        }
    }
    out.push_str(rest);
    out
}

fn unit(text: &str) -> Option<(char, &str)> {
    let code = |text: &str| u16::from_str_radix(text.get(1..5)?, 16).ok();
    let first = text.starts_with('u').then(|| code(text)).flatten()?;
    let after = text.get(5..)?;
    let second = after
        .strip_prefix('\\')
        .filter(|rest| rest.starts_with('u'));
    if let Some(second) = second
        && let Some(low) = code(second)
        && let Some(Ok(c)) = char::decode_utf16([first, low]).next()
        && (0xd800..0xdc00).contains(&first)
    {
        return Some((c, second.get(5..)?));
    }
    let c = char::from_u32(first.into())?;
    (!c.is_ascii()).then_some((c, after))
}
