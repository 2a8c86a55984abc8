//! The law of payouts, by rules written a second time: nothing is paid twice, nothing before its
//! time, and all that is released by then is paid.

use super::ledger_checks;
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::records::Violation;
use crate::proof::simulation::state::Simulation;
use domain::ids::PartnerId;
use domain::money::Money;
use domain::partner::ledger::CommissionRow;
use domain::partner::payout::balances;
use domain::partner::payout::{Payout, day_of};
use domain::partner::statement::statement;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use store::{Item, Key};

/// Minor units by currency and decimal places.
type UnitSums = BTreeMap<(String, u8), i64>;

/// Clocks are off by so much at most, seconds.
const MAX_CLOCK_SKEW_SECONDS: i64 = 900;
/// A row put longer after it was decided may be shown as paid a payout early, seconds.
const LATE_ROW_SECONDS: i64 = 6 * 86_400;

impl Simulation<'_> {
    /// A payout was just written: it is the next, of a day of its own, and of what was released.
    pub(crate) fn check_new_payout(&mut self, process: usize, payout: &Payout) {
        let key = Key::payout(&payout.partner, payout.n);
        if self.is_dry_run(process) {
            self.report_violation(format!("{key} was written by a run that only looks"));
        }
        let least = self.minimum_minor(process);
        let euro = crate::proof::simulation::script::euro(0);
        let too_little = |amount: &Money| {
            let is_euro = (amount.currency, amount.exponent) == (euro.currency, euro.exponent);
            is_euro && least.is_some_and(|least| amount.minor < least)
        };
        if payout.amounts.iter().any(too_little) {
            self.report_violation(format!("{key} pays less than {least:?}: {payout:?}"));
        }
        if let Err(law) = self
            .check_payout_sequence(payout)
            .and_then(|()| self.check_payout_coverage(payout))
        {
            self.report_violation(format!("{key}: {law}: {payout:?}"));
        }
        if self
            .payouts
            .written
            .insert(key.clone(), payout.clone())
            .is_some()
        {
            self.report_violation(format!("{key} was written over"));
        }
    }

    /// Whether this process is to write nothing.
    fn is_dry_run(&self, process: usize) -> bool {
        match self.role(process) {
            Some(ProcessRole::Payout(number)) => self.payouts.planned[number].dry_run,
            _ => false,
        }
    }

    /// The least that this process is to pay.
    fn minimum_minor(&self, process: usize) -> Option<i64> {
        match self.role(process) {
            Some(ProcessRole::Payout(number)) => self.payouts.planned[number].minimum_minor,
            _ => None,
        }
    }

    fn payouts_of(&self, partner: &PartnerId) -> impl Iterator<Item = &Payout> {
        let all = self.payouts.written.values();
        all.filter(move |payout| payout.partner == *partner)
    }

    /// Numbers and days follow each other, and it takes nothing from a moment still to come.
    fn check_payout_sequence(&self, payout: &Payout) -> Result<(), Violation> {
        let before: Vec<&Payout> = self.payouts_of(&payout.partner).collect();
        if payout.n != before.len() as u64 + 1 {
            return Err(format!("follows {} others", before.len()));
        }
        let is_later = |b: &&Payout| b.date < payout.date && b.until < payout.until;
        if let Some(other) = before.iter().find(|before| !is_later(before)) {
            return Err(format!("its day is not after that of {other:?}"));
        }
        let now = self.clock.div_euclid(1000) + MAX_CLOCK_SKEW_SECONDS;
        let until = payout.until.as_second();
        if now < until || payout.date != day_of(payout.until) {
            return Err("takes what is to come".into());
        }
        let units: BTreeSet<_> = payout.amounts.iter().map(unit).collect();
        let pays = payout.amounts.iter().all(|amount| amount.minor > 0);
        if payout.amounts.is_empty() || units.len() != payout.amounts.len() || !pays {
            return Err("pays nothing, less than nothing, or one unit twice".into());
        }
        Ok(())
    }

    /// Rows that came while the run was under way may be in it or not; all others are, if they
    /// were released.
    fn check_payout_coverage(&self, payout: &Payout) -> Result<(), Violation> {
        let run = (payout.date, payout.at);
        let Some(began) = self.payouts.started_runs.get(&run).copied() else {
            return Err("is of no run".into());
        };
        let (mut least, mut most) = (UnitSums::new(), UnitSums::new());
        for (place, change) in self.table.changes.iter().enumerate() {
            let Some(Item::Commission(row)) = &change.new else {
                continue;
            };
            if row.partner != payout.partner || !is_payable(row, payout.until) {
                continue;
            }
            let (unit, minor) = (unit(&row.amount), row.amount.minor);
            let sure = place < began;
            let low = if sure { minor } else { minor.min(0) };
            let high = if sure { minor } else { minor.max(0) };
            *least.entry(unit.clone()).or_default() += low;
            *most.entry(unit).or_default() += high;
        }
        let before = paid(self.payouts_of(&payout.partner));
        let now = paid(std::iter::once(payout));
        for (unit, amount) in &now {
            let so_far = before.get(unit).copied().unwrap_or(0) + amount;
            let of = |sums: &UnitSums| sums.get(unit).copied().unwrap_or(0);
            if of(&most) < so_far || so_far < of(&least) {
                let (least, most) = (of(&least), of(&most));
                return Err(format!(
                    "makes {so_far} of {unit:?} in all, and {least} to {most} are released"
                ));
            }
        }
        Ok(())
    }

    /// At the end: payouts stand as they were written; all that is released is paid; and every
    /// cent of a row is pending, held, released or paid.
    pub(crate) fn check_payouts(&self) -> Result<(), Violation> {
        let mut found = BTreeMap::new();
        let mut partners: BTreeMap<&PartnerId, Vec<CommissionRow>> = BTreeMap::new();
        for row in ledger_checks::commission_rows(&self.table) {
            partners.entry(&row.partner).or_default().push(row.clone());
        }
        for item in self.table.items() {
            if let Item::Payout(payout) = item {
                found.insert(item.key(), Payout::clone(payout));
                partners.entry(&payout.partner).or_default();
            }
        }
        if found != self.payouts.written {
            let (is, was) = (found, &self.payouts.written);
            return Err(format!("payouts are {is:?} and were written as {was:?}"));
        }
        for (partner, rows) in &partners {
            let payouts: Vec<Payout> = self.payouts_of(partner).cloned().collect();
            self.check_balances(rows, &payouts)
                .map_err(|law| format!("{partner}: {law}"))?;
        }
        Ok(())
    }

    fn check_balances(&self, rows: &[CommissionRow], payouts: &[Payout]) -> Result<(), Violation> {
        let now = Timestamp::from_millisecond(self.clock).unwrap_or_default();
        let paid = paid(payouts.iter());
        let until = self.payouts.final_run_at.unwrap_or(Timestamp::MIN);
        let by_then = sums(rows.iter().filter(|row| is_payable(row, until)));
        let all = sums(rows.iter());
        let free = sums(rows.iter().filter(|row| is_payable(row, now)));
        let held = sums(rows.iter().filter(|row| row.self_referral_signal.is_some()));
        let shown = balances(rows, payouts, now);
        let of = |sums: &UnitSums, unit: &(String, u8)| sums.get(unit).copied().unwrap_or(0);
        for balance in &shown {
            let unit = (balance.currency.code().to_owned(), balance.exponent);
            let unit = &unit;
            let shown = [
                balance.pending_minor,
                balance.held_minor,
                balance.released_minor,
                balance.paid_minor,
            ];
            let pending = of(&all, unit) - of(&held, unit) - of(&free, unit);
            let left = of(&free, unit) - of(&paid, unit);
            let is = [pending, of(&held, unit), left, of(&paid, unit)];
            if shown != is || shown.iter().sum::<i64>() != of(&all, unit) {
                return Err(format!(
                    "pending, held, released, paid: {shown:?}, not {is:?}"
                ));
            }
            if of(&by_then, unit) > of(&paid, unit) {
                return Err(format!(
                    "{unit:?}: released by the last payout and not paid"
                ));
            }
        }
        if shown.len() != all.len() || paid.keys().any(|unit| !all.contains_key(unit)) {
            return Err("a unit is paid or shown that no row is in".into());
        }
        self.check_shown_as_paid(rows, payouts, &paid, now)
    }

    /// Rows that the partner is shown as paid come to what was paid.
    fn check_shown_as_paid(
        &self,
        rows: &[CommissionRow],
        payouts: &[Payout],
        paid: &UnitSums,
        now: Timestamp,
    ) -> Result<(), Violation> {
        let late = self.table.changes.iter().any(|change| match &change.new {
            Some(Item::Commission(row)) => change.at / 1000 > row.at.as_second() + LATE_ROW_SECONDS,
            _ => false,
        });
        if late {
            return Ok(());
        }
        let mut shown = UnitSums::new();
        for view in statement(rows, payouts, now).rows {
            if view.state == "paid" && view.kind != "payout" {
                let unit = (view.currency.code().to_owned(), view.exponent);
                *shown.entry(unit).or_default() += view.amount_minor;
            }
        }
        if shown != *paid {
            return Err(format!(
                "rows shown as paid come to {shown:?}, paid is {paid:?}"
            ));
        }
        Ok(())
    }
}

/// Whether a row may be paid: nobody has to look at it, and its hold is over.
fn is_payable(row: &CommissionRow, until: Timestamp) -> bool {
    row.self_referral_signal.is_none() && row.releases_at <= until
}

fn unit(amount: &Money) -> (String, u8) {
    (amount.currency.code().to_owned(), amount.exponent)
}

fn sums<'a>(rows: impl Iterator<Item = &'a CommissionRow>) -> UnitSums {
    let mut sums = UnitSums::new();
    for row in rows {
        *sums.entry(unit(&row.amount)).or_default() += row.amount.minor;
    }
    sums
}

fn paid<'a>(payouts: impl Iterator<Item = &'a Payout>) -> UnitSums {
    let mut sums = UnitSums::new();
    for amount in payouts.flat_map(|payout| &payout.amounts) {
        *sums.entry(unit(amount)).or_default() += amount.minor;
    }
    sums
}
