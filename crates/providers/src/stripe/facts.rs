//! From an event of Stripe's to a draft of a reading: whose it is, what it says, who leads there.

use super::STRIPE;
use super::wire::{Address, Expandable, Metadata, Unclear, read_object};
use domain::ids::{Account, ObjectId, Reference};
use domain::money::{Currency, Money, exponent};
use domain::reading::{About, Fact, Profile};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// An event whose envelope was read.
pub(super) struct Event<'a> {
    /// Whose endpoint it came to.
    pub(super) account: &'a Account,
    /// When it happened.
    pub(super) created: Timestamp,
    /// The object as it was then.
    pub(super) object: &'a RawValue,
    /// The object's changed fields as they were before.
    pub(super) previous: Option<&'a RawValue>,
}

impl<'a> Event<'a> {
    /// Reads the object.
    pub(super) fn object<T: Deserialize<'a>>(&self) -> Result<T, Unclear> {
        read_object(self.object, "data.object")
    }

    /// Reads what it was before.
    pub(super) fn previous<T: Deserialize<'a>>(&self) -> Result<Option<T>, Unclear> {
        self.previous
            .map(|raw| read_object(raw, "data.previous_attributes"))
            .transpose()
    }

    /// Nothing but whose it is, yet.
    pub(super) fn draft(&self, about: About) -> Draft<'a> {
        Draft {
            account: self.account,
            about,
            facts: Vec::new(),
            references: Vec::new(),
        }
    }

    /// The customer's, or a guest's: then the first of these ids is the partition.
    pub(super) fn draft_of(
        &self,
        customer: Option<&ObjectId>,
        guest: &[Option<&ObjectId>],
    ) -> Result<Draft<'a>, Unclear> {
        let guest = || guest.iter().copied().flatten().next();
        let id = customer
            .or_else(guest)
            .ok_or_else(|| Unclear::absent("data.object.customer"))?;
        Ok(self.draft(About::Customer(self.account.customer(id.as_str()))))
    }

    /// The customer's, or that of whoever these ids lead to, the most telling first.
    pub(super) fn draft_behind(
        &self,
        customer: Option<&ObjectId>,
        ids: &[Option<&ObjectId>],
    ) -> Result<Draft<'a>, Unclear> {
        if customer.is_some() {
            return self.draft_of(customer, &[]);
        }
        let behind: Vec<Reference> = ids
            .iter()
            .flatten()
            .map(|id| self.account.reference(id.as_str()))
            .collect();
        if behind.is_empty() {
            return Err(Unclear::absent("data.object.payment_intent"));
        }
        Ok(self.draft(About::Behind(behind)))
    }
}

/// A reading in the making.
pub(super) struct Draft<'a> {
    account: &'a Account,
    /// Whose it is.
    pub(super) about: About,
    /// What it says.
    pub(super) facts: Vec<Fact>,
    /// What else leads to its customer.
    pub(super) references: Vec<Reference>,
}

impl Draft<'_> {
    /// Adds a fact.
    pub(super) fn tell(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// These objects of Stripe's lead to the same customer.
    pub(super) fn lead(&mut self, ids: &[Option<&ObjectId>]) {
        for id in ids.iter().flatten() {
            self.refer(self.account.reference(id.as_str()));
        }
    }

    /// What the shop wrote on the object.
    pub(super) fn read_metadata(&mut self, metadata: Option<&Metadata<'_>>) {
        if let Some(metadata) = metadata {
            if let Some(id) = metadata.customer_id() {
                self.refer_shop(&id);
            }
            if let Some(code) = metadata.code() {
                self.tell_code(&code);
            }
        }
    }

    /// `client_reference_id`: a referral code where it begins with `ref_`, else the shop's own
    /// customer id. Never both: a code is shared by many customers.
    pub(super) fn read_client_reference(&mut self, text: &str) {
        match text.trim().strip_prefix(CODE_PREFIX) {
            Some(code) => self.tell_code(code),
            None => self.refer_shop(text.trim()),
        }
    }

    /// The promotion codes among the discounts.
    pub(super) fn read_discounts(&mut self, discounts: &Discounts) {
        for discount in discounts.iter().flatten() {
            match &discount.promotion_code {
                Some(Expandable::Id(id)) => self.tell_code(id),
                Some(Expandable::Object(promotion)) => {
                    self.tell_code(&promotion.id);
                    if let Some(code) = &promotion.code {
                        self.tell_code(code);
                    }
                }
                None => {}
            }
        }
    }

    /// Who it is, where anything is said of it.
    pub(super) fn tell_profile(&mut self, profile: Profile) {
        if profile != Profile::default() {
            self.tell(Fact::Profile(profile));
        }
    }

    fn tell_code(&mut self, code: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if (1..=MAX_CODE).contains(&code.len()) && code.bytes().all(plain) {
            let fact = Fact::ReferralCode { code: code.into() };
            if !self.facts.contains(&fact) {
                self.tell(fact);
            }
            self.refer(Reference::code(code));
        }
    }

    fn refer_shop(&mut self, id: &str) {
        if (1..=MAX_SHOP_ID).contains(&id.len()) && !id.chars().any(char::is_control) {
            self.refer(Reference::shop(id));
        }
    }

    fn refer(&mut self, reference: Reference) {
        if !self.references.contains(&reference) {
            self.references.push(reference);
        }
    }
}

/// `discount` of old shapes and `discounts` of all, read alike.
pub(super) type Discounts = Vec<Option<Discount>>;

/// The old single discount and today's list as one.
pub(super) fn discounts(
    single: Option<Discount>,
    list: Option<Vec<Expandable<Discount>>>,
) -> Discounts {
    let listed = list.into_iter().flatten().map(|discount| match discount {
        Expandable::Object(discount) => Some(discount),
        // Unexpanded, it names only itself.
        Expandable::Id(_) => None,
    });
    std::iter::once(single).chain(listed).collect()
}

/// A discount, as far as it may name a partner.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Discount {
    #[serde(default)]
    promotion_code: Option<Expandable<Promotion>>,
}

/// A promotion code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Promotion {
    id: Arc<str>,
    #[serde(default)]
    code: Option<Arc<str>>,
}

/// A profile from where it fills gaps: empty texts say nothing.
pub(super) fn profile(
    email: Option<Arc<str>>,
    name: Option<Arc<str>>,
    address: Option<Address>,
) -> Profile {
    let filled = |text: &Arc<str>| !text.trim().is_empty();
    Profile {
        whole: false,
        email: email.filter(filled),
        name: name.filter(filled),
        locale: None,
        country: address
            .and_then(|address| address.country)
            .filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic()))
            .map(|code| code.to_ascii_uppercase().into()),
    }
}

/// An amount as Stripe counts it.
pub(super) fn money(minor: i64, currency: &str) -> Result<Money, Unclear> {
    let currency = self::currency(currency)?;
    Ok(Money {
        minor,
        currency,
        exponent: exponent(currency, STRIPE.exponents()),
    })
}

/// A currency ISO 4217 lists.
pub(super) fn currency(code: &str) -> Result<Currency, Unclear> {
    Currency::parse(code).map_err(|_| Unclear::word("data.object.currency", code))
}

/// An amount that can only go one way.
pub(super) fn not_negative(minor: i64, field: &str) -> Result<i64, Unclear> {
    if minor < 0 {
        return Err(Unclear(format!("`data.object.{field}` is below zero")));
    }
    Ok(minor)
}

/// The ids that are there.
pub(super) fn ids(ids: &[Option<&ObjectId>]) -> Vec<ObjectId> {
    ids.iter().copied().flatten().cloned().collect()
}

const CODE_PREFIX: &str = "ref_";
const MAX_CODE: usize = 64;
const MAX_SHOP_ID: usize = 128;
