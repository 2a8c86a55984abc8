//! `partner release` and `partner void`: what a person decides of a referral.

use super::target::PartnerArgs;
use crate::table;
use crate::terminal;
use anyhow::bail;
use clap::Args;
use domain::ids::CustomerKey;
use domain::partner::referral::Decision;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use store::operator_decisions::{
    EverywhereReview, ReferralRef, ReviewOutcome, referred_customers, review, review_everywhere,
};

/// Which referral.
#[derive(Args)]
pub struct ReviewReferralArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// The partner's id of it; where a code brought the customer, code/NAME.
    referral: Arc<str>,
    /// A customer it is about, where nothing of it is in the ledger yet; may be repeated.
    #[arg(long = "customer", value_name = "KEY")]
    customers: Vec<String>,
}

impl ReviewReferralArgs {
    pub(super) async fn run(self, decision: Decision) -> anyhow::Result<()> {
        let (table, _) = self.target.read_row().await?;
        let now = self.target.stage.now()?;
        let named = ReferralRef::new(self.target.partner.clone(), &self.referral);
        let reported = self
            .customers
            .iter()
            .map(|key| CustomerKey::parse(key.as_str()));
        let mut customers = reported.collect::<Result<BTreeSet<CustomerKey>, _>>()?;
        if customers.is_empty() {
            let everywhere = review_everywhere(&table, &named, decision, now).await;
            customers = match everywhere.map_err(table::readable_error)? {
                Some(review) if review.is_new || review.has_more || review.customers.is_empty() => {
                    return print_everywhere(decision, &review);
                }
                // Of a customer something else may have been decided since.
                Some(review) => review.customers,
                None => {
                    let referred = referred_customers(&table, &named).await;
                    referred.map_err(table::readable_error)?
                }
            };
        }
        if customers.is_empty() {
            bail!(
                "{}'s ledger knows nothing of a referral `{}`; where its customer has not paid \
                 yet, --customer names it",
                named.partner(),
                named.referral()
            )
        }
        let mut unknown = 0_usize;
        for customer in &customers {
            let reviewed = review(&table, customer, &named, decision, now).await;
            let outcome = match (reviewed.map_err(table::readable_error)?, decision) {
                (ReviewOutcome::Decided, Decision::Release) => {
                    "released: what it held back is owed"
                }
                (ReviewOutcome::Decided, Decision::Void) => "void: it counts for nothing",
                (ReviewOutcome::AlreadyDecided, Decision::Release) => "was released already",
                (ReviewOutcome::AlreadyDecided, Decision::Void) => "was void already",
                (ReviewOutcome::NotReferred, _) => {
                    unknown = unknown.saturating_add(1);
                    "was never referred so"
                }
            };
            writeln!(terminal::stdout(), "{customer}: {outcome}")?;
        }
        if unknown > 0 {
            bail!(
                "{unknown} of {} customers were not referred so",
                customers.len()
            );
        }
        Ok(())
    }
}

/// What a decision comes to that holds for whomever the referral reaches.
fn print_everywhere(decision: Decision, review: &EverywhereReview) -> anyhow::Result<()> {
    let outcome = match decision {
        Decision::Release => "released: what it held back is owed",
        Decision::Void => "void: it counts for nothing",
    };
    let mut out = terminal::stdout();
    for customer in &review.customers {
        writeln!(out, "{customer}: {outcome}")?;
    }
    if review.has_more {
        writeln!(
            out,
            "it reaches many customers: it is handed to 200 of them a minute, and decided for all"
        )?;
    }
    if review.has_more && !review.is_new {
        writeln!(
            out,
            "it was decided so before; --customer decides for one of whom something else was since"
        )?;
    }
    writeln!(out, "and so for whomever it reaches later")?;
    Ok(())
}
