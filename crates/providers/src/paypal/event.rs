//! An event of PayPal's, and whose it is.

use crate::draft::NormalizedEventDraft;
use crate::fetch::ResponseTracker;
use crate::wire::{UnclearValue, read_object};
use domain::event::About;
use domain::ids::{ObjectId, ProviderAccount};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event whose envelope was read.
pub(super) struct PaypalEvent<'a, 'f> {
    /// The account of the endpoint at which it arrived.
    pub(super) account: &'a ProviderAccount,
    /// When it happened.
    pub(super) at: Timestamp,
    /// What PayPal's API says.
    pub(super) responses: &'a ResponseTracker<'f>,
    /// What it is about.
    pub(super) resource: &'a RawValue,
}

impl<'a> PaypalEvent<'a, '_> {
    /// Reads the resource.
    pub(super) fn resource<T: Deserialize<'a>>(&self) -> Result<T, UnclearValue> {
        read_object(self.resource, "resource")
    }

    /// This customer's, or a guest's whose payment this is.
    pub(super) fn draft_for(&self, customer: &ObjectId) -> NormalizedEventDraft<'a> {
        let customer = self.account.customer(customer);
        NormalizedEventDraft::new(self.account, About::Customer(customer))
    }

    /// That of whoever these lead to.
    pub(super) fn draft_by_reference(&self, ids: &[&ObjectId]) -> NormalizedEventDraft<'a> {
        let references = ids.iter().map(|id| self.account.reference(id));
        NormalizedEventDraft::new(self.account, About::ByReference(references.collect()))
    }
}
