//! `partner rotate` and `partner revoke`: versions of a partner's key.

use super::target::{PartnerArgs, unknown_partner};
use crate::root::RootArgs;
use crate::table;
use crate::terminal;
use anyhow::{Context, bail};
use clap::Args;
use providers::{Secret, partner_secret};
use runtime::secrets::KeyPurpose;
use std::io::Write;
use store::partners::{MAX_KEYS, PartnerRow, change};

/// Whose key gets its next version.
#[derive(Args)]
pub struct RotateKeyArgs {
    #[command(flatten)]
    target: PartnerArgs,
    #[command(flatten)]
    root: RootArgs,
}

impl RotateKeyArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let PartnerArgs {
            partner,
            stage: place,
        } = &self.target;
        let root = self.root.newest_to_give_out(place, KeyPurpose::Partners);
        let root = root.await?;
        let next = |row: &mut PartnerRow| {
            let version = row.last_key.checked_add(1).filter(|next| *next <= MAX_KEYS);
            row.last_key = version.ok_or(TOO_MANY_VERSIONS)?;
            row.keys.push(row.last_key);
            Ok::<(), &str>(())
        };
        let changed = change(&place.table().await?, partner, next).await;
        let row = match changed.map_err(table::readable_error)? {
            None => return Err(unknown_partner(partner)),
            Some(Err(why)) => bail!("{partner}'s key can't be rotated: {why}"),
            Some(Ok(row)) => row,
        };
        print_secret(&root, &row)?;
        let versions = versions_text(&row);
        writeln!(
            terminal::stderr(),
            "{partner} signs with the secret above from now on. Versions in force: {versions}; an \
             older one stays so until `orangery partner revoke {partner} VERSION`"
        )?;
        Ok(())
    }
}

/// Which version of whose key is taken out of force.
#[derive(Args)]
pub struct RevokeKeyArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// The version, as `partner list` shows it; or --all.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    version: Option<u32>,
    /// Every version: the partner can say nothing any more, until its key is rotated.
    #[arg(long)]
    all: bool,
}

impl RevokeKeyArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let partner = &self.target.partner;
        let revoke = |row: &mut PartnerRow| match self.version {
            None => {
                row.keys.clear();
                Ok(())
            }
            Some(version) if !row.keys.contains(&version) => Err(format!(
                "version {version} is not in force; in force: {}",
                versions_text(row)
            )),
            Some(_) if row.keys.len() == 1 => Err(format!(
                "it is the only one, and {partner} could say nothing any more: rotate first, or \
                 say --all"
            )),
            Some(version) => {
                row.keys.retain(|known| *known != version);
                Ok(())
            }
        };
        let changed = change(&self.target.stage.table().await?, partner, revoke).await;
        let row = match changed.map_err(table::readable_error)? {
            None => return Err(unknown_partner(partner)),
            Some(Err(why)) => bail!("nothing was revoked: {why}"),
            Some(Ok(row)) => row,
        };
        let versions = versions_text(&row);
        writeln!(
            terminal::stdout(),
            "revoked; the endpoints refuse it within a minute. In force: {versions}"
        )?;
        Ok(())
    }
}

/// Prints the secret of the newest version in force, alone on its line.
pub(super) fn print_secret(root: &Secret, row: &PartnerRow) -> anyhow::Result<()> {
    let secret = newest_secret(root, row)?;
    writeln!(terminal::stdout(), "{}", secret.reveal_standard())?;
    Ok(())
}

/// The secret of the newest version in force.
pub(super) fn newest_secret(root: &Secret, row: &PartnerRow) -> anyhow::Result<Secret> {
    Ok(partner_secret(root, &row.partner, newest_version(row)?)?)
}

/// The newest version in force.
pub(super) fn newest_version(row: &PartnerRow) -> anyhow::Result<u32> {
    let partner = &row.partner;
    row.keys.last().copied().with_context(|| {
        format!("{partner} has no key in force; `orangery partner rotate {partner}` gives it one")
    })
}

/// The versions in force, for people.
pub(super) fn versions_text(row: &PartnerRow) -> String {
    let versions: Vec<String> = row.keys.iter().map(ToString::to_string).collect();
    if versions.is_empty() {
        return "none".to_owned();
    }
    versions.join(", ")
}

const TOO_MANY_VERSIONS: &str = "it has had as many key versions as an endpoint tries; \
     add the partner under another name";
