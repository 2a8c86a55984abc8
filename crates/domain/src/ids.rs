//! The names things go by; each its own type, so that two ids never trade places.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $is_valid:expr) => {
        text_id!($(#[$doc])* $name, $is_valid, read as "Arc<str>");
    };
    ($(#[$doc:meta])* $name:ident, $is_valid:expr, read as $stored:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = $stored)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text as an id.
            ///
            /// # Errors
            /// [`InvalidId`] when the text can't stand in a key of the table.
            pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, InvalidId> {
                Self::try_from(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<Arc<str>> for $name {
            type Error = InvalidId;

            fn try_from(text: Arc<str>) -> Result<Self, InvalidId> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidId(stringify!($name)))
                }
            }
        }

        #[cfg(feature = "openapi")]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
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
    /// It keys the journal, so it carries the sender in front. 1 to 1000 bytes.
    EventId,
    |text| fits_key(text, MAX_SCOPED_ID)
);
text_id!(
    /// One provider's customer, `stripe/test/cus_1`; a guest's is the payment,
    /// `stripe/test/pi_1`. It is a partition of the table. 1 to 440 bytes.
    CustomerKey,
    |text| fits_key(text, MAX_CUSTOMER_KEY)
);
text_id!(
    /// A provider's own id of one of its objects, bare: `sub_1`, `in_1`, `pi_1`. 1 to 400 bytes.
    ObjectId,
    |text| fits_key(text, MAX_OBJECT_ID)
);
text_id!(
    /// A provider's price, as the catalog lists it: `price_1`. 1 to 400 bytes.
    PriceId,
    |text| fits_key(text, MAX_OBJECT_ID)
);
text_id!(
    /// A meter event's own id, as the shop's code gives it: one for each thing that happened,
    /// however often it is told. 1 to 400 bytes.
    MeterEventId,
    |text| fits_key(text, MAX_OBJECT_ID)
);
text_id!(
    /// What is metered: `api_calls`. 1 to 64 letters, digits, `_`, `-` and `.`.
    MeterName,
    is_meter_name
);
text_id!(
    /// A partner's name in its address: `acme`. 1 to 64 lower-case letters, digits and dashes.
    PartnerId,
    is_partner_name
);
text_id!(
    /// A keyed hash of a normalized e-mail address, in hex.
    PersonHash,
    |text| fits_key(text, MAX_OBJECT_ID)
);
text_id!(
    /// Any id but a customer's that an event may name somebody by. 1 to 1000 bytes. One that is a
    /// code is read in the code's one spelling; text of a key stays as it stands there.
    Reference,
    |text| fits_key(text, MAX_SCOPED_ID),
    read as "StoredReference"
);

/// A reference as it stands in what was stored: earlier versions kept codes as they were typed.
#[derive(Deserialize)]
struct StoredReference(Arc<str>);

impl TryFrom<StoredReference> for Reference {
    type Error = InvalidId;

    fn try_from(StoredReference(text): StoredReference) -> Result<Self, InvalidId> {
        let reference = Self::parse(text)?;
        Ok(reference
            .as_code()
            .map_or(reference, |code| Self::from(&code)))
    }
}

/// A referral code in its one spelling: 1 to 64 lower-case letters and digits of ASCII, `.`, `_`,
/// `-`. People type codes as they like and providers compare them without regard to case, so white
/// space around one and the case of its letters make no difference.
///
/// Letters beyond ASCII make no code: no provider's code has any, their cases depend on language,
/// and what looks alike would be told apart by tables that change from year to year.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
pub struct ReferralCode(Arc<str>);

impl ReferralCode {
    /// The code that a text spells.
    ///
    /// # Errors
    /// [`InvalidId`] when it spells none.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let code = text.trim();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if (1..=MAX_CODE).contains(&code.len()) && code.bytes().all(is_allowed) {
            Ok(Self(code.to_ascii_lowercase().into()))
        } else {
            Err(InvalidId("ReferralCode"))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the referral that a partner's code makes: `code/NAME`.
    pub fn referral_id(&self) -> Arc<str> {
        Arc::clone(&Reference::from(self).0)
    }
}

impl TryFrom<Arc<str>> for ReferralCode {
    type Error = InvalidId;

    fn try_from(text: Arc<str>) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}

impl fmt::Display for ReferralCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a referral in its one spelling. That of one by a code is `code/NAME`; any other is the
/// partner's own, and stays as the partner writes it.
pub fn normalize_referral_id(id: &str) -> Arc<str> {
    let code = id.strip_prefix(CODE).map(ReferralCode::parse);
    match code {
        Some(Ok(code)) => code.referral_id(),
        Some(Err(_)) | None => id.into(),
    }
}

/// Text that can't be an id: it is empty, too long for a key of the table, or has control
/// characters; a partner's name has a stricter rule. It holds the name of the id's type, never the
/// text, which may be a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is not a valid {0}: it is empty, too long, or has characters that no id has")]
pub struct InvalidId(&'static str);

/// Whether a text is not empty, free of control characters, and at most `max` bytes long as it
/// is written within a key: `#` and `%` take three bytes there.
fn fits_key(text: &str, max: usize) -> bool {
    let escapes = text.bytes().filter(|byte| b"#%".contains(byte)).count();
    let length = escapes.saturating_mul(2).saturating_add(text.len());
    (1..=max).contains(&length) && !text.contains(char::is_control)
}

fn is_partner_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

fn is_meter_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

// The longest sort key is a notice's of a ledger row, `state#commission#CUSTOMER#PAYMENT#NUMBER`:
// with these bounds it stays below the table's 1024 bytes.
const MAX_OBJECT_ID: usize = 400;
/// An object's id with its account in front, which takes up to 40 bytes.
const MAX_CUSTOMER_KEY: usize = 440;
/// Longer than any code that people type.
const MAX_CODE: usize = 64;
/// Sort keys are a short prefix and one of these.
const MAX_SCOPED_ID: usize = 1000;

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
    pub fn customer(&self, id: &ObjectId) -> CustomerKey {
        CustomerKey(self.scoped(id.as_str()))
    }

    /// The journal key of this account's event.
    pub fn event(&self, id: &ObjectId) -> EventId {
        EventId(self.scoped(id.as_str()))
    }

    /// The reference to one of this account's objects.
    pub fn reference(&self, id: &ObjectId) -> Reference {
        Reference(self.scoped(id.as_str()))
    }

    /// The provider's own id of an event, if it is this account's.
    pub fn provider_event_id<'a>(&self, event: &'a EventId) -> Option<&'a str> {
        event.as_str().strip_prefix(&*self.scoped(""))
    }

    /// The reference under which this account's events wait whose meaning its API has not told
    /// yet. It leads to nobody.
    pub fn waiting_reference(&self) -> Reference {
        Reference(self.scoped("waiting"))
    }

    fn scoped(&self, id: &str) -> Arc<str> {
        format!("{}/{}/{}", self.provider, self.mode.as_str(), id).into()
    }
}

impl ObjectId {
    /// The first 64 bits of its hash, for indexes.
    pub fn short_hash(&self) -> u64 {
        short_hash(&self.0)
    }

    /// The name of a body that can't be read: the same bytes sent again have the same.
    pub fn of_unread(sha256: [u8; 32]) -> Self {
        Self(format!("unread/{}", hex(sha256)).into())
    }
}

impl From<&ObjectId> for PriceId {
    /// The price that an object of the provider's is. Both have the same bounds.
    fn from(id: &ObjectId) -> Self {
        Self(Arc::clone(&id.0))
    }
}

impl PersonHash {
    /// From the keyed hash.
    pub fn from_mac(mac: [u8; 32]) -> Self {
        Self(hex(mac).into())
    }
}

fn short_hash(text: &str) -> u64 {
    let hash = Sha256::digest(text.as_bytes());
    u64::from_be_bytes(hash.first_chunk::<8>().copied().unwrap_or_default())
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const PERSON: &str = "person/";
const SHOP: &str = "shop/";
const CODE: &str = "code/";

impl Reference {
    /// The first 64 bits of its hash, for the record.
    pub(crate) fn short_hash(&self) -> u64 {
        short_hash(&self.0)
    }

    /// Everyone with this e-mail address.
    pub fn person(hash: &PersonHash) -> Self {
        Self(format!("{PERSON}{hash}").into())
    }

    /// The shop's own customer id.
    ///
    /// # Errors
    /// [`InvalidId`] when the id can't stand in a key of the table.
    pub fn shop(id: &str) -> Result<Self, InvalidId> {
        Self::parse(format!("{SHOP}{id}"))
    }

    /// What a referral code leads to, however it is spelled.
    ///
    /// # Errors
    /// [`InvalidId`] when the text spells no code.
    pub fn code(text: &str) -> Result<Self, InvalidId> {
        Ok(Self::from(&ReferralCode::parse(text)?))
    }

    /// The code, if this is one: `code/NAME`.
    pub fn as_code(&self) -> Option<ReferralCode> {
        ReferralCode::parse(self.0.strip_prefix(CODE)?).ok()
    }

    /// Whether it names one person, by an address or by the shop's own id. That person may be
    /// several customers.
    pub fn is_of_one_person(&self) -> bool {
        [PERSON, SHOP]
            .iter()
            .any(|prefix| self.0.starts_with(prefix))
    }

    /// Whether several customers may stand behind it: what waits under such a reference is
    /// copied to each of them and stays, for those who come later.
    pub fn is_shared(&self) -> bool {
        [PERSON, SHOP, CODE]
            .iter()
            .any(|prefix| self.0.starts_with(prefix))
    }
}

impl From<&ReferralCode> for Reference {
    fn from(code: &ReferralCode) -> Self {
        Self(format!("{CODE}{code}").into())
    }
}

impl CustomerKey {
    /// The provider's account, the first two parts of the key: `stripe/test`.
    pub fn account(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(account, _)| account)
    }
}

#[cfg(test)]
mod tests;
