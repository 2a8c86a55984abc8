//! A partner's program: what it earns on the customers it sends, for how long, and when it may
//! be paid. It is pinned to a customer with the report, so a later change touches only those
//! who are sent later.

use crate::ids::PartnerId;
use crate::money::Money;
use crate::partner::program_input::BadProgram;
use crate::state::Person;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a partner earns, and when. One that is read keeps the [bounds](Self::checked).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Program {
    /// How much of a payment.
    pub reward: Reward,
    /// Of which payments.
    pub duration: CommissionDuration,
    /// Days from a payment until what it earned is released.
    pub hold_days: u16,
    /// Days that may lie between a report and the customer's first payment, either way.
    pub window_days: u16,
    /// Whose report counts where there are several.
    pub attribution_model: AttributionModel,
}

/// A program as it is stored, before its bounds were looked at.
#[derive(Deserialize)]
struct Unchecked {
    reward: Reward,
    duration: CommissionDuration,
    hold_days: u16,
    window_days: u16,
    #[serde(default)]
    attribution_model: AttributionModel,
}

impl TryFrom<Unchecked> for Program {
    type Error = BadProgram;

    fn try_from(stored: Unchecked) -> Result<Self, BadProgram> {
        let Unchecked {
            reward,
            duration: span,
            hold_days,
            window_days,
            attribution_model: claim,
        } = stored;
        Self {
            reward,
            duration: span,
            hold_days,
            window_days,
            attribution_model: claim,
        }
        .checked()
    }
}

/// How much of a payment is earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reward {
    /// So many hundredths of a percent of what was paid without tax; 10,000 at most.
    BasisPoints(u16),
    /// So much for each payment in this currency, nothing for one in another.
    Fixed(Money),
}

/// Which payments earn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionDuration {
    /// The customer's first.
    FirstPayment,
    /// Those made in so many months, counted from the first.
    Months(u16),
    /// Every one.
    Life,
}

/// Whose report counts where several partners claim one customer. Of several programs the one
/// of the first report decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributionModel {
    /// The one that was signed first.
    #[default]
    First,
    /// Of those who sent the customer before the first payment the last.
    Last,
}

/// What a partner itself is known by, so that it does not earn on its own purchases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerIdentity {
    /// Digests of its addresses: its customers' journals need not hold the addresses.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mailboxes: BTreeSet<MailboxDigest>,
    /// Its companies' domains; never one that gives mailboxes to everybody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub domains: BTreeSet<Arc<str>>,
    /// Fingerprints of what it pays with, as the providers give them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fingerprints: BTreeSet<Arc<str>>,
}

/// A digest of an address without what people vary in it: case, dots, plus-tags. Two people may
/// come out alike on some hosts, which is why likeness is asked about and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailboxDigest(Arc<str>);

/// Why a customer looks like the partner itself: what is earned waits for a person's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfReferralSignal {
    /// The same address but for case, dots and plus-tags.
    SameEmail,
    /// An address at the partner's company.
    SameDomain,
    /// The same card or account.
    SamePayment,
}

/// What a person says of a suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is an honest referral.
    Release,
    /// It counts for nothing.
    Void,
}

/// A report's program as it was in force when the partner sent the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributionTerms {
    /// Whose.
    pub partner: PartnerId,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner signed the report.
    pub reported_at: Timestamp,
    /// On what terms.
    pub program: Program,
    /// Who the partner is.
    #[serde(default)]
    pub identity: PartnerIdentity,
}

/// A code that was given to a partner: whoever pays with it from then on was sent by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeGranted {
    /// The code.
    pub code: Arc<str>,
    /// Whose it is.
    pub partner: PartnerId,
    /// On what terms.
    pub program: Program,
    /// Who the partner is.
    #[serde(default)]
    pub identity: PartnerIdentity,
}

impl Program {
    /// Whether a first payment at this moment lies near enough to a report: not long after the
    /// customer was sent, and not long before the partner said so.
    pub fn is_in_window(&self, sent: Timestamp, reported: Timestamp, paid: Timestamp) -> bool {
        paid <= after(sent, self.window_days) && reported <= after(paid, self.window_days)
    }

    /// When what a payment of this moment earned is released.
    pub fn releases_at(&self, paid: Timestamp) -> Timestamp {
        after(paid, self.hold_days)
    }
}

impl CommissionDuration {
    /// Whether a payment earns that is made at this moment, after a first one at that.
    pub fn covers(self, first: Timestamp, is_first: bool, paid: Timestamp) -> bool {
        match self {
            Self::FirstPayment => is_first,
            Self::Months(months) => {
                let end = first
                    .to_zoned(TimeZone::UTC)
                    .checked_add(i32::from(months).months());
                end.is_ok_and(|end| paid < end.timestamp())
            }
            Self::Life => true,
        }
    }
}

impl AttributionModel {
    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

impl PartnerIdentity {
    /// Nothing known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a partner with this address is known by.
    pub fn of(email: &str) -> Self {
        let domain = domain_of(email).filter(|domain| !FREE_MAIL_HOSTS.contains(&domain.as_str()));
        Self {
            mailboxes: MailboxDigest::of(email).into_iter().collect(),
            domains: domain.map(Into::into).into_iter().collect(),
            fingerprints: BTreeSet::new(),
        }
    }

    /// In what a customer looks like this partner, the clearest likeness first.
    pub fn resembles(
        &self,
        person: &Person,
        fingerprints: &BTreeSet<Arc<str>>,
    ) -> Option<SelfReferralSignal> {
        let emails = || person.emails();
        let mailbox = |email| MailboxDigest::of(email).is_some_and(|m| self.mailboxes.contains(&m));
        let domain = |email| domain_of(email).is_some_and(|d| self.domains.contains(d.as_str()));
        if !self.mailboxes.is_empty() && emails().any(mailbox) {
            Some(SelfReferralSignal::SameEmail)
        } else if !self.domains.is_empty() && emails().any(domain) {
            Some(SelfReferralSignal::SameDomain)
        } else if !self.fingerprints.is_disjoint(fingerprints) {
            Some(SelfReferralSignal::SamePayment)
        } else {
            None
        }
    }
}

impl MailboxDigest {
    /// Of an address; none of what is no address.
    pub fn of(email: &str) -> Option<Self> {
        let domain = domain_of(email)?;
        let local = email.trim().rsplit_once('@')?.0.to_lowercase();
        let untagged = local.split('+').next().unwrap_or_default();
        let plain: String = untagged.chars().filter(|c| *c != '.').collect();
        let hash = Sha256::digest(format!("{plain}@{domain}").as_bytes());
        let half = hash.first_chunk::<16>().copied().unwrap_or_default();
        let text = format!("{:032x}", u128::from_be_bytes(half));
        Some(Self(text.into()))
    }
}

impl SelfReferralSignal {
    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::SameEmail, Self::SameDomain, Self::SamePayment]
            .into_iter()
            .find(|suspicion| suspicion.as_str() == name)
    }

    /// As it stands in keys and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameEmail => "same_email",
            Self::SameDomain => "same_domain",
            Self::SamePayment => "same_payment",
        }
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (reward, hold, window) = (self.reward, self.hold_days, self.window_days);
        match self.duration {
            CommissionDuration::FirstPayment => write!(f, "{reward} of the first payment")?,
            CommissionDuration::Months(months) => write!(f, "{reward} for {months} months")?,
            CommissionDuration::Life => write!(f, "{reward} for life")?,
        }
        let claim = self.attribution_model.as_str();
        write!(
            f,
            ", released after {hold} days, window {window} days, {claim} report counts"
        )
    }
}

impl std::fmt::Display for Reward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BasisPoints(points) => {
                let (whole, rest) = (points.div_euclid(100), points.rem_euclid(100));
                match rest {
                    0 => write!(f, "{whole} %"),
                    rest if rest.rem_euclid(10) == 0 => {
                        write!(f, "{whole}.{} %", rest.div_euclid(10))
                    }
                    rest => write!(f, "{whole}.{rest:02} %"),
                }
            }
            Self::Fixed(money) => write!(f, "{money}"),
        }
    }
}

/// The host of an address; one name of it where it has several.
fn domain_of(email: &str) -> Option<String> {
    let (local, domain) = email.trim().rsplit_once('@')?;
    let domain = domain.to_lowercase();
    let sound = !local.is_empty() && !domain.is_empty();
    sound.then(|| match domain.as_str() {
        "googlemail.com" => "gmail.com".to_owned(),
        _ => domain,
    })
}

fn after(moment: Timestamp, days: u16) -> Timestamp {
    let days = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
    moment.checked_add(days).unwrap_or(Timestamp::MAX)
}

/// Hosts that give a mailbox to everybody: sharing one says nothing.
const FREE_MAIL_HOSTS: &[&str] = &[
    "aol.com",
    "bbox.fr",
    "bluewin.ch",
    "fastmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.fr",
    "gmx.net",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "live.fr",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "neuf.fr",
    "numericable.fr",
    "orange.fr",
    "outlook.com",
    "outlook.fr",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "seznam.cz",
    "sfr.fr",
    "skynet.be",
    "t-online.de",
    "tutanota.com",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.it",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
    "163.com",
];
