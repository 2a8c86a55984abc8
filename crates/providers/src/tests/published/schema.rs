//! The published facts: objects, fields, values of enumerations, names of events.

use crate::Provider;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// What one provider publishes.
#[derive(Deserialize)]
pub(super) struct Published {
    /// The names of its events.
    pub(super) events: BTreeSet<String>,
    /// The fields of each object.
    pub(super) objects: BTreeMap<String, BTreeMap<String, Field>>,
}

/// One field of an object.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Field {
    /// Its type; none where it is an enumeration. `@name` is an object, `[…]` a list.
    #[serde(default)]
    pub(super) is: Option<String>,
    /// The values of an enumeration.
    #[serde(default)]
    pub(super) values: Vec<String>,
    /// Whether it holds a list of such values.
    #[serde(default)]
    pub(super) list: bool,
    /// Whether it may be null.
    #[serde(default)]
    pub(super) null: bool,
    /// Whether it may be missing.
    #[serde(default)]
    pub(super) missing: bool,
}

impl Field {
    /// The object that it holds, or of which it holds a list.
    pub(super) fn object(&self) -> Option<&str> {
        let is = self.is.as_deref()?;
        is.trim_matches(['[', ']']).strip_prefix('@')
    }
}

impl Published {
    /// An object with the fields that it always has, each of a value that it may have.
    pub(super) fn object(&self, name: &str, depth: u8) -> Value {
        let fields = self.objects.get(name).into_iter().flatten();
        let always = fields.filter(|(_, told)| !told.null && !told.missing);
        let made = always.map(|(field, told)| (field.clone(), self.value(field, told, depth)));
        Value::Object(made.collect())
    }

    /// A value that a field may have.
    pub(super) fn value(&self, field: &str, told: &Field, depth: u8) -> Value {
        let one = match (told.values.first(), told.object(), told.is.as_deref()) {
            (Some(value), ..) => value.as_str().into(),
            (None, Some(inner), _) if depth > 0 => self.object(inner, depth - 1),
            (.., Some("integer")) => 1.into(),
            (.., Some("boolean")) => true.into(),
            (.., Some("string")) if field.ends_with("_at") || field.ends_with("time") => {
                "2026-03-01T00:00:00Z".into()
            }
            (.., Some("string")) => "a_1".into(),
            (.., Some(list)) if list.starts_with('[') => return json!([]),
            _ => json!({}),
        };
        let list = told.list || told.is.as_deref().is_some_and(|is| is.starts_with('['));
        if list { json!([one]) } else { one }
    }
}

/// The providers that publish something, with it.
pub(super) fn all() -> Vec<(&'static Provider, Published)> {
    let providers = crate::PROVIDERS.iter().copied();
    let published = providers.filter_map(|provider| {
        let text = fs::read_to_string(path(provider, "json")).ok()?;
        let read = serde_json::from_str(&text);
        Some((provider, read.expect("is written by extract.py")))
    });
    let published: Vec<_> = published.collect();
    assert_eq!(published.len(), 6, "all but the shop's own");
    assert_none_is_orphaned(&published);
    published
}

/// Each file beside the facts is a provider's.
fn assert_none_is_orphaned(published: &[(&'static Provider, Published)]) {
    let endings = ["json", "decisions.json", "snap"];
    let expected = published.iter().flat_map(|(provider, _)| {
        let of = |ending: &&str| path(provider, ending);
        endings.iter().map(of).collect::<Vec<_>>()
    });
    let mut expected: BTreeSet<_> = expected.collect();
    expected.insert(PathBuf::from(FOLDER).join("README.md"));
    for entry in fs::read_dir(FOLDER).expect("is a folder") {
        let path = entry.expect("can be read").path();
        let is_new = path.to_string_lossy().ends_with(".snap.new");
        assert!(
            is_new || expected.contains(&path),
            "{} is nobody's",
            path.display()
        );
    }
}

/// The file of that ending beside the published facts.
pub(super) fn path(provider: &Provider, ending: &str) -> PathBuf {
    PathBuf::from(FOLDER).join(format!("{}.{ending}", provider.name()))
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/published");
