//! `orangery partner`: what people decide of partners. One file a group of commands, one variant
//! each.

mod add;
pub mod sheet;
pub mod sepa;

use crate::table;
use anyhow::bail;
use clap::{Args, Subcommand};
use domain::ids::PartnerId;
use store::dynamo::DynamoTable;

/// What can be said of partners.
#[derive(Subcommand)]
pub enum PartnerCommand {
    /// Adds a partner and prints its secret.
    Add(add::Add),
}

impl PartnerCommand {
    /// Does it.
    ///
    /// # Errors
    /// In words for whoever typed it.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run().await,
        }
    }
}

/// Which partner, in which table.
#[derive(Args)]
pub(crate) struct Whose {
    /// Its name in addresses: lower-case letters, digits and dashes.
    #[arg(value_name = "NAME", value_parser = partner_name)]
    pub(crate) partner: PartnerId,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where the table is.
#[derive(Args)]
pub(crate) struct Place {
    /// The local stack's table; without it the usual AWS variables decide.
    #[arg(long)]
    pub(crate) table_port: Option<u16>,
}

impl Place {
    /// The table.
    ///
    /// # Errors
    /// When the environment names an AWS account only in part.
    pub(crate) fn table(&self) -> anyhow::Result<DynamoTable> {
        table::open(self.table_port)
    }
}

/// From which partners' secrets are derived.
#[derive(Args)]
pub(crate) struct Master {
    /// The master key of a deployed stage; without it the local stack's.
    #[arg(long, env = "ORANGERY_MASTER_KEY", hide_env_values = true)]
    master_key: Option<String>,
}

impl Master {
    /// The key.
    ///
    /// # Errors
    /// When an AWS account's is needed and not given, or it is weak.
    pub(crate) fn key(&self, place: &Place) -> anyhow::Result<providers::Secret> {
        if self.master_key.is_none() && !table::is_local(place.table_port) {
            bail!(
                "the environment names an AWS account, and its master key is not given: the \
                 secret would be one that every local stack knows; set ORANGERY_MASTER_KEY, or \
                 say --table-port for a local stack"
            )
        }
        let text = self.master_key.as_deref();
        Ok(providers::Secret::new(
            text.unwrap_or(crate::wiring::LOCAL_MASTER),
        )?)
    }
}

fn partner_name(name: &str) -> Result<PartnerId, String> {
    PartnerId::parse(name).ok_or_else(|| {
        "can't be a partner: lower-case letters, digits and dashes, at most 64".to_owned()
    })
}
