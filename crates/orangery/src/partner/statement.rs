//! `partner statement`: what a partner is owed, row by row.

use super::{Whose, unknown};
use crate::customer::{money, table};
use crate::stack::clock::parse_moment;
use clap::Args;
use domain::ids::PartnerId;
use domain::money::Money;
use domain::statement::{Statement, statement};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::io::Write as _;
use store::{StoreError, Table};

/// Whose statement, and how.
#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    whose: Whose,
    /// Stable JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// The moment at which it is asked what is released; without it, now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let table = self.whose.place.table()?;
        let partner = &self.whose.partner;
        let at = match self.at {
            Some(at) => at,
            None => self.whose.place.now()?,
        };
        let told = of(&table, partner, at)
            .await
            .map_err(crate::table::trouble)?;
        if told.rows.is_empty() {
            let row = store::partners::read(&table, partner).await;
            row.map_err(crate::table::trouble)?
                .ok_or_else(|| unknown(partner))?;
        }
        let text = if self.json {
            serde_json::to_string_pretty(&told)?
        } else {
            text(&told)
        };
        writeln!(std::io::stdout(), "{}", text.trim_end())?;
        Ok(())
    }
}

/// A partner's statement at a moment.
///
/// # Errors
/// When the table does not answer.
pub async fn of<T: Table>(
    table: &T,
    partner: &PartnerId,
    at: Timestamp,
) -> Result<Statement, StoreError> {
    let rows = store::partners::ledger(table, partner).await?;
    Ok(statement(&rows, &[], at))
}

/// The same for people.
fn text(told: &Statement) -> String {
    let rows = told.rows.iter().map(|row| {
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
    let balance = told.balance.iter().map(|balance| {
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
    let rows = table(
        ["at", "for", "what", "amount", "state", "released", "text"],
        rows.collect(),
    );
    let balance = table(["pending", "released", "paid", "held"], balance.collect());
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = match (rows, balance) {
        (Some(rows), Some(balance)) => writeln!(out, "{rows}\n\nBalance\n{balance}"),
        (None, _) | (_, None) => writeln!(out, "nothing is owed yet"),
    };
    out
}

fn moment(text: &str) -> Result<Timestamp, String> {
    parse_moment(text).map_err(|error| error.to_string())
}
