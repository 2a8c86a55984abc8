//! Which partner a command is about, and in which stage.

use crate::stage::StageArgs;
use crate::table;
use anyhow::anyhow;
use clap::Args;
use domain::ids::PartnerId;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::partners::PartnerRow;

/// Which partner, in which stage.
#[derive(Args)]
pub(crate) struct PartnerArgs {
    /// Its name in addresses: lower-case letters, digits and dashes.
    #[arg(value_name = "NAME", value_parser = partner_name)]
    pub(crate) partner: PartnerId,
    #[command(flatten)]
    pub(crate) stage: StageArgs,
}

impl PartnerArgs {
    /// The table, and the partner in it.
    ///
    /// # Errors
    /// When the table does not answer, or knows no such partner.
    pub(crate) async fn read_row(&self) -> anyhow::Result<(DynamoTable, Arc<PartnerRow>)> {
        let table = self.stage.table().await?;
        let row = store::partners::read(&table, &self.partner).await;
        let row = row.map_err(table::readable_error)?;
        Ok((table, row.ok_or_else(|| unknown_partner(&self.partner))?))
    }
}

/// What to say of a partner that nobody added.
pub(crate) fn unknown_partner(partner: &PartnerId) -> anyhow::Error {
    anyhow!(
        "no partner is called {partner} in this table; `orangery partner list` names those there \
         are, `orangery partner add {partner}` adds one, --port or --table-port reads another \
         local stack"
    )
}

pub(crate) fn partner_name(name: &str) -> Result<PartnerId, String> {
    PartnerId::parse(name).map_err(|_| {
        "can't be a partner: lower-case letters, digits and dashes, at most 64".to_owned()
    })
}
