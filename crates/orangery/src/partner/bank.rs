//! `partner bank`: where a partner's money goes.

use super::accounts::Accounts;
use super::target::PartnerArgs;
use crate::table;
use crate::terminal;
use anyhow::bail;
use clap::Args;
use domain::partner::bank_account::BankAccount;
use std::io::Write;

/// A partner's account; without one, which is known.
#[derive(Args)]
pub struct BankAccountArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// The account's holder.
    #[arg(long, requires = "iban")]
    name: Option<String>,
    /// Its IBAN.
    #[arg(long, requires = "name")]
    iban: Option<String>,
    /// Its bank's BIC, which banks in the euro area can do without.
    #[arg(long, requires = "iban")]
    bic: Option<String>,
}

impl BankAccountArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let partner = &self.target.partner;
        let given = match (&self.name, &self.iban) {
            (Some(name), Some(iban)) => Some(BankAccount::new(name, iban, self.bic.as_deref())?),
            (None, _) | (_, None) => None,
        };
        self.target.read_row().await?;
        let accounts = Accounts::of(&self.target.stage).await?;
        if let Some(account) = given {
            let now = self.target.stage.now()?;
            let put = accounts.set_bank(partner, account, now).await;
            if !put.map_err(table::readable_error)? {
                bail!("somebody else set {partner}'s account just now; look, and set it again")
            }
        }
        let known = accounts.bank(partner).await;
        let known = known.map_err(table::readable_error)?;
        let Some(row) = known else {
            bail!(
                "no account of {partner} is known: `orangery partner bank {partner} --name … \
                 --iban …` sets it"
            )
        };
        let (holder, hint) = (row.account.holder(), row.account.hint());
        writeln!(
            terminal::stdout(),
            "{partner} is paid to {holder}, {hint}, since {}",
            row.since
        )?;
        Ok(())
    }
}
