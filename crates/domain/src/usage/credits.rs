//! Credits: what was bought or given in advance, and what of it is left. The lots that a debit took
//! are computed from the set of all lots, refunds, debits and holds, never stepped: a refund that
//! comes late allots anew, and comes to the same as one that came in time.

use super::quantity::Quantity;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All that is known of a customer's credits of one kind: a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreditHistory {
    /// What came in, by its id.
    pub lots: KeyedSet<CreditLot>,
    /// What of a lot went back, by the refund's id.
    pub refunds: KeyedSet<CreditRefund>,
    /// What was used, by its id.
    pub debits: KeyedSet<CreditDebit>,
    /// What is reserved, by its id.
    pub holds: KeyedSet<CreditHold>,
    /// What came of a hold, by the hold's id.
    pub settlements: KeyedSet<Settlement>,
}

/// Statements by their ids. Of those of one id that contradict each other all are kept and the
/// first by their own order counts, whichever came first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedSet<T>(BTreeMap<Arc<str>, BTreeSet<T>>);

/// What came in at once: a purchase, a grant, what a plan gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreditLot {
    /// Lower ones burn first.
    pub priority: u8,
    /// From when on nothing of it is left. `None` is never.
    pub expires_at: Option<Timestamp>,
    /// Whether it was paid for.
    pub origin: LotOrigin,
    /// From when on it may be used.
    pub effective_at: Timestamp,
    /// How much.
    pub amount: Quantity,
}

/// Where a lot comes from. What was given burns before what was paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LotOrigin {
    /// It was given.
    Promotional,
    /// It was paid for.
    Paid,
}

/// A part of a lot that went back, with its money.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreditRefund {
    /// Of which lot.
    pub lot: Arc<str>,
    /// How much.
    pub amount: Quantity,
}

/// What was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreditDebit {
    /// When.
    pub at: Timestamp,
    /// How much.
    pub amount: Quantity,
}

/// What is reserved, so that it is there when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreditHold {
    /// When it was asked for.
    pub at: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// How much.
    pub amount: Quantity,
}

/// How much of a hold was used in the end, which may be more or less than was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Settlement {
    /// When it was settled.
    pub at: Timestamp,
    /// How much was used.
    pub used: Quantity,
}

/// How credits stand at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allotment {
    /// The lots that had begun by then, in the order in which they burn.
    pub lots: Vec<LotBalance>,
    /// What was used and no lot paid for: the next lot does.
    pub debt: Quantity,
    /// What is reserved.
    pub held: Quantity,
}

/// How one lot stands: `amount = refunded + spent + expired + left`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotBalance {
    /// Its id.
    pub id: Arc<str>,
    /// What came in.
    pub amount: Quantity,
    /// What went back of it.
    pub refunded: Quantity,
    /// What was used of it.
    pub spent: Quantity,
    /// What was left when its time was over.
    pub expired: Quantity,
    /// What is left.
    pub left: Quantity,
}

/// Credits that can't be computed, because their sum is more than a quantity can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these credits are more than can be added up")]
pub struct TooManyCredits;

impl<T> Default for KeyedSet<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord + Clone> KeyedSet<T> {
    /// Adds a statement. Whether its id was free.
    pub fn insert(&mut self, id: &str, statement: T) -> bool {
        let known = self.0.entry(id.into()).or_default();
        let is_new = known.is_empty();
        known.insert(statement);
        is_new
    }

    /// Adds all of another set.
    pub fn merge(&mut self, other: &Self) {
        for (id, statements) in &other.0 {
            let known = self.0.entry(Arc::clone(id)).or_default();
            known.extend(statements.iter().cloned());
        }
    }

    /// What counts under an id.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.0.get(id)?.first()
    }

    /// What counts, id by id.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &T)> {
        let all = self.0.iter();
        all.filter_map(|(id, statements)| Some((id, statements.first()?)))
    }
}

impl CreditHistory {
    /// How the credits stand.
    ///
    /// # Errors
    /// [`TooManyCredits`].
    pub fn allot(&self, now: Timestamp) -> Result<Allotment, TooManyCredits> {
        let mut lots = self.open_lots(now)?;
        let mut debt = Quantity::ZERO;
        let debits = self.debits_until(now);
        let mut begun: Vec<usize> = (0..lots.len()).collect();
        begun.sort_by_key(|place| lots.get(*place).map(|lot| lot.effective_at));
        let mut waiting = begun.into_iter().peekable();
        for (at, amount) in debits.into_iter().chain([(now, Quantity::ZERO)]) {
            // What began meanwhile pays first what nothing paid for.
            while let Some(place) =
                waiting.next_if(|place| lots.get(*place).is_some_and(|lot| lot.effective_at <= at))
            {
                if let Some(lot) = lots.get_mut(place) {
                    debt = lot.pay(debt)?;
                }
            }
            let usable = lots.iter_mut().filter(|lot| lot.is_usable(at));
            let mut unpaid = amount;
            for lot in usable {
                unpaid = lot.pay(unpaid)?;
            }
            debt = debt.plus(unpaid).ok_or(TooManyCredits)?;
        }
        let balances = lots.into_iter().map(|lot| lot.balance_at(now)).collect();
        Ok(Allotment {
            lots: balances,
            debt,
            held: self.held(now)?,
        })
    }

    /// Whether so much may be used or reserved without going below zero.
    ///
    /// # Errors
    /// [`TooManyCredits`].
    pub fn covers(&self, amount: Quantity, now: Timestamp) -> Result<bool, TooManyCredits> {
        Ok(!amount.is_negative() && amount <= self.allot(now)?.available()?)
    }

    /// The lots that have begun, in the one order in which they burn: priority, then what ends
    /// first, what was given before what was paid for, what began first, id.
    fn open_lots(&self, now: Timestamp) -> Result<Vec<OpenLot>, TooManyCredits> {
        let begun = self.lots.iter().filter(|(_, lot)| lot.effective_at <= now);
        let mut begun: Vec<_> = begun.collect();
        begun.sort_by_key(|(id, lot)| {
            let end = Reverse(lot.expires_at.map(Reverse));
            (
                lot.priority,
                end,
                lot.origin,
                lot.effective_at,
                Arc::clone(id),
            )
        });
        let open = |(id, lot): (&Arc<str>, &CreditLot)| {
            let of_lot = self.refunds.iter().filter(|(_, refund)| refund.lot == *id);
            let refunded = Quantity::sum(of_lot.map(|(_, refund)| refund.amount));
            let refunded = refunded.ok_or(TooManyCredits)?.min(lot.amount);
            Ok(OpenLot {
                id: Arc::clone(id),
                amount: lot.amount,
                refunded,
                left: lot.amount.minus(refunded).ok_or(TooManyCredits)?,
                effective_at: lot.effective_at,
                expires_at: lot.expires_at,
            })
        };
        begun.into_iter().map(open).collect()
    }

    /// What was used, in the order of time. A hold that was settled in time was used when it was
    /// held, so that no lot runs out under it; one that was settled later, when it was settled.
    fn debits_until(&self, now: Timestamp) -> Vec<(Timestamp, Quantity)> {
        let debits = self
            .debits
            .iter()
            .map(|(id, debit)| (debit.at, id, debit.amount));
        let settled = self.settlements.iter().map(|(id, settlement)| {
            let hold = self.holds.get(id);
            let in_time = hold.filter(|hold| settlement.at < hold.until);
            let at = in_time.map_or(settlement.at, |hold| hold.at.min(settlement.at));
            (at, id, settlement.used)
        });
        let mut all: Vec<_> = debits
            .chain(settled)
            .filter(|(at, ..)| *at <= now)
            .collect();
        all.sort();
        all.into_iter()
            .map(|(at, _, amount)| (at, amount))
            .collect()
    }

    fn held(&self, now: Timestamp) -> Result<Quantity, TooManyCredits> {
        let open = self.holds.iter().filter(|(id, hold)| {
            hold.at <= now && now < hold.until && self.settlements.get(id).is_none()
        });
        Quantity::sum(open.map(|(_, hold)| hold.amount)).ok_or(TooManyCredits)
    }
}

impl Allotment {
    /// What may still be used or reserved: what is left, without what is held and owed. Below zero
    /// where more was used than there was.
    ///
    /// # Errors
    /// [`TooManyCredits`].
    pub fn available(&self) -> Result<Quantity, TooManyCredits> {
        let left = Quantity::sum(self.lots.iter().map(|lot| lot.left));
        let free = left.and_then(|left| left.minus(self.held)?.minus(self.debt));
        free.ok_or(TooManyCredits)
    }
}

/// A lot while debits are allotted.
struct OpenLot {
    id: Arc<str>,
    amount: Quantity,
    refunded: Quantity,
    left: Quantity,
    effective_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl OpenLot {
    fn is_usable(&self, at: Timestamp) -> bool {
        self.effective_at <= at && self.expires_at.is_none_or(|end| at < end)
    }

    /// Pays so much as there is; gives what is left to pay.
    fn pay(&mut self, amount: Quantity) -> Result<Quantity, TooManyCredits> {
        let paid = amount.min(self.left).max(Quantity::ZERO);
        self.left = self.left.minus(paid).ok_or(TooManyCredits)?;
        amount.minus(paid).ok_or(TooManyCredits)
    }

    fn balance_at(self, now: Timestamp) -> LotBalance {
        let unspent = self.amount.minus(self.refunded).unwrap_or_default();
        let spent = unspent.minus(self.left).unwrap_or_default();
        let is_over = self.expires_at.is_some_and(|end| end <= now);
        let (expired, left) = match is_over {
            true => (self.left, Quantity::ZERO),
            false => (Quantity::ZERO, self.left),
        };
        LotBalance {
            id: self.id,
            amount: self.amount,
            refunded: self.refunded,
            spent,
            expired,
            left,
        }
    }
}
