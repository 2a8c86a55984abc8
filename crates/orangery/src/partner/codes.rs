//! `partner code`: whoever shows a code from now on was sent by the partner it was given to.

use super::target::{PartnerArgs, unknown_partner};
use crate::table;
use crate::terminal;
use anyhow::bail;
use clap::Args;
use domain::ids::ReferralCode;
use jiff::Timestamp;
use std::io::Write;
use store::dynamo::DynamoTable;
use store::operator_decisions::{GrantOutcome, grant};
use store::partners::{PartnerRow, change};

/// A code and who is to have it.
#[derive(Args)]
pub struct GrantCodeArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// 1 to 64 letters, digits, dots, dashes and underscores, as providers carry it; in any case.
    #[arg(value_parser = code)]
    code: ReferralCode,
}

impl GrantCodeArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { target, code } = &self;
        let (table, row) = target.read_row().await?;
        if !row.codes.contains(code) && row.codes.len() >= MAX_CODES {
            bail!(
                "{} has {MAX_CODES} codes already, and a partner has no more",
                target.partner
            );
        }
        let outcome = grant_code(&table, &row, code, target.stage.now()?).await?;
        // Last, because the entry decides whose the code is, and this only lists it.
        let list = |row: &mut PartnerRow| {
            row.codes.insert(code.clone());
            Ok::<(), std::convert::Infallible>(())
        };
        let listed = change(&table, &target.partner, list).await;
        if listed.map_err(table::readable_error)?.is_none() {
            return Err(unknown_partner(&target.partner));
        }
        writeln!(terminal::stdout(), "{code} {outcome}")?;
        Ok(())
    }
}

/// Gives it on the terms of now.
///
/// # Errors
/// When it is another's, or would earn nothing.
pub(super) async fn grant_code(
    table: &DynamoTable,
    row: &PartnerRow,
    code: &ReferralCode,
    now: Timestamp,
) -> anyhow::Result<String> {
    let partner = &row.partner;
    let granted = grant(table, row, code, now).await;
    match granted.map_err(table::readable_error)? {
        GrantOutcome::Granted => Ok(format!("is {partner}'s, for whoever shows it from now on")),
        GrantOutcome::AlreadyGranted => Ok(format!("was {partner}'s already, on the same terms")),
        GrantOutcome::OwnedByOther(other) => {
            bail!("{code} is {other}'s, and a code stays with whom it was given to")
        }
        GrantOutcome::NoProgram => bail!(
            "{partner} has no program, so the code would earn nothing: first `orangery partner \
             terms {partner} …`"
        ),
    }
}

fn code(text: &str) -> Result<ReferralCode, String> {
    let code = ReferralCode::parse(text);
    code.map_err(|_| {
        "can't be a code: 1 to 64 letters (a to z), digits, dots, dashes and underscores".to_owned()
    })
}

/// Codes a partner has at most: its row lists them.
const MAX_CODES: usize = 100;
