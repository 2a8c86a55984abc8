//! A table of the shop's file, read key by key; what nobody asked for is unknown.

use crate::shop_settings::problem::Problems;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table, and which keys were asked for.
pub(super) struct Section<'t, 'p> {
    problems: &'p Problems<'t>,
    /// As `mail`; empty for the file itself.
    path: String,
    /// Where it begins.
    place: Range<usize>,
    /// What is left: where each key stands, and its value.
    entries: BTreeMap<String, (Range<usize>, Spanned<DeValue<'t>>)>,
    known: Vec<&'static str>,
}

impl<'t, 'p> Section<'t, 'p> {
    /// The whole file.
    pub(super) fn parse(text: &'t str, problems: &'p Problems<'t>) -> Option<Self> {
        if text.len() > MAX_BYTES {
            let what = format!(
                "the file has {} bytes, and {MAX_BYTES} are allowed: this is no shop's file",
                text.len()
            );
            problems.add(0..0, "", what);
            return None;
        }
        match DeTable::parse(text) {
            Ok(table) => {
                let place = table.span();
                Some(Self::new(
                    problems,
                    String::new(),
                    place,
                    table.into_inner(),
                ))
            }
            Err(error) => {
                let place = error.span().unwrap_or(0..0);
                let what = format!("this is not TOML: {}", error.message());
                problems.add(place, "", what);
                None
            }
        }
    }

    fn new(
        problems: &'p Problems<'t>,
        path: String,
        place: Range<usize>,
        table: DeTable<'t>,
    ) -> Self {
        let entry = |(key, value): (Spanned<_>, _)| {
            let place = key.span();
            let key: std::borrow::Cow<'_, str> = key.into_inner();
            (key.into_owned(), (place, value))
        };
        Self {
            problems,
            path,
            place,
            entries: table.into_iter().map(entry).collect(),
            known: Vec::new(),
        }
    }

    /// A text that may be left out.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (_, value) = self.take(key)?;
        self.text(key, &value, parse)
    }

    /// A text that must be there.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.take(key) {
            Some((_, value)) => self.text(key, &value, parse),
            None => {
                let what = format!("it is missing; write {key} = \"…\"");
                self.problems
                    .add(self.place.clone(), &self.path_of(key), what);
                None
            }
        }
    }

    /// A list of texts that may be left out.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let Some((_, value)) = self.take(key) else {
            return Vec::new();
        };
        let DeValue::Array(values) = value.get_ref() else {
            self.wrong_type(key, &value, "a list, as in [\"…\", \"…\"]");
            return Vec::new();
        };
        let read = values.iter().map(|value| self.text(key, value, &parse));
        read.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// A section that must be there.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Self> {
        let is_there = self.entries.contains_key(key);
        let section = self.optional_section(key);
        if !is_there {
            let path = self.path_of(key);
            let what = format!("the section is missing; write [{path}]");
            self.problems.add(self.place.clone(), &path, what);
        }
        section
    }

    /// A section that may be left out.
    pub(super) fn optional_section(&mut self, key: &'static str) -> Option<Self> {
        let (place, value) = self.take(key)?;
        self.child_section(key, place, value)
    }

    /// Every section there is, by its key.
    pub(super) fn all_sections(&mut self) -> Vec<(String, Self)> {
        let entries = std::mem::take(&mut self.entries);
        let sections = entries.into_iter().filter_map(|(key, (place, value))| {
            let section = self.child_section(&key, place, value)?;
            Some((key, section))
        });
        sections.collect()
    }

    /// Notes something wrong with the section itself.
    pub(super) fn complain(&self, what: impl Into<String>) {
        self.problems.add(self.place.clone(), &self.path, what);
    }

    /// Whatever is left is unknown.
    pub(super) fn close(self) {
        for (key, (place, _)) in &self.entries {
            let path = self.path_of(key);
            let distance = |known: &&&str| strsim::levenshtein(known, key);
            let near = self.known.iter().filter(|known| distance(known) <= NEAR);
            let near = near.min_by_key(|known| distance(known));
            let what = match near {
                Some(known) => format!("there is no such key; did you mean `{known}`?"),
                None => format!("there is no such key; there are: {}", self.known.join(", ")),
            };
            self.problems.add(place.clone(), &path, what);
        }
    }

    fn child_section(
        &self,
        key: &str,
        place: Range<usize>,
        value: Spanned<DeValue<'t>>,
    ) -> Option<Self> {
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            let what = format!("a section, as in [{}]", self.path_of(key));
            self.wrong_type(key, &value, &what);
        }
        let DeValue::Table(table) = value.into_inner() else {
            return None;
        };
        Some(Self::new(self.problems, self.path_of(key), place, table))
    }

    fn text<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'t>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(key, value, "a text, as in \"…\"");
            return None;
        };
        match parse(text) {
            Ok(read) => Some(read),
            Err(what) => {
                self.problems.add(value.span(), &self.path_of(key), what);
                None
            }
        }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'t>>, wanted: &str) {
        let seen = match value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a section",
        };
        let what = format!("here stands {seen}; write {wanted}");
        self.problems.add(value.span(), &self.path_of(key), what);
    }

    fn take(&mut self, key: &'static str) -> Option<(Range<usize>, Spanned<DeValue<'t>>)> {
        self.known.push(key);
        self.entries.remove(key)
    }

    fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}

/// A file of this size says more than a shop's words.
const MAX_BYTES: usize = 256 * 1024;
/// So many letters off, a key may still be the one that was meant.
const NEAR: usize = 2;
