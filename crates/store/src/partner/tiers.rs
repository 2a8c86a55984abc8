//! The tiers that partners reached, as dated terms: once the audit has counted every active
//! customer, whoever passed a border gets its next terms.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::items::key::PARTNERS;
use crate::journal::passed_over::PassedOver;
use crate::partner::operator_decisions::{GrantOutcome, grant};
use crate::partner::partner_row::PartnerRow;
use crate::partner::partners::change;
use crate::port::{Table, query_all};
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// A tier counts from so long after it was counted: by then no endpoint still holds the terms of
/// before (a minute), even for a report whose sender's clock is ahead (five minutes). So a report
/// that is sent again finds the terms that it found first.
const TIER_DELAY: SignedDuration = SignedDuration::from_mins(10);

/// What a round came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierReport {
    /// How many partners have another tier than before.
    pub changed: u64,
    /// Partners whose work failed; their tier stays as it was.
    pub passed_over: PassedOver,
}

/// Puts the tier in force that each partner has reached, and gives its codes again on those terms.
/// Doing it again does nothing. A partner whose work fails is passed over.
///
/// # Errors
/// When the table does not answer; the next audit does what is left.
pub async fn reconcile_tiers<T: Table>(
    table: &T,
    active: &BTreeMap<PartnerId, u32>,
    now: Timestamp,
) -> Result<TierReport, StoreError> {
    let mut report = TierReport::default();
    for item in query_all(table, PARTNERS, "").await? {
        let key = item.key();
        let reconciled = match item.into_readable() {
            Ok(Item::Partner(row)) => reconcile_tier(table, &row, active, now).await,
            Ok(_) => Ok(false),
            Err(error) => Err(error),
        };
        match reconciled {
            Ok(changed) => report.changed = report.changed.saturating_add(changed.into()),
            Err(error) if error.is_of_the_item() => {
                report.passed_over.add(&key.to_string(), error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(report)
}

/// Whether the partner has another tier than before.
async fn reconcile_tier<T: Table>(
    table: &T,
    row: &PartnerRow,
    active: &BTreeMap<PartnerId, u32>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if row.programs.iter().all(|dated| dated.tiers.is_empty()) {
        return Ok(false);
    }
    let customers = active.get(&row.partner).copied().unwrap_or_default();
    let choose = |row: &mut PartnerRow| {
        apply_tier(row, customers, now);
        Ok::<(), Infallible>(())
    };
    let Some(Ok(next)) = change(table, &row.partner, choose).await? else {
        return Ok(false);
    };
    // Every time: whoever chose the tier may have died before it gave the codes.
    let since = next.latest().map_or(now, |last| last.since.max(now));
    for code in &next.codes {
        match grant(table, &next, code, since).await? {
            GrantOutcome::Granted
            | GrantOutcome::AlreadyGranted
            | GrantOutcome::OwnedByOther(_)
            | GrantOutcome::NoProgram => {}
        }
    }
    Ok(next.programs != row.programs)
}

/// The latest terms once more, if so many active customers earn another reward by them.
fn apply_tier(row: &mut PartnerRow, customers: u32, now: Timestamp) {
    let Some(last) = row.latest() else {
        return;
    };
    let offer = last.terms();
    if offer.at(customers) != last.in_force() {
        let since = now.checked_add(TIER_DELAY).unwrap_or(Timestamp::MAX);
        row.set_terms(&offer, customers, since);
    }
}
