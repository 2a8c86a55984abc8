//! `partner list`.

use super::keys::versions;
use super::place::Place;
use super::terms::told;
use crate::customer::table;
use clap::Args;
use domain::ids::PartnerId;
use domain::program::Program;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use store::partners::{Dated, PartnerRow};

/// Every partner.
#[derive(Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
    /// Stable JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// A partner as JSON shows it.
#[derive(Serialize)]
struct View<'a> {
    partner: &'a PartnerId,
    /// Versions in force.
    keys: &'a [u32],
    /// What it earns on customers it sends now; none where it earns nothing.
    program: Option<Program>,
    /// What was agreed on, in words.
    text: Option<String>,
    codes: &'a BTreeSet<Arc<str>>,
}

impl<'a> View<'a> {
    fn new(row: &'a PartnerRow, now: Timestamp) -> Self {
        let agreed = row.agreed(now);
        Self {
            partner: &row.partner,
            keys: &row.keys,
            program: agreed.map(Dated::in_force),
            text: agreed.map(told),
            codes: &row.codes,
        }
    }
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let rows = store::partners::list(&self.place.table()?).await;
        let rows = rows.map_err(crate::table::trouble)?;
        let now = self.place.now()?;
        let mut out = std::io::stdout();
        if self.json {
            let views: Vec<View<'_>> = rows.iter().map(|row| View::new(row, now)).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&views)?)?;
            return Ok(());
        }
        let lines = rows.iter().map(|row| {
            let terms = row.agreed(now);
            let codes: Vec<&str> = row.codes.iter().map(AsRef::as_ref).collect();
            vec![
                row.partner.to_string(),
                terms.map_or_else(|| "earns nothing".to_owned(), told),
                versions(row),
                codes.join(", "),
            ]
        });
        let head = ["partner", "earns", "key versions", "codes"];
        match table(head, lines.collect()) {
            Some(table) => writeln!(out, "{table}")?,
            None => writeln!(
                out,
                "there are no partners; `orangery partner add NAME` adds one"
            )?,
        }
        Ok(())
    }
}
