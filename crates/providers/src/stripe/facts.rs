//! An event of Stripe's, and the parts that several readers share.

use super::wire::Expandable;
use crate::draft::{self, NormalizedEventDraft};
use crate::wire::{AddressCountry, UnclearValue, read_object};
use domain::event::About;
use domain::ids::{ObjectId, ProviderAccount, Reference};
use domain::money::{Currency, Money, StatedAmount};
use domain::person::Profile;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// An event whose envelope was read.
pub(super) struct StripeEvent<'a> {
    /// The account of the endpoint at which it arrived.
    pub(super) account: &'a ProviderAccount,
    /// Its type.
    pub(super) kind: &'a str,
    /// The version of the API in which the object is written, where the event says.
    pub(super) api_version: Option<&'a str>,
    /// When it happened.
    pub(super) created: Timestamp,
    /// The object as it was then.
    pub(super) object: &'a RawValue,
    /// The object's changed fields as they were before.
    pub(super) previous: Option<&'a RawValue>,
}

impl<'a> StripeEvent<'a> {
    /// Reads the object.
    pub(super) fn object<T: Deserialize<'a>>(&self) -> Result<T, UnclearValue> {
        read_object(self.object, "data.object")
    }

    /// Whether the object is written in the API of this day (`2025-03-31`) or of a later one.
    /// `None` when the event does not say.
    pub(super) fn is_since(&self, day: &str) -> Option<bool> {
        let version = self.api_version?.get(..day.len())?;
        let is_date = version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        is_date.then(|| version >= day)
    }

    /// Reads what it was before.
    pub(super) fn previous<T: Deserialize<'a>>(&self) -> Result<Option<T>, UnclearValue> {
        self.previous
            .map(|raw| read_object(raw, "data.previous_attributes"))
            .transpose()
    }

    /// A draft without facts.
    pub(super) fn draft(&self, about: About) -> NormalizedEventDraft<'a> {
        NormalizedEventDraft::new(self.account, about)
    }

    /// The customer's, or a guest's: then the first of these ids is the partition.
    pub(super) fn draft_for(
        &self,
        customer: Option<&ObjectId>,
        guest: &[Option<&ObjectId>],
    ) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
        let guest = || guest.iter().copied().flatten().next();
        let id = customer
            .or_else(guest)
            .ok_or_else(|| UnclearValue::missing("data.object.customer"))?;
        Ok(self.draft(About::Customer(self.account.customer(id))))
    }

    /// A draft about the customer, or by reference to these ids, the most specific first.
    pub(super) fn draft_by_reference(
        &self,
        customer: Option<&ObjectId>,
        ids: &[Option<&ObjectId>],
    ) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
        if customer.is_some() {
            return self.draft_for(customer, &[]);
        }
        let references: Vec<Reference> = ids
            .iter()
            .flatten()
            .map(|id| self.account.reference(id))
            .collect();
        if references.is_empty() {
            return Err(UnclearValue::missing("data.object.payment_intent"));
        }
        Ok(self.draft(About::ByReference(references)))
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

/// The promotion codes among the discounts.
pub(super) fn read_discounts(draft: &mut NormalizedEventDraft<'_>, discounts: &Discounts) {
    for discount in discounts.iter().flatten() {
        match &discount.promotion_code {
            Some(Expandable::Id(id)) => draft.add_code(id),
            Some(Expandable::Object(promotion)) => {
                draft.add_code(&promotion.id);
                if let Some(code) = &promotion.code {
                    draft.add_code(code);
                }
            }
            None => {}
        }
    }
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

/// A profile from where it fills gaps.
pub(super) fn profile(
    email: Option<Arc<str>>,
    name: Option<Arc<str>>,
    address: Option<AddressCountry>,
) -> Profile {
    draft::profile(email, name, address.and_then(|address| address.country))
}

/// An amount as Stripe counts it.
pub(super) fn money(minor: i64, currency: &str) -> Result<Money, UnclearValue> {
    draft::money(minor, currency, CURRENCY, EXPONENTS)
}

/// What is refunded or disputed of a payment.
pub(super) fn stated_amount(
    minor: i64,
    code: Option<&str>,
    field: &str,
) -> Result<StatedAmount, UnclearValue> {
    draft::stated_amount(not_negative(minor, field)?, code, CURRENCY, EXPONENTS)
}

/// A currency ISO 4217 lists.
pub(super) fn currency(code: &str) -> Result<Currency, UnclearValue> {
    draft::currency(code, CURRENCY)
}

/// An amount that can only go one way.
pub(super) fn not_negative(minor: i64, field: &str) -> Result<i64, UnclearValue> {
    draft::not_negative(minor, &format!("data.object.{field}"))
}

const CURRENCY: &str = "data.object.currency";
/// Where Stripe does not count as ISO 4217 does. Without decimals in ISO, but two places in
/// amounts: `isk`, `ugx`. Two places in ISO, but none in amounts: `mga`. (`huf` and `twd` are
/// whole only in payouts.)
pub(super) const EXPONENTS: &[(&str, u8)] = &[("isk", 2), ("mga", 0), ("ugx", 2)];
