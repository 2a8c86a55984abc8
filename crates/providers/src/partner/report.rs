//! A partner's report, and how it is read.

use super::error::{UnreadableReport, check, field};
use super::sub_ids::{self, SubIds};
use super::wire_report::{ReportPayload, ReportType, TypeField, WirePostback, WireReport};
use crate::keys::PersonKey;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{EventId, PartnerId, Reference};
use domain::partner::referral::ReferralSnapshot;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::sync::Arc;

/// A partner's report of a customer it sent, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralReport {
    id: EventId,
    partner: PartnerId,
    kind: ReportKind,
    referral: Arc<str>,
    references: Vec<Reference>,
    occurred_at: Option<Timestamp>,
    sub_ids: SubIds,
}

/// When a report was first signed, and when it was first heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstHeard {
    /// By the partner's clock, within the tolerance; by ours where a token proves it.
    pub signed_at: Timestamp,
    /// By our clock. Terms and the order among partners follow it.
    pub heard_at: Timestamp,
}

impl ReferralReport {
    /// Reads it.
    pub(super) fn read(
        text: &str,
        (id, partner): (EventId, &PartnerId),
        signed_at: Timestamp,
        keys: &PersonKey,
    ) -> Result<Self, UnreadableReport> {
        // A type that nobody knows is a typing error more often than a type of tomorrow.
        if ReportType::parse(&kind(text)?).is_none() {
            return Err(field("type", UNKNOWN_TYPE));
        }
        let wire: WireReport = parse(text)?;
        let data = wire.data;
        let occurred_at = match &data.occurred_at {
            Some(time) => Some(
                time.parse::<Timestamp>()
                    .map_err(|_| field("data.occurred_at", "is not a time of RFC 3339"))?,
            ),
            None => None,
        };
        let latest = signed_at.checked_add(CLOCK_SLACK).unwrap_or(signed_at);
        if occurred_at.is_some_and(|at| at > latest) {
            return Err(field("data.occurred_at", "lies in the future"));
        }
        Ok(Self {
            id,
            partner: partner.clone(),
            kind: wire.kind.into(),
            referral: check("data.referral_id", data.referral_id.trim())?,
            sub_ids: sub_ids::read("data.sub_ids", &data.sub_ids)?,
            references: ReportedCustomer::read(data)?
                .references(["data.customer.id", "data.customer.code"], keys)?,
            occurred_at,
        })
    }

    /// Reads the parameters of a postback, which always reports a new referral.
    pub(super) fn from_postback(
        parameters: &WirePostback,
        partner: &PartnerId,
        keys: &PersonKey,
    ) -> Result<Self, UnreadableReport> {
        let sub_ids = sub_ids::read("sub1 to sub5", &parameters.sub_ids())?;
        let read = |name: &'static str, text: &str| match text.trim() {
            "" => Ok(None),
            text => check(name, text).map(Some),
        };
        let referral = read("transaction_id", &parameters.transaction_id)?;
        let referral = referral.ok_or_else(|| field("transaction_id", "is missing"))?;
        let amount = read("amount", &parameters.amount)?;
        read("currency", &parameters.currency)?;
        if amount.is_some_and(|amount| !is_amount(&amount)) {
            return Err(field("amount", "is not a plain number of 0 or more"));
        }
        let customer = ReportedCustomer {
            email: read("email", &parameters.email)?,
            id: read("customer_id", &parameters.customer_id)?,
            code: read("code", &parameters.code)?,
        };
        if !parameters.unknown.is_empty() {
            // Ignoring it would hide typing errors, and make conflicts depend on them.
            let what = "has a name that this address does not know";
            return Err(UnreadableReport::Query { what });
        }
        let id = EventId::parse(format!("partner/{partner}/{POSTBACK}/{referral}"));
        Ok(Self {
            id: id.map_err(|_| field("transaction_id", "is too long"))?,
            partner: partner.clone(),
            kind: ReportKind::Postback,
            references: customer
                .validated(["email", "email"])?
                .references(["customer_id", "code"], keys)?,
            referral,
            occurred_at: None,
            sub_ids,
        })
    }

    /// The event, by reference to the reported customer. Its place is where it was first heard,
    /// whatever the partner dates itself: so of each referral the first report is folded first. A
    /// report without a time of its own referred the customer when it was first signed.
    pub fn event(&self, first: FirstHeard) -> NormalizedEvent {
        let referred_at = self.occurred_at.unwrap_or(first.signed_at);
        let (partner, referral) = (self.partner.clone(), self.referral.clone());
        let (rank, fact) = match self.kind {
            // A lead has no effect; it is kept for the history.
            ReportKind::Lead => (LEAD_RANK, None),
            ReportKind::Created | ReportKind::Postback => {
                let snapshot = ReferralSnapshot {
                    partner,
                    referral,
                    referred_at,
                    reported_at: Some(first.heard_at),
                    names: self.references.clone(),
                    sub_ids: self.sub_ids.clone(),
                };
                (CREATED_RANK, Some(Fact::Referral(snapshot)))
            }
            ReportKind::Canceled => {
                let canceled = Fact::ReferralCanceled { partner, referral };
                (CANCELED_RANK, Some(canceled))
            }
        };
        NormalizedEvent {
            id: self.id.clone(),
            kind: self.kind.as_str().into(),
            occurred_at: first.heard_at,
            rank,
            about: About::ByReference(self.leading_references()),
            facts: fact.into_iter().collect(),
            // A report must not add a reference: a partner can't connect two persons.
            references: Vec::new(),
        }
    }

    /// What leads to the customer: the names of one person, or the code where there is no other. A
    /// code leads to everybody who shows it, so beside other names it only confirms them.
    pub fn leading_references(&self) -> Vec<Reference> {
        let names = &self.references;
        let of_person: Vec<Reference> = names
            .iter()
            .filter(|name| name.is_of_one_person())
            .cloned()
            .collect();
        if of_person.is_empty() {
            names.clone()
        } else {
            of_person
        }
    }

    /// The partner's id of the message, without the partner's name.
    pub(super) fn message_id(&self) -> &str {
        let id = self.id.as_str().splitn(3, '/').nth(2);
        id.unwrap_or_default()
    }

    /// Its type: `referral.created`.
    pub fn kind(&self) -> ReportKind {
        self.kind
    }

    /// The partner's id of the referral.
    pub fn referral(&self) -> &Arc<str> {
        &self.referral
    }

    /// The partner's own ids of the campaign, page or person: at most ten.
    pub fn sub_ids(&self) -> &SubIds {
        &self.sub_ids
    }
}

/// The report's type.
fn kind(text: &str) -> Result<Arc<str>, UnreadableReport> {
    let typed: TypeField = parse(text)?;
    check("type", &typed.kind)
}

/// The types of reports that are acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// Somebody showed interest; without effect.
    Lead,
    /// The partner sent a customer.
    Created,
    /// The referral is taken back.
    Canceled,
    /// The partner sent a customer, reported by a postback.
    Postback,
}

impl ReportKind {
    /// The text in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead.created",
            Self::Created => "referral.created",
            Self::Canceled => "referral.canceled",
            Self::Postback => "postback",
        }
    }
}

impl From<ReportType> for ReportKind {
    fn from(kind: ReportType) -> Self {
        match kind {
            ReportType::Lead => Self::Lead,
            ReportType::Created => Self::Created,
            ReportType::Canceled => Self::Canceled,
        }
    }
}

struct ReportedCustomer {
    email: Option<Arc<str>>,
    id: Option<Arc<str>>,
    code: Option<Arc<str>>,
}

impl ReportedCustomer {
    fn read(data: ReportPayload) -> Result<Self, UnreadableReport> {
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
        customer.validated(["data.customer", "data.customer.email"])
    }

    /// The same, if it names somebody; `whole` and `email` name the fields, for errors.
    fn validated(self, [whole, email]: [&str; 2]) -> Result<Self, UnreadableReport> {
        if self.email.is_none() && self.id.is_none() && self.code.is_none() {
            return Err(field(whole, "names nobody: give email, id or code"));
        }
        if self.email.as_ref().is_some_and(|text| !is_address(text)) {
            return Err(field(email, "is not an e-mail address"));
        }
        Ok(self)
    }

    /// The most specific first; `id` and `code` name their fields, for errors.
    fn references(
        &self,
        [id, code]: [&str; 2],
        keys: &PersonKey,
    ) -> Result<Vec<Reference>, UnreadableReport> {
        let shop = self.id.as_ref().map(|text| Reference::shop(text));
        let shop = shop.transpose().map_err(|_| field(id, NOT_AN_ID))?;
        let person = self.email.as_ref().map(|email| keys.hash(email));
        let code_reference = self.code.as_ref().map(|text| Reference::code(text));
        let code = code_reference
            .transpose()
            .map_err(|_| field(code, NOT_A_CODE))?;
        let references = [shop, person.as_ref().map(Reference::person), code];
        Ok(references.into_iter().flatten().collect())
    }
}

/// Reads JSON. The error names the field that could not be read, never its value.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, UnreadableReport> {
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let missing = error.inner().to_string();
        let missing = missing
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'));
        match (error.path().to_string().as_str(), missing) {
            (".", Some((name, _))) => field(name, "is missing"),
            (path, Some((name, _))) => field(&format!("{path}.{name}"), "is missing"),
            (path, None) => field(path, "is not of the type it should be"),
        }
    })
}

/// Whether it may be an e-mail address: `local@host` without white space.
fn is_address(text: &str) -> bool {
    let is_one_word = !text.contains(char::is_whitespace);
    let parts = text.rsplit_once('@');
    is_one_word && parts.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
}

/// Digits, with decimals after a point or a comma. The amount is kept as it was reported; nothing
/// is computed from it.
fn is_amount(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match text.split_once(['.', ',']) {
        Some((whole, decimals)) => digits(whole) && digits(decimals),
        None => digits(text),
    }
}

const UNKNOWN_TYPE: &str = "is none of `lead.created`, `referral.created` and `referral.canceled`";
const NOT_AN_ID: &str = "is not a valid id";
const NOT_A_CODE: &str =
    "is no referral code: 1 to 64 letters (a to z), digits, dots, dashes and underscores";
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(300);
/// The part between partner and transaction in a postback's event id. No `webhook-id` contains a
/// slash, so a message never has the id of a postback.
pub(super) const POSTBACK: &str = "postback";
// A referral sorts before the customer's events of the same second, and a lead before it.
const LEAD_RANK: u8 = 4;
const CREATED_RANK: u8 = 5;
const CANCELED_RANK: u8 = 6;
