//! Customers: the list, the search, and one customer's causes and effects.

use crate::console::Console;
use crate::display_prefs::DisplayPrefs;
use crate::index::CustomerSummary;
use crate::page_result::{PageError, PageResult};
use crate::render::values;
use crate::timeline::EventEffect;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use domain::event::Fact;
use domain::ids::CustomerKey;
use domain::payment::amounts::OtherCurrencyPart;
use domain::record::Entry;
use domain::record::explain::ExplainedEvent;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Table;
use store::folding::read_record;
use store::items::{LETTER, customer_partition};
use store::letters::{LetterRow, LetterState};

#[derive(Deserialize)]
pub(crate) struct CustomersQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

/// A customer in the list.
#[derive(Serialize)]
struct CustomerListRow {
    key: Arc<str>,
    #[serde(flatten)]
    summary: CustomerSummary,
}

pub(crate) async fn list(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(asked): Query<CustomersQuery>,
) -> PageResult {
    let words = asked.q.trim();
    let mut rows: Vec<CustomerListRow> = Vec::new();
    if !words.is_empty() {
        let named = console.customers_named(words).await?;
        if let [only] = named.as_slice() {
            let to = format!("/customer?key={}", crate::render::encoded(only.as_str()));
            return Ok(Redirect::to(&to).into_response());
        }
        let index = console.index.current();
        rows.extend(named.iter().filter_map(|key| {
            let (key, line) = index.customers.get_key_value(key.as_str())?;
            Some(CustomerListRow {
                key: key.clone(),
                summary: line.clone(),
            })
        }));
    }
    let (more, total) = {
        let index = console.index.current();
        let part = words.to_lowercase();
        let from = (
            std::ops::Bound::Excluded(asked.after.as_str()),
            std::ops::Bound::Unbounded,
        );
        let matches = |key: &str, line: &CustomerSummary| {
            let texts = [key, &line.name, &line.email];
            part.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&part))
        };
        let exact: Vec<Arc<str>> = rows.iter().map(|row| row.key.clone()).collect();
        let lines = index.customers.range::<str, _>(from);
        let mut lines = lines.filter(|(key, line)| matches(key, line) && !exact.contains(key));
        for (key, line) in lines.by_ref().take(PAGE_SIZE) {
            rows.push(CustomerListRow {
                key: key.clone(),
                summary: line.clone(),
            });
        }
        (lines.next().is_some(), index.counts.customers)
    };
    let next = rows.last().filter(|_| more).map(|row| row.key.clone());
    let values = values! { q => words, rows, next, total, after => asked.after };
    console.page(&display, "customers.html", values)
}

#[derive(Deserialize)]
pub(crate) struct CustomerQuery {
    key: String,
    /// Counted from the latest event, from 1.
    page: Option<usize>,
}

/// An event of the timeline.
#[derive(Serialize)]
struct TimelineEvent {
    id: String,
    kind: Arc<str>,
    occurred_at: String,
    received_at: String,
    verdict: &'static str,
    unclear: Option<Arc<str>>,
    effect: EventEffect,
}

pub(crate) async fn one(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(which): Query<CustomerQuery>,
) -> PageResult {
    let unknown = || PageError::NotFound(format!("there is no customer {}", which.key));
    let customer = CustomerKey::parse(which.key.as_str()).map_err(|_| unknown())?;
    let journal = console.journal(&customer).await?;
    if journal.sorted.is_empty() {
        return Err(unknown());
    }
    let letters = console.letters(&customer).await?;
    let record = read_record(&console.table, &customer).await?;
    let total = journal.sorted.len();
    let pages = total.div_ceil(EVENTS_PER_PAGE);
    let page = which.page.unwrap_or(1).clamp(1, pages.max(1));
    let end = total.saturating_sub(page.saturating_sub(1).saturating_mul(EVENTS_PER_PAGE));
    let start = end.saturating_sub(EVENTS_PER_PAGE);
    let steps = journal.effects(start..end, &console.shop.catalog);
    let entries = journal.sorted.get(start..end).unwrap_or_default();
    let explained = journal.explained.get(start..end).unwrap_or_default();
    let mut timeline: Vec<TimelineEvent> = entries
        .iter()
        .zip(explained)
        .zip(steps)
        .map(|((entry, explained), step)| TimelineEvent::new(entry, explained, step))
        .collect();
    timeline.reverse();
    let (view, payments) = (&journal.view, journal.payments);
    let paid: Vec<PaymentText> = view.payments.iter().map(PaymentText::new).collect();
    let letters_by_cause: BTreeMap<String, &LetterSummary> = letters
        .iter()
        .map(|letter| (format!("{}#{}", letter.letter, letter.cause), letter))
        .collect();
    let values = values! {
        customer => customer.as_str(),
        view, paid, payments, timeline, letters, letters_by_cause, page, pages, total,
        subscriptions => journal.subscriptions,
        pending => record.as_ref().map_or(0, |record| record.pending.len()),
        next_due_at => record.and_then(|record| record.next_due_at.map(|at| at.to_string())),
    };
    console.page(&display, "customer.html", values)
}

impl TimelineEvent {
    fn new(entry: &Entry, explained: &ExplainedEvent, effect: EventEffect) -> Self {
        Self {
            id: entry.event.id.to_string(),
            kind: entry.event.kind.clone(),
            occurred_at: entry.event.occurred_at.to_string(),
            received_at: entry.received_at.to_string(),
            verdict: explained.verdict.as_str(),
            unclear: unclear_reason(entry),
            effect,
        }
    }
}

/// What was not understood of an entry.
pub(crate) fn unclear_reason(entry: &Entry) -> Option<Arc<str>> {
    entry.event.facts.iter().find_map(|fact| match fact {
        Fact::Unclear { what } => Some(what.clone()),
        Fact::Profile(_)
        | Fact::CustomerDeleted
        | Fact::GuestIdentified { .. }
        | Fact::Subscription(_)
        | Fact::Invoice(_)
        | Fact::Payment(_)
        | Fact::SamePayment { .. }
        | Fact::CumulativeRefund { .. }
        | Fact::Refund(_)
        | Fact::Dispute(_)
        | Fact::Referral(_)
        | Fact::ReferralCanceled { .. }
        | Fact::ReferralCode { .. }
        | Fact::AttributionTerms(_)
        | Fact::Reviewed { .. }
        | Fact::CodeGranted(_)
        | Fact::Fingerprint { .. }
        | Fact::Waiting { .. } => None,
    })
}

/// A payment as people read it.
#[derive(Serialize)]
struct PaymentText {
    id: String,
    paid: String,
    refunded: Option<String>,
    disputed: Option<String>,
    at: Option<String>,
    subscription: Option<String>,
    unlinked: bool,
}

impl PaymentText {
    fn new(payment: &domain::view::PaymentView) -> Self {
        let amount = |minor| local_shop::amounts::amount(payment, minor);
        let part = |part, minor| local_shop::amounts::part(payment, part, minor);
        Self {
            id: payment
                .id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            paid: amount(payment.paid.minor),
            refunded: part(OtherCurrencyPart::Refund, payment.refunded_minor),
            disputed: part(OtherCurrencyPart::Dispute, payment.disputed_minor),
            at: payment.paid_at.map(|at| at.to_string()),
            subscription: payment.subscription.as_ref().map(ToString::to_string),
            unlinked: payment.unlinked,
        }
    }
}

/// A letter's row as people read it.
#[derive(Serialize)]
pub(crate) struct LetterSummary {
    pub(crate) letter: &'static str,
    pub(crate) cause: Arc<str>,
    pub(crate) state: &'static str,
    pub(crate) due_at: String,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) mail: Option<Arc<str>>,
}

impl LetterSummary {
    fn new(row: &LetterRow) -> Self {
        let (reason, mail) = match &row.state {
            LetterState::Withdrawn { reason, .. } | LetterState::Failed { reason, .. } => {
                (Some(reason.clone()), None)
            }
            LetterState::Sent { message_id, .. } => (None, Some(message_id.clone())),
            LetterState::Due | LetterState::Claimed { .. } | LetterState::Unknown { .. } => {
                (None, None)
            }
        };
        Self {
            letter: row.letter.as_str(),
            cause: row.cause.clone(),
            state: row.state.name(),
            due_at: row.due_at.to_string(),
            reason,
            mail,
        }
    }
}

impl Console {
    pub(crate) async fn letters(
        &self,
        customer: &CustomerKey,
    ) -> anyhow::Result<Vec<LetterSummary>> {
        let partition = customer_partition(customer);
        let rows = self.table.query_rows::<Arc<LetterRow>>(&partition, LETTER);
        let rows = rows.await?;
        let mut letters: Vec<LetterSummary> =
            rows.iter().map(|row| LetterSummary::new(row)).collect();
        letters.sort_by(|a, b| (&a.due_at, &a.cause).cmp(&(&b.due_at, &b.cause)));
        Ok(letters)
    }
}

const PAGE_SIZE: usize = 50;
const EVENTS_PER_PAGE: usize = 50;
