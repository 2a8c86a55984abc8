//! Who a customer is: what the provider's customer object says, and what other objects say.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What an event says about the person. The provider's customer object gives a complete profile;
/// any other object (a checkout session, an invoice) only fills gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Whether it comes from the customer object, so that it replaces the profile before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub complete: bool,
    /// E-mail address, as the customer wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Arc<str>>,
    /// Name, as the customer wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Language, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Arc<str>>,
    /// Country, as an ISO 3166 code in upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Arc<str>>,
    /// The fields of which the customer object says that there is nothing in them. Any other field
    /// that is absent above is unknown, and other objects may say it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub empty: BTreeSet<ProfileField>,
}

/// A field of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileField {
    /// The e-mail address.
    Email,
    /// The name.
    Name,
    /// The language.
    Locale,
    /// The country.
    Country,
}

/// Who a customer is, as its events say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The provider's customer object, as last stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_profile: Option<Profile>,
    /// What other objects say. A field of it counts where `provider_profile` says nothing of it.
    #[serde(default)]
    pub fallback_profile: Profile,
    /// When the provider deleted the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

impl Person {
    /// Applies a profile. A complete one replaces the provider's profile; another one replaces
    /// the fields it has in the fallback profile.
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

    /// The address to write to. `None` once the provider deleted the customer, or says that it has
    /// none: what an older invoice or session still shows was taken away.
    pub fn email(&self) -> Option<&str> {
        if self.deleted_at.is_some() {
            return None;
        }
        self.field(ProfileField::Email, |profile| profile.email.as_deref())
    }

    /// The customer's name.
    pub fn name(&self) -> Option<&str> {
        self.field(ProfileField::Name, |profile| profile.name.as_deref())
    }

    /// The customer's language, as a BCP 47 tag.
    pub fn locale(&self) -> Option<&str> {
        self.field(ProfileField::Locale, |profile| profile.locale.as_deref())
    }

    /// The customer's country, as an ISO 3166 code.
    pub fn country(&self) -> Option<&str> {
        self.field(ProfileField::Country, |profile| profile.country.as_deref())
    }

    /// Every address in the state, also when the provider deleted the customer.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        let stated = self
            .provider_profile
            .as_ref()
            .and_then(|p| p.email.as_deref());
        stated
            .into_iter()
            .chain(self.fallback_profile.email.as_deref())
    }

    fn field<'a>(
        &'a self,
        field: ProfileField,
        get: impl Fn(&'a Profile) -> Option<&'a str>,
    ) -> Option<&'a str> {
        let provider = self.provider_profile.as_ref();
        let is_empty = provider.is_some_and(|profile| profile.empty.contains(&field));
        let fallback = (!is_empty).then_some(&self.fallback_profile);
        provider.and_then(&get).or_else(|| fallback.and_then(get))
    }
}
