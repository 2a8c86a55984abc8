//! A partner's referral, as decisions name it, and whom it reached.

use crate::error::StoreError;
use crate::items::key::{ALIAS, ledger_partition, reference_partition, referral_rows};
use crate::journal::folding::read_record;
use crate::journal::rows::Alias;
use crate::port::Table;
use domain::ids::{CustomerKey, PartnerId, Reference, normalize_referral_id};
use domain::partner::referral_status::ReferralStatusRow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A referral of a partner, as the partner names it; of a code `code/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralRef {
    pub(crate) partner: PartnerId,
    pub(crate) referral: Arc<str>,
}

impl ReferralRef {
    /// The referral of this id, a code's however it is spelled.
    pub fn new(partner: PartnerId, referral: &str) -> Self {
        Self {
            partner,
            referral: normalize_referral_id(referral),
        }
    }

    /// Whose.
    pub fn partner(&self) -> &PartnerId {
        &self.partner
    }

    /// Its id.
    pub fn referral(&self) -> &str {
        &self.referral
    }

    /// What leads to its customers by itself: the code that made it.
    pub(crate) fn by_code(&self) -> Option<Reference> {
        let reference = Reference::parse(self.referral.clone()).ok()?;
        reference.as_code().map(|code| Reference::from(&code))
    }
}

/// The customers that a referral reaches: those on whom anything was told of it, and of a code
/// those who showed it. Whoever has not paid and came by no code is not among them.
///
/// # Errors
/// When the table does not answer.
pub async fn referred_customers<T: Table>(
    table: &T,
    named: &ReferralRef,
) -> Result<BTreeSet<CustomerKey>, StoreError> {
    let partition = ledger_partition(&named.partner);
    let told: Vec<Arc<ReferralStatusRow>> = table
        .query_rows(&partition, &referral_rows(&named.referral))
        .await?;
    let mut customers: BTreeSet<CustomerKey> =
        told.iter().map(|row| row.customer.clone()).collect();
    if let Some(code) = named.by_code() {
        let aliases: Vec<Alias> = table.query_rows(&reference_partition(&code), ALIAS).await?;
        customers.extend(aliases.into_iter().map(|alias| alias.customer));
    }
    let mut reached = BTreeSet::new();
    for customer in customers {
        let record = read_record(table, &customer).await?;
        let known = |record: &domain::record::Record| {
            let state = &record.folded.state;
            state.referral(&named.partner, &named.referral).is_some()
        };
        if record.as_deref().is_some_and(known) {
            reached.insert(customer);
        }
    }
    Ok(reached)
}
