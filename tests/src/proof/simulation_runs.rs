//! Many simulations: run on every core, counted, and the first that breaks a law made small.

use super::behavior::ProofBehavior;
use super::simulation::activity::HOUR;
use super::simulation::activity::SimulationActivity;
use super::simulation::faults::{FaultCounts, SimulationSpec};
use super::simulation::mutant::Mutant;
use super::simulation::random::Rng;
use super::simulation::state::Simulation;
use super::workload::scenarios;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use store::memory::Paging;

/// Simulations a thread takes at a time.
const SIMULATIONS_PER_CHUNK: u64 = 32;
/// Simulations between two looks at the total: the sum is the same for any number of threads.
const SIMULATIONS_PER_ROUND: u64 = 4096;

/// What one simulation came to.
#[derive(Clone, Debug)]
pub struct SimulationResult {
    /// Requests delivered to our endpoint.
    pub deliveries: u64,
    /// Rows that partners' ledgers came to have.
    pub rows: u64,
    /// Payouts that were decided.
    pub payouts: u64,
    /// Notices that partners took, each counted once.
    pub notices: u64,
    /// Faults that happened.
    pub fault_counts: FaultCounts,
    /// How many faults in all.
    pub faults: u32,
    /// The law that was broken.
    pub violation: Option<String>,
}

/// What many simulations came to.
#[derive(Clone, Debug, Default)]
pub struct SimulationTotals {
    /// Requests delivered.
    pub deliveries: u64,
    /// Simulations.
    pub simulations: u64,
    /// Rows of partners' ledgers.
    pub rows: u64,
    /// Payouts to partners.
    pub payouts: u64,
    /// Notices that partners took.
    pub notices: u64,
    /// Faults that happened.
    pub fault_counts: FaultCounts,
    /// The first simulation that broke a law: its number, its seed, the law.
    pub first_violation: Option<(u64, u64, String)>,
}

/// Runs one simulation to its end.
pub fn simulate_one(spec: &SimulationSpec, mutant: Option<Mutant>) -> SimulationResult {
    let mut simulation = Simulation::new(
        spec,
        scenarios::random_script(spec.seed),
        mutant,
        &ProofBehavior,
    );
    simulation.run();
    SimulationResult {
        deliveries: simulation.deliveries,
        rows: simulation.decided_rows.count(),
        payouts: simulation.payouts.count(),
        notices: simulation.notices.count(),
        faults: simulation.fault_count(),
        fault_counts: simulation.fault_counts,
        violation: simulation.violation,
    }
}

/// What is told in a simulation, a line an event, for people.
pub fn describe(spec: &SimulationSpec) -> String {
    let script = super::workload::scenarios::random_script(spec.seed);
    let scripted = script.events.iter().enumerate();
    scripted
        .filter(|(number, _)| spec.events >> number & 1 == 1)
        .map(|(number, scripted)| {
            let reading = &scripted.normalized[0];
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

/// How many events a simulation has, left out or not.
pub fn event_count(spec: &SimulationSpec) -> u32 {
    let scripted = super::workload::scenarios::random_script(spec.seed)
        .events
        .len();
    let mask = spec.events & u64::MAX.checked_shr(64 - scripted as u32).unwrap_or(0);
    mask.count_ones()
}

/// The seed of the simulation of that number.
pub fn seed_of(seed: u64, number: u64) -> u64 {
    Rng::fork(seed, number.wrapping_add(1000)).next()
}

/// Runs simulations until so many requests have been delivered, or one breaks a law.
pub fn simulate_many(
    seed: u64,
    deliveries: u64,
    threads: usize,
    mutant: Option<Mutant>,
) -> SimulationTotals {
    resume(
        SimulationTotals::default(),
        seed,
        deliveries,
        threads,
        mutant,
        |_| {},
    )
}

/// The same from where an earlier run of that seed stopped, with a look at the sum every round.
pub fn resume(
    mut total: SimulationTotals,
    seed: u64,
    deliveries: u64,
    threads: usize,
    mutant: Option<Mutant>,
    mut each_round: impl FnMut(&SimulationTotals),
) -> SimulationTotals {
    while total.deliveries < deliveries && total.first_violation.is_none() {
        let left = deliveries - total.deliveries;
        let each = total
            .deliveries
            .checked_div(total.simulations)
            .unwrap_or(40)
            .max(1);
        let count = (left / each + 1)
            .min(SIMULATIONS_PER_ROUND)
            .min(total.simulations.max(SIMULATIONS_PER_CHUNK));
        let round = round(
            seed,
            total.simulations..total.simulations + count,
            threads,
            mutant,
        );
        total.deliveries += round.deliveries;
        total.simulations += count;
        total.rows += round.rows;
        total.payouts += round.payouts;
        total.notices += round.notices;
        total.fault_counts.add(&round.fault_counts);
        total.first_violation = round.first_violation;
        each_round(&total);
    }
    total
}

fn round(
    seed: u64,
    numbers: std::ops::Range<u64>,
    threads: usize,
    mutant: Option<Mutant>,
) -> SimulationTotals {
    let next = AtomicU64::new(numbers.start);
    let sum = Mutex::new(SimulationTotals::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = SimulationTotals::default();
                loop {
                    let from = next.fetch_add(SIMULATIONS_PER_CHUNK, Ordering::Relaxed);
                    if from >= numbers.end {
                        break;
                    }
                    for number in from..(from + SIMULATIONS_PER_CHUNK).min(numbers.end) {
                        mine.run_one(seed, number, mutant);
                    }
                }
                sum.lock().expect("no panic in a simulation").add(mine);
            });
        }
    });
    sum.into_inner().expect("no panic in a simulation")
}

impl SimulationTotals {
    /// Faults that never happened.
    pub fn never_injected(&self) -> impl Iterator<Item = &'static str> {
        let all = super::FAULT_NAMES.iter().zip(self.fault_counts.0);
        all.filter(|(_, hits)| *hits == 0).map(|(name, _)| *name)
    }

    fn run_one(&mut self, seed: u64, number: u64, mutant: Option<Mutant>) {
        let seed = seed_of(seed, number);
        let ran = simulate_one(&SimulationSpec::whole(seed), mutant);
        self.deliveries += ran.deliveries;
        self.rows += ran.rows;
        self.payouts += ran.payouts;
        self.notices += ran.notices;
        self.fault_counts.add(&ran.fault_counts);
        if let Some(law) = ran.violation
            && self.first_violation.is_none()
        {
            self.first_violation = Some((number, seed, law));
        }
    }

    fn add(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.rows += other.rows;
        self.payouts += other.payouts;
        self.notices += other.notices;
        self.fault_counts.add(&other.fault_counts);
        if let Some(first) = other.first_violation {
            let earlier = self
                .first_violation
                .as_ref()
                .is_none_or(|(n, ..)| first.0 < *n);
            if earlier {
                self.first_violation = Some(first);
            }
        }
    }
}

impl Simulation<'_> {
    fn run(&mut self) {
        self.plant_newer_items();
        self.start_readers();
        self.schedule_deliveries();
        self.schedule_payouts();
        self.schedule_endpoint_changes();
        let span = self.script.span_seconds.max(3600) * 1000;
        for _ in 0..self.rng.index(3) {
            let when = self.rng.between(0, span);
            self.schedule(when, SimulationActivity::Audit);
        }
        self.run_until_idle();
        self.faults_stopped = true;
        self.table.scan_paging = Paging::Whole;
        if self.violation.is_none()
            && let Err(law) = self.check_before_audit()
        {
            self.report_violation(law);
        }
        self.audit_until_quiet();
        if self.violation.is_none()
            && let Err(law) = self.check_newer_items()
        {
            self.report_violation(law);
        }
        if self.violation.is_none()
            && let Err(law) = self.check_notices_by_audit()
        {
            self.report_violation(law);
        }
        self.run_final_payout();
        self.enable_all_endpoints();
        if self.violation.is_none()
            && let Err(law) = self.check_everything()
        {
            self.report_violation(law);
        }
    }

    /// Daily audits with nothing going wrong any more, until one finds nothing to do.
    fn audit_until_quiet(&mut self) {
        self.mark_final_audits();
        let mut quiet = 0;
        for _ in 0..24 {
            if self.violation.is_some() || quiet == 2 {
                return;
            }
            self.last_audit = None;
            self.schedule(HOUR, SimulationActivity::Audit);
            self.run_until_idle();
            quiet = if self.audit_found_nothing() {
                quiet + 1
            } else {
                0
            };
        }
    }
}
