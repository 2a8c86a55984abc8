//! Partners: the list, and one partner's balance, rows, customers, codes, keys and terms.

use crate::console::Console;
use crate::display_prefs::DisplayPrefs;
use crate::page_result::{PageError, PageResult};
use crate::referrals::ReferredCustomer;
use crate::render::values;
use axum::extract::{Query, State};
use domain::ids::PartnerId;
use domain::money::Money;
use domain::partner::payout::Balance;
use domain::partner::program::{CommissionDuration, Program};
use domain::partner::statement::RowView;
use domain::partner::tiers::Tier;
use local_shop::amounts::money;
use local_shop::statement::read_statement;
use serde::{Deserialize, Serialize};
use store::notice_endpoints::{DisabledReason, NoticeEndpoint, read_endpoint};
use store::partners::DatedProgram;

/// A partner in the list.
#[derive(Serialize)]
struct PartnerListRow {
    name: String,
    terms: Option<TermsText>,
    keys: usize,
    referrals: usize,
}

pub(crate) async fn list(State(console): State<Console>, display: DisplayPrefs) -> PageResult {
    let now = console.endpoints.clock.now();
    let rows: Vec<PartnerListRow> = {
        let index = console.index.current();
        let line = |(row, referrals): (&std::sync::Arc<store::partners::PartnerRow>, usize)| {
            PartnerListRow {
                name: row.partner.to_string(),
                terms: row.program(now).as_ref().map(TermsText::new),
                keys: row.keys.len(),
                referrals,
            }
        };
        index.partners.all().map(line).collect()
    };
    console.page(&display, "partners.html", values! { rows })
}

/// Which partner, and which page of its rows, counted from the latest, from 1.
#[derive(Deserialize)]
pub(crate) struct PartnerQuery {
    name: String,
    page: Option<usize>,
}

pub(crate) async fn one(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(which): Query<PartnerQuery>,
) -> PageResult {
    let unknown = || PageError::NotFound(format!("no partner is called {}", which.name));
    let partner = PartnerId::parse(which.name.as_str()).map_err(|_| unknown())?;
    let referred = console.index.current().partners.one(&partner);
    let (row, sent) = referred.ok_or_else(unknown)?;
    let now = console.endpoints.clock.now();
    let statement = read_statement(&console.table, &partner, now).await?;
    let endpoint = read_endpoint(&console.table, &partner).await?;
    let total = statement.rows.len();
    let pages = total.div_ceil(ROWS_PER_PAGE).max(1);
    let page = which.page.unwrap_or(1).clamp(1, pages);
    let skipped = page.saturating_sub(1).saturating_mul(ROWS_PER_PAGE);
    let latest = statement
        .rows
        .iter()
        .rev()
        .skip(skipped)
        .take(ROWS_PER_PAGE);
    let rows: Vec<CommissionRowText> = latest.map(CommissionRowText::new).collect();
    let balance: Vec<BalanceText> = statement.balance.iter().map(BalanceText::new).collect();
    let programs: Vec<DatedTermsText> =
        row.programs.iter().rev().map(DatedTermsText::new).collect();
    let (referrals, shown): (usize, Vec<&ReferredCustomer>) =
        (sent.len(), sent.iter().take(MAX_REFERRALS).collect());
    let values = values! {
        name => partner.as_str(),
        rows, total, pages, page => page, balance, programs, referrals,
        sent => shown,
        keys => row.keys,
        codes => row.codes,
        endpoint => endpoint.as_deref().map(NoticeEndpointStatus::new),
        terms => row.program(now).as_ref().map(TermsText::new),
    };
    console.page(&display, "partner.html", values)
}

/// A program in parts, for either language.
#[derive(Serialize)]
struct TermsText {
    reward: String,
    /// `first_payment`, `months` or `life`.
    duration: &'static str,
    months: Option<u16>,
    hold_days: u16,
    window_days: u16,
    attribution_model: &'static str,
}

impl TermsText {
    fn new(program: &Program) -> Self {
        let (duration, months) = match program.duration {
            CommissionDuration::FirstPayment => ("first_payment", None),
            CommissionDuration::Months(months) => ("months", Some(months)),
            CommissionDuration::Life => ("life", None),
        };
        Self {
            reward: program.reward.to_string(),
            duration,
            months,
            hold_days: program.hold_days,
            window_days: program.window_days,
            attribution_model: program.attribution_model.as_str(),
        }
    }
}

/// Terms and since when, and what is earned from how many active customers on.
#[derive(Serialize)]
struct DatedTermsText {
    since: String,
    terms: TermsText,
    tiers: Vec<TierText>,
}

#[derive(Serialize)]
struct TierText {
    from: u32,
    reward: String,
}

impl DatedTermsText {
    fn new(dated: &DatedProgram) -> Self {
        Self {
            since: dated.since.to_string(),
            terms: TermsText::new(&dated.in_force()),
            tiers: dated.tiers.iter().map(TierText::new).collect(),
        }
    }
}

impl TierText {
    fn new(tier: &Tier) -> Self {
        Self {
            from: tier.from,
            reward: tier.reward.to_string(),
        }
    }
}

/// Where a partner gets its notices, and how that goes. Of the address only its host: the rest
/// may hold a secret of the partner's.
#[derive(Serialize)]
struct NoticeEndpointStatus {
    host: String,
    since: String,
    /// `enabled`, `failing`, `gone` or `disabled`.
    state: &'static str,
    /// Since when it is in that state; none of one that is enabled.
    changed: Option<String>,
}

impl NoticeEndpointStatus {
    fn new(endpoint: &NoticeEndpoint) -> Self {
        let address: Option<axum::http::Uri> = endpoint.url.parse().ok();
        let host = address.and_then(|address| address.authority().map(ToString::to_string));
        let (state, changed) = match (endpoint.disabled, endpoint.failing_since) {
            (Some(disabled), _) => match disabled.reason {
                DisabledReason::Gone => ("gone", Some(disabled.at)),
                DisabledReason::Failing => ("disabled", Some(disabled.at)),
            },
            (None, Some(since)) => ("failing", Some(since)),
            (None, None) => ("enabled", None),
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
struct CommissionRowText {
    at: String,
    cause: String,
    kind: &'static str,
    amount: String,
    state: &'static str,
    releases_at: Option<String>,
    text: String,
}

impl CommissionRowText {
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
struct BalanceText {
    pending: String,
    released: String,
    paid: String,
    held: String,
}

impl BalanceText {
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

const ROWS_PER_PAGE: usize = 50;
/// Customers that are shown; how many there are is said.
const MAX_REFERRALS: usize = 100;
