//! What a provider's customer object says of a person: each field is said, empty, or unknown.

use crate::draft::{NormalizedEventDraft, profile, whole_profile};
use crate::wire::Part;
use domain::event::Fact;
use domain::person::Profile;
use std::sync::Arc;

/// The fields of a customer object. One that the provider does not have stays absent: other objects
/// may say it. One that is null or blank is empty, whatever other objects said before.
#[derive(Default)]
pub(crate) struct CustomerObject {
    pub(crate) email: Part<Arc<str>>,
    pub(crate) name: Part<Arc<str>>,
    pub(crate) locale: Part<Arc<str>>,
    pub(crate) country: Part<Arc<str>>,
}

impl CustomerObject {
    /// Adds what it says. A field that can't be read is unknown.
    pub(crate) fn add_to(self, draft: &mut NormalizedEventDraft<'_>) {
        for (part, place) in [
            (&self.email, "customer.email"),
            (&self.name, "customer.name"),
            (&self.locale, "customer.locale"),
            (&self.country, "customer.country"),
        ] {
            draft.readable(part.as_ref().read(place));
        }
        draft.add_fact(Fact::Profile(whole_profile(
            self.email.stated(),
            self.name.stated(),
            self.locale.stated(),
            self.country.stated(),
        )));
    }

    /// Adds what it says where it stands within another object, of an earlier moment perhaps.
    pub(crate) fn fill_gaps(self, draft: &mut NormalizedEventDraft<'_>) {
        draft.add_profile(self.said());
    }

    fn said(self) -> Profile {
        let locale = self.locale.readable();
        Profile {
            locale: locale.filter(|locale| !locale.trim().is_empty()),
            ..profile(
                self.email.readable(),
                self.name.readable(),
                self.country.readable(),
            )
        }
    }
}
