//! Tokens for a browser: for one customer, for minutes, for reading.
//!
//! `orangery_token_STAGE_SECONDS_CUSTOMER_` and its proof: until when it is believed, in seconds
//! since 1970, and the customer's key in hex.

use crate::credential_text::{CredentialError, StageName, UnprovenText, credential_text};
use crate::keys::KeyRoots;
use crate::secret::{Secret, WeakSecret};
use domain::ids::CustomerKey;
use jiff::Timestamp;

/// A token that was given out, whose proof held and whose time is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerToken {
    customer: CustomerKey,
    expires_at: Timestamp,
}

impl CustomerToken {
    /// The only customer of whom it may be asked with it.
    pub fn customer(&self) -> &CustomerKey {
        &self.customer
    }

    /// Until when it is believed, exclusive.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// A token as it was shown, of which nothing is proven yet.
#[derive(Clone)]
pub struct OfferedCustomerToken {
    text: UnprovenText,
    claimed: CustomerToken,
}

impl OfferedCustomerToken {
    pub(crate) fn read(text: &str, stage: &StageName) -> Result<Self, CredentialError> {
        let text = UnprovenText::read(text, PREFIX, stage)?;
        let claimed = claimed(&text.parts).ok_or(CredentialError::Garbled {
            what: "its parts are others",
        })?;
        Ok(Self { text, claimed })
    }

    /// The proof first, then the clock.
    pub(crate) fn verify(
        &self,
        roots: &KeyRoots,
        now: Timestamp,
    ) -> Result<CustomerToken, CredentialError> {
        if !self.text.is_proven(PURPOSE, roots) {
            return Err(CredentialError::Forged);
        }
        match now.duration_since(self.claimed.expires_at).as_secs() {
            seconds if now >= self.claimed.expires_at => Err(CredentialError::Expired { seconds }),
            _ => Ok(self.claimed.clone()),
        }
    }
}

/// The text of a token for one customer, to be handed to that customer's browser.
///
/// # Errors
/// [`WeakSecret::Underivable`] when no token follows from the root.
pub fn customer_token(
    root: &Secret,
    stage: &StageName,
    customer: &CustomerKey,
    expires_at: Timestamp,
) -> Result<String, WeakSecret> {
    let expires = expires_at.as_second().max(0).to_string();
    let customer = hex::encode(customer.as_str());
    credential_text(root, PURPOSE, PREFIX, stage, &[&expires, &customer])
}

fn claimed(parts: &[String]) -> Option<CustomerToken> {
    let [expires, customer] = parts else {
        return None;
    };
    let seconds: u32 = expires.parse().ok()?;
    let key = String::from_utf8(hex::decode(customer).ok()?).ok()?;
    let claimed = CustomerToken {
        expires_at: Timestamp::from_second(seconds.into()).ok()?,
        customer: CustomerKey::parse(key).ok()?,
    };
    (seconds.to_string() == *expires).then_some(claimed)
}

/// What every token begins with.
pub(crate) const PREFIX: &str = "orangery_token_";
const PURPOSE: &[u8] = b"customer token\0";
