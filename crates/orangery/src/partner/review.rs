//! `partner release` and `partner void`: what a person decides of a referral.

use super::Whose;
use crate::table;
use anyhow::bail;
use clap::Args;
use domain::ids::CustomerKey;
use domain::program::Decision;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use store::decided::{Named, Reviewed, reached, review};

/// Which referral.
#[derive(Args)]
pub struct Review {
    #[command(flatten)]
    whose: Whose,
    /// The partner's id of it; where a code brought the customer, code/NAME.
    referral: Arc<str>,
    /// A customer it is about, where nothing of it is in the ledger yet; may be repeated.
    #[arg(long = "customer", value_name = "KEY")]
    customers: Vec<String>,
}

impl Review {
    pub(super) async fn run(self, decision: Decision) -> anyhow::Result<()> {
        let (table, _) = self.whose.known().await?;
        let now = self.whose.place.now()?;
        let named = Named {
            partner: self.whose.partner.clone(),
            referral: self.referral.clone(),
        };
        let said = self
            .customers
            .iter()
            .map(|key| CustomerKey::new(key.as_str()));
        let mut customers: BTreeSet<CustomerKey> = said.collect();
        if customers.is_empty() {
            customers = reached(&table, &named).await.map_err(table::trouble)?;
        }
        if customers.is_empty() {
            bail!(
                "{}'s ledger knows nothing of a referral `{}`; where its customer has not paid \
                 yet, --customer names it",
                named.partner,
                named.referral
            )
        }
        let mut unknown = 0_usize;
        for customer in &customers {
            let reviewed = review(&table, customer, &named, decision, now).await;
            let said = match (reviewed.map_err(table::trouble)?, decision) {
                (Reviewed::Now, Decision::Release) => "released: what it held back is owed",
                (Reviewed::Now, Decision::Void) => "void: it counts for nothing",
                (Reviewed::Already, Decision::Release) => "was released already",
                (Reviewed::Already, Decision::Void) => "was void already",
                (Reviewed::NotReferred, _) => {
                    unknown = unknown.saturating_add(1);
                    "was never referred so"
                }
            };
            writeln!(std::io::stdout(), "{customer}: {said}")?;
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
