//! Customers: the list, the search, and one customer's causes and effects.

use super::index::Line;
use super::look::Look;
use super::render::values;
use super::timeline::Step;
use super::{Console, Fault, Page};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use domain::explain::Explained;
use domain::ids::CustomerKey;
use domain::reading::Fact;
use domain::record::Entry;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::folding::read_record;
use store::items::{LETTER, customer_partition};
use store::letters::{LetterRow, LetterState};
use store::{Item, Table};

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

/// A customer in the list.
#[derive(Serialize)]
struct Row {
    key: Arc<str>,
    #[serde(flatten)]
    line: Line,
}

pub(crate) async fn list(
    State(console): State<Console>,
    look: Look,
    Query(asked): Query<Asked>,
) -> Page {
    let words = asked.q.trim();
    let mut rows: Vec<Row> = Vec::new();
    if !words.is_empty() {
        let named = console.named(words).await?;
        if let [only] = named.as_slice() {
            let to = format!("/customer?key={}", super::render::encoded(only.as_str()));
            return Ok(Redirect::to(&to).into_response());
        }
        let known = console.index.now();
        rows.extend(named.iter().filter_map(|key| {
            let (key, line) = known.customers.get_key_value(key.as_str())?;
            Some(Row {
                key: key.clone(),
                line: line.clone(),
            })
        }));
    }
    let (more, total) = {
        let known = console.index.now();
        let part = words.to_lowercase();
        let from = (
            std::ops::Bound::Excluded(asked.after.as_str()),
            std::ops::Bound::Unbounded,
        );
        let matches = |key: &str, line: &Line| {
            let texts = [key, &line.name, &line.email];
            part.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&part))
        };
        let exact: Vec<Arc<str>> = rows.iter().map(|row| row.key.clone()).collect();
        let lines = known.customers.range::<str, _>(from);
        let mut lines = lines.filter(|(key, line)| matches(key, line) && !exact.contains(key));
        for (key, line) in lines.by_ref().take(PAGE) {
            rows.push(Row {
                key: key.clone(),
                line: line.clone(),
            });
        }
        (lines.next().is_some(), known.counts.customers)
    };
    let next = rows.last().filter(|_| more).map(|row| row.key.clone());
    let values = values! { q => words, rows, next, total, after => asked.after };
    console.page(&look, "customers.html", values)
}

#[derive(Deserialize)]
pub(crate) struct Which {
    key: String,
    /// Counted from the latest event, from 1.
    page: Option<usize>,
}

/// An event of the timeline.
#[derive(Serialize)]
struct Told {
    id: String,
    kind: Arc<str>,
    occurred_at: String,
    received_at: String,
    verdict: &'static str,
    unclear: Option<Arc<str>>,
    step: Step,
}

pub(crate) async fn one(
    State(console): State<Console>,
    look: Look,
    Query(which): Query<Which>,
) -> Page {
    let customer = CustomerKey::new(which.key.as_str());
    let journal = console.journal(&customer).await?;
    if journal.sorted.is_empty() {
        return Err(Fault::NotThere(format!("nobody is known as {customer}")));
    }
    let letters = console.letters(&customer).await?;
    let record = read_record(&console.table, &customer).await?;
    let total = journal.sorted.len();
    let pages = total.div_ceil(EVENTS);
    let page = which.page.unwrap_or(1).clamp(1, pages.max(1));
    let end = total.saturating_sub(page.saturating_sub(1).saturating_mul(EVENTS));
    let start = end.saturating_sub(EVENTS);
    let steps = journal.steps(start..end, &console.shop.catalog);
    let entries = journal.sorted.get(start..end).unwrap_or_default();
    let explained = journal.explained.get(start..end).unwrap_or_default();
    let mut told: Vec<Told> = entries
        .iter()
        .zip(explained)
        .zip(steps)
        .map(|((entry, explained), step)| Told::new(entry, explained, step))
        .collect();
    told.reverse();
    let (view, payments) = (&journal.view, journal.payments);
    let paid: Vec<Paid> = view.payments.iter().map(Paid::new).collect();
    let owed: BTreeMap<String, &Letter> = letters
        .iter()
        .map(|letter| (format!("{}#{}", letter.letter, letter.cause), letter))
        .collect();
    let values = values! {
        customer => customer.as_str(),
        view, paid, payments, told, letters, owed, page, pages, total,
        subscriptions => journal.subscriptions,
        pending => record.as_ref().map_or(0, |record| record.pending.len()),
        look_at => record.and_then(|record| record.look_at.map(|at| at.to_string())),
    };
    console.page(&look, "customer.html", values)
}

impl Told {
    fn new(entry: &Entry, explained: &Explained, step: Step) -> Self {
        Self {
            id: entry.reading.id.to_string(),
            kind: entry.reading.kind.clone(),
            occurred_at: entry.reading.occurred_at.to_string(),
            received_at: entry.received_at.to_string(),
            verdict: explained.verdict.as_str(),
            unclear: unclear(entry),
            step,
        }
    }
}

/// What was not understood of an entry.
pub(super) fn unclear(entry: &Entry) -> Option<Arc<str>> {
    entry.reading.facts.iter().find_map(|fact| match fact {
        Fact::Unclear { what } => Some(what.clone()),
        Fact::Profile(_)
        | Fact::CustomerDeleted
        | Fact::Subscription(_)
        | Fact::Invoice(_)
        | Fact::Payment(_)
        | Fact::SamePayment { .. }
        | Fact::RefundedSoFar { .. }
        | Fact::Refund(_)
        | Fact::Dispute(_)
        | Fact::Referral(_)
        | Fact::ReferralCanceled { .. }
        | Fact::ReferralCode { .. }
        | Fact::Pinned(_)
        | Fact::Reviewed { .. }
        | Fact::CodeGranted(_)
        | Fact::Fingerprint { .. }
        | Fact::Waiting { .. } => None,
    })
}

/// A payment as people read it.
#[derive(Serialize)]
struct Paid {
    id: String,
    paid: String,
    refunded: Option<String>,
    disputed: Option<String>,
    at: Option<String>,
    subscription: Option<String>,
}

impl Paid {
    fn new(payment: &domain::view::PaymentView) -> Self {
        let amount = |minor| crate::customer::amount(payment, minor);
        let back = |minor: i64| (minor != 0).then(|| amount(minor));
        Self {
            id: payment
                .id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            paid: amount(payment.paid.minor),
            refunded: back(payment.refunded_minor),
            disputed: back(payment.disputed_minor),
            at: payment.paid_at.map(|at| at.to_string()),
            subscription: payment.subscription.as_ref().map(ToString::to_string),
        }
    }
}

/// A letter's row as people read it.
#[derive(Serialize)]
pub(super) struct Letter {
    pub(super) letter: &'static str,
    pub(super) cause: Arc<str>,
    pub(super) state: &'static str,
    pub(super) owed_at: String,
    pub(super) reason: Option<Arc<str>>,
    pub(super) mail: Option<Arc<str>>,
}

impl Letter {
    fn new(row: &LetterRow) -> Self {
        let (reason, mail) = match &row.state {
            LetterState::Withdrawn { reason, .. } | LetterState::Failed { reason, .. } => {
                (Some(reason.clone()), None)
            }
            LetterState::Sent { message_id, .. } => (None, Some(message_id.clone())),
            LetterState::Owed | LetterState::Claimed { .. } | LetterState::Unknown { .. } => {
                (None, None)
            }
        };
        Self {
            letter: row.letter.as_str(),
            cause: row.cause.clone(),
            state: row.state.name(),
            owed_at: row.owed_at.to_string(),
            reason,
            mail,
        }
    }
}

impl Console {
    pub(super) async fn letters(&self, customer: &CustomerKey) -> anyhow::Result<Vec<Letter>> {
        let partition = customer_partition(customer);
        let (mut letters, mut after) = (Vec::new(), None);
        loop {
            let page = self.table.query(&partition, LETTER, after).await?;
            letters.extend(page.items.iter().filter_map(|item| match item {
                Item::Letter(row) => Some(Letter::new(row)),
                Item::Entry(..)
                | Item::Record(_)
                | Item::Alias(..)
                | Item::Parked(..)
                | Item::Partner(_)
                | Item::Commission(_)
                | Item::Payout(_)
                | Item::Bank(_)
                | Item::Transfers(_)
                | Item::Standing(_)
                | Item::Report(..)
                | Item::Endpoint(_)
                | Item::Told(_)
                | Item::Cursor(_) => None,
            }));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        letters.sort_by(|a, b| (&a.owed_at, &a.cause).cmp(&(&b.owed_at, &b.cause)));
        Ok(letters)
    }
}

const PAGE: usize = 50;
const EVENTS: usize = 50;
