//! What people read as a product's name.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A product's name: one for all languages, or one for each.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ProductName {
    /// The same name in every language.
    Same(String),
    /// Names by language: `en`, `fr`.
    ByLanguage(BTreeMap<String, String>),
}

impl ProductName {
    /// The name in this language, else in English, else in any language.
    pub fn in_language(&self, language: &str) -> &str {
        match self {
            Self::Same(name) => name,
            Self::ByLanguage(names) => names
                .get(language)
                .or_else(|| names.get("en"))
                .or_else(|| names.values().next())
                .map_or("", String::as_str),
        }
    }
}
