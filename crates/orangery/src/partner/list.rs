//! `partner list`.

use super::keys::versions_text;
use super::terms::terms_text;
use crate::customer::text_table;
use crate::stage::StageArgs;
use crate::terminal;
use clap::Args;
use domain::ids::{PartnerId, ReferralCode};
use domain::partner::program::Program;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::Write;
use store::partners::{DatedProgram, PartnerRow};

/// Every partner.
#[derive(Args)]
pub struct ListPartnersArgs {
    #[command(flatten)]
    stage: StageArgs,
    /// Stable JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// A partner as JSON shows it.
#[derive(Serialize)]
struct PartnerJson<'a> {
    partner: &'a PartnerId,
    /// Versions in force.
    keys: &'a [u32],
    /// What it earns on customers it sends now; none where it earns nothing.
    program: Option<Program>,
    /// What was agreed on, in words.
    text: Option<String>,
    codes: &'a BTreeSet<ReferralCode>,
}

impl<'a> PartnerJson<'a> {
    fn new(row: &'a PartnerRow, now: Timestamp) -> Self {
        let agreed = row.agreed(now);
        Self {
            partner: &row.partner,
            keys: &row.keys,
            program: agreed.map(DatedProgram::in_force),
            text: agreed.map(terms_text),
            codes: &row.codes,
        }
    }
}

impl ListPartnersArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let rows = store::partners::list(&self.stage.table().await?).await;
        let rows = rows.map_err(crate::table::readable_error)?;
        let now = self.stage.now()?;
        let mut out = terminal::stdout();
        if self.json {
            let views: Vec<PartnerJson<'_>> =
                rows.iter().map(|row| PartnerJson::new(row, now)).collect();
            writeln!(out, "{}", terminal::json(&views)?)?;
            return Ok(());
        }
        let lines = rows.iter().map(|row| {
            let terms = row.agreed(now);
            let codes: Vec<&str> = row.codes.iter().map(ReferralCode::as_str).collect();
            vec![
                row.partner.to_string(),
                terms.map_or_else(|| "earns nothing".to_owned(), terms_text),
                versions_text(row),
                codes.join(", "),
            ]
        });
        let head = ["partner", "earns", "key versions", "codes"];
        match text_table(head, lines.collect()) {
            Some(table) => writeln!(out, "{table}")?,
            None => writeln!(
                out,
                "there are no partners; `orangery partner add NAME` adds one"
            )?,
        }
        Ok(())
    }
}
