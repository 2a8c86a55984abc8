//! Settings: what the template tells a function through its environment, read once.

use domain::ids::Mode;
use std::collections::BTreeMap;
use std::fmt;

/// Environment variables by name.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<String, String>);

/// A setting that is missing or can't be used.
#[derive(thiserror::Error)]
#[error("setting {name} {what}; set it in the template's environment of this function")]
pub struct BadSetting {
    /// Which variable.
    pub name: &'static str,
    /// What is wrong with it; never its value.
    pub what: String,
}

/// A function that can't start prints its error this way.
impl fmt::Debug for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Settings {
    /// The process's environment.
    pub fn from_env() -> Self {
        Self(std::env::vars().collect())
    }

    /// Given ones, for the local stack and tests.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// These, and over them others wherever both say something.
    #[must_use]
    pub fn overlaid(mut self, over: &Self) -> Self {
        let given = over.0.iter().filter(|(_, value)| !value.is_empty());
        self.0
            .extend(given.map(|(name, value)| (name.clone(), value.clone())));
        self
    }

    /// A setting that is required.
    ///
    /// # Errors
    /// [`BadSetting`] when it is missing or empty.
    pub fn required(&self, name: &'static str) -> Result<&str, BadSetting> {
        self.optional(name).ok_or_else(|| BadSetting {
            name,
            what: "is missing".into(),
        })
    }

    /// `MODE`: which money may come in.
    ///
    /// # Errors
    /// [`BadSetting`] when it is missing or another word.
    pub fn mode(&self) -> Result<Mode, BadSetting> {
        match self.required("MODE")? {
            "live" => Ok(Mode::Live),
            "test" => Ok(Mode::Test),
            _ => Err(BadSetting {
                name: "MODE",
                what: "is not live or test".into(),
            }),
        }
    }

    /// A setting that may be missing; an empty one counts as missing.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}
