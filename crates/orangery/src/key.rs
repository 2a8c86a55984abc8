//! `key create`, `list` and `revoke`: keys with which the shop's own code asks.

use crate::customer::text_table;
use crate::root::RootArgs;
use crate::stage::StageArgs;
use crate::table::readable_error;
use crate::terminal;
use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use domain::shop_key::{KeyName, KeyScope};
use jiff::Timestamp;
use providers::shop_key;
use runtime::secrets::KeyPurpose;
use serde::Serialize;
use std::io::Write;
use store::shop_keys::{self, CreateKeyOutcome, ShopKeyRow};

/// What is done with keys of the shop's own code.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Makes a key and shows it, once.
    Create(CreateKeyArgs),
    /// Every key that was ever given out, and whether it is in force.
    List(ListKeysArgs),
    /// Takes a key out of force, within a minute.
    Revoke(RevokeShopKeyArgs),
}

impl KeyCommand {
    /// Does it.
    ///
    /// # Errors
    /// In words for whoever typed it.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run().await,
            Self::List(list) => list.run().await,
            Self::Revoke(revoke) => revoke.run().await,
        }
    }
}

/// A key to be made.
#[derive(Args)]
pub struct CreateKeyArgs {
    /// What the key may be used for: read asks, write also says what changes something.
    #[arg(long, value_name = "read|write")]
    scope: KeyScope,
    /// What it is called here, in lists and log lines: who uses it, as in backend.
    #[arg(long, value_name = "NAME")]
    name: KeyName,
    #[command(flatten)]
    place: StageArgs,
    #[command(flatten)]
    root: RootArgs,
}

impl CreateKeyArgs {
    async fn run(self) -> anyhow::Result<()> {
        let stage = self.place.name()?;
        let root = self.root.newest_to_give_out(&self.place, KeyPurpose::Shop);
        let root = root.await?;
        let (name, now) = (&self.name, self.place.now()?);
        let made = shop_keys::create(&self.place.table().await?, name, self.scope, now).await;
        let row = match made.map_err(readable_error)? {
            CreateKeyOutcome::Created(row) => row,
            CreateKeyOutcome::InForce(row) => bail!(
                "{name} is a key in force already ({}, given out {}) and is not shown again; make \
                 one under another name, or `orangery key revoke {name}` first",
                row.scope,
                row.created_at,
            ),
        };
        let text = shop_key(&root, &stage, name, row.scope, row.key)?;
        writeln!(terminal::stdout(), "{text}")?;
        writeln!(
            terminal::stderr(),
            "{name} may {} at the stage {stage} with the key above. Keep it: it is stored nowhere \
             and not shown again. It goes into the header `authorization: Bearer …`, never into a \
             browser; `orangery key revoke {name}` takes it out of force",
            row.scope,
        )?;
        Ok(())
    }
}

/// Every key.
#[derive(Args)]
pub struct ListKeysArgs {
    #[command(flatten)]
    place: StageArgs,
    /// Stable JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// A key as JSON shows it.
#[derive(Serialize)]
struct KeyJson<'a> {
    name: &'a KeyName,
    scope: KeyScope,
    version: u32,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl ListKeysArgs {
    async fn run(self) -> anyhow::Result<()> {
        let rows = shop_keys::list(&self.place.table().await?).await;
        let rows = rows.map_err(readable_error)?;
        let mut out = terminal::stdout();
        if self.json {
            let keys: Vec<KeyJson<'_>> = rows.iter().map(|row| key_json(row)).collect();
            writeln!(out, "{}", terminal::json(&keys)?)?;
            return Ok(());
        }
        let lines = rows.iter().map(|row| {
            let state = match row.revoked_at {
                None => "in force".to_owned(),
                Some(at) => format!("revoked {at}"),
            };
            vec![
                row.name.to_string(),
                row.scope.to_string(),
                row.key.to_string(),
                row.created_at.to_string(),
                state,
            ]
        });
        let head = ["key", "scope", "version", "given out", "state"];
        match text_table(head, lines.collect()) {
            Some(table) => writeln!(out, "{table}")?,
            None => writeln!(
                out,
                "there are no keys; `orangery key create --scope read --name backend` makes one"
            )?,
        }
        Ok(())
    }
}

fn key_json(row: &ShopKeyRow) -> KeyJson<'_> {
    KeyJson {
        name: &row.name,
        scope: row.scope,
        version: row.key,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
    }
}

/// Which key is taken out of force.
#[derive(Args)]
pub struct RevokeShopKeyArgs {
    /// Its name, as `key list` shows it.
    #[arg(value_name = "NAME")]
    name: KeyName,
    #[command(flatten)]
    place: StageArgs,
}

impl RevokeShopKeyArgs {
    async fn run(self) -> anyhow::Result<()> {
        let (name, now) = (&self.name, self.place.now()?);
        let revoked = shop_keys::revoke(&self.place.table().await?, name, now).await;
        let row = revoked.map_err(readable_error)?;
        let row = row.ok_or_else(|| {
            anyhow!(
                "no key is called {name} in this table; `orangery key list` names those there are"
            )
        })?;
        let at = row.revoked_at.unwrap_or(now);
        writeln!(
            terminal::stdout(),
            "{name} is out of force since {at}; it is refused within a minute, and tokens that it \
             made within an hour"
        )?;
        Ok(())
    }
}
