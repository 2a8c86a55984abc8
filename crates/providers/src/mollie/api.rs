//! What Mollie's objects have in common, and the customer behind them.

use crate::api_document::{ReadError, find};
use crate::customer_object::CustomerObject;
use crate::draft::{self, NormalizedEventDraft};
use crate::fetch::{ApiCall, ResponseTracker};
use crate::wire::{Id, Metadata, Part, UnclearValue, read, read_object};
use domain::event::About;
use domain::ids::{Mode, ObjectId, ProviderAccount};
use domain::money::Money;
use domain::person::Profile;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Whose account it is, and who can be asked.
pub(super) struct MollieContext<'a, 'f> {
    pub(super) account: &'a ProviderAccount,
    pub(super) responses: &'a ResponseTracker<'f>,
}

/// What was read of an item.
pub(super) enum ReadResult<'a> {
    /// This.
    Draft(NormalizedEventDraft<'a>),
    /// Test money at a live endpoint or the reverse.
    WrongMode,
    /// Nothing that we act on.
    Nothing,
}

/// An amount: decimal text and a currency.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct MollieAmount {
    pub(super) value: Arc<str>,
    currency: Arc<str>,
}

impl MollieAmount {
    /// In minor units; `place` names the field it stands in.
    pub(super) fn money(&self, place: &str) -> Result<Money, UnclearValue> {
        draft::decimal(&self.value, &self.currency, place, EXPONENTS)
    }

    /// Whether it is nothing.
    pub(super) fn is_zero(&self) -> bool {
        self.value.bytes().all(|byte| matches!(byte, b'0' | b'.'))
    }
}

/// Who a payment or an invoice is addressed to.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BillingAddress {
    #[serde(default)]
    email: Part<Arc<str>>,
    #[serde(default)]
    given_name: Part<Arc<str>>,
    #[serde(default)]
    family_name: Part<Arc<str>>,
    #[serde(default)]
    organization_name: Part<Arc<str>>,
    #[serde(default)]
    country: Part<Arc<str>>,
    #[serde(default)]
    locale: Part<Arc<str>>,
}

impl BillingAddress {
    /// With an address to write to, where it has none.
    pub(super) fn or_email(self, email: Option<Arc<str>>) -> Self {
        let email = match (self.email, email) {
            (Part::Absent | Part::Null | Part::Unreadable, Some(email)) => Part::Present(email),
            (own, _) => own,
        };
        Self { email, ..self }
    }

    /// It fills gaps: a known customer may pay for somebody else.
    pub(super) fn profile(self) -> Profile {
        let names = [self.given_name, self.family_name];
        let names: Vec<Arc<str>> = names.into_iter().filter_map(Part::readable).collect();
        let person = (!names.is_empty()).then(|| names.join(" ").into());
        let name = self.organization_name.readable().or(person);
        let locale = self.locale.as_ref().readable();
        Profile {
            locale: locale.map(|locale| language(locale)),
            ..draft::profile(self.email.readable(), name, self.country.readable())
        }
    }
}

impl<'a, 'f> MollieContext<'a, 'f> {
    /// Whether an object's mode is the endpoint's.
    pub(super) fn is_ours(&self, mode: &str, place: &str) -> Result<bool, UnclearValue> {
        let mode = match mode {
            "live" => Mode::Live,
            "test" => Mode::Test,
            other => return Err(UnclearValue::unknown_word(place, other)),
        };
        Ok(mode == self.account.mode)
    }

    /// The customer's, with who that is; or a guest's own.
    pub(super) fn draft(
        &self,
        customer: Option<&Id>,
        guest: &ObjectId,
    ) -> Result<NormalizedEventDraft<'a>, ReadError> {
        let own = customer.map_or(guest, |customer| &customer.0);
        let about = About::Customer(self.account.customer(own));
        let mut draft = NormalizedEventDraft::new(self.account, about);
        if let Some(customer) = customer {
            self.describe(customer, &mut draft)?;
        }
        Ok(draft)
    }

    /// A customer that was deleted has no profile any more.
    fn describe(
        &self,
        customer: &Id,
        draft: &mut NormalizedEventDraft<'_>,
    ) -> Result<(), ReadError> {
        let call = ApiCall::get(&["customers", customer.0.as_str()]);
        let Some(document) = find(self.responses, call, "customer")? else {
            return Ok(());
        };
        let Some(customer) = draft.readable(read_object::<Customer<'_>>(document, "customer"))
        else {
            return Ok(());
        };
        read_metadata(draft, customer.metadata);
        let said = CustomerObject {
            email: customer.email,
            name: customer.name,
            locale: customer.locale.map(|locale| language(&locale)),
            ..CustomerObject::default()
        };
        said.add_to(draft);
        Ok(())
    }
}

/// What the shop wrote on an object, where it is what we know: Mollie takes any JSON there.
pub(super) fn read_metadata(draft: &mut NormalizedEventDraft<'_>, raw: Option<&RawValue>) {
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
    email: Part<Arc<str>>,
    #[serde(default)]
    name: Part<Arc<str>>,
    #[serde(default)]
    locale: Part<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

/// Where its minor units differ from ISO 4217: in no currency.
pub(super) const EXPONENTS: &[(&str, u8)] = &[];
