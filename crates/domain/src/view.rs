//! The record as the shop's own code and people read it: stable, documented JSON.
//!
//! Amounts are integer minor units as the provider counts them, with `exponent` decimal places.
//! Times are RFC 3339 in UTC. Absent values are `null`.

use crate::catalog::{Catalog, ItemKind};
use crate::ids::{CustomerKey, ObjectId};
use crate::money::Money;
use crate::payment::payments::Payment;
use crate::record::explain::ExplainedEvent;
use crate::state::CustomerState;
use crate::subscription::state::Subscription;
use crate::subscription::terms::SubscriptionItem;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// All there is to say of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomerView {
    /// The person, as far as the provider says.
    pub customer: PersonView,
    /// Subscriptions, the earliest first.
    pub subscriptions: Vec<SubscriptionView>,
    /// Payments, the earliest first.
    pub payments: Vec<PaymentView>,
    /// Invoices that could not be collected at once.
    pub failed_invoices: Vec<InvoiceView>,
    /// The partner the customer came through.
    pub attribution: Option<AttributionView>,
    /// Referral codes seen in what the provider sent.
    pub referral_codes: Vec<Arc<str>>,
    /// Letters.
    pub letters: Vec<LetterView>,
    /// Events in the order of the fold.
    pub events: Vec<EventView>,
}

/// Who a customer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonView {
    /// The key: provider, mode, the provider's id.
    pub id: CustomerKey,
    /// E-mail address.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// BCP 47 tag.
    pub locale: Option<String>,
    /// ISO 3166 code.
    pub country: Option<String>,
    /// When the provider deleted the customer.
    pub deleted_at: Option<Timestamp>,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscriptionView {
    /// The provider's id.
    pub id: ObjectId,
    /// One of the eight statuses.
    pub status: &'static str,
    /// The plan's key in the catalog, else the price's own id.
    pub plan: Option<String>,
    /// ISO 4217 code, lower case.
    pub currency: Option<String>,
    /// What is sold.
    pub items: Vec<ItemView>,
    /// When it began.
    pub started_at: Timestamp,
    /// Billing period.
    pub current_period_start: Option<Timestamp>,
    /// Its end.
    pub current_period_end: Option<Timestamp>,
    /// Trial.
    pub trial_start: Option<Timestamp>,
    /// Its end.
    pub trial_end: Option<Timestamp>,
    /// When it is set to end.
    pub cancel_at: Option<Timestamp>,
    /// Whether it ends with its period.
    pub cancel_at_period_end: bool,
    /// When the end was asked for.
    pub canceled_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Collection paused: what happens to invoices meanwhile.
    pub pause_behavior: Option<Arc<str>>,
    /// When collection goes on by itself.
    pub pause_resumes_at: Option<Timestamp>,
    /// Statements of one instant contradict each other.
    pub ambiguous: bool,
}

/// A line of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemView {
    /// The provider's id.
    pub id: ObjectId,
    /// `base`, `add_on`, `metered`, or `unlisted` where the catalog does not say.
    pub kind: &'static str,
    /// The provider's price.
    pub price: String,
    /// Its key in the catalog.
    pub product: Option<String>,
    /// How many.
    pub quantity: Option<u64>,
    /// Minor units each.
    pub unit_minor: Option<i64>,
    /// Its own period's end, where it has one.
    pub current_period_end: Option<Timestamp>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentView {
    /// The most telling of its ids: intent, else charge, else invoice, else session.
    pub id: Option<ObjectId>,
    /// All its ids.
    pub ids: Vec<ObjectId>,
    /// What arrived.
    #[serde(flatten)]
    pub paid: Money,
    /// Tax within it.
    pub tax_minor: Option<i64>,
    /// Gone back by refunds.
    pub refunded_minor: i64,
    /// Held or taken by disputes.
    pub disputed_minor: i64,
    /// When it arrived.
    pub paid_at: Option<Timestamp>,
    /// For which subscription.
    pub subscription: Option<ObjectId>,
}

/// An invoice that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceView {
    /// The provider's id.
    pub id: ObjectId,
    /// How it stands.
    pub state: crate::payment::snapshot::InvoiceState,
    /// What was owed.
    #[serde(flatten)]
    pub due: Money,
    /// When it first failed.
    pub failed_at: Timestamp,
    /// How often collection was tried.
    pub attempts: u32,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was paid or given up.
    pub settled_at: Option<Timestamp>,
}

/// Who sent the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttributionView {
    /// The partner.
    pub partner: String,
    /// The partner's id of the referral.
    pub referral: Arc<str>,
    /// When the partner sent the customer.
    pub referred_at: Timestamp,
}

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterView {
    /// Its kind, as in the JSON of rows.
    pub kind: &'static str,
    /// About what.
    pub cause: Arc<str>,
    /// `owed`, `claimed`, `sent`, `withdrawn`, `failed` or `unknown`.
    pub state: &'static str,
    /// When it was first owed.
    pub due_at: Timestamp,
    /// Why it was not sent.
    pub reason: Option<Arc<str>>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventView {
    /// The provider's own id; a partner's has the partner in front: `partner/acme/msg_1`.
    pub id: String,
    /// The sender's name for it.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// `applied`, `late`, `quarantined` or `ambiguous`.
    pub verdict: &'static str,
}

impl CustomerView {
    /// The view of a state that was folded from the whole journal.
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
            .map(|(id, known)| SubscriptionView::new(id, known, catalog))
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
            },
            subscriptions,
            payments: state
                .payments
                .settled()
                .filter_map(PaymentView::new)
                .collect(),
            failed_invoices: failed_invoices(state),
            attribution: state.attribution().map(|found| AttributionView {
                partner: found.referral.partner.to_string(),
                referral: found.referral.referral.clone(),
                referred_at: found.referral.referred_at,
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
    fn new(id: &ObjectId, known: &Subscription, catalog: &Catalog) -> Self {
        let terms = &known.terms;
        let plan = catalog
            .base(&terms.items)
            .map(|item| match catalog.product(&item.price) {
                Some((_, key, _)) => key.to_owned(),
                None => item.price.to_string(),
            });
        Self {
            id: id.clone(),
            status: terms.status.as_str(),
            plan,
            currency: known.currency.map(|currency| currency.code().to_owned()),
            items: terms
                .items
                .iter()
                .map(|i| ItemView::new(i, &terms.items, catalog))
                .collect(),
            started_at: known.started_at,
            current_period_start: terms.period.map(|period| period.start),
            current_period_end: terms.period.map(|period| period.end),
            trial_start: terms.trial.map(|trial| trial.start),
            trial_end: terms.trial.map(|trial| trial.end),
            cancel_at: terms.cancel_at,
            cancel_at_period_end: terms.cancel_at_period_end,
            canceled_at: known.canceled_at,
            ended_at: known.ended_at,
            pause_behavior: terms.pause.as_ref().map(|pause| pause.behavior.clone()),
            pause_resumes_at: terms.pause.as_ref().and_then(|pause| pause.resumes_at),
            ambiguous: known.ambiguous,
        }
    }
}

impl ItemView {
    fn new(item: &SubscriptionItem, among: &[SubscriptionItem], catalog: &Catalog) -> Self {
        Self {
            id: item.id.clone(),
            kind: match catalog.kind(item, among) {
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
            current_period_end: item.period.map(|period| period.end),
        }
    }
}

impl PaymentView {
    fn new(payment: &Payment) -> Option<Self> {
        Some(Self {
            id: payment.id().cloned(),
            ids: payment.ids.iter().cloned().collect(),
            paid: payment.paid()?,
            tax_minor: payment.tax_minor(),
            refunded_minor: payment.refunded_minor(),
            disputed_minor: payment.disputed_minor(),
            paid_at: payment.paid_at(),
            subscription: payment.subscription().cloned(),
        })
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
            next_attempt_at: invoice.next_attempt_at,
            settled_at: invoice.settled_at,
        })
        .collect();
    invoices.sort_by(|a, b| (a.failed_at, &a.id).cmp(&(b.failed_at, &b.id)));
    invoices
}

impl EventView {
    fn new(customer: &CustomerKey, event: &ExplainedEvent) -> Self {
        let own = event.id.as_str().strip_prefix(customer.account());
        let id = own
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(event.id.as_str());
        Self {
            id: id.to_owned(),
            kind: event.kind.clone(),
            occurred_at: event.occurred_at,
            verdict: event.verdict.as_str(),
        }
    }
}
