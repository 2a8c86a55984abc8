//! Keys of the shop's own code: bearer credentials, derived and never stored.
//!
//! `orangery_key_STAGE_SCOPE_NAME_VERSION_` and its proof. A higher version revokes it.

use crate::credential_text::{CredentialError, StageName, UnprovenText, credential_text};
use crate::keys::KeyRoots;
use crate::secret::{Secret, WeakSecret};
use domain::shop_key::{KeyName, KeyScope};

/// A key that was given out: its proof held. Whether it is still in force, its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopKey {
    name: KeyName,
    scope: KeyScope,
    version: u32,
}

impl ShopKey {
    /// What the shop calls it.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What it may be used for.
    pub fn scope(&self) -> KeyScope {
        self.scope
    }

    /// Which version of that name it is.
    pub fn version(&self) -> u32 {
        self.version
    }
}

/// A key as it was shown, of which nothing is proven yet.
#[derive(Clone)]
pub struct OfferedShopKey {
    text: UnprovenText,
    claimed: ShopKey,
}

impl OfferedShopKey {
    pub(crate) fn read(text: &str, stage: &StageName) -> Result<Self, CredentialError> {
        let text = UnprovenText::read(text, PREFIX, stage)?;
        let claimed = claimed(&text.parts).ok_or(CredentialError::Garbled {
            what: "its parts are others",
        })?;
        Ok(Self { text, claimed })
    }

    pub(crate) fn verify(&self, roots: &KeyRoots) -> Result<ShopKey, CredentialError> {
        match self.text.is_proven(PURPOSE, roots) {
            true => Ok(self.claimed.clone()),
            false => Err(CredentialError::Forged),
        }
    }
}

/// The text of a key, to be shown to whoever runs the shop's code, once.
///
/// # Errors
/// [`WeakSecret::Underivable`] when no key follows from the root.
pub fn shop_key(
    root: &Secret,
    stage: &StageName,
    name: &KeyName,
    scope: KeyScope,
    version: u32,
) -> Result<String, WeakSecret> {
    let parts = [scope.as_str(), name.as_str(), &version.to_string()];
    credential_text(root, PURPOSE, PREFIX, stage, &parts)
}

fn claimed(parts: &[String]) -> Option<ShopKey> {
    let [scope, name, version] = parts else {
        return None;
    };
    let claimed = ShopKey {
        name: name.parse().ok()?,
        scope: scope.parse().ok()?,
        version: version.parse().ok()?,
    };
    (claimed.version.to_string() == *version).then_some(claimed)
}

/// What every key begins with, for scanners that look for leaked secrets.
pub(crate) const PREFIX: &str = "orangery_key_";
// Ends with a zero byte, as all purposes do, so that none is a prefix of another.
const PURPOSE: &[u8] = b"shop key\0";
