//! Partners: the list, and one partner's balance, rows, customers, codes, keys and terms.

use super::look::Look;
use super::referred::Sent;
use super::render::values;
use super::{Console, Fault, Page};
use crate::customer::money;
use crate::partner::statement;
use axum::extract::{Query, State};
use domain::ids::PartnerId;
use domain::money::Money;
use domain::program::{Program, Span};
use domain::statement::{Balance, RowView};
use domain::tiers::Tier;
use serde::{Deserialize, Serialize};
use store::endpoints::{Endpoint, WhyOff, endpoint};
use store::partners::Dated;

/// A partner in the list.
#[derive(Serialize)]
struct Line {
    name: String,
    terms: Option<Terms>,
    keys: usize,
    referrals: usize,
}

pub(crate) async fn list(State(console): State<Console>, look: Look) -> Page {
    let now = console.endpoints.clock.now();
    let rows: Vec<Line> = {
        let known = console.index.now();
        let line = |(row, referrals): (&std::sync::Arc<store::partners::PartnerRow>, usize)| Line {
            name: row.partner.to_string(),
            terms: row.program(now).as_ref().map(Terms::new),
            keys: row.keys.len(),
            referrals,
        };
        known.partners.all().map(line).collect()
    };
    console.page(&look, "partners.html", values! { rows })
}

/// Which partner, and which page of its rows, counted from the latest, from 1.
#[derive(Deserialize)]
pub(crate) struct Which {
    name: String,
    page: Option<usize>,
}

pub(crate) async fn one(
    State(console): State<Console>,
    look: Look,
    Query(which): Query<Which>,
) -> Page {
    let partner = PartnerId::new(which.name.as_str());
    let known = console.index.now().partners.one(&partner);
    let (row, sent) =
        known.ok_or_else(|| Fault::NotThere(format!("no partner is called {partner}")))?;
    let now = console.endpoints.clock.now();
    let told = statement::of(&console.table, &partner, now).await?;
    let there = endpoint(&console.table, &partner).await?;
    let total = told.rows.len();
    let pages = total.div_ceil(ROWS).max(1);
    let page = which.page.unwrap_or(1).clamp(1, pages);
    let skipped = page.saturating_sub(1).saturating_mul(ROWS);
    let latest = told.rows.iter().rev().skip(skipped).take(ROWS);
    let rows: Vec<Row> = latest.map(Row::new).collect();
    let balance: Vec<Sums> = told.balance.iter().map(Sums::new).collect();
    let programs: Vec<Agreed> = row.programs.iter().rev().map(Agreed::new).collect();
    let (referrals, shown): (usize, Vec<&Sent>) = (sent.len(), sent.iter().take(SENT).collect());
    let values = values! {
        name => partner.as_str(),
        rows, total, pages, page => page, balance, programs, referrals,
        sent => shown,
        keys => row.keys,
        codes => row.codes,
        endpoint => there.as_deref().map(ToldAt::new),
        terms => row.program(now).as_ref().map(Terms::new),
    };
    console.page(&look, "partner.html", values)
}

/// A program in parts, for either language.
#[derive(Serialize)]
struct Terms {
    reward: String,
    /// `first_payment`, `months` or `life`.
    span: &'static str,
    months: Option<u16>,
    hold_days: u16,
    window_days: u16,
    claim: &'static str,
}

impl Terms {
    fn new(program: &Program) -> Self {
        let (span, months) = match program.span {
            Span::FirstPayment => ("first_payment", None),
            Span::Months(months) => ("months", Some(months)),
            Span::Life => ("life", None),
        };
        Self {
            reward: program.reward.to_string(),
            span,
            months,
            hold_days: program.hold_days,
            window_days: program.window_days,
            claim: program.claim.as_str(),
        }
    }
}

/// Terms and since when, and what is earned from how many active customers on.
#[derive(Serialize)]
struct Agreed {
    since: String,
    terms: Terms,
    tiers: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    from: u32,
    reward: String,
}

impl Agreed {
    fn new(dated: &Dated) -> Self {
        Self {
            since: dated.since.to_string(),
            terms: Terms::new(&dated.in_force()),
            tiers: dated.tiers.iter().map(Step::new).collect(),
        }
    }
}

impl Step {
    fn new(tier: &Tier) -> Self {
        Self {
            from: tier.from,
            reward: tier.reward.to_string(),
        }
    }
}

/// Where a partner is told, and how that goes. Of the address its host alone: the rest may hold a
/// secret of the partner's.
#[derive(Serialize)]
struct ToldAt {
    host: String,
    since: String,
    /// `on`, `failing`, `gone` or `off`.
    state: &'static str,
    /// Since when it is in that state; none of one that is on.
    changed: Option<String>,
}

impl ToldAt {
    fn new(endpoint: &Endpoint) -> Self {
        let address: Option<axum::http::Uri> = endpoint.url.parse().ok();
        let host = address.and_then(|address| address.authority().map(ToString::to_string));
        let (state, changed) = match (endpoint.off, endpoint.failing_since) {
            (Some(off), _) => match off.why {
                WhyOff::Gone => ("gone", Some(off.at)),
                WhyOff::Failing => ("off", Some(off.at)),
            },
            (None, Some(since)) => ("failing", Some(since)),
            (None, None) => ("on", None),
        };
        Self {
            host: host.unwrap_or_default(),
            since: endpoint.since.to_string(),
            state,
            changed: changed.map(|at| at.to_string()),
        }
    }
}

/// A row of the ledger as people read it.
#[derive(Serialize)]
struct Row {
    at: String,
    cause: String,
    kind: &'static str,
    amount: String,
    state: &'static str,
    releases_at: Option<String>,
    text: String,
}

impl Row {
    fn new(row: &RowView) -> Self {
        Self {
            at: row.at.to_string(),
            cause: row.cause.clone(),
            kind: row.kind,
            amount: money(Money {
                minor: row.amount_minor,
                currency: row.currency,
                exponent: row.exponent,
            }),
            state: row.state,
            releases_at: row.releases_at.map(|at| at.to_string()),
            text: row.text.clone(),
        }
    }
}

/// What rows come to in one currency, as people read it.
#[derive(Serialize)]
struct Sums {
    pending: String,
    released: String,
    paid: String,
    held: String,
}

impl Sums {
    fn new(balance: &Balance) -> Self {
        let shown = |minor| {
            money(Money {
                minor,
                currency: balance.currency,
                exponent: balance.exponent,
            })
        };
        Self {
            pending: shown(balance.pending_minor),
            released: shown(balance.released_minor),
            paid: shown(balance.paid_minor),
            held: shown(balance.held_minor),
        }
    }
}

const ROWS: usize = 50;
/// Customers that are shown; how many there are is said.
const SENT: usize = 100;
