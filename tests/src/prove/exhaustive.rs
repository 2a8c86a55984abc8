//! Everything that can be tried on canonical lives: every order, every single repetition,
//! every single crash point, every interleaving of two folds and of three.

use super::canon::{self, Canon};
use super::handlers;
use super::laws::at_once;
use super::lockstep::{Fate, Lockstep, run_to_end};
use super::port::Port;
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
    /// Sets of folds of which every interleaving was run.
    pub whole: u64,
    /// Sets that have more interleavings than are run: the first so many were.
    pub cut: u64,
    /// The first case that broke a law.
    pub first: Option<String>,
}

/// Schedules of one set of folds that are tried at most.
const MOST_SCHEDULES: u64 = 12_000;

/// Tries everything, or with `short` only what a quick test has time for.
pub fn everything(threads: usize, short: bool) -> Cases {
    super::simulate::poison();
    let lives = canon::lives();
    let total = Mutex::new(Cases {
        lives: lives.len(),
        ..Cases::default()
    });
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(life) = lives.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut mine = Cases::default();
                    if let Err(law) = mine.try_all(life, short) {
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
        self.whole += other.whole;
        self.cut += other.cut;
        self.first = self.first.take().or(other.first);
    }

    fn try_all(&mut self, life: &Canon, short: bool) -> Result<(), String> {
        let mut entries = life.entries.clone();
        let most = if short { 4 } else { entries.len() }.min(entries.len());
        let fixed = entries.len() - most;
        self.every_order(life, &mut entries, fixed)?;
        self.every_duplicate(life)?;
        self.every_crash(life)?;
        self.every_pair(life, if short { 200 } else { MOST_SCHEDULES })?;
        self.every_triple(life, if short { 200 } else { MOST_SCHEDULES })
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
                        let hit = crash(life, &entries, delivery, request, fate)
                            .map_err(|law| format!("{fate:?} {delivery}.{request}: {law}"))?;
                        if !hit {
                            break;
                        }
                    }
                }
            }
            entries.reverse();
        }
        Ok(())
    }

    fn every_pair(&mut self, life: &Canon, most: u64) -> Result<(), String> {
        for first in 0..life.entries.len().saturating_sub(1) {
            let (count, whole) = interleave(life, &[first, first + 1], most)?;
            self.pairs += count;
            self.whole += u64::from(whole);
            self.cut += u64::from(!whole);
        }
        Ok(())
    }

    fn every_triple(&mut self, life: &Canon, most: u64) -> Result<(), String> {
        for first in 0..life.entries.len().saturating_sub(2) {
            let three = [first, first + 1, first + 2];
            let (count, whole) = interleave(life, &three, most)?;
            self.triples += count;
            self.whole += u64::from(whole);
            self.cut += u64::from(!whole);
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

/// One delivery meets one fate at one request. `false` when it has no such request.
fn crash(
    life: &Canon,
    entries: &[Arc<Entry>],
    delivery: usize,
    request: u32,
    fate: Fate,
) -> Result<bool, String> {
    let port = Port::default();
    let mut world = Lockstep::new(&port, Twin::default());
    let mut hit = false;
    for (number, entry) in entries.iter().enumerate() {
        let one = std::slice::from_ref(entry);
        let mut answered = false;
        if number == delivery {
            let (ended, met) = world.run(receive(&port, one, life.now), Some((request, fate)));
            hit = met;
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
    Ok(hit)
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
fn interleave(life: &Canon, chosen: &[usize], most: u64) -> Result<(u64, bool), String> {
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
    let port = Port::default();
    let mut schedule: Vec<(usize, usize)> = Vec::new();
    let mut count = 0;
    loop {
        let processes = folds.iter().map(|(customer, entry)| {
            let (port, customer, new) = (port.clone(), customer.clone(), vec![entry.clone()]);
            let now = life.now;
            Box::pin(async move { fold(&port, &customer, new, now).await })
        });
        let mut twin = base.clone();
        run_to_end(&port, &mut twin, processes.collect(), &mut schedule);
        count += 1;
        let mut world = Lockstep::new(&port, twin);
        net(&mut world, life, &port)?;
        life.holds(&world.twin)
            .map_err(|law| format!("folds {chosen:?}, schedule {schedule:?}: {law}"))?;
        // The next schedule: the last choice that has another one left.
        while schedule.last().is_some_and(|(taken, of)| taken + 1 == *of) {
            schedule.pop();
        }
        match schedule.last_mut() {
            Some((taken, _)) if count < most => *taken += 1,
            left => return Ok((count, left.is_none())),
        }
    }
}
