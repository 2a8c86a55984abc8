//! `checkout.session.*`: where a purchase begins, and the first place a referral shows.

use super::facts::{
    Discount, StripeEvent, discounts, money, not_negative, profile, read_discounts,
};
use super::wire::{Expandable, ObjectRef, id};
use crate::draft::{NormalizedEventDraft, ids};
use crate::wire::{AddressCountry, Metadata, Part, UnclearValue};
use domain::event::Fact;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use domain::person::Profile;
use serde::Deserialize;
use std::sync::Arc;

/// A session that was completed, or whose slow payment came or failed. In mode `subscription`
/// its invoice tells of the money; the session then only says which ids belong together.
pub(super) fn session<'a>(
    event: &StripeEvent<'a>,
) -> Result<NormalizedEventDraft<'a>, UnclearValue> {
    let session: Session<'_> = event.object()?;
    let own = Some(&session.id.0);
    let intent = id(&session.payment_intent);
    let invoice = id(&session.invoice);
    let mut draft = event.draft_for(id(&session.customer), &[intent, own])?;
    draft.add_references(&[own, id(&session.subscription), invoice, intent]);
    let payment_ids = ids(&[own, invoice, intent]);
    let payment = session.payment(event, payment_ids.clone());
    match draft.readable(payment).flatten() {
        Some(payment) => draft.add_fact(Fact::Payment(payment)),
        None if payment_ids.len() > 1 => draft.add_fact(Fact::SamePayment { ids: payment_ids }),
        None => {}
    }
    if let Some(text) = &session.client_reference_id {
        draft.read_client_reference(text);
    }
    let metadata = draft.readable(session.metadata.read("data.object.metadata"));
    draft.read_metadata(metadata.flatten().as_ref());
    let listed = draft.readable(session.discounts.read("data.object.discounts"));
    read_discounts(&mut draft, &discounts(None, listed.flatten()));
    let details = session
        .customer_details
        .read("data.object.customer_details");
    let details = draft.readable(details).flatten().unwrap_or_default();
    draft.add_profile(Profile {
        locale: session.locale.filter(|locale| **locale != *"auto"),
        ..profile(
            details.email.or(session.customer_email),
            details.name,
            details.address,
        )
    });
    Ok(draft)
}

#[derive(Deserialize)]
struct Session<'a> {
    id: ObjectRef,
    mode: Arc<str>,
    payment_status: Arc<str>,
    #[serde(default)]
    customer: Option<ObjectRef>,
    #[serde(default)]
    customer_details: Part<Details>,
    #[serde(default)]
    customer_email: Option<Arc<str>>,
    #[serde(default)]
    client_reference_id: Option<Arc<str>>,
    #[serde(default)]
    subscription: Option<ObjectRef>,
    #[serde(default)]
    invoice: Option<ObjectRef>,
    #[serde(default)]
    payment_intent: Option<ObjectRef>,
    #[serde(default)]
    amount_total: Option<i64>,
    #[serde(default)]
    total_details: Part<Totals>,
    #[serde(default)]
    currency: Option<Arc<str>>,
    #[serde(default)]
    locale: Option<Arc<str>>,
    #[serde(borrow, default)]
    metadata: Part<Metadata<'a>>,
    #[serde(default)]
    discounts: Part<Vec<Expandable<Discount>>>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default)]
    email: Option<Arc<str>>,
    #[serde(default)]
    name: Option<Arc<str>>,
    #[serde(default)]
    address: Option<AddressCountry>,
}

#[derive(Deserialize)]
struct Totals {
    #[serde(default)]
    amount_tax: Option<i64>,
}

impl Session<'_> {
    fn payment(
        &self,
        event: &StripeEvent<'_>,
        ids: Vec<domain::ids::ObjectId>,
    ) -> Result<Option<PaymentSnapshot>, UnclearValue> {
        let one_off = match &*self.mode {
            "payment" => true,
            "subscription" | "setup" => false,
            other => return Err(UnclearValue::unknown_word("data.object.mode", other)),
        };
        let paid = match &*self.payment_status {
            "paid" => true,
            "unpaid" | "no_payment_required" => false,
            other => {
                return Err(UnclearValue::unknown_word(
                    "data.object.payment_status",
                    other,
                ));
            }
        };
        if !(one_off && paid) {
            return Ok(None);
        }
        let absent = |field: &str| UnclearValue::missing(&format!("data.object.{field}"));
        let minor = self.amount_total.ok_or_else(|| absent("amount_total"))?;
        let currency = self.currency.as_ref().ok_or_else(|| absent("currency"))?;
        let paid = money(not_negative(minor, "amount_total")?, currency)?;
        if paid.minor == 0 {
            return Ok(None);
        }
        Ok(Some(PaymentSnapshot {
            ids,
            source_kind: SourceKind::Session,
            paid,
            tax_minor: self
                .total_details
                .as_ref()
                .readable()
                .and_then(|t| t.amount_tax),
            paid_at: event.created,
            subscription: None,
            unlinked: false,
            purchased: Vec::new(),
        }))
    }
}
