//! `partner add`.

use super::{Master, Whose};
use crate::table;
use clap::Args;
use std::io::Write;

/// A partner to be added.
#[derive(Args)]
pub struct Add {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    master: Master,
}

impl Add {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Whose { partner, place } = &self.whose;
        let master = self.master.key(place)?;
        let new = store::partners::add(&place.table()?, partner).await;
        let new = new.map_err(table::trouble)?;
        let secret = providers::partner_secret(&master, partner, 1)?;
        writeln!(std::io::stdout(), "{}", secret.reveal_standard())?;
        let said = if new {
            "added"
        } else {
            "was there already; its secret is the same"
        };
        writeln!(
            std::io::stderr(),
            "{partner} {said}. Reports go to POST /partners/{partner}/events"
        )?;
        Ok(())
    }
}
