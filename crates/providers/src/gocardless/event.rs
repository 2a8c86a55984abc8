//! An event and what can be had behind it: its object, the mandate, the customer.

use super::GOCARDLESS;
use crate::draft::{self, Draft};
use crate::fetch::{Asking, Call};
use crate::quarantine::unread_name;
use crate::thin::{Short, fetch, find};
use crate::wire::{Id, Metadata, Moment, Unclear, id, read, read_object};
use domain::ids::{Account, ObjectId};
use domain::money::Money;
use domain::reading::{About, Fact, Profile};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An event as it came.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    pub(super) id: Id,
    pub(super) created_at: Moment,
    resource_type: Arc<str>,
    action: Arc<str>,
    #[serde(borrow, default)]
    links: Option<&'a RawValue>,
    #[serde(borrow, default)]
    resource_metadata: Option<Metadata<'a>>,
}

/// An event that is acted upon.
pub(super) struct Event<'a, 'f> {
    account: &'a Account,
    asking: &'a Asking<'f>,
    metadata: Option<&'a Metadata<'a>>,
    /// When it happened.
    pub(super) at: Timestamp,
    /// What it is about.
    pub(super) links: Links,
}

/// The ids that an event or an object names.
#[derive(Default, Deserialize)]
pub(super) struct Links {
    #[serde(default)]
    pub(super) billing_request: Option<Id>,
    #[serde(default)]
    pub(super) customer: Option<Id>,
    #[serde(default)]
    pub(super) mandate: Option<Id>,
    #[serde(default)]
    pub(super) payment: Option<Id>,
    #[serde(default)]
    pub(super) refund: Option<Id>,
    #[serde(default)]
    pub(super) subscription: Option<Id>,
}

impl<'a> Envelope<'a> {
    /// Reads it.
    pub(super) fn read(text: &'a str) -> Result<Self, Unclear> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|_| Unclear("the event is not JSON".into()))?;
        let envelope: Self = read_object(raw, "event")?;
        for (word, place) in [
            (&envelope.resource_type, "event.resource_type"),
            (&envelope.action, "event.action"),
        ] {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            if !(1..=MAX_WORD).contains(&word.len()) || !word.bytes().all(plain) {
                return Err(Unclear(format!("`{place}` is not a name of one")));
            }
        }
        Ok(envelope)
    }

    /// `payments.confirmed`.
    pub(super) fn kind(&self) -> Arc<str> {
        format!("{}.{}", self.resource_type, self.action).into()
    }

    /// Whose it is, as far as its links alone tell.
    pub(super) fn whose(&self, account: &Account, raw: &[u8]) -> About {
        let links: BTreeMap<&str, &RawValue> = self
            .links
            .and_then(|links| read_object(links, "links").ok())
            .unwrap_or_default();
        let linked = |name: &str| read::<Id>(links.get(name)?, name).ok();
        let names = ["payment", "subscription", "mandate", "billing_request"];
        let mut behind: Vec<_> = names
            .into_iter()
            .filter_map(linked)
            .map(|linked| account.reference(linked.0.as_str()))
            .collect();
        if behind.is_empty() {
            behind.push(account.reference(&unread_name(raw)));
        }
        About::Behind(behind)
    }
}

impl<'a, 'f> Event<'a, 'f> {
    /// An envelope whose links can be read.
    pub(super) fn of(
        envelope: &'a Envelope<'_>,
        account: &'a Account,
        asking: &'a Asking<'f>,
    ) -> Result<Self, Short> {
        let links = envelope
            .links
            .map(|links| read_object(links, "event.links"));
        Ok(Self {
            account,
            asking,
            metadata: envelope.resource_metadata.as_ref(),
            at: envelope.created_at.0,
            links: links.transpose()?.unwrap_or_default(),
        })
    }

    /// The object of this kind (`payments`) that the event names.
    pub(super) fn object<T: Deserialize<'f>>(
        &self,
        kind: &'static str,
        named: &Option<Id>,
    ) -> Result<T, Short> {
        let place = || format!("event.links.{}", kind.trim_end_matches('s'));
        let named = named.as_ref().ok_or_else(|| Unclear::absent(&place()))?;
        let call = Call::get(&[kind, named.0.as_str()]);
        let document = fetch(self.asking, call, kind)?;
        let envelope: BTreeMap<&str, &'f RawValue> = read_object(document, kind)?;
        let object = envelope.get(kind).ok_or_else(|| Unclear::absent(kind))?;
        Ok(read_object(object, kind)?)
    }

    /// The subscriptions of a mandate, all of them.
    pub(super) fn subscriptions_of<T: Deserialize<'f>>(
        &self,
        mandate: &ObjectId,
    ) -> Result<Vec<T>, Short> {
        let query = [("mandate", mandate.as_str()), ("limit", PAGE)];
        let call = Call::get(&[SUBSCRIPTIONS]).and_then(|call| call.with(&query));
        let document = fetch(self.asking, call, SUBSCRIPTIONS)?;
        let page: Page<T> = read_object(document, SUBSCRIPTIONS)?;
        if page.meta.cursors.after.is_some() {
            // The rest would go on without a mandate.
            return Err(Unclear("a mandate has more than 500 subscriptions".into()).into());
        }
        Ok(page.subscriptions)
    }

    /// The customer's, who is behind a mandate; a payment without one is a guest's own.
    pub(super) fn draft(
        &self,
        mandate: Option<&Id>,
        guest: Option<&ObjectId>,
    ) -> Result<Draft<'a>, Short> {
        let customer = match (&self.links.customer, mandate) {
            (Some(customer), _) => Some(customer.clone()),
            (None, Some(mandate)) => {
                let named = Some(mandate.clone());
                let mandate: Mandate = self.object("mandates", &named)?;
                Some(mandate.links.customer)
            }
            (None, None) => None,
        };
        let mut draft = self.draft_of(customer.as_ref(), guest)?;
        draft.lead(&[mandate.map(|mandate| &mandate.0)]);
        Ok(draft)
    }

    /// The customer's, with who that is.
    pub(super) fn draft_of(
        &self,
        customer: Option<&Id>,
        guest: Option<&ObjectId>,
    ) -> Result<Draft<'a>, Short> {
        let own = customer.map(|customer| &customer.0).or(guest);
        let own = own.ok_or_else(|| Unclear::absent("event.links.mandate"))?;
        let about = About::Customer(self.account.customer(own.as_str()));
        let mut draft = Draft::new(self.account, about);
        draft.read_metadata(self.metadata);
        if let Some(customer) = customer {
            self.describe(customer, &mut draft)?;
        }
        Ok(draft)
    }

    /// A customer that was removed says nothing any more.
    fn describe(&self, customer: &Id, draft: &mut Draft<'_>) -> Result<(), Short> {
        let call = Call::get(&[CUSTOMERS, customer.0.as_str()]);
        let Some(document) = find(self.asking, call, CUSTOMERS)? else {
            return Ok(());
        };
        let document: Customers<'_> = read_object(document, CUSTOMERS)?;
        let customer: Customer<'_> = read_object(document.customers, CUSTOMERS)?;
        draft.read_metadata(customer.metadata.as_ref());
        draft.tell(Fact::Profile(customer.profile()));
        Ok(())
    }
}

/// An amount as GoCardless counts it; `place` names the object it stands in.
pub(super) fn money(minor: i64, currency: &str, place: &str) -> Result<Money, Unclear> {
    let minor = draft::not_negative(minor, &format!("{place}.amount"))?;
    let place = format!("{place}.currency");
    draft::money(minor, currency, &place, GOCARDLESS.exponents())
}

impl Links {
    /// Id of the payment, where there is one.
    pub(super) fn payment(&self) -> Option<&ObjectId> {
        id(&self.payment)
    }

    /// Id of the subscription, where there is one.
    pub(super) fn subscription(&self) -> Option<&ObjectId> {
        id(&self.subscription)
    }
}

#[derive(Deserialize)]
struct Page<T> {
    subscriptions: Vec<T>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    cursors: Cursors,
}

#[derive(Deserialize)]
struct Cursors {
    #[serde(default)]
    after: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct Mandate {
    links: MandateLinks,
}

#[derive(Deserialize)]
struct MandateLinks {
    customer: Id,
}

#[derive(Deserialize)]
struct Customers<'a> {
    #[serde(borrow)]
    customers: &'a RawValue,
}

#[derive(Deserialize)]
struct Customer<'a> {
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    given_name: Option<Arc<str>>,
    #[serde(default)]
    family_name: Option<Arc<str>>,
    #[serde(default)]
    company_name: Option<Arc<str>>,
    #[serde(default)]
    country_code: Option<Arc<str>>,
    #[serde(default)]
    language: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

impl Customer<'_> {
    fn profile(&self) -> Profile {
        let names = [&self.given_name, &self.family_name];
        let names: Vec<&str> = names
            .into_iter()
            .flatten()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
            .collect();
        let person = (!names.is_empty()).then(|| names.join(" ").into());
        Profile {
            whole: true,
            locale: self.language.clone(),
            ..draft::profile(
                self.email.clone(),
                person.or_else(|| self.company_name.clone()),
                self.country_code.clone(),
            )
        }
    }
}

const CUSTOMERS: &str = "customers";
const SUBSCRIPTIONS: &str = "subscriptions";
const PAGE: &str = "500";
const MAX_WORD: usize = 64;
