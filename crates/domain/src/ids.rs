//! The names things go by; each its own type, so that two ids never trade places.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// One event, as its sender names it: `stripe/test/evt_1`, `partner/acme/msg_1`.
    /// It keys the journal, so it carries the sender in front.
    EventId
);
text_id!(
    /// One provider's customer, `stripe/test/cus_1`; a guest's is the payment,
    /// `stripe/test/pi_1`. It is a partition of the table.
    CustomerKey
);
text_id!(
    /// A provider's own id of one of its objects, bare: `sub_1`, `in_1`, `pi_1`.
    ObjectId
);
text_id!(
    /// A provider's price, as the catalog lists it: `price_1`.
    PriceId
);
text_id!(
    /// A partner's name in its address: `acme`.
    PartnerId
);
text_id!(
    /// A keyed hash of a normalized e-mail address, in hex.
    PersonHash
);
text_id!(
    /// Any id but a customer's that an event may name somebody by.
    Reference
);

/// Whether money is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real money.
    Live,
    /// The provider's test mode.
    Test,
}

impl Mode {
    /// As it stands in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// One provider's account in one mode: the first two parts of its keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderAccount {
    /// The provider's name in addresses and keys.
    pub provider: &'static str,
    /// Its mode.
    pub mode: Mode,
}

impl ProviderAccount {
    /// The partition of this account's customer, or of a guest's payment.
    pub fn customer(&self, id: &str) -> CustomerKey {
        CustomerKey::new(self.scoped(id))
    }

    /// The journal key of this account's event.
    pub fn event(&self, id: &str) -> EventId {
        EventId::new(self.scoped(id))
    }

    /// The reference to one of this account's objects.
    pub fn reference(&self, id: &str) -> Reference {
        Reference::new(self.scoped(id))
    }

    /// The provider's own id of an event, if it is this account's.
    pub fn provider_event_id<'a>(&self, event: &'a EventId) -> Option<&'a str> {
        event.as_str().strip_prefix(&self.scoped(""))
    }

    /// Under which this account's events wait whose meaning its API has not told yet. It leads
    /// to nobody.
    pub fn waiting_reference(&self) -> Reference {
        self.reference("waiting")
    }

    fn scoped(&self, id: &str) -> String {
        format!("{}/{}/{}", self.provider, self.mode.as_str(), id)
    }
}

const PERSON: &str = "person/";
const SHOP: &str = "shop/";
const CODE: &str = "code/";

impl Reference {
    /// Everyone with this e-mail address.
    pub fn person(hash: &PersonHash) -> Self {
        Self::new(format!("{PERSON}{hash}"))
    }

    /// The shop's own customer id.
    pub fn shop(id: &str) -> Self {
        Self::new(format!("{SHOP}{id}"))
    }

    /// A referral code.
    pub fn code(code: &str) -> Self {
        Self::new(format!("{CODE}{code}"))
    }

    /// Whether a text can be a referral code: 1 to 64 letters and digits of ASCII, `.`, `_`, `-`.
    /// Other text is the shop's own affair.
    pub fn is_code(text: &str) -> bool {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=64).contains(&text.len()) && text.bytes().all(is_allowed)
    }

    /// Whether several customers may stand behind it: what waits under such a reference is
    /// copied to each of them and stays, for those who come later.
    pub fn is_shared(&self) -> bool {
        [PERSON, SHOP, CODE]
            .iter()
            .any(|prefix| self.0.starts_with(prefix))
    }
}

impl CustomerKey {
    /// The provider's account, the first two parts of the key: `stripe/test`.
    pub fn account(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(account, _)| account)
    }
}

impl PartnerId {
    /// A partner's name as it may stand in an address: up to 64 lower-case letters, digits and
    /// dashes.
    pub fn parse(name: &str) -> Option<Self> {
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_valid = !name.is_empty() && name.len() <= 64 && name.chars().all(is_allowed);
        is_valid.then(|| Self::new(name))
    }
}
