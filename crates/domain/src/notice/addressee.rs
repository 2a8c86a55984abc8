//! Who is told: a partner of its rows, or the shop of its customers.

use crate::ids::PartnerId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who is told. Its JSON is the field `partner`, which the shop does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "AddresseeFields", into = "AddresseeFields")]
pub enum Addressee {
    /// A partner.
    Partner(PartnerId),
    /// The shop.
    Shop,
}

impl Addressee {
    /// The partner, if it is one.
    pub fn partner(&self) -> Option<&PartnerId> {
        match self {
            Self::Partner(partner) => Some(partner),
            Self::Shop => None,
        }
    }

    /// What ids of notices are made of. No partner's name is empty.
    pub(super) fn name(&self) -> &str {
        self.partner().map_or("", PartnerId::as_str)
    }
}

impl fmt::Display for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.partner().map_or("the shop", PartnerId::as_str))
    }
}

impl From<&PartnerId> for Addressee {
    fn from(partner: &PartnerId) -> Self {
        Self::Partner(partner.clone())
    }
}

impl From<&Self> for Addressee {
    fn from(addressee: &Self) -> Self {
        addressee.clone()
    }
}

#[derive(Serialize, Deserialize)]
struct AddresseeFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partner: Option<PartnerId>,
}

impl From<AddresseeFields> for Addressee {
    fn from(fields: AddresseeFields) -> Self {
        fields.partner.map_or(Self::Shop, Self::Partner)
    }
}

impl From<Addressee> for AddresseeFields {
    fn from(addressee: Addressee) -> Self {
        Self {
            partner: addressee.partner().cloned(),
        }
    }
}
