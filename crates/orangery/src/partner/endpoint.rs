//! `partner endpoint`: where a partner is told of its rows.

use super::{Master, Whose};
use crate::table;
use anyhow::{Context, bail};
use clap::Args;
use domain::ids::PartnerId;
use jiff::Timestamp;
use providers::notice_secret;
use runtime::post::Reach;
use std::io::Write;
use store::endpoints::{Endpoint, WhyOff, enable, endpoint, remove, rotate, set};

/// Whose endpoint is set, shown, put on again or forgotten.
#[derive(Args)]
pub struct Tell {
    #[command(flatten)]
    whose: Whose,
    /// Where to: an https address; of a local stack, one of this machine. Without it, what is set.
    #[arg(value_name = "ADDRESS")]
    to: Option<String>,
    /// Tells this partner nothing any more.
    #[arg(long, conflicts_with_all = ["to", "enable"])]
    off: bool,
    /// Puts an endpoint on that was put off, and tells it what it missed.
    #[arg(long, conflicts_with = "to")]
    enable: bool,
    /// Gives it another secret to check notices with; for a day they are signed with the one
    /// before besides.
    #[arg(long, conflicts_with_all = ["to", "off", "enable"])]
    rotate: bool,
    #[command(flatten)]
    master: Master,
}

impl Tell {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (table, row) = self.whose.known().await?;
        let (partner, place) = (&row.partner, &self.whose.place);
        let mut out = std::io::stdout();
        if self.off {
            let removed = remove(&table, partner).await;
            if !removed.map_err(table::trouble)? {
                bail!(MEANWHILE);
            }
            writeln!(out, "{partner} is told nothing any more")?;
            return Ok(());
        }
        // First: a secret that can't be shown is not changed.
        let (master, now) = (self.master.key(place)?, place.now()?);
        let there = match &self.to {
            Some(url) => {
                let reach = match place.is_local() {
                    true => Reach::Loopback,
                    false => Reach::Public,
                };
                reach
                    .check(url)
                    .context("this is no address to send notices to")?;
                let set = set(&table, partner, url, now).await;
                Some(set.map_err(table::trouble)?.context(MEANWHILE)?)
            }
            None => {
                let there = endpoint(&table, partner).await.map_err(table::trouble)?;
                there.map(|there| Endpoint::clone(&there))
            }
        };
        let Some(mut there) = there else {
            bail!(
                "{partner} has no endpoint, so it is told nothing; \
                 `orangery partner endpoint {partner} https://…` sets one"
            )
        };
        if self.enable {
            let on = enable(&table, partner, now).await;
            there = on.map_err(table::trouble)?.context(MEANWHILE)?;
        }
        if self.rotate {
            let next = rotate(&table, partner, now).await;
            there = next.map_err(table::trouble)?.context(MEANWHILE)?;
        }
        let secret = notice_secret(&master, partner, there.key)?;
        writeln!(out, "{}", secret.reveal_standard())?;
        writeln!(std::io::stderr(), "{}", stands(partner, &there, now))?;
        Ok(())
    }
}

/// Where it stands, for people.
fn stands(partner: &PartnerId, endpoint: &Endpoint, now: Timestamp) -> String {
    let Endpoint { url, since, .. } = endpoint;
    let how = match (endpoint.off, endpoint.failing_since) {
        (Some(off), _) => {
            let why = match off.why {
                WhyOff::Gone => "it said that it is gone",
                WhyOff::Failing => "it failed for three days",
            };
            format!("off since {}: {why}; --enable puts it on", off.at)
        }
        (None, Some(failing_since)) => format!("failing since {failing_since}, and tried again"),
        (None, None) => "on".to_owned(),
    };
    let before = endpoint.before.filter(|before| now < before.until);
    let both = before.map_or_else(String::new, |before| {
        format!(" (until {} also with the one before)", before.until)
    });
    format!(
        "{partner} is told at {url} of what comes after {since}, signed with the secret \
         above{both}, and the endpoint is {how}"
    )
}

const MEANWHILE: &str = "somebody else changed this endpoint meanwhile; say it again";
