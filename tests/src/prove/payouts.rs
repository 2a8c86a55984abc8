//! The law of payouts, by rules written a second time: nothing is paid twice, nothing before its
//! time, and all that is released by then is paid.

use super::laws::Broken;
use super::rows;
use super::world::World;
use domain::ids::PartnerId;
use domain::ledger::Row;
use domain::money::Money;
use domain::payout::{Payout, day_of};
use domain::statement::{balances, statement};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use store::{Item, Key};

/// Minor units by currency and decimal places.
type Sums = BTreeMap<(String, u8), i64>;

/// Clocks are off by so much at most, seconds.
const SKEW: i64 = 900;
/// A row put longer after it was decided may be shown as paid a payout early, seconds.
const LATE: i64 = 6 * 86_400;

impl World<'_> {
    /// A payout was just written: it is the next, of a day of its own, and of what was released.
    pub(super) fn payout_stands(&mut self, process: usize, payout: &Payout) {
        let key = Key::payout(&payout.partner, payout.n);
        if self.is_dry(process) {
            self.breaks(format!("{key} was written by a run that only looks"));
        }
        let least = self.least(process);
        let euro = super::lives::euro(0);
        let too_little = |amount: &Money| {
            let is_euro = (amount.currency, amount.exponent) == (euro.currency, euro.exponent);
            is_euro && least.is_some_and(|least| amount.minor < least)
        };
        if payout.amounts.iter().any(too_little) {
            self.breaks(format!("{key} pays less than {least:?}: {payout:?}"));
        }
        if let Err(law) = self.follows(payout).and_then(|()| self.is_covered(payout)) {
            self.breaks(format!("{key}: {law}: {payout:?}"));
        }
        if self
            .paying
            .stand
            .insert(key.clone(), payout.clone())
            .is_some()
        {
            self.breaks(format!("{key} was written over"));
        }
    }

    fn payouts_of(&self, partner: &PartnerId) -> impl Iterator<Item = &Payout> {
        let all = self.paying.stand.values();
        all.filter(move |payout| payout.partner == *partner)
    }

    /// Numbers and days follow each other, and it takes nothing from a moment still to come.
    fn follows(&self, payout: &Payout) -> Result<(), Broken> {
        let before: Vec<&Payout> = self.payouts_of(&payout.partner).collect();
        if payout.n != before.len() as u64 + 1 {
            return Err(format!("follows {} others", before.len()));
        }
        let is_later = |b: &&Payout| b.date < payout.date && b.until < payout.until;
        if let Some(other) = before.iter().find(|before| !is_later(before)) {
            return Err(format!("its day is not after that of {other:?}"));
        }
        let now = self.clock.div_euclid(1000) + SKEW;
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
    fn is_covered(&self, payout: &Payout) -> Result<(), Broken> {
        let run = (payout.date, payout.at);
        let Some(began) = self.paying.began.get(&run).copied() else {
            return Err("is of no run".into());
        };
        let (mut least, mut most) = (Sums::new(), Sums::new());
        for (place, change) in self.twin.changes.iter().enumerate() {
            let Some(Item::Commission(row)) = &change.new else {
                continue;
            };
            if row.partner != payout.partner || !is_free(row, payout.until) {
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
            let of = |sums: &Sums| sums.get(unit).copied().unwrap_or(0);
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
    pub(super) fn payouts_are(&self) -> Result<(), Broken> {
        let mut found = BTreeMap::new();
        let mut partners: BTreeMap<&PartnerId, Vec<Row>> = BTreeMap::new();
        for row in rows::rows(&self.twin) {
            partners.entry(&row.partner).or_default().push(row.clone());
        }
        for item in self.twin.items() {
            if let Item::Payout(payout) = item {
                found.insert(item.key(), Payout::clone(payout));
                partners.entry(&payout.partner).or_default();
            }
        }
        if found != self.paying.stand {
            let (is, was) = (found, &self.paying.stand);
            return Err(format!("payouts are {is:?} and were written as {was:?}"));
        }
        for (partner, rows) in &partners {
            let payouts: Vec<Payout> = self.payouts_of(partner).cloned().collect();
            self.adds_up(rows, &payouts)
                .map_err(|law| format!("{partner}: {law}"))?;
        }
        Ok(())
    }

    fn adds_up(&self, rows: &[Row], payouts: &[Payout]) -> Result<(), Broken> {
        let now = Timestamp::from_millisecond(self.clock).unwrap_or_default();
        let paid = paid(payouts.iter());
        let until = self.paying.settled.unwrap_or(Timestamp::MIN);
        let by_then = sums(rows.iter().filter(|row| is_free(row, until)));
        let all = sums(rows.iter());
        let free = sums(rows.iter().filter(|row| is_free(row, now)));
        let held = sums(rows.iter().filter(|row| row.suspicion.is_some()));
        let shown = balances(rows, payouts, now);
        let of = |sums: &Sums, unit: &(String, u8)| sums.get(unit).copied().unwrap_or(0);
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
        self.shown_as_paid(rows, payouts, &paid, now)
    }

    /// Rows that the partner is shown as paid come to what was paid.
    fn shown_as_paid(
        &self,
        rows: &[Row],
        payouts: &[Payout],
        paid: &Sums,
        now: Timestamp,
    ) -> Result<(), Broken> {
        let late = self.twin.changes.iter().any(|change| match &change.new {
            Some(Item::Commission(row)) => change.at / 1000 > row.at.as_second() + LATE,
            _ => false,
        });
        if late {
            return Ok(());
        }
        let mut shown = Sums::new();
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
fn is_free(row: &Row, until: Timestamp) -> bool {
    row.suspicion.is_none() && row.releases_at <= until
}

fn unit(amount: &Money) -> (String, u8) {
    (amount.currency.code().to_owned(), amount.exponent)
}

fn sums<'a>(rows: impl Iterator<Item = &'a Row>) -> Sums {
    let mut sums = Sums::new();
    for row in rows {
        *sums.entry(unit(&row.amount)).or_default() += row.amount.minor;
    }
    sums
}

fn paid<'a>(payouts: impl Iterator<Item = &'a Payout>) -> Sums {
    let mut sums = Sums::new();
    for amount in payouts.flat_map(|payout| &payout.amounts) {
        *sums.entry(unit(amount)).or_default() += amount.minor;
    }
    sums
}
