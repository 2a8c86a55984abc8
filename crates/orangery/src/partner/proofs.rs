//! `partner key` and `partner postback`: proofs besides the shared secret.

use super::keys;
use super::target::{PartnerArgs, unknown_partner};
use crate::root::RootArgs;
use crate::table;
use crate::terminal;
use anyhow::{Context, bail};
use clap::Args;
use providers::partner::postback::PostbackToken;
use providers::{MAX_PUBLIC_KEYS, Secret};
use runtime::secrets::KeyPurpose;
use std::io::Write;
use std::sync::Arc;
use store::partners::{PartnerRow, change};

/// A public key of a partner's own.
#[derive(Args)]
pub struct PublicKeyArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// The key, as `whpk_` and base64; without one, those there are are shown.
    key: Option<String>,
    /// Take it out of force.
    #[arg(long, requires = "key")]
    remove: bool,
}

impl PublicKeyArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut out = terminal::stdout();
        let Some(text) = &self.key else {
            let (_, row) = self.target.read_row().await?;
            for key in &row.public_keys {
                writeln!(out, "{key}")?;
            }
            return Ok(());
        };
        // One way to write a key, so that the same is not there twice.
        let key = Secret::standard_public(text).context("this is not an Ed25519 public key")?;
        let key: Arc<str> = key.reveal_standard().into();
        let partner = &self.target.partner;
        let put = |row: &mut PartnerRow| {
            let known = row.public_keys.contains(&key);
            if self.remove {
                row.public_keys.retain(|other| *other != key);
                return if known {
                    Ok(())
                } else {
                    Err("it is none of this partner's")
                };
            }
            if !known && row.public_keys.len() >= MAX_PUBLIC_KEYS {
                return Err(
                    "the partner already has four public keys, the maximum; remove one first",
                );
            }
            if !known {
                row.public_keys.push(key.clone());
            }
            Ok(())
        };
        let changed = change(&self.target.stage.table().await?, partner, put).await;
        match changed.map_err(table::readable_error)? {
            None => return Err(unknown_partner(partner)),
            Some(Err(why)) => bail!("nothing was changed: {why}"),
            Some(Ok(_)) => {}
        }
        let what = if self.remove {
            "out of force"
        } else {
            "in force"
        };
        writeln!(out, "{what}; the endpoints use it within a minute")?;
        Ok(())
    }
}

/// Whose token is shown.
#[derive(Args)]
pub struct PostbackTokenArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// Puts every token that it was given so far out of force, and no key, within a minute.
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    root: RootArgs,
}

impl PostbackTokenArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        // First: a token that can't be shown is not revoked.
        let stage = &self.target.stage;
        let root = self.root.newest_to_give_out(stage, KeyPurpose::Postbacks);
        let root = root.await?;
        let (table, mut row) = self.target.read_row().await?;
        if self.revoke {
            let changed = change(&table, &self.target.partner, PartnerRow::revoke_tokens).await;
            row = match changed.map_err(table::readable_error)? {
                None => return Err(unknown_partner(&self.target.partner)),
                Some(Err(why)) => bail!("nothing was changed: {why}"),
                Some(Ok(row)) => row,
            };
        }
        // Without a key in force there is no token.
        keys::newest_version(&row)?;
        let version = row.newest_token().unwrap_or_default();
        let token = PostbackToken::derive(&root, &row.partner, version)?;
        writeln!(terminal::stdout(), "{}", token.reveal())?;
        let partner = &row.partner;
        writeln!(
            terminal::stderr(),
            "postbacks go to GET /partners/{partner}/postback?transaction_id=…&email=…&token=… \
             with the token above, which opens that address alone"
        )?;
        Ok(())
    }
}
