//! The record as the shop's code and people read it: the JSON of `orangery customer --json`.
//!
//! Its shape is stable. Amounts are integer minor units as the provider counts them, with
//! `exponent` decimal places. Times are RFC 3339 in UTC. Absent values are `null`.

mod payment;

pub use payment::{DisputeView, OtherCurrencyView, PaymentView};

use crate::catalog::{Catalog, ItemKind};
use crate::ids::{CustomerKey, ObjectId, ReferralCode};
use crate::money::Money;
use crate::record::explain::ExplainedEvent;
use crate::state::CustomerState;
use crate::subscription::state::Subscription;
use crate::subscription::terms::SubscriptionItem;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// A customer's whole record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomerView {
    /// Who the customer is.
    pub customer: PersonView,
    /// Subscriptions, the earliest first.
    pub subscriptions: Vec<SubscriptionView>,
    /// Payments, the earliest first.
    pub payments: Vec<PaymentView>,
    /// Invoices that failed at least once, the earliest failure first.
    pub failed_invoices: Vec<InvoiceView>,
    /// The partner that sent the customer; `null` when no referral counts.
    pub attribution: Option<AttributionView>,
    /// Referral codes that the customer used.
    pub referral_codes: Vec<ReferralCode>,
    /// E-mails to the customer, sent or not.
    pub letters: Vec<LetterView>,
    /// Events in the order of the fold.
    pub events: Vec<EventView>,
}

/// Who a customer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PersonView {
    /// The customer's key: provider, mode and the provider's id, `stripe/live/cus_1`.
    pub id: CustomerKey,
    /// E-mail address.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Language, as a BCP 47 tag.
    pub locale: Option<String>,
    /// Country, as an ISO 3166 code.
    pub country: Option<String>,
    /// When the provider deleted the customer.
    pub deleted_at: Option<Timestamp>,
    /// Of a guest: the customers that it turned out to be. What its events say stands there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identified_as: Vec<CustomerKey>,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SubscriptionView {
    /// The provider's id.
    pub id: ObjectId,
    /// One of the eight statuses of `SubscriptionStatus`, as `past_due`.
    pub status: &'static str,
    /// The plan's key in the catalog, else the id of its price.
    pub plan: Option<String>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// The plan, add-ons and metered items.
    pub items: Vec<ItemView>,
    /// Whether there may be items that no event showed in full.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub items_partial: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// Start of the plan's billing period.
    pub current_period_start: Option<Timestamp>,
    /// End of the billing period, exclusive.
    pub current_period_end: Option<Timestamp>,
    /// Start of the trial.
    pub trial_start: Option<Timestamp>,
    /// End of the trial, exclusive.
    pub trial_end: Option<Timestamp>,
    /// The date on which it is set to end.
    pub cancel_at: Option<Timestamp>,
    /// Whether it ends with its billing period.
    pub cancel_at_period_end: bool,
    /// When somebody asked to end it.
    pub canceled_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What happens to invoices while collection is paused, in the provider's word.
    pub pause_behavior: Option<Arc<str>>,
    /// When collection resumes by itself.
    pub pause_resumes_at: Option<Timestamp>,
    /// Whether snapshots of one instant contradict each other, so that its state is uncertain.
    pub ambiguous: bool,
}

/// An item of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ItemView {
    /// The provider's id.
    pub id: ObjectId,
    /// `base`, `add_on`, `metered`, or `unlisted` where the catalog does not say.
    pub kind: &'static str,
    /// The provider's id of its price.
    pub price: String,
    /// The product's key in the catalog.
    pub product: Option<String>,
    /// How many are sold.
    pub quantity: Option<u64>,
    /// The price of one, or of one package, in minor units.
    pub unit_minor: Option<i64>,
    /// How many are in a package, where they are sold by the package.
    pub package_size: Option<u64>,
    /// End of the item's own billing period, where it has one.
    pub current_period_end: Option<Timestamp>,
}

/// An invoice that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct InvoiceView {
    /// The provider's id.
    pub id: ObjectId,
    /// Its state, as `failed`.
    pub state: crate::payment::snapshot::InvoiceState,
    /// The amount to be collected.
    #[serde(flatten)]
    pub due: Money,
    /// When it first failed.
    pub failed_at: Timestamp,
    /// The number of attempts to collect it.
    pub attempts: u32,
    /// When the provider tries again; `null` where it does not, or does not say.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was paid, or else first given up.
    pub settled_at: Option<Timestamp>,
}

/// The referral that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AttributionView {
    /// The partner.
    pub partner: String,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner sent the customer.
    pub referred_at: Timestamp,
}

/// An e-mail to the customer, sent or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterView {
    /// The kind of e-mail, as `welcome`.
    pub kind: &'static str,
    /// What it is about: the id of a subscription or invoice, with a time where it needs one.
    pub cause: Arc<str>,
    /// `due`, `claimed`, `sent`, `withdrawn`, `failed` or `unknown`.
    pub state: &'static str,
    /// When it first became due.
    pub due_at: Timestamp,
    /// Why it was not sent.
    pub reason: Option<Arc<str>>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventView {
    /// The provider's id of it; for a partner's event `partner/acme/msg_1`.
    pub id: String,
    /// The sender's name for this type of event, as `invoice.paid`.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// `applied`, `out_of_order`, `quarantined` or `ambiguous`.
    pub verdict: &'static str,
    /// Why it is quarantined: what of it can't be read.
    pub reason: Option<String>,
}

impl CustomerView {
    /// The view of a state that was folded from the customer's whole journal.
    pub fn new(
        customer: &CustomerKey,
        state: &CustomerState,
        catalog: &Catalog,
        letters: Vec<LetterView>,
        events: &[ExplainedEvent],
    ) -> Self {
        let person = &state.person;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut subscriptions: Vec<_> = state
            .subscriptions
            .iter()
            .map(|(id, current)| SubscriptionView::new(id, current, catalog))
            .collect();
        subscriptions.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
        Self {
            customer: PersonView {
                id: customer.clone(),
                email: owned(person.email()),
                name: owned(person.name()),
                locale: owned(person.locale()),
                country: owned(person.country()),
                deleted_at: person.deleted_at,
                identified_as: state.identified_as.iter().cloned().collect(),
            },
            subscriptions,
            payments: state
                .payments
                .settled()
                .filter_map(|payment| PaymentView::new(&payment))
                .collect(),
            failed_invoices: failed_invoices(state),
            attribution: state.attribution().map(|attribution| AttributionView {
                partner: attribution.referral.partner.to_string(),
                referral: attribution.referral.referral.clone(),
                referred_at: attribution.referral.referred_at,
            }),
            referral_codes: state.partners.seen_codes.iter().cloned().collect(),
            letters,
            events: events
                .iter()
                .map(|event| EventView::new(customer, event))
                .collect(),
        }
    }
}

impl SubscriptionView {
    fn new(id: &ObjectId, subscription: &Subscription, catalog: &Catalog) -> Self {
        let terms = &subscription.terms;
        let base = catalog.base(&terms.items);
        let plan = base.map(|item| match catalog.product(&item.price) {
            Some((_, key, _)) => key.to_owned(),
            None => item.price.to_string(),
        });
        let period = base.and_then(|item| item.period).or(terms.period);
        Self {
            id: id.clone(),
            status: terms.status.as_str(),
            plan,
            currency: subscription
                .currency
                .map(|currency| currency.code().to_owned()),
            items: terms
                .items
                .iter()
                .map(|i| ItemView::new(i, &terms.items, catalog))
                .collect(),
            started_at: subscription.started_at,
            current_period_start: period.map(|period| period.start),
            current_period_end: period.map(|period| period.end),
            trial_start: terms.trial.map(|trial| trial.start),
            trial_end: terms.trial.map(|trial| trial.end),
            cancel_at: terms.cancel_at,
            cancel_at_period_end: terms.cancel_at_period_end,
            canceled_at: subscription.canceled_at,
            ended_at: subscription.ended_at,
            pause_behavior: terms.pause.as_ref().map(|pause| pause.behavior.clone()),
            pause_resumes_at: terms.pause.as_ref().and_then(|pause| pause.resumes_at),
            ambiguous: subscription.ambiguous,
            items_partial: terms.items_partial,
        }
    }
}

impl ItemView {
    fn new(item: &SubscriptionItem, items: &[SubscriptionItem], catalog: &Catalog) -> Self {
        Self {
            id: item.id.clone(),
            kind: match catalog.kind(item, items) {
                ItemKind::Base => "base",
                ItemKind::AddOn => "add_on",
                ItemKind::Metered => "metered",
                ItemKind::Unlisted => "unlisted",
            },
            price: item.price.to_string(),
            product: catalog
                .product(&item.price)
                .map(|(_, key, _)| key.to_owned()),
            quantity: item.quantity,
            unit_minor: item.unit_minor,
            package_size: item.pricing.package.map(|package| package.size),
            current_period_end: item.period.map(|period| period.end),
        }
    }
}

fn failed_invoices(state: &CustomerState) -> Vec<InvoiceView> {
    let mut invoices: Vec<_> = state
        .invoices
        .iter()
        .map(|(id, invoice)| InvoiceView {
            id: id.clone(),
            state: invoice.state,
            due: invoice.due,
            failed_at: invoice.failed_at,
            attempts: invoice.attempts,
            next_attempt_at: invoice.next_attempt.time(),
            settled_at: invoice.settled_at,
        })
        .collect();
    invoices.sort_by(|a, b| (a.failed_at, &a.id).cmp(&(b.failed_at, &b.id)));
    invoices
}

impl EventView {
    fn new(customer: &CustomerKey, event: &ExplainedEvent) -> Self {
        let without_account = event.id.as_str().strip_prefix(customer.account());
        let id = without_account
            .and_then(|id| id.strip_prefix('/'))
            .unwrap_or(event.id.as_str());
        Self {
            id: id.to_owned(),
            kind: event.kind.clone(),
            occurred_at: event.occurred_at,
            verdict: event.verdict.as_str(),
            reason: (!event.unclear.is_empty()).then(|| event.unclear.join("; ")),
        }
    }
}
