//! A failing simulation made smaller: fewer kinds of faults, fewer events, fewer single faults, as
//! long as a law is still broken.

use super::simulation::faults::{FAULT_COUNT, SimulationSpec};
use super::simulation::mutant::Mutant;
use super::simulation_runs::{event_count, simulate_one};

/// Runs that shrinking may take.
const MAX_RUNS: u32 = 4_000;

/// The smallest failing simulation found from this one, the law it breaks and how many faults
/// happen in it.
pub fn shrink(seed: u64, mutant: Option<Mutant>) -> (SimulationSpec, String, u32) {
    let mut smallest = SimulationSpec::whole(seed);
    let law = simulate_one(&smallest, mutant)
        .violation
        .unwrap_or_default();
    let mut runs = 0;
    let mut attempt = |spec: SimulationSpec, smallest: &mut SimulationSpec| {
        runs += 1;
        if runs <= MAX_RUNS && spec != *smallest && simulate_one(&spec, mutant).violation.is_some()
        {
            *smallest = spec;
        }
    };
    let count = event_count(&smallest);
    smallest.events = u64::MAX.checked_shr(64 - count).unwrap_or(0);
    let whole = smallest.clone();
    let kinds = (1_u64 << FAULT_COUNT) - 1;
    smallest.faults = kinds;
    for bit in 0..FAULT_COUNT {
        let faults = smallest.faults & !(1 << bit);
        attempt(
            SimulationSpec {
                faults,
                ..smallest.clone()
            },
            &mut smallest,
        );
    }
    for _ in 0..3 {
        for bit in (0..64).rev().filter(|bit| whole.events >> bit & 1 == 1) {
            let events = smallest.events & !(1 << bit);
            attempt(
                SimulationSpec {
                    events,
                    ..smallest.clone()
                },
                &mut smallest,
            );
        }
        // Sparing one fault may bring others; what counts is that the simulation still fails.
        let mut number = 1;
        while number <= simulate_one(&smallest, mutant).faults {
            let mut spared = smallest.spared.clone();
            spared.push(number);
            attempt(
                SimulationSpec {
                    spared,
                    ..smallest.clone()
                },
                &mut smallest,
            );
            number += 1;
        }
    }
    let last = simulate_one(&smallest, mutant);
    let (law, faults) = (last.violation.unwrap_or(law), last.faults);
    (smallest, law, faults)
}

/// The command that runs this simulation again.
pub fn command(spec: &SimulationSpec, mutant: Option<Mutant>) -> String {
    let mut command = format!(
        "cargo run --release --example prove -- --simulation {} --faults {:#x} --events {:#x}",
        spec.seed, spec.faults, spec.events
    );
    if !spec.spared.is_empty() {
        let spared: Vec<String> = spec.spared.iter().map(u32::to_string).collect();
        command += &format!(" --spared {}", spared.join(","));
    }
    if let Some((number, _)) = super::MUTANTS
        .iter()
        .enumerate()
        .find(|(_, (m, _))| Some(*m) == mutant)
    {
        command += &format!(" --mutant {number}");
    }
    command
}
