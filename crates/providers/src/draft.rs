//! A normalized event while it is built: whom it is about, its facts and references.

use crate::wire::{Metadata, UnclearValue};
use domain::event::{About, Fact};
use domain::ids::{ObjectId, PriceId, ProviderAccount, Reference, ReferralCode};
use domain::money::{Currency, Money, StatedAmount, exponent};
use domain::payment::snapshot::PurchasedPrice;
use domain::person::{Profile, ProfileField};
use domain::subscription::pricing::{BillingInterval, Pricing};
use domain::subscription::terms::{
    Period, SubscriptionItem, SubscriptionStatus, SubscriptionTerms,
};
use std::sync::Arc;

/// A normalized event while it is built.
pub(crate) struct NormalizedEventDraft<'a> {
    account: &'a ProviderAccount,
    /// Whom it is about.
    pub(crate) about: About,
    /// Its facts.
    pub(crate) facts: Vec<Fact>,
    /// Further references to the same customer.
    pub(crate) references: Vec<Reference>,
    /// The price that the shop names on the object.
    price: Option<PriceId>,
}

impl<'a> NormalizedEventDraft<'a> {
    /// A draft without facts.
    pub(crate) fn new(account: &'a ProviderAccount, about: About) -> Self {
        Self {
            account,
            about,
            facts: Vec::new(),
            references: Vec::new(),
            price: None,
        }
    }

    /// What an event is made of. A payment that is for no subscription, and does not say itself
    /// what was bought with it, bought the price that the shop names in its metadata.
    pub(crate) fn into_parts(mut self) -> (About, Vec<Fact>, Vec<Reference>) {
        for fact in &mut self.facts {
            if let (Fact::Payment(payment), Some(price)) = (fact, &self.price)
                && payment.subscription.is_none()
                && payment.purchased.is_empty()
            {
                payment.purchased.push(PurchasedPrice {
                    price: price.clone(),
                    quantity: 1,
                });
            }
        }
        (self.about, self.facts, self.references)
    }

    /// Adds a fact.
    pub(crate) fn add_fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// What was read. What could not be is noted beside the other facts: it hides none of them.
    pub(crate) fn readable<T>(&mut self, read: Result<T, UnclearValue>) -> Option<T> {
        read.map_err(|unclear| self.add_unclear(unclear)).ok()
    }

    /// Notes what could not be read. An event has one such note, whatever the number of its parts.
    pub(crate) fn add_unclear(&mut self, UnclearValue(what): UnclearValue) {
        for fact in &mut self.facts {
            if let Fact::Unclear { what: noted } = fact {
                if !noted.split("; ").any(|part| part == what) {
                    *noted = format!("{noted}; {what}").into();
                }
                return;
            }
        }
        self.add_fact(Fact::Unclear { what: what.into() });
    }

    /// Adds these provider objects as references to the customer.
    pub(crate) fn add_references(&mut self, ids: &[Option<&ObjectId>]) {
        for id in ids.iter().flatten() {
            self.add_reference(self.account.reference(id));
        }
    }

    /// Reads the shop's own data on the object.
    pub(crate) fn read_metadata(&mut self, metadata: Option<&Metadata<'_>>) {
        if let Some(metadata) = metadata {
            if let Some(id) = metadata.customer_id() {
                self.add_shop_reference(&id);
            }
            if let Some(code) = metadata.code() {
                self.add_code(&code);
            }
            let price = || PriceId::parse(metadata.price()?).ok();
            self.price = self.price.take().or_else(price);
        }
    }

    /// `client_reference_id`: a referral code where it begins with `ref_`, else the shop's own
    /// customer id. Never both: a code is shared by many customers.
    pub(crate) fn read_client_reference(&mut self, text: &str) {
        match text.trim().strip_prefix(CODE_PREFIX) {
            Some(code) => self.add_code(code),
            None => self.add_shop_reference(text.trim()),
        }
    }

    /// Adds the profile, unless it is empty.
    pub(crate) fn add_profile(&mut self, profile: Profile) {
        if profile != Profile::default() {
            self.add_fact(Fact::Profile(profile));
        }
    }

    /// Adds a referral code, if the text is one.
    pub(crate) fn add_code(&mut self, code: &str) {
        if let Ok(code) = ReferralCode::parse(code) {
            self.add_reference(Reference::from(&code));
            let fact = Fact::ReferralCode { code };
            if !self.facts.contains(&fact) {
                self.add_fact(fact);
            }
        }
    }

    /// Adds the fingerprint of a card or account, by which it is recognized.
    pub(crate) fn add_fingerprint(&mut self, fingerprint: &str) {
        let is_valid = (1..=MAX_FINGERPRINT).contains(&fingerprint.len());
        if is_valid && fingerprint.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.add_fact(Fact::Fingerprint {
                fingerprint: fingerprint.into(),
            });
        }
    }

    /// Adds the shop's own id of the customer.
    pub(crate) fn add_shop_reference(&mut self, id: &str) {
        if !(1..=MAX_SHOP_ID).contains(&id.len()) {
            return;
        }
        if let Ok(reference) = Reference::shop(id) {
            self.add_reference(reference);
        }
    }

    fn add_reference(&mut self, reference: Reference) {
        if !self.references.contains(&reference) {
            self.references.push(reference);
        }
    }
}

/// A profile that only fills gaps: empty texts are left out.
pub(crate) fn profile(
    email: Option<Arc<str>>,
    name: Option<Arc<str>>,
    country: Option<Arc<str>>,
) -> Profile {
    let filled = |text: &Arc<str>| !text.trim().is_empty();
    Profile {
        complete: false,
        email: email.filter(filled),
        name: name.filter(filled),
        locale: None,
        country: country
            .filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic()))
            .map(|code| code.to_ascii_uppercase().into()),
        ..Profile::default()
    }
}

/// The profile of a customer object. `None` is a field that it leaves out, so that others may say
/// it; null or blank is one that it says is empty.
pub(crate) fn whole_profile(
    email: Option<Option<Arc<str>>>,
    name: Option<Option<Arc<str>>>,
    locale: Option<Option<Arc<str>>>,
    country: Option<Option<Arc<str>>>,
) -> Profile {
    let fields = [
        (ProfileField::Email, &email),
        (ProfileField::Name, &name),
        (ProfileField::Locale, &locale),
        (ProfileField::Country, &country),
    ];
    let is_empty = |stated: &Option<Arc<str>>| {
        let filled = |text: &Arc<str>| !text.trim().is_empty();
        !stated.as_ref().is_some_and(filled)
    };
    let empty = fields
        .iter()
        .filter(|(_, stated)| stated.as_ref().is_some_and(is_empty))
        .map(|(field, _)| *field)
        .collect();
    Profile {
        complete: true,
        locale: locale.flatten().filter(|tag| !tag.trim().is_empty()),
        empty,
        ..profile(email.flatten(), name.flatten(), country.flatten())
    }
}

/// An amount in a provider's minor units; `exponents` is where they differ from ISO 4217.
pub(crate) fn money(
    minor: i64,
    code: &str,
    place: &str,
    exponents: &[(&str, u8)],
) -> Result<Money, UnclearValue> {
    let currency = currency(code, place)?;
    Ok(Money {
        minor,
        currency,
        exponent: exponent(currency, exponents),
    })
}

/// An amount that is part of a payment. Where the currency is left out, it is the payment's.
pub(crate) fn stated_amount(
    minor: i64,
    code: Option<&str>,
    place: &str,
    exponents: &[(&str, u8)],
) -> Result<StatedAmount, UnclearValue> {
    match code {
        Some(code) => money(minor, code, place, exponents).map(Into::into),
        None => Ok(StatedAmount::in_currency_of_payment(minor)),
    }
}

/// An amount as decimal text, `12.34`: with the currency's decimal places, or fewer, or further
/// ones that are zero.
pub(crate) fn decimal(
    text: &str,
    code: &str,
    place: &str,
    exponents: &[(&str, u8)],
) -> Result<Money, UnclearValue> {
    let currency = currency(code, place)?;
    let exponent = exponent(currency, exponents);
    let unclear = || UnclearValue(format!("`{place}` is not an amount in its currency"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let places = usize::from(exponent);
    let kept = fraction.get(..places).unwrap_or(fraction);
    let beyond = fraction.get(places..).unwrap_or_default();
    let is_valid = digits(whole) && digits(fraction) && beyond.bytes().all(|byte| byte == b'0');
    let minor = format!("{whole}{kept:0<places$}").parse();
    Ok(Money {
        minor: minor.ok().filter(|_| is_valid).ok_or_else(unclear)?,
        currency,
        exponent,
    })
}

/// A currency of ISO 4217; `place` names the field, for errors.
pub(crate) fn currency(code: &str, place: &str) -> Result<Currency, UnclearValue> {
    Currency::parse(code).map_err(|_| UnclearValue::unknown_word(place, code))
}

/// An amount of zero or more; `place` names the field, for errors.
pub(crate) fn not_negative(minor: i64, place: &str) -> Result<i64, UnclearValue> {
    if minor < 0 {
        return Err(UnclearValue(format!("`{place}` is below zero")));
    }
    Ok(minor)
}

/// The terms of a subscription whose provider knows an amount and no prices: one item, under the
/// price that the shop names, else under the subscription's own id.
pub(crate) fn terms(
    status: SubscriptionStatus,
    (subscription, price, unit): (&ObjectId, Option<Arc<str>>, Option<Money>),
    (interval, period): (Option<BillingInterval>, Option<Period>),
    draft: &mut NormalizedEventDraft<'_>,
) -> SubscriptionTerms {
    let price =
        match price.filter(|price| !price.trim().is_empty()) {
            Some(price) => draft.readable(PriceId::parse(price).map_err(|_| {
                UnclearValue("what the shop calls the price is not a valid id".into())
            })),
            None => Some(PriceId::from(subscription)),
        };
    let price_is_unclear = price.is_none();
    let item = price.map(|price| SubscriptionItem {
        id: subscription.clone(),
        price,
        metered: false,
        quantity: Some(1),
        unit_minor: unit.map(|unit| unit.minor),
        pricing: Pricing {
            interval,
            ..Pricing::default()
        },
        period: None,
    });
    SubscriptionTerms {
        status,
        items: item.into_iter().collect(),
        period,
        trial: None,
        trial_fallback: None,
        cancel_at: None,
        cancel_at_period_end: false,
        items_partial: price_is_unclear,
        pause: None,
    }
}

/// What was bought once, of these prices and how many of each. Prices are added up, and bounded.
pub(crate) fn purchased(
    lines: impl IntoIterator<Item = (PriceId, Option<u64>)>,
) -> Vec<PurchasedPrice> {
    let mut purchased: Vec<PurchasedPrice> = Vec::new();
    for (price, quantity) in lines {
        let quantity = quantity.unwrap_or(1);
        let has_room = purchased.len() < MAX_PURCHASED;
        match purchased.iter_mut().find(|known| known.price == price) {
            Some(known) => known.quantity = known.quantity.saturating_add(quantity),
            None if has_room => purchased.push(PurchasedPrice { price, quantity }),
            None => {}
        }
    }
    purchased
}

/// The ids that are present.
pub(crate) fn ids(ids: &[Option<&ObjectId>]) -> Vec<ObjectId> {
    ids.iter().copied().flatten().cloned().collect()
}

const CODE_PREFIX: &str = "ref_";
const MAX_FINGERPRINT: usize = 128;
const MAX_SHOP_ID: usize = 128;
/// How many prices bought with one payment are kept.
const MAX_PURCHASED: usize = 20;
