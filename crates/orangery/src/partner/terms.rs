//! `partner terms`: what a partner earns on customers it sends from now on.

use super::codes;
use super::target::PartnerArgs;
use crate::stage::StageArgs;
use crate::table;
use crate::terminal;
use anyhow::{Context, bail};
use clap::Args;
use domain::catalog::Catalog;
use domain::money::Money;
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::AttributionModel;
use domain::partner::program_input::ProgramInput;
use domain::partner::rate::Days;
use domain::partner::rate::Rate;
use domain::partner::tiers::{ProgramTerms, Tier};
use jiff::Timestamp;
use std::convert::Infallible;
use std::io::Write;
use std::path::PathBuf;
use store::partners::{DatedProgram, PartnerRow};

/// Terms as they are typed.
#[derive(Args)]
pub(crate) struct TermsArgs {
    /// Its part of what is paid without tax: 20%, 12.5%.
    #[arg(long, value_name = "PERCENT", conflicts_with = "fixed")]
    rate: Option<Rate>,
    /// So much for each payment in that currency, in its minor unit of ISO 4217: "5.00 eur".
    #[arg(long, value_name = "AMOUNT")]
    fixed: Option<Money>,
    /// It earns on payments made in so many months from a customer's first.
    #[arg(long, conflicts_with_all = ["first_payment", "life"])]
    months: Option<u16>,
    /// It earns on a customer's first payment alone.
    #[arg(long, conflicts_with = "life")]
    first_payment: bool,
    /// It earns on every payment.
    #[arg(long)]
    life: bool,
    /// From a payment until what it earned is released: 30d.
    #[arg(long, value_name = "DAYS")]
    hold: Option<Days>,
    /// Between a report and the customer's first payment, either way: 60d.
    #[arg(long, value_name = "DAYS")]
    window: Option<Days>,
    /// Of several who claim a customer, whose report counts: first, or the last before it paid.
    #[arg(long)]
    attribution_model: Option<AttributionModel>,
    /// Once so many of its customers are active, it earns this on those it sends next: 10:25%.
    /// They are counted once a day. May be repeated.
    #[arg(long = "tier", value_name = "NUMBER:REWARD")]
    tiers: Vec<Tier>,
    /// It earns the same however many customers it has.
    #[arg(long, conflicts_with = "tiers")]
    no_tiers: bool,
    /// The program of this name in the catalog, [programs.NAME]; what else is said here is over
    /// it.
    #[arg(long, value_name = "NAME")]
    program: Option<String>,
    /// The shop's catalog, whose [program] holds where nothing else is said.
    #[arg(long, value_name = "FILE", env = "ORANGERY_CATALOG")]
    catalog: Option<PathBuf>,
}

/// What the partner itself is known by, so that it does not earn on its own purchases.
#[derive(Args)]
pub(crate) struct PartnerIdentityArgs {
    /// An e-mail address of the partner's; kept as a digest. May be repeated.
    #[arg(long = "email", value_name = "ADDRESS")]
    emails: Vec<String>,
    /// A domain of the partner's company. May be repeated.
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// What the partner pays with, as the provider marks it. May be repeated.
    #[arg(long = "fingerprint", value_name = "MARK")]
    fingerprints: Vec<String>,
}

impl TermsArgs {
    /// Whether nothing is said.
    fn is_empty(&self) -> bool {
        self.program.is_none() && self.program_input().is_empty()
    }

    /// What is typed besides a program's name.
    fn program_input(&self) -> ProgramInput {
        ProgramInput {
            rate: self.rate,
            fixed: self.fixed,
            months: self.months,
            first_payment: self.first_payment,
            life: self.life,
            hold: self.hold,
            window: self.window,
            attribution_model: self.attribution_model,
            tiers: (self.no_tiers || !self.tiers.is_empty()).then(|| self.tiers.clone()),
        }
    }

    /// What is typed, if anything is: over the program that is named, else over what was
    /// `agreed`, else over what the catalog's program without a name says.
    ///
    /// # Errors
    /// When the file is no catalog, has no such program, or the terms are none.
    pub(super) fn requested(
        &self,
        place: &StageArgs,
        agreed: Option<&ProgramTerms>,
    ) -> anyhow::Result<Option<ProgramTerms>> {
        if self.is_empty() {
            return Ok(None);
        }
        let catalog = self.known_catalog(place)?;
        let base = match &self.program {
            Some(name) => Some(named_program(&catalog, name)?),
            None => agreed.or(catalog.program.as_ref()),
        };
        Ok(Some(self.program_input().merge_onto(base)?))
    }

    /// The catalog of that stage. Where nothing says one, terms may not rest on it.
    fn known_catalog(&self, place: &StageArgs) -> anyhow::Result<Catalog> {
        let catalog = place.catalog(self.catalog.as_deref())?;
        Ok(catalog.unwrap_or_default())
    }

    /// What a partner earns with whom nothing else is agreed on.
    ///
    /// # Errors
    /// When the file is no catalog.
    pub(super) fn default_program(
        &self,
        place: &StageArgs,
    ) -> anyhow::Result<Option<ProgramTerms>> {
        Ok(self.known_catalog(place)?.program)
    }
}

/// A catalog's program by its name.
fn named_program<'a>(catalog: &'a Catalog, name: &str) -> anyhow::Result<&'a ProgramTerms> {
    let known = || match catalog.programs.is_empty() {
        true => "it has none with a name; --catalog names another file".to_owned(),
        false => {
            let names: Vec<&str> = catalog.programs.keys().map(String::as_str).collect();
            format!("it has {}", names.join(", "))
        }
    };
    let program = catalog.programs.get(name);
    program.with_context(|| format!("the catalog has no program `{name}`: {}", known()))
}

impl PartnerIdentityArgs {
    /// The same as it is kept.
    ///
    /// # Errors
    /// When one of them can't be a partner's own.
    pub(crate) fn to_identity(&self) -> anyhow::Result<PartnerIdentity> {
        let mut own = PartnerIdentity::default();
        for email in &self.emails {
            own.add_email(email)?;
        }
        for domain in &self.domains {
            own.add_domain(domain)?;
        }
        for mark in &self.fingerprints {
            own.fingerprints.insert(mark.as_str().into());
        }
        Ok(own)
    }
}

/// Other terms for a partner; without any, those there are are shown.
#[derive(Args)]
pub struct ChangeTermsArgs {
    #[command(flatten)]
    target: PartnerArgs,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    identity: PartnerIdentityArgs,
}

impl ChangeTermsArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (table, row) = self.target.read_row().await?;
        let now = self.target.stage.now()?;
        let own = self.identity.to_identity()?;
        if self.terms.is_empty() && own.is_empty() {
            return print_terms(&row, now);
        }
        let agreed = row.agreed(now).map(DatedProgram::terms);
        let program = self.terms.requested(&self.target.stage, agreed.as_ref())?;
        let put = |row: &mut PartnerRow| -> Result<(), Infallible> {
            row.identity.merge(own.clone());
            if let Some(program) = &program {
                put_in_force(row, program, now);
            }
            Ok(())
        };
        let changed = store::partners::change(&table, &self.target.partner, put).await;
        let Some(Ok(changed)) = changed.map_err(table::readable_error)? else {
            bail!("{} no longer exists", self.target.partner);
        };
        let mut out = terminal::stdout();
        let what = if changed.programs != row.programs {
            "new terms, for customers sent from now on; the endpoints use them within a minute"
        } else if changed.identity != row.identity {
            "it is known by more, for customers sent from now on; its terms are as they were"
        } else {
            "its terms are as they were"
        };
        writeln!(out, "{}: {what}", row.partner)?;
        // Its codes bring customers on the terms they were given on, so they are given again.
        for code in &changed.codes {
            codes::grant_code(&table, &changed, code, now).await?;
        }
        print_terms(&changed, now)
    }
}

/// Puts an offer into force now, on the tier that was reached last.
pub(super) fn put_in_force(row: &mut PartnerRow, offer: &ProgramTerms, now: Timestamp) {
    let active = row.latest().map_or(0, |last| last.active);
    row.set_terms(offer, active, now);
}

/// What was agreed on, and on which tier the partner is.
pub(super) fn terms_text(dated: &DatedProgram) -> String {
    let (offer, reward) = (dated.terms(), dated.in_force().reward);
    match reward == offer.program.reward {
        true => offer.to_string(),
        false => format!("{offer}; {reward} with {} active customers", dated.active),
    }
}

fn print_terms(row: &PartnerRow, now: Timestamp) -> anyhow::Result<()> {
    let mut out = terminal::stdout();
    if row.programs.is_empty() {
        writeln!(
            out,
            "{} has no program and earns nothing; --rate or --fixed and so on agree on one",
            row.partner
        )?;
    }
    let in_force = row.agreed(now);
    for dated in &row.programs {
        let mark = match in_force.is_some_and(|agreed| std::ptr::eq(agreed, dated)) {
            true => "  (in force)",
            false => "",
        };
        writeln!(out, "since {}  {}{mark}", dated.since, terms_text(dated))?;
    }
    let own = &row.identity;
    if !own.is_empty() {
        let (mailboxes, marks) = (own.mailboxes.len(), own.fingerprints.len());
        let domains: Vec<&str> = own.domains.iter().map(AsRef::as_ref).collect();
        let domains = domains.join(", ");
        writeln!(
            out,
            "known by {mailboxes} addresses, {marks} means of payment, domains: {domains}"
        )?;
    }
    Ok(())
}
