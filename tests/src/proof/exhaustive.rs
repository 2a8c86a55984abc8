//! Everything that can be tried on canonical scenarios: every order, every single repetition, every
//! single crash point, every interleaving of two folds and of three; and draws from all at once.

use super::canonical_scenarios::{self, CanonicalScenario};
use super::simulation::immediate::run_immediately;
use super::simulation::port::Port;
use super::simulation::process_stepper::{ProcessStepper, RequestFault};
use super::simulation::random::Rng;
use super::workload::handlers;
use domain::ids::CustomerKey;
use domain::record::Entry;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::Item;
use store::folding::fold;
use store::ingest::{append_or_park, ingest_entries};
use store::memory::{
    Exploration, Interleavings, MemoryTable, SteppedProcess, SteppedTable, TableState,
};

/// How many cases each axis had.
#[derive(Clone, Debug, Default)]
pub struct ExhaustiveCounts {
    /// Scenarios.
    pub scenarios: usize,
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
    pub complete_sets: u64,
    /// Sets that have more than could be run.
    pub truncated_sets: u64,
    /// Draws from the product of orders, repetitions, crashes and lost answers.
    pub samples: u64,
    /// The first case that broke a law.
    pub first_violation: Option<String>,
}

/// Runs that are spent on the interleavings of one set of folds.
const MAX_RUNS: u64 = 20_000;

/// Draws from the product of all axes for each scenario.
const SAMPLES_PER_SCENARIO: u64 = 20_000;

/// Tries everything, or with `short` only what a quick test has time for.
pub fn run_all(seed: u64, threads: usize, short: bool) -> ExhaustiveCounts {
    let scenarios = canonical_scenarios::canonical_scenarios();
    let total = Mutex::new(ExhaustiveCounts {
        scenarios: scenarios.len(),
        earning: scenarios
            .iter()
            .filter(|scenario| scenario.has_commissions())
            .count(),
        ..ExhaustiveCounts::default()
    });
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut mine = ExhaustiveCounts::default();
                    if let Err(law) = mine.try_all(scenario, seed, short) {
                        mine.first_violation = Some(format!("{}: {law}", scenario.name));
                    }
                    total.lock().expect("no panic in a case").add(mine);
                }
            });
        }
    });
    total.into_inner().expect("no panic in a case")
}

impl ExhaustiveCounts {
    fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.duplicates += other.duplicates;
        self.crashes += other.crashes;
        // Pages of a few items make more interleavings of three than 64 bits count.
        self.pairs = self.pairs.saturating_add(other.pairs);
        self.triples = self.triples.saturating_add(other.triples);
        self.ends += other.ends;
        self.complete_sets += other.complete_sets;
        self.truncated_sets += other.truncated_sets;
        self.samples += other.samples;
        self.first_violation = self.first_violation.take().or(other.first_violation);
    }

    fn try_all(
        &mut self,
        scenario: &CanonicalScenario,
        seed: u64,
        short: bool,
    ) -> Result<(), String> {
        let mut entries = scenario.entries.clone();
        let most = if short { 4 } else { entries.len() }.min(entries.len());
        let fixed = entries.len() - most;
        self.every_order(scenario, &mut entries, fixed)?;
        self.every_duplicate(scenario)?;
        self.every_crash(scenario)?;
        self.many_samples(
            scenario,
            seed,
            if short { 30 } else { SAMPLES_PER_SCENARIO },
        )?;
        let most_runs = if short { 100 } else { MAX_RUNS };
        self.every_pair(scenario, most_runs)?;
        self.every_triple(scenario, most_runs)
    }

    fn every_order(
        &mut self,
        scenario: &CanonicalScenario,
        entries: &mut Vec<Arc<Entry>>,
        from: usize,
    ) -> Result<(), String> {
        if from + 1 >= entries.len() {
            self.orders += 1;
            return deliver(scenario, entries).map_err(|law| explain("order", entries, &law));
        }
        for other in from..entries.len() {
            entries.swap(from, other);
            self.every_order(scenario, entries, from + 1)?;
            entries.swap(from, other);
        }
        Ok(())
    }

    fn every_duplicate(&mut self, scenario: &CanonicalScenario) -> Result<(), String> {
        for event in 0..scenario.entries.len() {
            for place in 0..=scenario.entries.len() {
                let mut entries = scenario.entries.clone();
                entries.insert(place, scenario.entries[event].clone());
                self.duplicates += 1;
                deliver(scenario, &entries).map_err(|law| explain("duplicate", &entries, &law))?;
            }
        }
        Ok(())
    }

    /// Each request of each delivery, in the told order and in the reverse, goes wrong in each
    /// way, once; the sender delivers again and the stream looks at everything.
    fn every_crash(&mut self, scenario: &CanonicalScenario) -> Result<(), String> {
        let mut entries = scenario.entries.clone();
        for _ in 0..2 {
            for delivery in 0..entries.len() {
                for fault in RequestFault::ALL {
                    for request in 0.. {
                        self.crashes += 1;
                        let mut wrong = vec![None; entries.len()];
                        wrong[delivery] = Some((request, fault));
                        let met = deliver_through(scenario, &entries, &wrong)
                            .map_err(|law| format!("{fault:?} {delivery}.{request}: {law}"))?;
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

    fn every_pair(&mut self, scenario: &CanonicalScenario, most_runs: u64) -> Result<(), String> {
        for first in 0..scenario.entries.len().saturating_sub(1) {
            let explored = interleave(scenario, &[first, first + 1], most_runs)?;
            self.pairs = self.pairs.saturating_add(explored.interleavings);
            self.ends += explored.ends;
            self.complete_sets += u64::from(explored.is_complete);
            self.truncated_sets += u64::from(!explored.is_complete);
        }
        Ok(())
    }

    fn every_triple(&mut self, scenario: &CanonicalScenario, most_runs: u64) -> Result<(), String> {
        for first in 0..scenario.entries.len().saturating_sub(2) {
            let explored = interleave(scenario, &[first, first + 1, first + 2], most_runs)?;
            self.triples = self.triples.saturating_add(explored.interleavings);
            self.ends += explored.ends;
            self.complete_sets += u64::from(explored.is_complete);
            self.truncated_sets += u64::from(!explored.is_complete);
        }
        Ok(())
    }

    fn many_samples(
        &mut self,
        scenario: &CanonicalScenario,
        seed: u64,
        samples: u64,
    ) -> Result<(), String> {
        let mut rng = Rng::fork(seed, 77);
        for _ in 0..samples {
            self.samples += 1;
            sample(scenario, &mut rng)?;
        }
        Ok(())
    }
}

fn explain(case: &str, entries: &[Arc<Entry>], law: &str) -> String {
    let ids: Vec<&str> = entries
        .iter()
        .map(|entry| entry.event.id.as_str())
        .collect();
    format!("{case} {ids:?}: {law}")
}

fn deliver(scenario: &CanonicalScenario, entries: &[Arc<Entry>]) -> Result<(), String> {
    let table = MemoryTable::without_attributes();
    for entry in entries {
        run_immediately(ingest_entries(
            &table,
            std::slice::from_ref(entry),
            scenario.now,
        ))
        .map_err(|error| error.to_string())?;
    }
    scenario.check(&table.state())
}

/// Each delivery meets its fault at one of its requests, if it has one. What was not answered is
/// delivered again, and the stream looks at everything. Says whether every fault was met.
fn deliver_through(
    scenario: &CanonicalScenario,
    entries: &[Arc<Entry>],
    wrong: &[Option<(u32, RequestFault)>],
) -> Result<bool, String> {
    let port = Port::default();
    let mut simulation = ProcessStepper::new(&port, TableState::default());
    let mut all_met = true;
    for (entry, wrong) in entries.iter().zip(wrong) {
        let mut answered = false;
        if wrong.is_some() {
            let one = std::slice::from_ref(entry);
            let (ended, met) = simulation.run(ingest_entries(&port, one, scenario.now), *wrong);
            all_met &= met;
            answered = matches!(ended, Some(Ok(_)));
        }
        if !answered {
            let again = Arc::new(Entry {
                receipt: "again".into(),
                ..Entry::clone(entry)
            });
            let again = std::slice::from_ref(&again);
            let (ended, _) = simulation.run(ingest_entries(&port, again, scenario.now), None);
            ended.ok_or("no end")?.map_err(|error| error.to_string())?;
        }
    }
    simulation.apply_late_requests();
    deliver_stream(&mut simulation, scenario, &port)?;
    scenario.check(&simulation.table)?;
    Ok(all_met)
}

/// The stream hands over everything that was written, once, as it grows.
fn deliver_stream(
    simulation: &mut ProcessStepper<'_>,
    scenario: &CanonicalScenario,
    port: &Port,
) -> Result<(), String> {
    let mut seen = 0;
    while seen < simulation.table.changes.len() {
        let item = simulation.table.changes[seen].new.clone();
        seen += 1;
        let items: Vec<Item> = item.into_iter().collect();
        let looked = handlers::run_journal_fold(port.clone(), items, scenario.now);
        if simulation.run(looked, None).0 != Some(None) {
            return Err("the stream's reader failed".into());
        }
    }
    Ok(())
}

/// Folds of entries just appended, in every interleaving of their requests.
fn interleave(
    scenario: &CanonicalScenario,
    chosen: &[usize],
    most_runs: u64,
) -> Result<Exploration, String> {
    let base = MemoryTable::without_attributes();
    let mut folds: Vec<(CustomerKey, Arc<Entry>)> = Vec::new();
    let others = (0..scenario.entries.len()).filter(|event| !chosen.contains(event));
    for event in others {
        let one = std::slice::from_ref(&scenario.entries[event]);
        run_immediately(ingest_entries(&base, one, scenario.now))
            .map_err(|error| error.to_string())?;
    }
    for event in chosen {
        let entry = &scenario.entries[*event];
        let (_, whose) =
            run_immediately(append_or_park(&base, entry)).map_err(|error| error.to_string())?;
        folds.extend(whose.into_iter().map(|customer| (customer, entry.clone())));
    }
    let base = base.state();
    let (port, table, now) = (Port::default(), SteppedTable::default(), scenario.now);
    let begin = || {
        let one = |(customer, entry): &(CustomerKey, Arc<Entry>)| -> SteppedProcess<_> {
            let (table, customer, new) = (table.clone(), customer.clone(), vec![entry.clone()]);
            Box::pin(async move { fold(&table, &customer, new, now).await })
        };
        folds.iter().map(one).collect()
    };
    let interleavings = Interleavings {
        table: &table,
        base: &base,
        begin: &begin,
        fault: None,
        in_order: false,
        most_runs,
    };
    let ended = interleavings.explore(|end| {
        let mut simulation = ProcessStepper::new(&port, end.table);
        deliver_stream(&mut simulation, scenario, &port)?;
        scenario.check(&simulation.table)
    });
    ended.map_err(|law| format!("folds {chosen:?}, {law}"))
}

/// All axes at once, drawn: an order, repetitions, and deliveries that go wrong.
fn sample(scenario: &CanonicalScenario, rng: &mut Rng) -> Result<(), String> {
    let mut entries = scenario.entries.clone();
    for _ in 0..rng.index(4) {
        entries.push(entries[rng.index(entries.len())].clone());
    }
    for last in (1..entries.len()).rev() {
        entries.swap(last, rng.index(last + 1));
    }
    let wrong: Vec<Option<(u32, RequestFault)>> = entries
        .iter()
        .map(|_| {
            let (request, fault) = (rng.below(10) as u32, RequestFault::ALL[rng.index(7)]);
            rng.one_in(2).then_some((request, fault))
        })
        .collect();
    deliver_through(scenario, &entries, &wrong)
        .map(drop)
        .map_err(|law| format!("{wrong:?}: {}", explain("sample", &entries, &law)))
}
