//! Keys derived from the one master secret, so that no partner's secret is stored.

use crate::secret::{Secret, WeakSecret};
use domain::ids::{PartnerId, PersonHash};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// The key under which e-mail addresses become person hashes.
#[derive(Clone)]
pub struct PersonKey([u8; 64]);

impl PersonKey {
    /// Derives it.
    ///
    /// # Errors
    /// [`WeakSecret`] when no key follows from the master.
    pub fn derive(master: &Secret) -> Result<Self, WeakSecret> {
        expand(master, PERSON_PURPOSE).map(Self)
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
/// [`WeakSecret::Underivable`] when no key follows from the master.
pub fn partner_secret(
    master: &Secret,
    partner: &PartnerId,
    version: u32,
) -> Result<Secret, WeakSecret> {
    of_partner(PARTNER_PURPOSE, master, partner, version)
}

/// The secret with which a partner's notices are signed. It can't sign reports.
///
/// # Errors
/// [`WeakSecret::Underivable`] when no key follows from the master.
pub fn notice_secret(
    master: &Secret,
    partner: &PartnerId,
    version: u32,
) -> Result<Secret, WeakSecret> {
    of_partner(NOTICE_PURPOSE, master, partner, version)
}

fn of_partner(
    purpose: &[u8],
    master: &Secret,
    partner: &PartnerId,
    version: u32,
) -> Result<Secret, WeakSecret> {
    // The version has a fixed length, so that no other name and version give the same purpose.
    let purpose = [purpose, &version.to_be_bytes(), partner.as_str().as_bytes()];
    let key: [u8; 32] = expand(master, &purpose.concat())?;
    Secret::from_bytes(&key)
}

pub(crate) fn expand<const N: usize>(
    master: &Secret,
    purpose: &[u8],
) -> Result<[u8; N], WeakSecret> {
    let mut key = [0; N];
    let master = master.shared().ok_or(WeakSecret::Underivable)?;
    Hkdf::<Sha256>::new(Some(SALT), master)
        .expand(purpose, &mut key)
        .map_err(|_| WeakSecret::Underivable)?;
    Ok(key)
}

const SALT: &[u8] = b"orangery";
// Each ends with a zero byte, so that none is a prefix of another.
const PERSON_PURPOSE: &[u8] = b"person hash\0";
const PARTNER_PURPOSE: &[u8] = b"partner webhook\0";
const NOTICE_PURPOSE: &[u8] = b"partner notice\0";
