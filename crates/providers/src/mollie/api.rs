//! What Mollie's objects have in common, and the customer behind them.

use super::MOLLIE;
use crate::draft::{self, Draft};
use crate::fetch::{Asking, Call};
use crate::thin::{Short, find};
use crate::wire::{Id, Metadata, Unclear, read, read_object};
use domain::ids::{Account, Mode, ObjectId};
use domain::money::Money;
use domain::reading::{About, Fact, Profile};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Whose account it is, and who can be asked.
pub(super) struct Mollie<'a, 'f> {
    pub(super) account: &'a Account,
    pub(super) asking: &'a Asking<'f>,
}

/// What was read of an item.
pub(super) enum Told<'a> {
    /// This.
    Draft(Draft<'a>),
    /// Test money at a live door or the reverse.
    WrongMode,
}

/// An amount: decimal text and a currency.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Amount {
    pub(super) value: Arc<str>,
    currency: Arc<str>,
}

impl Amount {
    /// In minor units; `place` names the field it stands in.
    pub(super) fn money(&self, place: &str) -> Result<Money, Unclear> {
        draft::decimal(&self.value, &self.currency, place, MOLLIE.exponents())
    }

    /// Whether it is nothing.
    pub(super) fn is_zero(&self) -> bool {
        self.value.bytes().all(|byte| matches!(byte, b'0' | b'.'))
    }
}

/// Who a payment or an invoice is addressed to.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Billing {
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    given_name: Option<Arc<str>>,
    #[serde(default)]
    family_name: Option<Arc<str>>,
    #[serde(default)]
    organization_name: Option<Arc<str>>,
    #[serde(default)]
    country: Option<Arc<str>>,
    #[serde(default)]
    locale: Option<Arc<str>>,
}

impl Billing {
    /// With an address to write to, where it has none.
    pub(super) fn or_email(self, email: Option<Arc<str>>) -> Self {
        let email = self.email.or(email);
        Self { email, ..self }
    }

    /// It fills gaps: a known customer may pay for somebody else.
    pub(super) fn profile(self) -> Profile {
        let names = [self.given_name, self.family_name];
        let names: Vec<Arc<str>> = names.into_iter().flatten().collect();
        let person = (!names.is_empty()).then(|| names.join(" ").into());
        Profile {
            locale: self.locale.as_deref().map(language),
            ..draft::profile(self.email, self.organization_name.or(person), self.country)
        }
    }
}

impl<'a, 'f> Mollie<'a, 'f> {
    /// Whether an object's mode is that of the door.
    pub(super) fn is_ours(&self, mode: &str, place: &str) -> Result<bool, Unclear> {
        let mode = match mode {
            "live" => Mode::Live,
            "test" => Mode::Test,
            other => return Err(Unclear::word(place, other)),
        };
        Ok(mode == self.account.mode)
    }

    /// The customer's, with who that is; or a guest's own.
    pub(super) fn draft(
        &self,
        customer: Option<&Id>,
        guest: &ObjectId,
    ) -> Result<Draft<'a>, Short> {
        let own = customer.map_or(guest, |customer| &customer.0);
        let about = About::Customer(self.account.customer(own.as_str()));
        let mut draft = Draft::new(self.account, about);
        if let Some(customer) = customer {
            self.describe(customer, &mut draft)?;
        }
        Ok(draft)
    }

    /// A customer that was deleted says nothing any more.
    fn describe(&self, customer: &Id, draft: &mut Draft<'_>) -> Result<(), Short> {
        let call = Call::get(&["customers", customer.0.as_str()]);
        let Some(document) = find(self.asking, call, "customer")? else {
            return Ok(());
        };
        let customer: Customer<'_> = read_object(document, "customer")?;
        read_metadata(draft, customer.metadata);
        draft.tell(Fact::Profile(Profile {
            whole: true,
            locale: customer.locale.as_deref().map(language),
            ..draft::profile(customer.email, customer.name, None)
        }));
        Ok(())
    }
}

/// What the shop wrote on an object, where it is what we know: Mollie takes any JSON there.
pub(super) fn read_metadata(draft: &mut Draft<'_>, raw: Option<&RawValue>) {
    draft.read_metadata(metadata(raw).as_ref());
}

/// The same as keys and values.
pub(super) fn metadata(raw: Option<&RawValue>) -> Option<Metadata<'_>> {
    raw.filter(|raw| raw.get().starts_with('{'))
        .and_then(|raw| read(raw, "metadata").ok())
}

/// `fr_FR` is `fr-FR` to everybody else.
fn language(locale: &str) -> Arc<str> {
    locale.replace('_', "-").into()
}

#[derive(Deserialize)]
struct Customer<'a> {
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    locale: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}
