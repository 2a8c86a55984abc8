//! Templates and texts: embedded, or read from a folder by those who write them.

use crate::display_prefs::LANGUAGES;
use anyhow::Context;
use local_shop::visible_text::visible;
use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Values for a template: by name, each anything that can be serialized.
macro_rules! values {
    (@ $name:ident) => { $name };
    (@ $name:ident $value:expr) => { $value };
    ($($name:ident $(=> $value:expr)?),* $(,)?) => {
        minijinja::context! {
            $($name => minijinja::value::Value::from(minijinja::value::Serde(
                &$crate::render::values!(@ $name $($value)?),
            ))),*
        }
    };
}
pub(crate) use values;

/// Templates, texts and files.
pub(crate) struct Templates {
    environment: Environment<'static>,
    texts: BTreeMap<&'static str, BTreeMap<String, String>>,
    /// Where `ORANGERY_PAGES` says they lie: what is there goes before what is embedded, read
    /// at each request, so that a page's writer sees a change without building.
    folder: Option<PathBuf>,
}

impl Templates {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = std::env::var_os("ORANGERY_PAGES").map(PathBuf::from);
        let mut texts = BTreeMap::new();
        for language in LANGUAGES {
            texts.insert(language, read_texts(language)?);
        }
        let environment = environment(folder.clone());
        for name in FILES
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| name.ends_with(".html"))
        {
            environment
                .get_template(name)
                .with_context(|| name.to_owned())?;
        }
        Ok(Self {
            environment,
            texts,
            folder,
        })
    }

    /// A file that is no template.
    pub(crate) fn file(&self, name: &str) -> Cow<'static, str> {
        source(self.folder.as_ref(), name).unwrap_or_default()
    }

    /// The texts of one language.
    pub(crate) fn texts(&self, language: &str) -> Option<&BTreeMap<String, String>> {
        self.texts.get(language)
    }

    pub(crate) fn render(&self, name: &str, values: Value) -> anyhow::Result<String> {
        if self.folder.is_some() {
            return Ok(environment(self.folder.clone())
                .get_template(name)?
                .render(values)?);
        }
        Ok(self.environment.get_template(name)?.render(values)?)
    }
}

fn environment(folder: Option<PathBuf>) -> Environment<'static> {
    let mut environment = Environment::new();
    // A text that is missing is a bug that a test must see.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("moment", |text: String| moment(&text));
    environment.add_filter("query", |text: String| encoded(&text));
    environment.add_filter("short", |text: String| short(&text));
    environment.add_filter("visible", |text: String| visible(&text));
    environment.set_loader(move |name| Ok(source(folder.as_ref(), name).map(Cow::into_owned)));
    environment
}

fn source(folder: Option<&PathBuf>, name: &str) -> Option<Cow<'static, str>> {
    let embedded = FILES.iter().find(|(known, _)| *known == name);
    let (name, text) = embedded?;
    let read = folder.and_then(|folder| std::fs::read_to_string(folder.join(name)).ok());
    Some(read.map_or(Cow::Borrowed(*text), Cow::Owned))
}

/// The table of texts of a language.
pub(crate) fn read_texts(language: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let text = if language == "fr" {
        include_str!("../templates/texts/fr.toml")
    } else {
        include_str!("../templates/texts/en.toml")
    };
    toml::from_str(text).with_context(|| format!("the texts in `{language}`"))
}

/// `2026-03-01T09:00:00.123Z` as people read it.
fn moment(text: &str) -> String {
    let Ok(at) = text.parse::<jiff::Timestamp>() else {
        return text.to_owned();
    };
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The beginning of a text.
fn short(text: &str) -> String {
    match text.char_indices().nth(SHORT_LENGTH) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// A value in a query: everything but letters, digits and three signs in percent.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

const SHORT_LENGTH: usize = 120;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../templates/", $name)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "layout.html",
    "parts.html",
    "overview.html",
    "live.html",
    "customers.html",
    "customer.html",
    "partners.html",
    "partner.html",
    "event.html",
    "refused.html",
    "refusal.html",
    "mailbox.html",
    "mail.html",
    "gallery.html",
    "clock.html",
    "demo.html",
    "pages.css",
    "pages.js",
];
