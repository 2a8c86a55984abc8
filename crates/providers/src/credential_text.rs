//! The text of a credential that the shop's own code shows: a prefix that scanners for leaked
//! secrets can find, the stage, what the credential is for, a proof and a checksum.
//!
//! The proof is 40 hex digits derived from a root over all text before it; the checksum 8 more over
//! all text before them. So whatever was mistyped, cut short or given out by another stage is
//! refused without a root, and what is forged without a request to anybody.

use crate::keys::{KeyRoots, expand};
use crate::secret::{Secret, WeakSecret};
use std::fmt;
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq};

/// The name of a stage, as every credential of it carries it: a letter, then at most 15 lower-case
/// letters, digits and dashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageName(Arc<str>);

/// Text that names no stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a stage is named by a lower-case letter and at most 15 more lower-case letters, digits and \
     dashes"
)]
pub struct InvalidStageName;

impl StageName {
    /// The stage of that name.
    ///
    /// # Errors
    /// [`InvalidStageName`].
    pub fn parse(name: &str) -> Result<Self, InvalidStageName> {
        let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
        if begins && is_short_name(name, MAX_STAGE) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidStageName)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a credential is not believed. No variant contains any part of it but the name of a stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Nothing was shown.
    #[error(
        "nothing shows who asks: send the header `authorization: Bearer KEY`, with a key that \
         `orangery key create` printed"
    )]
    Missing,
    /// Something was shown that is no credential of ours.
    #[error("{what}, so it is no key or token of this shop; send it exactly as it was printed")]
    Garbled {
        /// What was seen.
        what: &'static str,
    },
    /// The checksum is another: it was mistyped or cut short.
    #[error(
        "the key or token was changed on its way, mistyped or cut short: its checksum is another; \
         copy it again"
    )]
    Checksum,
    /// It is of another stage.
    #[error(
        "this is a credential of the stage `{theirs}`, and here is `{ours}`; nothing is shared"
    )]
    OtherStage {
        /// The stage that its text names.
        theirs: StageName,
        /// The stage that was asked.
        ours: StageName,
    },
    /// Nobody here gave it out.
    #[error(
        "nobody here gave this key or token out: it is forged, or derived from a root that is no \
         longer in force; make another"
    )]
    Forged,
    /// A token whose time is over.
    #[error("this token's time was over {seconds} s ago; let the shop's server make another")]
    Expired {
        /// How long ago, in seconds.
        seconds: i64,
    },
    /// A key that was taken out of force.
    #[error("this key is no longer in force; `orangery key create` makes another")]
    Revoked,
}

impl CredentialError {
    /// A short, stable word for programs, counters and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing_credential",
            Self::Garbled { .. } => "malformed_credential",
            Self::Checksum => "mistyped_credential",
            Self::OtherStage { .. } => "other_stage",
            Self::Forged => "unknown_credential",
            Self::Expired { .. } => "expired_token",
            Self::Revoked => "revoked_key",
        }
    }
}

/// A credential's text, whole and of this stage, of which nothing is proven yet.
#[derive(Clone)]
pub(crate) struct UnprovenText {
    /// All that is proven: prefix, stage and parts.
    claim: String,
    /// The parts between stage and proof.
    pub(crate) parts: Vec<String>,
    proof: String,
}

impl UnprovenText {
    /// Takes a credential apart, if it is one of this kind.
    ///
    /// # Errors
    /// [`CredentialError`] when it is not whole, or of another stage.
    pub(crate) fn read(
        text: &str,
        prefix: &'static str,
        stage: &StageName,
    ) -> Result<Self, CredentialError> {
        let garbled = |what| CredentialError::Garbled { what };
        if text.len() > MAX_TEXT {
            return Err(garbled("it is longer than any that was given out"));
        }
        let (rest, checksum) = split_end(text, CHECKSUM_DIGITS).ok_or(CredentialError::Checksum)?;
        if checksum != checksum_of(rest) {
            return Err(CredentialError::Checksum);
        }
        let (claim, proof) = split_end(rest, PROOF_DIGITS).ok_or(CredentialError::Checksum)?;
        let parts = claim
            .strip_prefix(prefix)
            .and_then(|parts| parts.strip_suffix(SEPARATOR))
            .ok_or(garbled("its parts are others"))?;
        let mut parts = parts.split(SEPARATOR);
        let theirs = StageName::parse(parts.next().unwrap_or_default())
            .map_err(|_| garbled("it names no stage"))?;
        if theirs != *stage {
            let ours = stage.clone();
            return Err(CredentialError::OtherStage { theirs, ours });
        }
        Ok(Self {
            claim: claim.to_owned(),
            parts: parts.map(str::to_owned).collect(),
            proof: proof.to_owned(),
        })
    }

    /// Whether one of the roots gave it out, in constant time.
    pub(crate) fn is_proven(&self, purpose: &[u8], roots: &KeyRoots) -> bool {
        let fits = |root| match proof_of(root, purpose, &self.claim) {
            Ok(right) => right.as_bytes().ct_eq(self.proof.as_bytes()),
            Err(_) => Choice::from(0),
        };
        roots
            .iter()
            .map(fits)
            .fold(Choice::from(0), |one, other| one | other)
            .into()
    }
}

/// The text of a credential with these parts, none of which has a separator in it.
///
/// # Errors
/// [`WeakSecret::Underivable`] when nothing follows from the root.
pub(crate) fn credential_text(
    root: &Secret,
    purpose: &[u8],
    prefix: &str,
    stage: &StageName,
    parts: &[&str],
) -> Result<String, WeakSecret> {
    let mut claim = format!("{prefix}{stage}_");
    for part in parts {
        claim.push_str(part);
        claim.push(SEPARATOR);
    }
    let proof = proof_of(root, purpose, &claim)?;
    let text = [claim, proof].concat();
    let checksum = checksum_of(&text);
    Ok([text, checksum].concat())
}

/// Whether a text has 1 to `max` lower-case letters, digits and dashes.
pub(crate) fn is_short_name(text: &str, max: usize) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=max).contains(&text.len()) && text.bytes().all(is_allowed)
}

fn proof_of(root: &Secret, purpose: &[u8], claim: &str) -> Result<String, WeakSecret> {
    let proof: [u8; PROOF_BYTES] = expand(root, &[purpose, claim.as_bytes()].concat())?;
    Ok(hex::encode(proof))
}

fn checksum_of(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

/// A text in two, the second part with so many bytes.
fn split_end(text: &str, bytes: usize) -> Option<(&str, &str)> {
    text.split_at_checked(text.len().checked_sub(bytes)?)
}

const SEPARATOR: char = '_';
const MAX_STAGE: usize = 16;
/// 160 bits.
const PROOF_BYTES: usize = 20;
const PROOF_DIGITS: usize = 40;
const CHECKSUM_DIGITS: usize = 8;
/// A token of the longest customer's key in hex.
const MAX_TEXT: usize = 1024;
