//! Many worlds: run on every core, counted, and the first that breaks a law made small.

use super::faults::{Hits, Spec};
use super::happening::HOUR;
use super::mutants::Mutant;
use super::random::Rng;
use super::world::{Happening, World};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Worlds a thread takes at a time.
const CHUNK: u64 = 32;
/// Worlds between two looks at the total: the sum is the same for any number of threads.
const ROUND: u64 = 4096;

/// What one world came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Requests delivered to our door.
    pub deliveries: u64,
    /// Rows that partners' ledgers came to have.
    pub rows: u64,
    /// Payouts that were decided.
    pub payouts: u64,
    /// Notices that partners took, each counted once.
    pub notices: u64,
    /// Faults that happened.
    pub hits: Hits,
    /// How many faults in all.
    pub faults: u32,
    /// The law that was broken.
    pub broken: Option<String>,
}

/// What many worlds came to.
#[derive(Clone, Debug, Default)]
pub struct Total {
    /// Requests delivered.
    pub deliveries: u64,
    /// Worlds.
    pub worlds: u64,
    /// Rows of partners' ledgers.
    pub rows: u64,
    /// Payouts to partners.
    pub payouts: u64,
    /// Notices that partners took.
    pub notices: u64,
    /// Faults that happened.
    pub hits: Hits,
    /// The first world that broke a law: its number, its seed, the law.
    pub first: Option<(u64, u64, String)>,
}

/// Lets some readings make the fold panic.
pub(super) fn poison() {
    let _ = domain::fold::WITNESS.set(super::told::refuse_poison);
}

/// Runs one world to its end.
pub fn world(spec: &Spec, mutant: Option<Mutant>) -> Ran {
    poison();
    let mut world = World::new(spec, mutant);
    world.live();
    Ran {
        deliveries: world.deliveries,
        rows: world.decided.count(),
        payouts: world.paying.count(),
        notices: world.noticing.count(),
        faults: world.faults(),
        hits: world.hits,
        broken: world.broken,
    }
}

/// What is told in a world, a line an event, for people.
pub fn describe(spec: &Spec) -> String {
    let story = super::lives::story(spec.seed);
    let told = story.told.iter().enumerate();
    told.filter(|(number, _)| spec.events >> number & 1 == 1)
        .map(|(number, told)| {
            let reading = &told.readings[0];
            format!(
                "{number:>3} {} rank {} {} {} {:?} {:?}\n",
                reading.occurred_at,
                reading.rank,
                reading.id,
                reading.kind,
                reading.about,
                reading.facts,
            )
        })
        .collect()
}

/// How many events a world has, left out or not.
pub fn events(spec: &Spec) -> u32 {
    let told = super::lives::story(spec.seed).told.len();
    let mask = spec.events & u64::MAX.checked_shr(64 - told as u32).unwrap_or(0);
    mask.count_ones()
}

/// The seed of the world of that number.
pub fn seed_of(seed: u64, number: u64) -> u64 {
    Rng::fork(seed, number.wrapping_add(1000)).next()
}

/// Runs worlds until so many requests have been delivered, or one breaks a law.
pub fn worlds(seed: u64, deliveries: u64, threads: usize, mutant: Option<Mutant>) -> Total {
    go_on(Total::default(), seed, deliveries, threads, mutant, |_| {})
}

/// The same from where an earlier run of that seed stopped, with a look at the sum every round.
pub fn go_on(
    mut total: Total,
    seed: u64,
    deliveries: u64,
    threads: usize,
    mutant: Option<Mutant>,
    mut each_round: impl FnMut(&Total),
) -> Total {
    while total.deliveries < deliveries && total.first.is_none() {
        let left = deliveries - total.deliveries;
        let each = total
            .deliveries
            .checked_div(total.worlds)
            .unwrap_or(40)
            .max(1);
        let count = (left / each + 1).min(ROUND).min(total.worlds.max(CHUNK));
        let round = round(seed, total.worlds..total.worlds + count, threads, mutant);
        total.deliveries += round.deliveries;
        total.worlds += count;
        total.rows += round.rows;
        total.payouts += round.payouts;
        total.notices += round.notices;
        total.hits.add(&round.hits);
        total.first = round.first;
        each_round(&total);
    }
    total
}

fn round(
    seed: u64,
    numbers: std::ops::Range<u64>,
    threads: usize,
    mutant: Option<Mutant>,
) -> Total {
    let next = AtomicU64::new(numbers.start);
    let sum = Mutex::new(Total::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = Total::default();
                loop {
                    let from = next.fetch_add(CHUNK, Ordering::Relaxed);
                    if from >= numbers.end {
                        break;
                    }
                    for number in from..(from + CHUNK).min(numbers.end) {
                        mine.take_in(seed, number, mutant);
                    }
                }
                sum.lock().expect("no panic in a world").add(mine);
            });
        }
    });
    sum.into_inner().expect("no panic in a world")
}

impl Total {
    /// Faults that never happened.
    pub fn never(&self) -> impl Iterator<Item = &'static str> {
        let all = super::NAMES.iter().zip(self.hits.0);
        all.filter(|(_, hits)| *hits == 0).map(|(name, _)| *name)
    }

    fn take_in(&mut self, seed: u64, number: u64, mutant: Option<Mutant>) {
        let seed = seed_of(seed, number);
        let ran = world(&Spec::whole(seed), mutant);
        self.deliveries += ran.deliveries;
        self.rows += ran.rows;
        self.payouts += ran.payouts;
        self.notices += ran.notices;
        self.hits.add(&ran.hits);
        if let Some(law) = ran.broken
            && self.first.is_none()
        {
            self.first = Some((number, seed, law));
        }
    }

    fn add(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.rows += other.rows;
        self.payouts += other.payouts;
        self.notices += other.notices;
        self.hits.add(&other.hits);
        if let Some(first) = other.first {
            let earlier = self.first.as_ref().is_none_or(|(n, ..)| first.0 < *n);
            if earlier {
                self.first = Some(first);
            }
        }
    }
}

impl World<'_> {
    fn live(&mut self) {
        self.start_readers();
        self.start_sending();
        self.start_paying();
        self.start_noticing();
        let span = self.story.span.max(3600) * 1000;
        for _ in 0..self.rng.index(3) {
            let when = self.rng.between(0, span);
            self.after(when, Happening::Audit);
        }
        self.rest();
        self.calm = true;
        if self.broken.is_none()
            && let Err(law) = self.right_within_seconds()
        {
            self.breaks(law);
        }
        self.audit_until_quiet();
        if self.broken.is_none()
            && let Err(law) = self.told_by_the_audit()
        {
            self.breaks(law);
        }
        self.pay_at_last();
        self.put_on_at_last();
        if self.broken.is_none()
            && let Err(law) = self.everything_holds()
        {
            self.breaks(law);
        }
    }

    /// Daily audits with nothing going wrong any more, until one finds nothing to do.
    fn audit_until_quiet(&mut self) {
        self.audit_at_last();
        let mut quiet = 0;
        for _ in 0..24 {
            if self.broken.is_some() || quiet == 2 {
                return;
            }
            self.last_report = None;
            self.after(HOUR, Happening::Audit);
            self.rest();
            quiet = if self.audit_found_nothing() {
                quiet + 1
            } else {
                0
            };
        }
    }

    /// Whether the last audit that ended had nothing to do.
    pub(super) fn audit_found_nothing(&self) -> bool {
        self.last_report.as_ref().is_some_and(|report| {
            let waits = !report.owed.is_empty() || !report.untold.is_empty();
            report.complete && report.mended == 0 && !waits
        })
    }
}
