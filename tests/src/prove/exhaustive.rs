//! Everything that can be tried on canonical lives: every order, every single repetition, every
//! single crash point, every interleaving of two folds and of three; and draws from all at once.

use super::canon::{self, Canon};
use super::handlers;
use super::interleave::{Explored, explore};
use super::laws::at_once;
use super::lockstep::{Fate, Lockstep};
use super::port::Port;
use super::random::Rng;
use super::twin::{Calm, Twin};
use domain::ids::CustomerKey;
use domain::record::Entry;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::Item;
use store::accept::{accept, receive};
use store::folding::fold;

/// How many cases each axis had.
#[derive(Clone, Debug, Default)]
pub struct Cases {
    /// Lives.
    pub lives: usize,
    /// Those of them on which a partner earns.
    pub earning: usize,
    /// Orders.
    pub orders: u64,
    /// Single duplicates.
    pub duplicates: u64,
    /// Single crashes and lost answers.
    pub crashes: u64,
    /// Interleavings of two folds.
    pub pairs: u64,
    /// Interleavings of three folds.
    pub triples: u64,
    /// Different ends of all these.
    pub ends: u64,
    /// Sets of folds of which every interleaving was run.
    pub whole: u64,
    /// Sets that have more than could be run.
    pub cut: u64,
    /// Draws from the product of orders, repetitions, crashes and lost answers.
    pub samples: u64,
    /// The first case that broke a law.
    pub first: Option<String>,
}

/// Runs that are spent on the interleavings of one set of folds.
const MOST_RUNS: u64 = 20_000;

/// Draws from the product of all axes for each life.
const SAMPLES: u64 = 20_000;

/// Tries everything, or with `short` only what a quick test has time for.
pub fn everything(seed: u64, threads: usize, short: bool) -> Cases {
    super::simulate::poison();
    let lives = canon::lives();
    let total = Mutex::new(Cases {
        lives: lives.len(),
        earning: lives.iter().filter(|life| life.earns()).count(),
        ..Cases::default()
    });
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(life) = lives.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut mine = Cases::default();
                    if let Err(law) = mine.try_all(life, seed, short) {
                        mine.first = Some(format!("{}: {law}", life.name));
                    }
                    total.lock().expect("no panic in a case").add(mine);
                }
            });
        }
    });
    total.into_inner().expect("no panic in a case")
}

impl Cases {
    fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.duplicates += other.duplicates;
        self.crashes += other.crashes;
        self.pairs += other.pairs;
        self.triples += other.triples;
        self.ends += other.ends;
        self.whole += other.whole;
        self.cut += other.cut;
        self.samples += other.samples;
        self.first = self.first.take().or(other.first);
    }

    fn try_all(&mut self, life: &Canon, seed: u64, short: bool) -> Result<(), String> {
        let mut entries = life.entries.clone();
        let most = if short { 4 } else { entries.len() }.min(entries.len());
        let fixed = entries.len() - most;
        self.every_order(life, &mut entries, fixed)?;
        self.every_duplicate(life)?;
        self.every_crash(life)?;
        self.many_samples(life, seed, if short { 30 } else { SAMPLES })?;
        let most_runs = if short { 100 } else { MOST_RUNS };
        self.every_pair(life, most_runs)?;
        self.every_triple(life, most_runs)
    }

    fn every_order(
        &mut self,
        life: &Canon,
        entries: &mut Vec<Arc<Entry>>,
        from: usize,
    ) -> Result<(), String> {
        if from + 1 >= entries.len() {
            self.orders += 1;
            return deliver(life, entries).map_err(|law| explain("order", entries, &law));
        }
        for other in from..entries.len() {
            entries.swap(from, other);
            self.every_order(life, entries, from + 1)?;
            entries.swap(from, other);
        }
        Ok(())
    }

    fn every_duplicate(&mut self, life: &Canon) -> Result<(), String> {
        for event in 0..life.entries.len() {
            for place in 0..=life.entries.len() {
                let mut entries = life.entries.clone();
                entries.insert(place, life.entries[event].clone());
                self.duplicates += 1;
                deliver(life, &entries).map_err(|law| explain("duplicate", &entries, &law))?;
            }
        }
        Ok(())
    }

    /// Each request of each delivery, in the told order and in the reverse, goes wrong in each
    /// way, once; the sender delivers again and the stream looks at everything.
    fn every_crash(&mut self, life: &Canon) -> Result<(), String> {
        let mut entries = life.entries.clone();
        for _ in 0..2 {
            for delivery in 0..entries.len() {
                for fate in Fate::WRONG {
                    for request in 0.. {
                        self.crashes += 1;
                        let mut wrong = vec![None; entries.len()];
                        wrong[delivery] = Some((request, fate));
                        let met = deliver_through(life, &entries, &wrong)
                            .map_err(|law| format!("{fate:?} {delivery}.{request}: {law}"))?;
                        if !met {
                            break;
                        }
                    }
                }
            }
            entries.reverse();
        }
        Ok(())
    }

    fn every_pair(&mut self, life: &Canon, most_runs: u64) -> Result<(), String> {
        for first in 0..life.entries.len().saturating_sub(1) {
            let explored = interleave(life, &[first, first + 1], most_runs)?;
            self.pairs = self.pairs.saturating_add(explored.interleavings);
            self.ends += explored.ends;
            self.whole += u64::from(explored.whole);
            self.cut += u64::from(!explored.whole);
        }
        Ok(())
    }

    fn every_triple(&mut self, life: &Canon, most_runs: u64) -> Result<(), String> {
        for first in 0..life.entries.len().saturating_sub(2) {
            let explored = interleave(life, &[first, first + 1, first + 2], most_runs)?;
            self.triples = self.triples.saturating_add(explored.interleavings);
            self.ends += explored.ends;
            self.whole += u64::from(explored.whole);
            self.cut += u64::from(!explored.whole);
        }
        Ok(())
    }

    fn many_samples(&mut self, life: &Canon, seed: u64, samples: u64) -> Result<(), String> {
        let mut rng = Rng::fork(seed, 77);
        for _ in 0..samples {
            self.samples += 1;
            sample(life, &mut rng)?;
        }
        Ok(())
    }
}

fn explain(case: &str, entries: &[Arc<Entry>], law: &str) -> String {
    let ids: Vec<&str> = entries
        .iter()
        .map(|entry| entry.reading.id.as_str())
        .collect();
    format!("{case} {ids:?}: {law}")
}

fn deliver(life: &Canon, entries: &[Arc<Entry>]) -> Result<(), String> {
    let table = Calm::new(Twin::default());
    for entry in entries {
        at_once(receive(&table, std::slice::from_ref(entry), life.now))
            .map_err(|error| error.to_string())?;
    }
    let twin = table.twin();
    life.holds(&twin)
}

/// Each delivery meets its fate at one of its requests, if it has one. What was not answered is
/// delivered again, and the stream looks at everything. Says whether every fate was met.
fn deliver_through(
    life: &Canon,
    entries: &[Arc<Entry>],
    wrong: &[Option<(u32, Fate)>],
) -> Result<bool, String> {
    let port = Port::default();
    let mut world = Lockstep::new(&port, Twin::default());
    let mut all_met = true;
    for (entry, wrong) in entries.iter().zip(wrong) {
        let mut answered = false;
        if wrong.is_some() {
            let one = std::slice::from_ref(entry);
            let (ended, met) = world.run(receive(&port, one, life.now), *wrong);
            all_met &= met;
            answered = matches!(ended, Some(Ok(_)));
        }
        if !answered {
            let again = Arc::new(Entry {
                receipt: "again".into(),
                ..Entry::clone(entry)
            });
            let again = std::slice::from_ref(&again);
            let (ended, _) = world.run(receive(&port, again, life.now), None);
            ended.ok_or("no end")?.map_err(|error| error.to_string())?;
        }
    }
    world.arrive_late();
    net(&mut world, life, &port)?;
    life.holds(&world.twin)?;
    Ok(all_met)
}

/// The stream hands over everything that was written, once, as it grows.
fn net(world: &mut Lockstep<'_>, life: &Canon, port: &Port) -> Result<(), String> {
    let mut seen = 0;
    while seen < world.twin.changes.len() {
        let item = world.twin.changes[seen].new.clone();
        seen += 1;
        let items: Vec<Item> = item.into_iter().collect();
        let looked = handlers::take_up_for_real(port.clone(), items, life.now);
        if world.run(looked, None).0 != Some(None) {
            return Err("the stream's reader failed".into());
        }
    }
    Ok(())
}

/// Folds of entries just appended, in every interleaving of their requests.
fn interleave(life: &Canon, chosen: &[usize], most_runs: u64) -> Result<Explored, String> {
    let base = Calm::new(Twin::default());
    let mut folds: Vec<(CustomerKey, Arc<Entry>)> = Vec::new();
    let others = (0..life.entries.len()).filter(|event| !chosen.contains(event));
    for event in others {
        let one = std::slice::from_ref(&life.entries[event]);
        at_once(receive(&base, one, life.now)).map_err(|error| error.to_string())?;
    }
    for event in chosen {
        let entry = &life.entries[*event];
        let (_, whose) = at_once(accept(&base, entry)).map_err(|error| error.to_string())?;
        folds.extend(whose.into_iter().map(|customer| (customer, entry.clone())));
    }
    let base = std::mem::take(&mut *base.twin());
    let (port, now) = (Port::default(), life.now);
    let begin = || {
        let one = |(customer, entry): &(CustomerKey, Arc<Entry>)| {
            let (port, customer, new) = (port.clone(), customer.clone(), vec![entry.clone()]);
            Box::pin(async move { fold(&port, &customer, new, now).await })
        };
        folds.iter().map(one).collect()
    };
    let ended = explore(&port, &base, begin, most_runs, |twin| {
        let mut world = Lockstep::new(&port, twin);
        net(&mut world, life, &port)?;
        life.holds(&world.twin)
    });
    ended.map_err(|law| format!("folds {chosen:?}, {law}"))
}

/// All axes at once, drawn: an order, repetitions, and deliveries that go wrong.
fn sample(life: &Canon, rng: &mut Rng) -> Result<(), String> {
    let mut entries = life.entries.clone();
    for _ in 0..rng.index(4) {
        entries.push(entries[rng.index(entries.len())].clone());
    }
    for last in (1..entries.len()).rev() {
        entries.swap(last, rng.index(last + 1));
    }
    let wrong: Vec<Option<(u32, Fate)>> = entries
        .iter()
        .map(|_| {
            let (request, fate) = (rng.below(10) as u32, Fate::WRONG[rng.index(7)]);
            rng.one_in(2).then_some((request, fate))
        })
        .collect();
    deliver_through(life, &entries, &wrong)
        .map(drop)
        .map_err(|law| format!("{wrong:?}: {}", explain("sample", &entries, &law)))
}
