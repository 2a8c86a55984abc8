//! What a partner's report says, and how it is read.

use super::Unreadable;
use crate::PersonKey;
use domain::ids::{EventId, PartnerId, Reference};
use domain::reading::{About, Fact, Reading, ReferralSeen};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::sync::Arc;

/// A report that was understood.
pub(super) struct Report {
    kind: Kind,
    referral: Arc<str>,
    customer: Customer,
    occurred_at: Timestamp,
}

impl Report {
    /// Reads it; none is a type we do not act on.
    pub(super) fn read(text: &str, signed_at: Timestamp) -> Result<Option<Self>, Unreadable> {
        let kind = match &*kind(text)? {
            "referral.created" => Kind::Created,
            "referral.canceled" => Kind::Canceled,
            _ => return Ok(None),
        };
        let wire: Wire = parse(text)?;
        let data = wire.data;
        let referral = check("data.referral_id", data.referral_id.trim())?;
        let occurred_at = match &data.occurred_at {
            Some(time) => time
                .parse::<Timestamp>()
                .map_err(|_| field("data.occurred_at", "is not a time of RFC 3339"))?,
            None => signed_at,
        };
        let latest = signed_at.checked_add(SLACK).unwrap_or(signed_at);
        if occurred_at > latest {
            return Err(field("data.occurred_at", "lies in the future"));
        }
        Ok(Some(Self {
            kind,
            referral,
            customer: Customer::read(data)?,
            occurred_at,
        }))
    }

    /// The reading: about whoever these references lead to, now or later.
    pub(super) fn reading(self, id: EventId, partner: &PartnerId, keys: &PersonKey) -> Reading {
        let about = About::Behind(self.customer.references(keys));
        let (kind, rank, fact) = match self.kind {
            Kind::Created => (
                "referral.created",
                CREATED_RANK,
                Fact::Referral(ReferralSeen {
                    partner: partner.clone(),
                    referral: self.referral,
                    referred_at: self.occurred_at,
                }),
            ),
            Kind::Canceled => (
                "referral.canceled",
                CANCELED_RANK,
                Fact::ReferralCanceled {
                    partner: partner.clone(),
                    referral: self.referral,
                },
            ),
        };
        Reading {
            id,
            kind: kind.into(),
            occurred_at: self.occurred_at,
            rank,
            about,
            facts: vec![fact],
            // It is looked for under these, but a partner's word makes nobody's e-mail another's.
            references: Vec::new(),
        }
    }
}

/// The report's type.
pub(super) fn kind(text: &str) -> Result<Arc<str>, Unreadable> {
    let typed: Typed = parse(text)?;
    check("type", &typed.kind)
}

enum Kind {
    Created,
    Canceled,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: Arc<str>,
}

#[derive(Deserialize)]
struct Wire {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    referral_id: Arc<str>,
    #[serde(default)]
    customer: Option<Named>,
    #[serde(default)]
    occurred_at: Option<Arc<str>>,
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    customer_id: Option<Arc<str>>,
    #[serde(default)]
    code: Option<Arc<str>>,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    id: Option<Arc<str>>,
    #[serde(default)]
    code: Option<Arc<str>>,
}

struct Customer {
    email: Option<Arc<str>>,
    id: Option<Arc<str>>,
    code: Option<Arc<str>>,
}

impl Customer {
    fn read(data: Data) -> Result<Self, Unreadable> {
        let named = data.customer.unwrap_or_default();
        let one = |name, nested: Option<Arc<str>>, flat: Option<Arc<str>>| match (nested, flat) {
            (Some(nested), Some(flat)) if nested != flat => {
                Err(field(name, "is there twice with different values"))
            }
            (nested, flat) => nested
                .or(flat)
                .map(|text| check(name, text.trim()))
                .transpose(),
        };
        let customer = Self {
            email: one("data.customer.email", named.email, data.email)?,
            id: one("data.customer.id", named.id, data.customer_id)?,
            code: one("data.customer.code", named.code, data.code)?,
        };
        if customer.email.is_none() && customer.id.is_none() && customer.code.is_none() {
            return Err(field(
                "data.customer",
                "names nobody: give email, id or code",
            ));
        }
        if customer.email.as_ref().is_some_and(|e| !e.contains('@')) {
            return Err(field("data.customer.email", "is not an e-mail address"));
        }
        Ok(customer)
    }

    /// The most telling first.
    fn references(&self, keys: &PersonKey) -> Vec<Reference> {
        let shop = self.id.as_ref().map(|id| Reference::shop(id));
        let person = self.email.as_ref().map(|email| keys.hash(email));
        let code = self.code.as_ref().map(|code| Reference::code(code));
        [shop, person.as_ref().map(Reference::person), code]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Reads, and names the field that could not be read, never its value.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let missing = error.inner().to_string();
        let missing = missing
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'));
        match (error.path().to_string().as_str(), missing) {
            (".", Some((name, _))) => field(name, "is not there"),
            (path, Some((name, _))) => field(&format!("{path}.{name}"), "is not there"),
            (path, None) => field(path, "is not of the type it should be"),
        }
    })
}

fn check(name: &str, text: &str) -> Result<Arc<str>, Unreadable> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(field(name, "is not 1 to 254 bytes of plain text"));
    }
    Ok(text.into())
}

fn field(name: &str, what: &'static str) -> Unreadable {
    Unreadable::Field {
        field: name.to_owned(),
        what,
    }
}

const MAX_TEXT: usize = 254;
const SLACK: SignedDuration = SignedDuration::from_secs(300);
// A referral comes before whatever the customer does in the same second.
const CREATED_RANK: u8 = 5;
const CANCELED_RANK: u8 = 6;
