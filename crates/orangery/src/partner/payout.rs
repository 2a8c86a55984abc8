//! `partner payout`: decides what is paid, and writes it down for bank and books.

mod report;

use super::accounts::Accounts;
use super::sepa;
use super::sheet::{self, PayoutSheetRow};
use super::target::{partner_name, unknown_partner};
use crate::stage::StageArgs;
use crate::table::readable_error;
use crate::terminal;
use anyhow::Context;
use clap::{ArgGroup, Args};
use domain::ids::PartnerId;
use domain::money::Money;
use domain::partner::bank_account::BankAccount;
use domain::partner::payout::{Payout, PayoutRefusal, PayoutRequest, day_of};
use jiff::Timestamp;
use jiff::civil::Date;
use local_cloud::private_file;
use local_shop::amounts::money;
use report::{PayoutReport, WrittenFile};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Table;
use store::payouts::{PayoutError, Transfer, TransferBatch, preview_payout, run};

/// Whom to pay, for which day, and where to write it.
#[derive(Args)]
#[command(group = ArgGroup::new("whom").required(true).args(["partner", "all"]))]
#[command(group = ArgGroup::new("when").required(true).multiple(true).args(["dry_run", "date"]))]
pub struct PayoutArgs {
    /// Whose payout.
    #[arg(value_name = "NAME", value_parser = partner_name)]
    partner: Option<PartnerId>,
    /// Every partner's.
    #[arg(long)]
    all: bool,
    /// Shows what would be paid, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// The day, in UTC: what is released by its end is paid. The same day again is the same
    /// payout.
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// The least that is paid, as in "50.00 eur"; once for each currency.
    #[arg(long = "minimum", value_name = "AMOUNT")]
    minimums: Vec<Money>,
    /// Where to write the payouts for a spreadsheet.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    sepa: SepaArgs,
    /// Stable JSON instead of tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stage: StageArgs,
}

/// The message to the bank.
#[derive(Args)]
struct SepaArgs {
    /// Where to write SEPA credit transfers for the bank (pain.001.001.09).
    #[arg(long = "sepa", value_name = "FILE", conflicts_with = "dry_run")]
    #[arg(requires = "debtor_name", requires = "debtor_iban")]
    file: Option<PathBuf>,
    /// Who pays: the name on the account.
    #[arg(long, value_name = "NAME", requires = "file")]
    debtor_name: Option<String>,
    /// From which account.
    #[arg(long, value_name = "IBAN", requires = "file")]
    debtor_iban: Option<String>,
    /// At which bank, where the bank asks for it.
    #[arg(long, value_name = "BIC", requires = "file")]
    debtor_bic: Option<String>,
}

impl PayoutArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let payer = self.sepa.payer()?;
        let table = self.stage.table().await?;
        let now = self.stage.now()?;
        let order = PayoutRequest {
            date: self.date.unwrap_or_else(|| day_of(now)),
            minimums: self.minimums.clone(),
        };
        let mut report = PayoutReport::new(order.date, self.dry_run);
        for partner in self.partners(&table).await? {
            let run = if self.dry_run {
                preview_payout(&table, &partner, &order, now).await
            } else {
                run(&table, &partner, &order, now).await
            };
            match run {
                Ok(run) => report.add_run(partner, run),
                // One partner's later payout must not keep the others from theirs.
                Err(PayoutError::Refused(refused @ PayoutRefusal::BeforeLastPayout { .. }))
                    if self.all =>
                {
                    report.refused.push(format!("{partner}: {refused}"));
                }
                Err(PayoutError::Store(error)) => return Err(readable_error(error)),
                Err(error @ (PayoutError::Refused(_) | PayoutError::Contended)) => {
                    return Err(error.into());
                }
            }
        }
        if !self.dry_run {
            let accounts = Accounts::of(&self.stage).await?;
            self.write_files(&accounts, &mut report, payer.as_ref(), now)
                .await?;
        }
        let text = if self.json {
            terminal::json(&report)?
        } else {
            report.text()
        };
        writeln!(terminal::stdout(), "{}", text.trim_end())?;
        Ok(())
    }

    async fn partners<T: Table>(&self, table: &T) -> anyhow::Result<Vec<PartnerId>> {
        let Some(partner) = &self.partner else {
            let all = store::partners::list(table).await.map_err(readable_error)?;
            return Ok(all.iter().map(|row| row.partner.clone()).collect());
        };
        let row = store::partners::read(table, partner).await;
        row.map_err(readable_error)?
            .ok_or_else(|| unknown_partner(partner))?;
        Ok(vec![partner.clone()])
    }

    /// The files. Whatever dies here, the same command writes them again from what was decided.
    async fn write_files(
        &self,
        accounts: &Accounts,
        report: &mut PayoutReport,
        payer: Option<&BankAccount>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if self.csv.is_none() && self.sepa.file.is_none() {
            return Ok(());
        }
        let payments = payout_amounts(accounts, &report.decided_payouts).await?;
        let new: Vec<Transfer> = match payer {
            Some(_) => payments.iter().filter_map(PayoutAmount::transfer).collect(),
            None => Vec::new(),
        };
        let messages = accounts.save_transfer_batches(report.date, &new, now);
        let messages = messages.await?;
        let told_of = |payment: &PayoutAmount| -> Option<(Arc<TransferBatch>, Transfer)> {
            messages.iter().find_map(|message| {
                let transfer = message.transfers.iter().find(|t| payment.matches(t))?;
                Some((message.clone(), transfer.clone()))
            })
        };
        if let Some(file) = &self.csv {
            let lines: Vec<PayoutSheetRow> =
                payments.iter().map(|p| p.sheet_row(told_of(p))).collect();
            write_file(file, &sheet::payouts(&lines)?)?;
            report.files.push(WrittenFile::new(file, lines.len(), None));
        }
        let (Some(file), Some(payer)) = (&self.sepa.file, payer) else {
            return Ok(());
        };
        let mut wanted: BTreeMap<u64, Arc<TransferBatch>> = BTreeMap::new();
        for payment in &payments {
            match told_of(payment) {
                Some((message, _)) => drop(wanted.insert(message.n, message)),
                None => report.not_transferred.push(payment.not_transferred_text()),
            }
        }
        let alone = wanted.len() == 1;
        for (n, message) in wanted {
            let file = if alone {
                file.clone()
            } else {
                numbered_file(file, n)
            };
            write_file(&file, &sepa::pain_001(&message, payer)?)?;
            let id = sepa::message_id(&message);
            report
                .files
                .push(WrittenFile::new(&file, message.transfers.len(), Some(id)));
        }
        Ok(())
    }
}

impl SepaArgs {
    /// The account that pays, looked at before anything is decided.
    fn payer(&self) -> anyhow::Result<Option<BankAccount>> {
        let (Some(name), Some(iban)) = (&self.debtor_name, &self.debtor_iban) else {
            return Ok(None);
        };
        let payer = BankAccount::new(name, iban, self.debtor_bic.as_deref());
        Ok(Some(payer.context("the account that pays can't be used")?))
    }
}

/// An amount that was paid out, and where it is to go.
struct PayoutAmount {
    payout: Payout,
    amount: Money,
    account: Option<BankAccount>,
}

async fn payout_amounts(
    accounts: &Accounts,
    decided: &[Payout],
) -> anyhow::Result<Vec<PayoutAmount>> {
    let mut payments = Vec::new();
    for payout in decided {
        let row = accounts.bank(&payout.partner).await;
        let row = row.map_err(readable_error)?;
        payments.extend(payout.amounts.iter().map(|amount| PayoutAmount {
            payout: payout.clone(),
            amount: *amount,
            account: row.as_ref().map(|row| row.account.clone()),
        }));
    }
    Ok(payments)
}

impl PayoutAmount {
    fn transfer(&self) -> Option<Transfer> {
        let account = self.account.clone()?;
        sepa::refusal_reason(self.amount)
            .is_none()
            .then(|| Transfer {
                partner: self.payout.partner.clone(),
                payout: self.payout.n,
                amount: self.amount,
                account,
            })
    }

    fn matches(&self, transfer: &Transfer) -> bool {
        transfer.partner == self.payout.partner
            && transfer.payout == self.payout.n
            && transfer.amount == self.amount
    }

    /// Why it is in no message to the bank.
    fn not_transferred_reason(&self) -> &'static str {
        match (sepa::refusal_reason(self.amount), &self.account) {
            (Some(why), _) => why,
            (None, None) => "no account is known; `orangery partner bank` sets it",
            (None, Some(_)) => "no message to the bank was asked for",
        }
    }

    fn not_transferred_text(&self) -> String {
        let (name, amount) = (self.payout.name(), money(self.amount));
        format!("{name}, {amount}: {}", self.not_transferred_reason())
    }

    /// As the sheet has it: an account that the bank was told is the one that stands.
    fn sheet_row(&self, sent: Option<(Arc<TransferBatch>, Transfer)>) -> PayoutSheetRow {
        let transfer = match &sent {
            Some((message, _)) => sepa::message_id(message),
            None => self.not_transferred_reason().to_owned(),
        };
        let sent = sent.map(|(_, transfer)| transfer.account);
        let account = sent.as_ref().or(self.account.as_ref());
        let of = |part: fn(&BankAccount) -> &str| account.map(part).unwrap_or_default().into();
        PayoutSheetRow {
            date: self.payout.date,
            partner: self.payout.partner.clone(),
            payout: self.payout.n,
            amount: self.amount,
            account: [
                of(BankAccount::holder),
                of(BankAccount::iban),
                of(|account| account.bic().unwrap_or_default()),
            ],
            transfer,
        }
    }
}

fn write_file(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    private_file::write(file, bytes).with_context(|| {
        format!(
            "{} can't be written; what is paid is decided, and the same command writes it again",
            file.display()
        )
    })
}

/// `transfers-2.xml`.
fn numbered_file(file: &Path, n: u64) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = match file.extension() {
        Some(end) => format!("{stem}-{n}.{}", end.to_string_lossy()),
        None => format!("{stem}-{n}"),
    };
    file.with_file_name(name)
}
