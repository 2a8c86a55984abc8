//! The shop pays its partners: now and then, over all of them, as the command does it; what dies
//! or is not answered is asked for again, by the same day.

use super::faults::Fault;
use super::happening::{DAY, MINUTE};
use super::mutants::Mutant;
use super::port::Port;
use super::random::Rng;
use super::referring::PARTNERS;
use super::twin::Op;
use super::world::{End, Happening, Process, Role, World};
use domain::ids::PartnerId;
use domain::payout::{Order, Payout, Refused, Run, day_of, decide};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::partners::PartnerRow;
use store::payouts::{Books, RunError, books, look, run};
use store::{Item, Key, Table, When};

/// How often somebody asks again for a payout that did not end well.
const MOST_TRIES: u32 = 6;

/// What the shop wished to pay, and what was paid.
#[derive(Default)]
pub(super) struct Paying {
    wishes: Vec<Wish>,
    /// Runs that began: by day and their clock, and the changes there were by then.
    pub(super) began: BTreeMap<(Date, Timestamp), usize>,
    /// Payouts as they were first written.
    pub(super) stand: BTreeMap<Key, Payout>,
    /// What was released by then is all paid: by the last run, which nothing disturbs.
    pub(super) settled: Option<Timestamp>,
}

/// A payout over all partners that somebody wishes.
#[derive(Clone, Debug, Default)]
struct Wish {
    /// Known when it is first asked for; the same whenever it is asked for again.
    date: Option<Date>,
    /// Yesterday is paid, and not today.
    yesterday: bool,
    /// The least that is paid, euro cents.
    least: Option<i64>,
    dry: bool,
    tries: u32,
}

impl Paying {
    /// How many payouts there were.
    pub(super) fn count(&self) -> u64 {
        self.stand.len() as u64
    }
}

impl World<'_> {
    /// Lays out when a world pays, by chance of its own; what these runs meet is the world's.
    pub(super) fn start_paying(&mut self) {
        for partner in PARTNERS {
            let row = Arc::new(PartnerRow::new(PartnerId::new(partner)));
            self.twin.apply(Op::Put(Item::Partner(row), When::Absent));
        }
        let mut rng = Rng::fork(self.spec.seed, 3);
        let span = self.story.span.max(3600) * 1000 + 35 * DAY;
        for _ in 0..rng.index(5) {
            self.paying.wishes.push(Wish {
                yesterday: rng.one_in(4),
                least: rng.one_in(3).then(|| rng.between(1, 4_000)),
                dry: rng.one_in(6),
                ..Wish::default()
            });
            let wish = self.paying.wishes.len() - 1;
            let when = rng.between(0, span);
            self.after(when, Happening::Pay(wish));
            let (at_once, shortly) = (rng.one_in(3), rng.between(0, 60));
            if self.strikes(Fault::PayoutsAtOnce, at_once) {
                self.after(when + shortly, Happening::Pay(wish));
            }
            let (again, later) = (rng.one_in(3), rng.between(MINUTE, 3 * DAY));
            if self.strikes(Fault::SameDayAgain, again) {
                self.after(when + later, Happening::Pay(wish));
            }
        }
    }

    /// Somebody pays, for the day that was wished.
    pub(super) fn pay(&mut self, number: usize) {
        let now = self.skewed();
        let wish = &mut self.paying.wishes[number];
        let today = day_of(now);
        let date = match wish.yesterday {
            true => today.saturating_sub(1.day()),
            false => today,
        };
        let date = *wish.date.get_or_insert(date);
        let least = wish.least.map(super::lives::euro);
        let order = Order {
            date,
            least: least.into_iter().collect(),
        };
        let dry = wish.dry;
        if !dry {
            let changes = self.twin.changes.len();
            self.paying.began.entry((date, now)).or_insert(changes);
        }
        let process = pay_out(self.port.clone(), order, dry, now, self.mutant);
        self.spawn(Role::Payout(number), process);
    }

    /// A run died or was not answered: whether it paid nobody knows, so the same is asked again.
    pub(super) fn ask_again(&mut self, number: usize) {
        let wish = &mut self.paying.wishes[number];
        wish.tries += 1;
        if wish.tries < MOST_TRIES {
            let wait = self.rng.between(MINUTE, 300 * MINUTE);
            self.after(wait, Happening::Pay(number));
        }
    }

    /// A run ended: what it says was paid stands so.
    pub(super) fn paid_out(&mut self, number: usize, result: Result<Vec<Run>, RunError>) {
        let runs = match result {
            Ok(runs) => runs,
            Err(RunError::Store(_)) => return self.ask_again(number),
            Err(RunError::Refused(_) | RunError::Contended) => return,
        };
        let wish = self.paying.wishes[number].clone();
        for run in runs {
            let payout = match run {
                Run::Stands(payout) => payout,
                Run::Pay(payout, _) if !wish.dry => payout,
                Run::Pay(..) | Run::Nothing(_) => continue,
            };
            let key = Key::payout(&payout.partner, payout.n);
            let stands = self.paying.stand.get(&key) == Some(&payout);
            if !stands || Some(payout.date) != wish.date {
                self.breaks(format!("{key} was shown as paid and is not: {payout:?}"));
            }
        }
    }

    /// Whether this process is to write nothing.
    pub(super) fn is_dry(&self, process: usize) -> bool {
        match self.role(process) {
            Some(Role::Payout(wish)) => self.paying.wishes[wish].dry,
            _ => false,
        }
    }

    /// The least that this process is to pay.
    pub(super) fn least(&self, process: usize) -> Option<i64> {
        match self.role(process) {
            Some(Role::Payout(wish)) => self.paying.wishes[wish].least,
            _ => None,
        }
    }

    /// When all has come to rest, all that is released is paid, and the same day once more.
    pub(super) fn pay_at_last(&mut self) {
        if self.broken.is_some() || self.decided.count() == 0 {
            return;
        }
        self.paying.wishes.push(Wish::default());
        let last = self.paying.wishes.len() - 1;
        // Two days on, so that it is a day that nobody asked for.
        self.after(2 * DAY, Happening::Pay(last));
        self.rest();
        self.paying.settled = self.paying.began.keys().max().map(|run| run.1);
        let paid = self.paying.count();
        self.after(MINUTE, Happening::Pay(last));
        self.rest();
        if self.paying.count() != paid {
            self.breaks("the same day once more paid once more".into());
        }
    }
}

/// `orangery partner payout --all`, without its files.
fn pay_out(port: Port, order: Order, dry: bool, now: Timestamp, mutant: Option<Mutant>) -> Process {
    Box::pin(async move { End::Paid(pay_all(&port, &order, dry, now, mutant).await) })
}

async fn pay_all(
    port: &Port,
    order: &Order,
    dry: bool,
    now: Timestamp,
    mutant: Option<Mutant>,
) -> Result<Vec<Run>, RunError> {
    let mut runs = Vec::new();
    for row in store::partners::list(port).await? {
        let partner = &row.partner;
        let run = match mutant.filter(|mutant| mutant.mispays()) {
            _ if dry => look(port, partner, order, now).await,
            Some(mutant) => mispay(port, partner, order, now, mutant).await,
            None => run(port, partner, order, now).await,
        };
        match run {
            Ok(run) => runs.push(run),
            // One partner's later payout does not keep the others from theirs.
            Err(RunError::Refused(Refused::Before { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(runs)
}

impl Mutant {
    /// Whether it breaks a law of payouts.
    fn mispays(self) -> bool {
        matches!(
            self,
            Self::PayUnreleased | Self::PaySuspected | Self::PayDayAgain
        )
    }
}

/// [`store::payouts::run`] with a law broken.
async fn mispay(
    port: &Port,
    partner: &PartnerId,
    order: &Order,
    now: Timestamp,
    mutant: Mutant,
) -> Result<Run, RunError> {
    let Books {
        mut rows,
        mut payouts,
    } = books(port, partner).await?;
    for row in &mut rows {
        match mutant {
            Mutant::PayUnreleased => row.releases_at = row.releases_at.min(now),
            Mutant::PaySuspected => row.suspicion = None,
            _ => {}
        }
    }
    for payout in &mut payouts {
        if mutant == Mutant::PayDayAgain && payout.date == order.date {
            payout.date = payout.date.saturating_sub(1.day());
            payout.amounts.clear();
        }
    }
    let run = decide(partner, &rows, &payouts, order, now)?;
    if let Run::Pay(payout, _) = &run {
        let item = Item::Payout(Arc::new(payout.clone()));
        if let store::Put::Refused(_) = port.put(item, When::Absent).await? {
            return Err(RunError::Contended);
        }
    }
    Ok(run)
}
