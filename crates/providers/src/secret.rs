//! Shared secrets: never empty, never weak, never shown by accident.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::sync::Arc;

/// A shared secret of at least 16 bytes. It has no `Display`, and its `Debug` says nothing.
#[derive(Clone)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// A secret whose text is the key, as Stripe's `whsec_…` is.
    ///
    /// # Errors
    /// [`WeakSecret`] when it is empty, short, or has white space in it.
    pub fn new(text: &str) -> Result<Self, WeakSecret> {
        check_text(text)?;
        Self::from_bytes(text.as_bytes())
    }

    /// A Standard Webhooks secret: `whsec_` and the key in base64.
    ///
    /// # Errors
    /// [`WeakSecret`] also when what follows the prefix is not canonical base64, or decodes to
    /// fewer than 16 bytes.
    pub fn standard(text: &str) -> Result<Self, WeakSecret> {
        check_text(text)?;
        let encoded = text.strip_prefix(STANDARD_PREFIX).unwrap_or(text);
        let key = STANDARD
            .decode(encoded)
            .map_err(|_| WeakSecret::NotBase64)?;
        Self::from_bytes(&key)
    }

    /// A key that was derived or drawn.
    ///
    /// # Errors
    /// [`WeakSecret`] when it is empty or short.
    pub fn from_bytes(key: &[u8]) -> Result<Self, WeakSecret> {
        match key.len() {
            0 => Err(WeakSecret::Empty),
            bytes if bytes < MIN_BYTES => Err(WeakSecret::Short { bytes }),
            _ => Ok(Self(key.into())),
        }
    }

    /// The secret as `whsec_` and base64, to be shown to the one it belongs to: the only way
    /// it leaves as text.
    pub fn reveal_standard(&self) -> String {
        format!("{STANDARD_PREFIX}{}", STANDARD.encode(&self.0))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The secrets in force: at least one, and during a rotation several.
#[derive(Clone, Debug)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// Takes them all.
    ///
    /// # Errors
    /// [`WeakSecret::Empty`] for none, [`WeakSecret::TooMany`] beyond eight.
    pub fn new(secrets: Vec<Secret>) -> Result<Self, WeakSecret> {
        match secrets.len() {
            0 => Err(WeakSecret::Empty),
            count if count > MAX_SECRETS => Err(WeakSecret::TooMany { count }),
            _ => Ok(Self(secrets)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }
}

/// Why a secret, or a list of them, proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// None, or an empty member of a list.
    #[error("it is empty: anybody could sign with it; set the secret the provider shows")]
    Empty,
    /// Fewer than 16 bytes.
    #[error("it has {bytes} bytes and could be guessed; at least 16 are needed")]
    Short {
        /// How many there are.
        bytes: usize,
    },
    /// A blank, a line end or a control character: two secrets in one, or a stray copy.
    #[error("it has white space in it, which no provider's secret has; copy it once more")]
    WhiteSpace,
    /// Not `whsec_` and base64.
    #[error("it is not base64 behind `whsec_`; copy it once more")]
    NotBase64,
    /// More than eight in force.
    #[error("{count} secrets are in force and each is tried on every request; keep at most 8")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// No key follows from it.
    #[error("no key follows from it for this name; is the name empty?")]
    Underivable,
}

fn check_text(text: &str) -> Result<(), WeakSecret> {
    if text.trim().is_empty() {
        return Err(WeakSecret::Empty);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(WeakSecret::WhiteSpace);
    }
    Ok(())
}

const STANDARD_PREFIX: &str = "whsec_";
const MIN_BYTES: usize = 16;
const MAX_SECRETS: usize = 8;
