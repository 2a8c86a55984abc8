//! What the shop's own code, or a browser for it, shows in the header `authorization`: the one way
//! in for its keys and tokens.

use crate::credential_text::{CredentialError, StageName};
use crate::customer_token::{self, CustomerToken, OfferedCustomerToken};
use crate::keys::KeyRoots;
use crate::request::Headers;
use crate::shop_key::{self, OfferedShopKey, ShopKey};
use jiff::Timestamp;

/// A credential as it was shown: whole, of this stage, and not proven yet.
#[derive(Clone)]
pub enum OfferedBearer {
    /// A key.
    Key(OfferedShopKey),
    /// A token for one customer.
    Token(OfferedCustomerToken),
}

/// A credential that was given out here. A key may be out of force by now: its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// A key.
    Key(ShopKey),
    /// A token for one customer, whose time is not over.
    Token(CustomerToken),
}

impl OfferedBearer {
    /// The only `authorization: Bearer …` of a request.
    ///
    /// # Errors
    /// [`CredentialError`] when there is none or more than one, or it is not whole, or of another
    /// stage. No root is needed to see that.
    pub fn of(headers: &Headers, stage: &StageName) -> Result<Self, CredentialError> {
        let mut values = headers.all("authorization");
        let value = values.next().ok_or(CredentialError::Missing)?;
        if values.next().is_some() {
            let what = "there are several headers `authorization`";
            return Err(CredentialError::Garbled { what });
        }
        let (scheme, text) = value.split_once(' ').unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            let what = "the header `authorization` does not begin with `Bearer `";
            return Err(CredentialError::Garbled { what });
        }
        Self::read(text.trim(), stage)
    }

    /// A credential's text.
    ///
    /// # Errors
    /// As of [`Self::of`].
    pub fn read(text: &str, stage: &StageName) -> Result<Self, CredentialError> {
        if text.starts_with(shop_key::PREFIX) {
            OfferedShopKey::read(text, stage).map(Self::Key)
        } else if text.starts_with(customer_token::PREFIX) {
            OfferedCustomerToken::read(text, stage).map(Self::Token)
        } else {
            Err(CredentialError::Garbled {
                what: "it begins neither with `orangery_key_` nor with `orangery_token_`",
            })
        }
    }

    /// Proves that one of these roots gave it out, in constant time.
    ///
    /// # Errors
    /// [`CredentialError`] when none did, or a token's time is over.
    pub fn verify(&self, roots: &KeyRoots, now: Timestamp) -> Result<Bearer, CredentialError> {
        match self {
            Self::Key(key) => key.verify(roots).map(Bearer::Key),
            Self::Token(token) => token.verify(roots, now).map(Bearer::Token),
        }
    }
}
