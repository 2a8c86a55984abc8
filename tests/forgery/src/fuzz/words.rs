//! What is parsed once its sender is proven: bodies, an API's answers, what the journal kept.

use super::Target;
use crate::doors::{Door, Heard, Knock, T, Whose, at};
use crate::genuine::{Genuine, answer, certificate, signed};
use crate::shape::Proof;
use domain::ids::Mode;
use domain::reading::Reading;
use domain::record::Entry;
use providers::{Answer, Call, Fetched, Headers, Outcome, Received, To};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A body that is proven, whatever it says: JSON, its words, times, days, amounts. It means the
/// same each time, and what is journaled of it reads the same again.
pub(super) fn bodies(door: &'static Door) -> Target {
    let hear = move |bytes: &[u8]| {
        let heard = told_by(door, bytes);
        assert_eq!(heard, told_by(door, bytes), "{}", door.name);
        if let Heard::Told(told) = &heard {
            told.iter().for_each(|received| reads_again(door, received));
        }
    };
    Target {
        name: format!("bodies at {}", door.name),
        seeds: door.bodies(),
        hear: Box::new(hear),
    }
}

/// Documents that an API shows to whatever it is asked, behind a genuine delivery.
pub(super) fn answers(door: &'static Door) -> Target {
    let hear = move |bytes: &[u8]| {
        let shown = answer(200, &String::from_utf8_lossy(bytes));
        for genuine in [door.genuine.first(), door.genuine.last()]
            .into_iter()
            .flatten()
        {
            let known = |call: &Call| match call.to {
                To::Certificate(_) => Some(answer(200, certificate("sandbox"))),
                To::Api(_) => Some(shown.clone()),
            };
            if let Heard::Told(told) = hear(door, &genuine.headers, &genuine.body, known) {
                told.iter().for_each(|received| reads_again(door, received));
            }
        }
    };
    let documents = door.genuine.iter().flat_map(|genuine| &genuine.documents);
    let documents: BTreeSet<&str> = documents.copied().collect();
    Target {
        name: format!("answers behind {}", door.name),
        seeds: documents
            .into_iter()
            .map(|text| text.as_bytes().to_vec())
            .collect(),
        hear: Box::new(hear),
    }
}

/// Raw bytes of a journal entry, whatever stands there. Reading it once more ends.
pub(super) fn kept(door: &'static Door) -> Option<Target> {
    let Whose::Provider(_) = door.whose else {
        return None;
    };
    let told = door.genuine.iter().flat_map(|genuine| &genuine.told);
    let mut readings = told
        .clone()
        .filter_map(|received| reading(&received.outcome));
    let first = readings.next()?.clone();
    let hear = move |bytes: &[u8]| {
        let once = again(door, &first, bytes.into());
        if let Outcome::Reading(reading) = &once.outcome
            && !reading.is_waiting()
        {
            let twice = again(door, reading, Arc::clone(&once.raw));
            assert_eq!(twice.raw, once.raw, "{}", door.name);
        }
    };
    Some(Target {
        name: format!("kept of {}", door.name),
        seeds: told.map(|received| received.raw.to_vec()).collect(),
        hear: Box::new(hear),
    })
}

/// What a door makes of this body, proven as that door wants it.
fn told_by(door: &Door, bytes: &[u8]) -> Heard {
    let genuine = &door.genuine[0];
    let by_api = match door.shape.proof {
        Proof::Hex | Proof::Base64 | Proof::Ed25519 | Proof::Query => false,
        Proof::Rsa | Proof::Asked => true,
    };
    let named = named(genuine);
    let known = |call: &Call| match &call.to {
        To::Certificate(_) => Some(answer(200, certificate("sandbox"))),
        To::Api(path) if by_api && path.contains(&named) => {
            Some(answer(200, &String::from_utf8_lossy(bytes)))
        }
        To::Api(_) => genuine.answers.answer(call).ok().cloned(),
    };
    if by_api {
        return hear(door, &genuine.headers, &genuine.body, known);
    }
    let headers = signed(door, 0, bytes).expect("can be signed");
    hear(door, &headers, bytes, known)
}

/// The id that a delivery names.
fn named(genuine: &Genuine) -> String {
    let body = String::from_utf8_lossy(&genuine.body);
    match body.strip_prefix("id=") {
        Some(id) => id.to_owned(),
        None => {
            let event: Value = serde_json::from_str(&body).unwrap_or_default();
            event["id"].as_str().unwrap_or_default().to_owned()
        }
    }
}

fn hear(
    door: &Door,
    headers: &[(String, String)],
    body: &[u8],
    known: impl FnMut(&Call) -> Option<Answer>,
) -> Heard {
    let headers = Headers::new(headers.iter().map(|(name, value)| (name, value)));
    let knock = Knock {
        headers: &headers.expect("are few"),
        body,
        mode: Mode::Test,
        secrets: &door.own().secrets,
        now: T,
    };
    door.hear(&knock, &Fetched::default(), known)
}

/// What is journaled reads the same again, long after the API has forgotten; and what was
/// understood can be read in one way only.
fn reads_again(door: &Door, received: &Received) {
    let Some(reading) = reading(&received.outcome).filter(|reading| !reading.is_waiting()) else {
        return;
    };
    if !reading.is_unclear() {
        let Keys(sound) = serde_json::from_slice(&received.raw).expect("is JSON");
        assert!(sound, "{}: a key twice was understood", door.name);
    }
    if let Whose::Provider(_) = door.whose {
        let again = again(door, reading, Arc::clone(&received.raw));
        assert_eq!(&again, received, "{}", door.name);
    }
}

fn reading(outcome: &Outcome) -> Option<&Reading> {
    match outcome {
        Outcome::Reading(reading) => Some(reading),
        Outcome::Ignored { .. } | Outcome::WrongMode { .. } => None,
    }
}

fn again(door: &Door, reading: &Reading, raw: Arc<[u8]>) -> Received {
    door.read_again(&Entry::new(
        reading.clone(),
        raw,
        1,
        at(T),
        "receipt".into(),
    ))
}

/// Whether no object in a document has a key twice.
struct Keys(bool);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Keys, E> {
        Ok(Keys(true))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Keys, E> {
        Ok(Keys(true))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Keys, E> {
        Ok(Keys(true))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Keys, E> {
        Ok(Keys(true))
    }

    fn visit_str<E>(self, _: &str) -> Result<Keys, E> {
        Ok(Keys(true))
    }

    fn visit_unit<E>(self) -> Result<Keys, E> {
        Ok(Keys(true))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Keys, A::Error> {
        let (mut names, mut sound) = (BTreeSet::new(), true);
        while let Some((name, Keys(inner))) = entries.next_entry::<String, Keys>()? {
            sound &= names.insert(name) && inner;
        }
        Ok(Keys(sound))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Keys, A::Error> {
        let mut sound = true;
        while let Some(Keys(inner)) = items.next_element()? {
            sound &= inner;
        }
        Ok(Keys(sound))
    }
}

/// What senders and forgers write.
pub(super) const WORDS: &[&str] = &[
    "v1=",
    "v1,",
    "v1a,",
    "h1=",
    "t=",
    "ts=",
    ",",
    ";",
    " ",
    "=",
    ".",
    "\n",
    "\n\n",
    "a",
    "b",
    "c",
    "\u{1}",
    "\u{2}",
    "\u{3}",
    "\r\n",
    "\t",
    "null",
    "true",
    "{}",
    "[]",
    "\"",
    "{\"id\":1}",
    "0",
    "-1",
    "1e9",
    "1.5",
    "9223372036854775807",
    "9223372036854775808",
    "-0",
    "0.000000001",
    "2026-01-31",
    "2026-02-30",
    "2026-01-15T10:00:00Z",
    "2026-01-15T10:00:00.123456789+01:00",
    "-009999-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "P1M",
    "months",
    "1 month",
    "2028-02-29",
    "JPY",
    "KWD",
    "XXX",
    "eur",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{430}",
    "&id=",
    "id=",
    "whsec_",
    "whpk_",
    "root:",
    "-----BEGIN CERTIFICATE-----\n",
    "-----END CERTIFICATE-----\n",
    "%00",
    "../",
    "{\"wire_item\":",
    "\"fetched\":[",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];
