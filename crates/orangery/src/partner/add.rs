//! `partner add`.

use super::keys::print_secret;
use super::target::PartnerArgs;
use super::terms::{PartnerIdentityArgs, TermsArgs, put_in_force, terms_text};
use crate::root::RootArgs;
use crate::table;
use crate::terminal;
use anyhow::bail;
use clap::Args;
use domain::partner::identity::PartnerIdentity;
use domain::partner::tiers::ProgramTerms;
use jiff::Timestamp;
use runtime::secrets::KeyPurpose;
use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::partners::{DatedProgram, PartnerRow};

/// A partner to be added. Without terms and --program it has those of the catalog's [program].
#[derive(Args)]
pub struct AddPartnerArgs {
    #[command(flatten)]
    target: PartnerArgs,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    identity: PartnerIdentityArgs,
    #[command(flatten)]
    root: RootArgs,
}

impl AddPartnerArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let PartnerArgs {
            partner,
            stage: place,
        } = &self.target;
        let own = self.identity.to_identity()?;
        let asked = self.terms.requested(place, None)?;
        let program = match &asked {
            Some(asked) => Some(asked.clone()),
            None => self.terms.default_program(place)?,
        };
        let root = self.root.newest_to_give_out(place, KeyPurpose::Partners);
        let root = root.await?;
        let (table, now) = (place.table().await?, place.now()?);
        let mut new = PartnerRow::new(partner.clone());
        new.identity = own.clone();
        if let Some(program) = &program {
            put_in_force(&mut new, program, now);
        }
        let existing = store::partners::put_new(&table, new.clone()).await;
        let (row, outcome) = match existing.map_err(table::readable_error)? {
            None => (Arc::new(new), "added"),
            Some(existing) => existing_partner(&table, existing, asked.as_ref(), &own, now).await?,
        };
        print_secret(&root, &row)?;
        let mut err = terminal::stderr();
        writeln!(
            err,
            "{partner} {outcome}. It signs with the secret above; keep it, or see it again by the \
             same command"
        )?;
        match row.agreed(now) {
            Some(agreed) => writeln!(err, "it earns {}", terms_text(agreed))?,
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
async fn existing_partner(
    table: &DynamoTable,
    existing: Arc<PartnerRow>,
    asked: Option<&ProgramTerms>,
    own: &PartnerIdentity,
    now: Timestamp,
) -> anyhow::Result<(Arc<PartnerRow>, &'static str)> {
    let partner = existing.partner.clone();
    let in_force = existing.agreed(now);
    let other = |(is, asked): (&DatedProgram, &ProgramTerms)| is.terms() != *asked;
    let other = in_force.zip(asked).is_some_and(other);
    if other || !existing.identity.is_superset(own) {
        let terms = in_force.map_or_else(|| "no program".to_owned(), terms_text);
        bail!(
            "{partner} already exists, on other terms ({terms}); `orangery partner terms \
             {partner} …` puts new ones in force for customers sent from then on"
        )
    }
    let Some(asked) = asked.filter(|_| in_force.is_none()) else {
        return Ok((existing, "already exists"));
    };
    let first = |row: &mut PartnerRow| -> Result<(), Infallible> {
        put_in_force(row, asked, now);
        Ok(())
    };
    let changed = store::partners::change(table, &partner, first).await;
    match changed.map_err(table::readable_error)? {
        Some(Ok(row)) => Ok((
            row,
            "already existed without a program, and has this one now",
        )),
        None => bail!("{partner} no longer exists"),
    }
}
