//! The bank account that a partner is paid to. An account that cannot be paid to is refused when it
//! is entered. No error here repeats the account.

use iban::{Iban, IbanLike, ParseBaseIbanError, ParseIbanError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A bank account whose IBAN, and BIC if given, are well formed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BankAccountFields", into = "BankAccountFields")]
pub struct BankAccount {
    holder: String,
    iban: Iban,
    bic: Option<Bic>,
}

/// A bank's code (BIC, ISO 9362): 8 or 11 letters and digits.
#[derive(Clone, PartialEq, Eq)]
struct Bic(String);

/// Why a bank account is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBankAccount {
    /// The holder's name is empty, too long, or has control characters.
    #[error("the holder's name must have 1 to 70 characters")]
    Holder,
    /// The IBAN does not have the form of its country's IBANs.
    #[error("the IBAN has a wrong length or wrong characters for its country")]
    Shape,
    /// The IBAN's check digits do not match.
    #[error("the IBAN's check digits do not fit: a character is wrong, missing or out of place")]
    Checksum,
    /// The IBAN's country has no IBANs.
    #[error("the IBAN begins with a country code for which there are no IBANs")]
    Country,
    /// The BIC does not have the form of a BIC.
    #[error(
        "a BIC has 8 or 11 characters: a bank's four, a country's two letters, two or five more"
    )]
    Bic,
}

impl BankAccount {
    /// Checks an account as a person typed it. Spaces and lower case are allowed in IBAN and BIC.
    ///
    /// # Errors
    /// [`BadBankAccount`] says which part is not valid.
    pub fn new(holder: &str, iban: &str, bic: Option<&str>) -> Result<Self, BadBankAccount> {
        let holder = holder.trim();
        if !(1..=70).contains(&holder.chars().count()) || holder.chars().any(char::is_control) {
            return Err(BadBankAccount::Holder);
        }
        let compact: String = iban.split_whitespace().collect();
        let iban: Iban = compact.to_ascii_uppercase().parse().map_err(iban_error)?;
        let bic = bic.map(Bic::parse).transpose()?;
        Ok(Self {
            holder: holder.to_owned(),
            iban,
            bic,
        })
    }

    /// The holder's name.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The IBAN, without spaces.
    pub fn iban(&self) -> &str {
        self.iban.electronic_str()
    }

    /// The bank's BIC, if it was given.
    pub fn bic(&self) -> Option<&str> {
        self.bic.as_ref().map(|Bic(text)| text.as_str())
    }

    /// The IBAN's country and last four digits, to show on a screen: `DE…3000`.
    pub fn hint(&self) -> String {
        let last = self.iban().len().saturating_sub(4);
        let digits = self.iban().get(last..).unwrap_or_default();
        format!("{}…{digits}", self.iban.country_code())
    }
}

/// Hides the account, so that it does not appear in logs.
impl fmt::Debug for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BankAccount(…)")
    }
}

impl Bic {
    fn parse(text: &str) -> Result<Self, BadBankAccount> {
        let text = text.trim().to_ascii_uppercase();
        let valid = matches!(text.len(), 8 | 11)
            && text.bytes().all(|c| c.is_ascii_alphanumeric())
            && text
                .bytes()
                .skip(4)
                .take(2)
                .all(|c| c.is_ascii_alphabetic());
        if valid {
            Ok(Self(text))
        } else {
            Err(BadBankAccount::Bic)
        }
    }
}

fn iban_error(error: ParseIbanError) -> BadBankAccount {
    match error {
        ParseIbanError::InvalidBaseIban {
            source: ParseBaseIbanError::InvalidChecksum,
        } => BadBankAccount::Checksum,
        ParseIbanError::InvalidBaseIban {
            source: ParseBaseIbanError::InvalidFormat,
        }
        | ParseIbanError::InvalidBban(_) => BadBankAccount::Shape,
        ParseIbanError::UnknownCountry(_) => BadBankAccount::Country,
    }
}

#[derive(Serialize, Deserialize)]
struct BankAccountFields {
    holder: String,
    iban: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bic: Option<String>,
}

impl From<BankAccount> for BankAccountFields {
    fn from(account: BankAccount) -> Self {
        Self {
            iban: account.iban().to_owned(),
            bic: account.bic().map(str::to_owned),
            holder: account.holder,
        }
    }
}

impl TryFrom<BankAccountFields> for BankAccount {
    type Error = BadBankAccount;

    fn try_from(fields: BankAccountFields) -> Result<Self, Self::Error> {
        Self::new(&fields.holder, &fields.iban, fields.bic.as_deref())
    }
}
