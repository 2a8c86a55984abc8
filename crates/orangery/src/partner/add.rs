//! `partner add`.

use super::keys::reveal;
use super::terms::{Known, Terms, put_in_force, told};
use super::{Master, Whose};
use crate::table;
use anyhow::bail;
use clap::Args;
use domain::program::Own;
use domain::tiers::Offer;
use jiff::Timestamp;
use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::partners::{Dated, PartnerRow};

/// A partner to be added. Without terms and --program it has those of the catalog's [program].
#[derive(Args)]
pub struct Add {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    master: Master,
}

impl Add {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Whose { partner, place } = &self.whose;
        let master = self.master.key(place)?;
        let own = self.known.own()?;
        let asked = self.terms.asked(place, None)?;
        let program = match &asked {
            Some(asked) => Some(asked.clone()),
            None => self.terms.usual(place)?,
        };
        let (table, now) = (place.table()?, place.now()?);
        let mut new = PartnerRow::new(partner.clone());
        new.own = own.clone();
        if let Some(program) = &program {
            put_in_force(&mut new, program, now);
        }
        let there = store::partners::put_new(&table, new.clone()).await;
        let (row, said) = match there.map_err(table::trouble)? {
            None => (Arc::new(new), "added"),
            Some(there) => already(&table, there, asked.as_ref(), &own, now).await?,
        };
        reveal(&master, &row)?;
        let mut err = std::io::stderr();
        writeln!(
            err,
            "{partner} {said}. It signs with the secret above; keep it, or see it again by the \
             same command"
        )?;
        match row.agreed(now) {
            Some(agreed) => writeln!(err, "it earns {}", told(agreed))?,
            None => writeln!(
                err,
                "it has no program and earns nothing yet: orangery partner terms {partner} …"
            )?,
        }
        writeln!(err, "reports go to POST /partners/{partner}/events")?;
        Ok(())
    }
}

/// A partner that is there already is as it was; one without any program may get its first.
async fn already(
    table: &DynamoTable,
    there: Arc<PartnerRow>,
    asked: Option<&Offer>,
    own: &Own,
    now: Timestamp,
) -> anyhow::Result<(Arc<PartnerRow>, &'static str)> {
    let partner = there.partner.clone();
    let in_force = there.agreed(now);
    let other = |(is, asked): (&Dated, &Offer)| is.offer() != *asked;
    let other = in_force.zip(asked).is_some_and(other);
    if other || !there.own.has(own) {
        let terms = in_force.map_or_else(|| "no program".to_owned(), told);
        bail!(
            "{partner} was there already, on other terms ({terms}); `orangery partner terms \
             {partner} …` puts new ones in force for customers sent from then on"
        )
    }
    let Some(asked) = asked.filter(|_| in_force.is_none()) else {
        return Ok((there, "was there already"));
    };
    let first = |row: &mut PartnerRow| -> Result<(), Infallible> {
        put_in_force(row, asked, now);
        Ok(())
    };
    let changed = store::partners::change(table, &partner, first).await;
    match changed.map_err(table::trouble)? {
        Some(Ok(row)) => Ok((
            row,
            "was there already, without a program, and has this one now",
        )),
        None => bail!("{partner} is not there any more"),
    }
}
