//! Keys derived from roots, so that no partner's secret is stored. Each purpose has its own roots.

use crate::secret::{Secret, WeakSecret};
use domain::ids::{PartnerId, PersonHash};
use domain::root_fingerprint::RootFingerprint;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// The roots of one purpose that are in force: the first derives whatever is given out from now on,
/// a second one what was given out before, while it is being replaced.
#[derive(Clone, Debug)]
pub struct KeyRoots {
    newest: Secret,
    older: Option<Secret>,
}

impl KeyRoots {
    /// From their texts, the newest first.
    ///
    /// # Errors
    /// [`WeakSecret`] when there is none, a weak one, or more than two.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, WeakSecret> {
        let mut texts = texts.into_iter();
        let newest = texts.next().ok_or(WeakSecret::Empty)?;
        let older = texts.next().map(Secret::new).transpose()?;
        match texts.count() {
            0 => Ok(Self {
                newest: Secret::new(newest)?,
                older,
            }),
            more => Err(WeakSecret::TooMany {
                count: more.saturating_add(MAX_ROOTS),
                limit: MAX_ROOTS,
            }),
        }
    }

    /// The one from which keys are given out.
    pub fn newest(&self) -> &Secret {
        &self.newest
    }

    /// Both, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

/// The key under which e-mail addresses become person hashes.
#[derive(Clone)]
pub struct PersonKey([u8; 64]);

impl PersonKey {
    /// Derives it.
    ///
    /// # Errors
    /// [`WeakSecret`] when no key follows from the root.
    pub fn derive(root: &Secret) -> Result<Self, WeakSecret> {
        expand(root, PERSON_PURPOSE).map(Self)
    }

    /// The hash of the person with this e-mail address. Case and surrounding spaces do not matter;
    /// dots and plus-tags do, because only some hosts ignore them.
    pub fn hash(&self, email: &str) -> PersonHash {
        let normalized = email.trim().to_lowercase();
        let mac = Hmac::<Sha256>::new((&self.0).into()).chain_update(normalized.as_bytes());
        PersonHash::from_mac(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonKey(redacted)")
    }
}

/// The secret with which a partner signs. A higher version revokes it.
///
/// # Errors
/// [`WeakSecret::Underivable`] when no key follows from the root.
pub fn partner_secret(
    root: &Secret,
    partner: &PartnerId,
    version: u32,
) -> Result<Secret, WeakSecret> {
    of_partner(PARTNER_PURPOSE, root, partner, version)
}

/// The secret with which a partner's notices are signed. It can't sign reports.
///
/// # Errors
/// [`WeakSecret::Underivable`] when no key follows from the root.
pub fn notice_secret(
    root: &Secret,
    partner: &PartnerId,
    version: u32,
) -> Result<Secret, WeakSecret> {
    of_partner(NOTICE_PURPOSE, root, partner, version)
}

/// What tells this root from others: derived under a purpose of its own, so that nothing which is
/// derived from the root follows from it.
///
/// # Errors
/// [`WeakSecret::Underivable`] when nothing follows from the root.
pub fn root_fingerprint(root: &Secret) -> Result<RootFingerprint, WeakSecret> {
    expand(root, FINGERPRINT_PURPOSE).map(RootFingerprint::from_bytes)
}

fn of_partner(
    purpose: &[u8],
    root: &Secret,
    partner: &PartnerId,
    version: u32,
) -> Result<Secret, WeakSecret> {
    // The version has a fixed length, so that no other name and version give the same purpose.
    let purpose = [purpose, &version.to_be_bytes(), partner.as_str().as_bytes()];
    let key: [u8; 32] = expand(root, &purpose.concat())?;
    Secret::from_bytes(&key)
}

pub(crate) fn expand<const N: usize>(root: &Secret, purpose: &[u8]) -> Result<[u8; N], WeakSecret> {
    let mut key = [0; N];
    let root = root.shared().ok_or(WeakSecret::Underivable)?;
    Hkdf::<Sha256>::new(Some(SALT), root)
        .expand(purpose, &mut key)
        .map_err(|_| WeakSecret::Underivable)?;
    Ok(key)
}

const MAX_ROOTS: usize = 2;
const SALT: &[u8] = b"orangery";
// Each ends with a zero byte, so that none is a prefix of another.
const PERSON_PURPOSE: &[u8] = b"person hash\0";
const PARTNER_PURPOSE: &[u8] = b"partner webhook\0";
const NOTICE_PURPOSE: &[u8] = b"partner notice\0";
const FINGERPRINT_PURPOSE: &[u8] = b"root fingerprint\0";
