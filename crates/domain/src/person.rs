//! Who a customer is: what the provider's customer object says, and what was seen elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What an event says about the person. From the provider's customer object it is the whole
/// truth (`complete`), from anywhere else it fills gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Whether absent fields mean "none".
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub complete: bool,
    /// E-mail address as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Arc<str>>,
    /// Name as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Arc<str>>,
    /// ISO 3166 country, upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Arc<str>>,
}

/// Who a customer is: what its provider states as a whole, and what else was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The provider's customer object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_profile: Option<Profile>,
    /// Seen elsewhere; fills gaps.
    #[serde(default)]
    pub fallback_profile: Profile,
    /// When the provider deleted the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

impl Person {
    /// Takes over what an event says: all of it from the provider's customer object, from
    /// anywhere else what it names.
    pub(crate) fn apply(&mut self, profile: &Profile) {
        if profile.complete {
            self.provider_profile = Some(profile.clone());
            return;
        }
        let fallback = &mut self.fallback_profile;
        let fill = |field: &mut Option<_>, new: &Option<_>| {
            if new.is_some() {
                field.clone_from(new);
            }
        };
        fill(&mut fallback.email, &profile.email);
        fill(&mut fallback.name, &profile.name);
        fill(&mut fallback.locale, &profile.locale);
        fill(&mut fallback.country, &profile.country);
    }

    /// The address to write to, unless the provider deleted the customer.
    pub fn email(&self) -> Option<&str> {
        if self.deleted_at.is_some() {
            return None;
        }
        self.field(|profile| profile.email.as_deref())
    }

    /// The name.
    pub fn name(&self) -> Option<&str> {
        self.field(|profile| profile.name.as_deref())
    }

    /// The language, as a BCP 47 tag.
    pub fn locale(&self) -> Option<&str> {
        self.field(|profile| profile.locale.as_deref())
    }

    /// The country.
    pub fn country(&self) -> Option<&str> {
        self.field(|profile| profile.country.as_deref())
    }

    /// Every address known, also of a customer that the provider deleted.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        let stated = self
            .provider_profile
            .as_ref()
            .and_then(|p| p.email.as_deref());
        stated
            .into_iter()
            .chain(self.fallback_profile.email.as_deref())
    }

    fn field<'a>(&'a self, get: impl Fn(&'a Profile) -> Option<&'a str>) -> Option<&'a str> {
        self.provider_profile
            .as_ref()
            .and_then(&get)
            .or_else(|| get(&self.fallback_profile))
    }
}
