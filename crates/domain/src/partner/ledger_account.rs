//! Accounts of a partner's ledger, and their names as text.

use crate::ids::{ObjectId, PartnerId};
use crate::money::Currency;
use crate::partner::identity::SelfReferralSignal;
use serde::{Deserialize, Serialize};

/// An account of a ledger: one for each partner, currency, self-referral signal and payment. Its
/// name in the record has the four parts in this order, with `due` for no signal:
/// `acme/eur/due/pi_1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LedgerAccount {
    /// The partner that earns.
    pub partner: PartnerId,
    /// The currency. Amounts of different currencies are never added up.
    pub currency: Currency,
    /// Why its commissions wait for a person's decision. `None` when they do not wait.
    pub self_referral_signal: Option<SelfReferralSignal>,
    /// The payment it is for, by its [id in the ledger](super::accrual::ledger_payment_id).
    pub payment: ObjectId,
}

/// A text that is not the name of an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a ledger account: write partner/currency/status/payment")]
pub struct BadLedgerAccount(String);

impl From<LedgerAccount> for String {
    fn from(account: LedgerAccount) -> Self {
        let status = account
            .self_referral_signal
            .map_or(NO_SIGNAL, SelfReferralSignal::as_str);
        let LedgerAccount {
            partner, payment, ..
        } = &account;
        format!("{partner}/{}/{status}/{payment}", account.currency.code())
    }
}

impl TryFrom<String> for LedgerAccount {
    type Error = BadLedgerAccount;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bad = || BadLedgerAccount(text.clone());
        let mut parts = text.splitn(4, '/');
        let mut part = || parts.next().ok_or_else(bad);
        let (partner, currency) = (part()?, part()?);
        let (status, payment) = (part()?, part()?);
        let self_referral_signal = match status {
            NO_SIGNAL => None,
            reason => Some(SelfReferralSignal::parse(reason).ok_or_else(bad)?),
        };
        Ok(Self {
            partner: PartnerId::parse(partner).map_err(|_| bad())?,
            currency: Currency::parse(currency).map_err(|_| bad())?,
            self_referral_signal,
            payment: ObjectId::parse(payment).map_err(|_| bad())?,
        })
    }
}

const NO_SIGNAL: &str = "due";
