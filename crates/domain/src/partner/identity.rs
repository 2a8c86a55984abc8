//! How a partner is recognized among its own customers, so that it does not earn on its own
//! purchases.

use crate::person::Person;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a partner is recognized by: mailboxes, company domains and means of payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerIdentity {
    /// Digests of its e-mail addresses. So its customers' journals do not hold the addresses.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mailboxes: BTreeSet<MailboxDigest>,
    /// Its companies' domains. Domains of public mail hosts are never among them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub domains: BTreeSet<Arc<str>>,
    /// The providers' fingerprints of its cards and bank accounts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fingerprints: BTreeSet<Arc<str>>,
}

/// A digest of an e-mail address without case, dots and plus-tag. At some hosts two people may have
/// the same digest. So a match only holds the commission until a person decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailboxDigest(Arc<str>);

/// Why a customer looks like the partner itself. What is earned then waits for a person's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfReferralSignal {
    /// The same e-mail address, apart from case, dots and plus-tags.
    SameEmail,
    /// An e-mail address at the partner's company.
    SameDomain,
    /// The same card or bank account.
    SamePayment,
    /// No likeness: the report names only a code, which anybody may show.
    SharedCode,
}

impl PartnerIdentity {
    /// Whether nothing is known of the partner.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The identity of a partner with this e-mail address: its mailbox, and its domain unless that
    /// is a public mail host.
    pub fn of(email: &str) -> Self {
        let domain = domain_of(email).filter(|domain| !FREE_MAIL_HOSTS.contains(&domain.as_str()));
        Self {
            mailboxes: MailboxDigest::of(email).into_iter().collect(),
            domains: domain.map(Into::into).into_iter().collect(),
            fingerprints: BTreeSet::new(),
        }
    }

    /// The clearest signal that a customer is this partner: same e-mail, else same domain, else
    /// same payment. `None` when there is no such signal.
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
    /// The digest of an e-mail address. `None` when the text is not one.
    pub fn of(email: &str) -> Option<Self> {
        let domain = domain_of(email)?;
        let local = email.trim().rsplit_once('@')?.0.to_lowercase();
        let untagged = local.split('+').next().unwrap_or_default();
        let canonical: String = untagged.chars().filter(|c| *c != '.').collect();
        let hash = Sha256::digest(format!("{canonical}@{domain}").as_bytes());
        let half = hash.first_chunk::<16>().copied().unwrap_or_default();
        let text = format!("{:032x}", u128::from_be_bytes(half));
        Some(Self(text.into()))
    }
}

impl SelfReferralSignal {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::SameEmail,
        Self::SameDomain,
        Self::SamePayment,
        Self::SharedCode,
    ];

    /// The signal with this name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == name)
    }

    /// The name in keys and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameEmail => "same_email",
            Self::SameDomain => "same_domain",
            Self::SamePayment => "same_payment",
            Self::SharedCode => "shared_code",
        }
    }
}

/// The domain of an e-mail address in lower case; one of them where a host has several.
fn domain_of(email: &str) -> Option<String> {
    let (local, domain) = email.trim().rsplit_once('@')?;
    let domain = domain.to_lowercase();
    let valid = !local.is_empty() && !domain.is_empty();
    valid.then(|| match domain.as_str() {
        "googlemail.com" => "gmail.com".to_owned(),
        _ => domain,
    })
}

/// Public mail hosts, which give a mailbox to everybody. That two addresses share one says nothing.
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
