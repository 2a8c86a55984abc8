//! `partner statement`: what a partner is owed, row by row.

use super::sheet;
use super::target::{PartnerArgs, unknown_partner};
use crate::customer::text_table;
use crate::terminal;
use anyhow::Context;
use clap::Args;
use comfy_table::Table as Text;
use domain::money::Money;
use domain::partner::payout::Balance;
use domain::partner::statement::{MonthlyStatement, RowView, Statement, monthly_statement};
use jiff::Timestamp;
use jiff::civil::Date;
use local_cloud::clock::parse_moment;
use local_cloud::private_file;
use local_shop::amounts::money;
use local_shop::statement::statement_as_of;
use std::io::Write as _;
use std::path::PathBuf;

/// Whose statement, and how.
#[derive(Args)]
pub struct StatementArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// Stable JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// The moment at which it is asked what is released; without it, now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    /// What became of it in one month, as in 2026-04: opening balance, rows, closing balance.
    #[arg(long, value_name = "MONTH", value_parser = first_of_month, conflicts_with = "at")]
    month: Option<Date>,
    /// Where to write the month for a spreadsheet.
    #[arg(long, value_name = "FILE", requires = "month")]
    csv: Option<PathBuf>,
}

impl StatementArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let table = self.target.stage.table().await?;
        let partner = &self.target.partner;
        let at = match self.at {
            Some(at) => at,
            None => self.target.stage.now()?,
        };
        let ledger = store::payouts::read_ledger_snapshot(&table, partner).await;
        let ledger = ledger.map_err(crate::table::readable_error)?;
        if ledger.rows.is_empty() {
            let row = store::partners::read(&table, partner).await;
            row.map_err(crate::table::readable_error)?
                .ok_or_else(|| unknown_partner(partner))?;
        }
        let text = match self.month {
            Some(month) => {
                let statement = monthly_statement(&ledger.rows, &ledger.payouts, month, at);
                if let Some(file) = &self.csv {
                    let sheet = sheet::month(&statement)?;
                    private_file::write(file, &sheet)
                        .with_context(|| format!("{} can't be written", file.display()))?;
                }
                if self.json {
                    terminal::json(&statement)?
                } else {
                    month_text(&statement)
                }
            }
            None if self.json => terminal::json(&statement_as_of(ledger, at))?,
            None => text(&statement_as_of(ledger, at)),
        };
        writeln!(terminal::stdout(), "{}", text.trim_end())?;
        Ok(())
    }
}

/// The same for people.
fn text(statement: &Statement) -> String {
    match (rows(&statement.rows), balance(&statement.balance)) {
        (Some(rows), Some(balance)) => format!("{rows}\n\nBalance\n{balance}"),
        (None, _) | (_, None) => "nothing is owed yet".into(),
    }
}

fn month_text(statement: &MonthlyStatement) -> String {
    let month = statement.month.strftime("%Y-%m");
    let part = |title: &str, table: Option<Text>, none: &str| match table {
        Some(table) => format!("{title} {month}\n{table}"),
        None => format!("{title} {month}: {none}"),
    };
    [
        part("Before", balance(&statement.opening), "nothing was owed"),
        part("In", rows(&statement.rows), "nothing was decided or paid"),
        part("After", balance(&statement.closing), "nothing is owed"),
    ]
    .join("\n\n")
}

fn rows(views: &[RowView]) -> Option<Text> {
    let rows = views.iter().map(|row| {
        let amount = Money {
            minor: row.amount_minor,
            currency: row.currency,
            exponent: row.exponent,
        };
        let releases_at = row.releases_at.map(|at| at.to_string());
        vec![
            row.at.to_string(),
            row.cause.clone(),
            row.kind.into(),
            money(amount),
            row.state.into(),
            releases_at.unwrap_or_default(),
            row.text.clone(),
        ]
    });
    let head = ["at", "for", "what", "amount", "state", "released", "text"];
    text_table(head, rows.collect())
}

fn balance(balances: &[Balance]) -> Option<Text> {
    let balance = balances.iter().map(|balance| {
        let amount = |minor| {
            money(Money {
                minor,
                currency: balance.currency,
                exponent: balance.exponent,
            })
        };
        vec![
            amount(balance.pending_minor),
            amount(balance.released_minor),
            amount(balance.paid_minor),
            amount(balance.held_minor),
        ]
    });
    text_table(["pending", "released", "paid", "held"], balance.collect())
}

/// The first day of a month that is written as 2026-04.
fn first_of_month(text: &str) -> Result<Date, String> {
    let month = text.split_once('-').and_then(|(year, month)| {
        let are_digits = |part: &str, long: usize| {
            part.len() == long && part.bytes().all(|digit| digit.is_ascii_digit())
        };
        let is_valid = are_digits(year, 4) && are_digits(month, 2);
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        Date::new(year, month, 1).ok().filter(|_| is_valid)
    });
    month.ok_or_else(|| "expected a year and a month, as in 2026-04".to_owned())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    parse_moment(text).map_err(|error| error.to_string())
}
