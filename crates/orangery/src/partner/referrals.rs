//! `partner referrals`: what a partner reported, how each referral stands, and why.

use super::target::PartnerArgs;
use crate::customer::text_table;
use crate::table::readable_error;
use crate::terminal;
use clap::{Args, ValueEnum};
use domain::ids::{CustomerKey, PartnerId};
use domain::partner::referral_status::ReferralStatusRow;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use store::items::{REFERRAL, ledger_partition, reports_partition};
use store::reports::{ReportIndex, ReportRow};
use store::{StoreError, Table};

/// Whose referrals, and which.
#[derive(Args)]
pub struct ListReferralsArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// Those of this status alone; may be repeated.
    #[arg(long = "status", value_name = "STATUS")]
    statuses: Vec<ListedStatus>,
    /// Stable JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// How a referral stands, for a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
enum ListedStatus {
    /// Its commissions wait for a person's decision.
    Held,
    /// It does not count.
    Refused,
    /// It counts.
    Attributed,
    /// No payment counts any more, or none yet.
    Waiting,
    /// It was reported, and nothing came of it so far.
    Reported,
    /// Another report came under an id that was known.
    Conflict,
}

/// A referral, as JSON shows it.
#[derive(Debug, Serialize)]
struct ListedReferral {
    /// The partner's id of it.
    referral: Arc<str>,
    /// The customer it is about, once a status was decided.
    customer: Option<CustomerKey>,
    status: ListedStatus,
    /// The reason, for one that is held, refused or a conflict.
    reason: Option<String>,
    /// Since when.
    at: Timestamp,
    /// What the partner knows the click by.
    sub_ids: BTreeMap<Arc<str>, Arc<str>>,
}

impl ListReferralsArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (table, row) = self.target.read_row().await?;
        let partner = &row.partner;
        let mut listed = referrals(&table, partner).await.map_err(readable_error)?;
        listed.retain(|one| self.statuses.is_empty() || self.statuses.contains(&one.status));
        let mut out = terminal::stdout();
        if self.json {
            writeln!(out, "{}", terminal::json(&listed)?)?;
            return Ok(());
        }
        let held = listed.iter().any(|one| one.status == ListedStatus::Held);
        match text(&listed) {
            Some(table) => writeln!(out, "{table}")?,
            None => writeln!(out, "there are no such referrals of {partner}")?,
        }
        if held {
            writeln!(
                terminal::stderr(),
                "what is held is decided by `orangery partner release {partner} REFERRAL` or `void`"
            )?;
        }
        Ok(())
    }
}

/// Everything that a partner reported, those first that wait for a person.
async fn referrals<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Vec<ListedReferral>, StoreError> {
    let reports = reports_partition(partner);
    let mut heard: Vec<ReportRow> = table.query_rows(&reports, REFERRAL).await?;
    heard.extend(table.query_rows::<ReportRow>(&reports, CONFLICT).await?);
    let told: Vec<Arc<ReferralStatusRow>> = table
        .query_rows(&ledger_partition(partner), REFERRAL)
        .await?;
    let mut sub_ids: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Arc<str>>> = BTreeMap::new();
    for row in &heard {
        let known = sub_ids.entry(row.report.referral.clone()).or_default();
        known.extend(row.report.sub_ids.clone());
    }
    let sub_ids = |referral| sub_ids.get(referral).cloned().unwrap_or_default();
    let mut listed: Vec<ListedReferral> = latest(&told)
        .map(|row| ListedReferral {
            referral: row.referral.clone(),
            customer: Some(row.customer.clone()),
            status: ListedStatus::of(row),
            reason: row.status.reason().map(str::to_owned),
            at: row.at,
            sub_ids: sub_ids(&row.referral),
        })
        .collect();
    let decided: BTreeSet<Arc<str>> = told.iter().map(|row| row.referral.clone()).collect();
    let mut reported = BTreeSet::new();
    for ReportRow { index, report } in &heard {
        let (status, reason) = match index {
            ReportIndex::Message => continue,
            ReportIndex::Conflict => {
                let reason = format!("another report came as {}", report.message);
                (ListedStatus::Conflict, Some(reason))
            }
            ReportIndex::Referral if decided.contains(&report.referral) => continue,
            ReportIndex::Referral if !reported.insert(report.referral.clone()) => continue,
            ReportIndex::Referral => (ListedStatus::Reported, None),
        };
        listed.push(ListedReferral {
            referral: report.referral.clone(),
            customer: None,
            status,
            reason,
            at: report.received_at,
            sub_ids: sub_ids(&report.referral),
        });
    }
    listed.sort_by(|a, b| (a.status, a.at, &a.referral).cmp(&(b.status, b.at, &b.referral)));
    Ok(listed)
}

/// Of each referral and customer the status that was told last.
fn latest(told: &[Arc<ReferralStatusRow>]) -> impl Iterator<Item = &ReferralStatusRow> {
    let mut last: BTreeMap<(&str, &str), &ReferralStatusRow> = BTreeMap::new();
    for row in told {
        let kept = last
            .entry((&row.referral, row.customer.as_str()))
            .or_insert(row);
        if kept.n < row.n {
            *kept = row;
        }
    }
    last.into_values()
}

impl ListedStatus {
    fn of(row: &ReferralStatusRow) -> Self {
        use domain::partner::referral_status::ReferralStatus;
        match row.status {
            ReferralStatus::Waiting => Self::Waiting,
            ReferralStatus::Attributed => Self::Attributed,
            ReferralStatus::Held(_) => Self::Held,
            ReferralStatus::Refused(_) => Self::Refused,
        }
    }
}

fn text(listed: &[ListedReferral]) -> Option<comfy_table::Table> {
    let rows = listed.iter().map(|one| {
        let status = one.status.to_possible_value();
        let customer = one.customer.as_ref();
        let sub_ids: Vec<String> = one
            .sub_ids
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        vec![
            one.referral.to_string(),
            customer.map(ToString::to_string).unwrap_or_default(),
            status.map_or_else(String::new, |value| value.get_name().to_owned()),
            one.reason.clone().unwrap_or_default(),
            one.at.to_string(),
            sub_ids.join(", "),
        ]
    });
    let head = ["referral", "customer", "status", "why", "since", "sub ids"];
    text_table(head, rows.collect())
}

/// Sort keys of reports that came under the id of another begin so.
const CONFLICT: &str = "conflict#";
