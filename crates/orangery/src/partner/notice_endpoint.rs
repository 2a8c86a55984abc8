//! `partner endpoint`: where notices of its rows are sent to a partner.

use super::target::PartnerArgs;
use crate::root::RootArgs;
use crate::table;
use crate::terminal;
use anyhow::{Context, bail};
use clap::Args;
use domain::ids::PartnerId;
use jiff::Timestamp;
use providers::notice_secret;
use runtime::post::NetworkScope;
use runtime::secrets::KeyPurpose;
use std::io::Write;
use store::notice_endpoints::{
    DisabledReason, NoticeEndpoint, enable, read_endpoint, remove, rotate, set,
};

/// Whose endpoint is set, shown, put on again or forgotten.
#[derive(Args)]
pub struct NoticeEndpointArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// Where to: an https address; of a local stack, one of this machine. Without it, what is set.
    #[arg(value_name = "ADDRESS")]
    to: Option<String>,
    /// Removes the endpoint; the partner gets no more notices.
    #[arg(long, conflicts_with_all = ["to", "enable"])]
    remove: bool,
    /// Enables an endpoint that was disabled, and sends it what it missed.
    #[arg(long, conflicts_with = "to")]
    enable: bool,
    /// Gives it another secret to check notices with; for a day they are signed with the one
    /// before besides.
    #[arg(long, conflicts_with_all = ["to", "remove", "enable"])]
    rotate: bool,
    #[command(flatten)]
    root: RootArgs,
}

impl NoticeEndpointArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (table, row) = self.target.read_row().await?;
        let (partner, stage) = (&row.partner, &self.target.stage);
        let mut out = terminal::stdout();
        if self.remove {
            let removed = remove(&table, partner).await;
            if !removed.map_err(table::readable_error)? {
                bail!(CHANGED_CONCURRENTLY);
            }
            writeln!(out, "{partner} gets no more notices")?;
            return Ok(());
        }
        // First: a secret that can't be shown is not changed.
        let root = self.root.newest_to_give_out(stage, KeyPurpose::Notices);
        let root = root.await?;
        let now = stage.now()?;
        let endpoint = match &self.to {
            Some(url) => {
                let reach = match stage.is_local()? {
                    true => NetworkScope::Loopback,
                    false => NetworkScope::Public,
                };
                reach
                    .check(url)
                    .context("notices can't be sent to this address")?;
                let set = set(&table, partner, url, now).await;
                Some(
                    set.map_err(table::readable_error)?
                        .context(CHANGED_CONCURRENTLY)?,
                )
            }
            None => {
                let endpoint = read_endpoint(&table, partner)
                    .await
                    .map_err(table::readable_error)?;
                endpoint.map(|endpoint| NoticeEndpoint::clone(&endpoint))
            }
        };
        let Some(mut endpoint) = endpoint else {
            bail!(
                "{partner} has no notice endpoint, so it gets no notices; \
                 `orangery partner endpoint {partner} https://…` sets one"
            )
        };
        if self.enable {
            let on = enable(&table, partner, now).await;
            endpoint = on
                .map_err(table::readable_error)?
                .context(CHANGED_CONCURRENTLY)?;
        }
        if self.rotate {
            let next = rotate(&table, partner, now).await;
            endpoint = next
                .map_err(table::readable_error)?
                .context(CHANGED_CONCURRENTLY)?;
        }
        let secret = notice_secret(&root, partner, endpoint.key)?;
        writeln!(out, "{}", secret.reveal_standard())?;
        writeln!(
            terminal::stderr(),
            "{}",
            endpoint_text(partner, &endpoint, now)
        )?;
        Ok(())
    }
}

/// Where it stands, for people.
fn endpoint_text(partner: &PartnerId, endpoint: &NoticeEndpoint, now: Timestamp) -> String {
    let NoticeEndpoint { url, since, .. } = endpoint;
    let how = match (endpoint.disabled, endpoint.failing_since) {
        (Some(disabled), _) => {
            let why = match disabled.reason {
                DisabledReason::Gone => "it answered 410 Gone",
                DisabledReason::Failing => "it failed for three days",
            };
            format!("disabled since {}: {why}; --enable enables it", disabled.at)
        }
        (None, Some(failing_since)) => format!("failing since {failing_since}, and tried again"),
        (None, None) => "enabled".to_owned(),
    };
    let before = endpoint.previous_key.filter(|before| now < before.until);
    let both = before.map_or_else(String::new, |before| {
        format!(" (until {} also with the one before)", before.until)
    });
    format!(
        "{partner} gets notices at {url} for rows written after {since}, signed with the secret \
         above{both}, and the endpoint is {how}"
    )
}

const CHANGED_CONCURRENTLY: &str =
    "somebody else changed this endpoint meanwhile; run the command again";
