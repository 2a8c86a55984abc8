//! A record's bookkeeping, made again from the rows in the table.

use crate::partner::first_payment::{FirstPayment, PersonPayments};
use crate::partner::ledger::{CommissionRow, Ledger};
use crate::partner::referral_status::{ReferralStatusRow, ReferralStatuses};
use crate::record::Record;
use crate::record::effects::Effect;
use std::collections::BTreeSet;

impl Record {
    /// This record with its ledger summed from the rows in the table and its pending rows. Needed
    /// before a [rebuild](Self::rebuild): the record forgets the sums of payments that left it.
    pub fn with_ledger_from_rows(&self, rows: &[CommissionRow]) -> Self {
        let stored: BTreeSet<u64> = rows.iter().map(|row| row.n).collect();
        let pending = self.pending.iter().filter_map(|effect| match effect {
            Effect::Commission(row) if !stored.contains(&row.n) => Some(&**row),
            Effect::Commission(_)
            | Effect::ReferralStatus(_)
            | Effect::FirstPayment(_)
            | Effect::Alias(_)
            | Effect::HandOver(_)
            | Effect::Letter(_) => None,
        });
        let mut ledger = Ledger::from_rows(rows.iter().chain(pending));
        ledger.next_number = ledger.next_number.max(self.ledger.next_number);
        Self {
            ledger,
            ..self.clone()
        }
    }

    /// This record with its referral statuses read from the rows in the table. It is needed only
    /// after a record was lost, because referral statuses never leave a record.
    pub fn with_statuses_from_rows(&self, rows: &[ReferralStatusRow]) -> Self {
        Self {
            referral_statuses: ReferralStatuses::from_rows(rows),
            ..self.clone()
        }
    }

    /// This record after it has heard of the person's earliest payment. What follows from that is
    /// for a [rebuild](Self::rebuild): it may concern payments that left the record.
    pub fn with_person_earliest(&self, earliest: Option<FirstPayment>) -> Self {
        let person_payments = PersonPayments {
            earliest,
            ..self.person_payments.clone()
        };
        Self {
            person_payments,
            ..self.clone()
        }
    }

    /// This record as its next write, with nothing changed in what was folded.
    pub fn rewritten(&self) -> Self {
        Self {
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }
}
