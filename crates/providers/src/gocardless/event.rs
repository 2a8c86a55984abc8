//! An event and what can be had behind it: its object, the mandate, the customer.

use crate::api_document::{ReadError, fetch, find};
use crate::customer_object::CustomerObject;
use crate::draft::{self, NormalizedEventDraft};
use crate::fetch::{ApiCall, ResponseTracker};
use crate::quarantine::unreadable_name;
use crate::wire::{Id, Metadata, Part, Rfc3339Time, UnclearValue, id, read, read_object};
use domain::event::About;
use domain::ids::{ObjectId, ProviderAccount};
use domain::money::Money;
use domain::payment::snapshot::NextAttempt;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An event as it came.
#[derive(Deserialize)]
pub(super) struct GocardlessEnvelope<'a> {
    pub(super) id: Id,
    pub(super) created_at: Rfc3339Time,
    resource_type: Arc<str>,
    action: Arc<str>,
    #[serde(borrow, default)]
    links: Option<&'a RawValue>,
    #[serde(default)]
    details: Part<Details>,
    #[serde(borrow, default)]
    resource_metadata: Part<Metadata<'a>>,
}

/// What an event says of why it happened.
#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    will_attempt_retry: Part<bool>,
}

/// An event that is acted upon.
pub(super) struct GocardlessEvent<'a, 'f> {
    account: &'a ProviderAccount,
    responses: &'a ResponseTracker<'f>,
    metadata: Option<&'a Metadata<'a>>,
    /// Whether GoCardless will try a failed payment again, where it says so.
    will_attempt_retry: Option<bool>,
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

impl<'a> GocardlessEnvelope<'a> {
    /// Reads it.
    pub(super) fn read(text: &'a str) -> Result<Self, UnclearValue> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|_| UnclearValue("the event is not JSON".into()))?;
        let envelope: Self = read_object(raw, "event")?;
        for (word, place) in [
            (&envelope.resource_type, "event.resource_type"),
            (&envelope.action, "event.action"),
        ] {
            let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            if !(1..=MAX_WORD).contains(&word.len()) || !word.bytes().all(is_allowed) {
                return Err(UnclearValue(format!("`{place}` is not a name of one")));
            }
        }
        Ok(envelope)
    }

    /// `payments.confirmed`.
    pub(super) fn kind(&self) -> Arc<str> {
        format!("{}.{}", self.resource_type, self.action).into()
    }

    /// Whom it is about, as far as its links alone say.
    pub(super) fn fallback_about(&self, account: &ProviderAccount, raw: &[u8]) -> About {
        let links: BTreeMap<&str, &RawValue> = self
            .links
            .and_then(|links| read_object(links, "links").ok())
            .unwrap_or_default();
        let linked = |name: &str| read::<Id>(links.get(name)?, name).ok();
        let names = ["payment", "subscription", "mandate", "billing_request"];
        let mut references: Vec<_> = names
            .into_iter()
            .filter_map(linked)
            .map(|linked| account.reference(&linked.0))
            .collect();
        if references.is_empty() {
            references.push(account.reference(&unreadable_name(raw)));
        }
        About::ByReference(references)
    }
}

impl<'a, 'f> GocardlessEvent<'a, 'f> {
    /// An envelope whose links can be read.
    pub(super) fn from_envelope(
        envelope: &'a GocardlessEnvelope<'_>,
        account: &'a ProviderAccount,
        responses: &'a ResponseTracker<'f>,
    ) -> Result<Self, ReadError> {
        let links = envelope
            .links
            .map(|links| read_object(links, "event.links"));
        let details = envelope.details.as_ref().readable();
        Ok(Self {
            account,
            responses,
            metadata: envelope.resource_metadata.as_ref().readable(),
            will_attempt_retry: details.and_then(|details| details.will_attempt_retry.readable()),
            at: envelope.created_at.0,
            links: links.transpose()?.unwrap_or_default(),
        })
    }

    /// Whether it tries again. That it will is said without a date.
    pub(super) fn next_attempt(&self) -> NextAttempt {
        match self.will_attempt_retry {
            Some(false) => NextAttempt::NotPlanned,
            Some(true) | None => NextAttempt::Unknown,
        }
    }

    /// The object of this kind (`payments`) that the event names.
    pub(super) fn object<T: Deserialize<'f>>(
        &self,
        kind: &'static str,
        named: &Option<Id>,
    ) -> Result<T, ReadError> {
        let place = || format!("event.links.{}", kind.trim_end_matches('s'));
        let named = named
            .as_ref()
            .ok_or_else(|| UnclearValue::missing(&place()))?;
        let call = ApiCall::get(&[kind, named.0.as_str()]);
        let document = fetch(self.responses, call, kind)?;
        let envelope: BTreeMap<&str, &'f RawValue> = read_object(document, kind)?;
        let object = envelope
            .get(kind)
            .ok_or_else(|| UnclearValue::missing(kind))?;
        Ok(read_object(object, kind)?)
    }

    /// The subscriptions of a mandate, and whether these are all. Each is read by itself.
    pub(super) fn subscriptions_of<T: Deserialize<'f>>(
        &self,
        mandate: &ObjectId,
    ) -> Result<(Vec<Part<T>>, bool), ReadError> {
        let query = [("mandate", mandate.as_str()), ("limit", PAGE)];
        let call = ApiCall::get(&[SUBSCRIPTIONS]).and_then(|call| call.with_query(&query));
        let document = fetch(self.responses, call, SUBSCRIPTIONS)?;
        let page: Page<T> = read_object(document, SUBSCRIPTIONS)?;
        Ok((page.subscriptions, page.meta.cursors.after.is_none()))
    }

    /// The customer's, who is behind a mandate; a payment without one is a guest's own.
    pub(super) fn draft(
        &self,
        mandate: Option<&Id>,
        guest: Option<&ObjectId>,
    ) -> Result<NormalizedEventDraft<'a>, ReadError> {
        let customer = match (&self.links.customer, mandate) {
            (Some(customer), _) => Some(customer.clone()),
            (None, Some(mandate)) => {
                let named = Some(mandate.clone());
                let mandate: Mandate = self.object("mandates", &named)?;
                Some(mandate.links.customer)
            }
            (None, None) => None,
        };
        let mut draft = self.draft_for(customer.as_ref(), guest)?;
        draft.add_references(&[mandate.map(|mandate| &mandate.0)]);
        Ok(draft)
    }

    /// The customer's, with who that is.
    pub(super) fn draft_for(
        &self,
        customer: Option<&Id>,
        guest: Option<&ObjectId>,
    ) -> Result<NormalizedEventDraft<'a>, ReadError> {
        let own = customer.map(|customer| &customer.0).or(guest);
        let own = own.ok_or_else(|| UnclearValue::missing("event.links.mandate"))?;
        let about = About::Customer(self.account.customer(own));
        let mut draft = NormalizedEventDraft::new(self.account, about);
        draft.read_metadata(self.metadata);
        if let Some(customer) = customer {
            self.describe(customer, &mut draft)?;
        }
        Ok(draft)
    }

    /// A customer that was removed has no profile any more.
    fn describe(
        &self,
        customer: &Id,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> Result<(), ReadError> {
        let call = ApiCall::get(&[CUSTOMERS, customer.0.as_str()]);
        let Some(document) = find(self.responses, call, CUSTOMERS)? else {
            return Ok(());
        };
        let customers = read_object::<Customers<'_>>(document, CUSTOMERS);
        let customer = customers.and_then(|document| read_object(document.customers, CUSTOMERS));
        if let Some(customer) = draft.readable::<Customer<'_>>(customer) {
            draft.read_metadata(customer.metadata.as_ref().readable());
            customer.into_object().add_to(draft);
        }
        Ok(())
    }
}

/// An amount as GoCardless counts it; `place` names the object it stands in.
pub(super) fn money(
    minor: Part<i64>,
    currency: &Part<Arc<str>>,
    place: &str,
) -> Result<Money, UnclearValue> {
    let amount = format!("{place}.amount");
    let minor = draft::not_negative(minor.require(&amount)?, &amount)?;
    let place = format!("{place}.currency");
    draft::money(minor, currency.as_ref().require(&place)?, &place, EXPONENTS)
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
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Page<T> {
    subscriptions: Vec<Part<T>>,
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
    email: Part<Arc<str>>,
    #[serde(default)]
    given_name: Part<Arc<str>>,
    #[serde(default)]
    family_name: Part<Arc<str>>,
    #[serde(default)]
    company_name: Part<Arc<str>>,
    #[serde(default)]
    country_code: Part<Arc<str>>,
    #[serde(default)]
    language: Part<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
}

impl Customer<'_> {
    fn into_object(self) -> CustomerObject {
        CustomerObject {
            name: self.name(),
            email: self.email,
            locale: self.language,
            country: self.country_code,
        }
    }

    /// The person's name, else the company's. It is empty where all of them are.
    fn name(&self) -> Part<Arc<str>> {
        let parts = [&self.given_name, &self.family_name];
        let names = parts.iter().filter_map(|part| part.as_ref().readable());
        let names: Vec<&str> = names
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
            .collect();
        if !names.is_empty() {
            return Part::Present(names.join(" ").into());
        }
        if parts.iter().any(|part| matches!(part, Part::Unreadable)) {
            return Part::Unreadable;
        }
        self.company_name.clone()
    }
}

const CUSTOMERS: &str = "customers";
const SUBSCRIPTIONS: &str = "subscriptions";
const PAGE: &str = "500";
const MAX_WORD: usize = 64;
/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
