//! What a partner itself is known by, so that it does not earn on its own purchases.

use crate::person::Person;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

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
        let without_dots: String = untagged.chars().filter(|c| *c != '.').collect();
        let hash = Sha256::digest(format!("{without_dots}@{domain}").as_bytes());
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

/// The host of an address; one name of it where it has several.
fn domain_of(email: &str) -> Option<String> {
    let (local, domain) = email.trim().rsplit_once('@')?;
    let domain = domain.to_lowercase();
    let is_valid = !local.is_empty() && !domain.is_empty();
    is_valid.then(|| match domain.as_str() {
        "googlemail.com" => "gmail.com".to_owned(),
        _ => domain,
    })
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
