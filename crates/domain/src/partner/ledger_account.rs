//! An account of a partner's ledger: its name in the record, written and read.

use crate::ids::{ObjectId, PartnerId};
use crate::money::Currency;
use crate::partner::identity::SelfReferralSignal;
use serde::{Deserialize, Serialize};

/// Whose, in which currency, for which payment: `acme/eur/due/pi_1` in the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LedgerAccount {
    /// Who is owed.
    pub partner: PartnerId,
    /// Currencies are never brought together.
    pub currency: Currency,
    /// Why it waits for a person; none is owed as a matter of course.
    pub self_referral_signal: Option<SelfReferralSignal>,
    /// The payment it is for, by the id that all its events together make
    /// ([`ledger_payment_id`](crate::partner::ledger::ledger_payment_id)).
    pub payment: ObjectId,
}

/// An account's name that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a ledger account: write partner/currency/standing/payment")]
pub struct BadLedgerAccount(String);

impl From<LedgerAccount> for String {
    fn from(account: LedgerAccount) -> Self {
        let standing = account
            .self_referral_signal
            .map_or(DUE, SelfReferralSignal::as_str);
        let LedgerAccount {
            partner, payment, ..
        } = &account;
        format!("{partner}/{}/{standing}/{payment}", account.currency.code())
    }
}

impl TryFrom<String> for LedgerAccount {
    type Error = BadLedgerAccount;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bad = || BadLedgerAccount(text.clone());
        let mut parts = text.splitn(4, '/');
        let mut part = || parts.next().ok_or_else(bad);
        let (partner, currency) = (part()?, part()?);
        let (standing, payment) = (part()?, part()?);
        let suspicion = match standing {
            DUE => None,
            reason => Some(SelfReferralSignal::parse(reason).ok_or_else(bad)?),
        };
        Ok(Self {
            partner: PartnerId::parse(partner).ok_or_else(bad)?,
            currency: Currency::parse(currency).map_err(|_| bad())?,
            self_referral_signal: suspicion,
            payment: ObjectId::new(payment),
        })
    }
}

const DUE: &str = "due";
