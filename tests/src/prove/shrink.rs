//! A failing world made smaller: fewer kinds of faults, fewer events, fewer single faults, as
//! long as a law is still broken.

use super::faults::{COUNT, Spec};
use super::mutants::Mutant;
use super::simulate::{events, world};

/// Runs that shrinking may take.
const MOST_RUNS: u32 = 4_000;

/// The smallest failing world found from this one, the law it breaks and how many faults
/// happen in it.
pub fn shrink(seed: u64, mutant: Option<Mutant>) -> (Spec, String, u32) {
    let mut smallest = Spec::whole(seed);
    let law = world(&smallest, mutant).broken.unwrap_or_default();
    let mut runs = 0;
    let mut attempt = |spec: Spec, smallest: &mut Spec| {
        runs += 1;
        if runs <= MOST_RUNS && spec != *smallest && world(&spec, mutant).broken.is_some() {
            *smallest = spec;
        }
    };
    let told = events(&smallest);
    smallest.events = u64::MAX.checked_shr(64 - told).unwrap_or(0);
    let whole = smallest.clone();
    let kinds = (1_u64 << COUNT) - 1;
    smallest.faults = kinds;
    for bit in 0..COUNT {
        let faults = smallest.faults & !(1 << bit);
        attempt(
            Spec {
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
                Spec {
                    events,
                    ..smallest.clone()
                },
                &mut smallest,
            );
        }
        // Sparing one fault may bring others; what counts is that the world still fails.
        let mut number = 1;
        while number <= world(&smallest, mutant).faults {
            let mut spared = smallest.spared.clone();
            spared.push(number);
            attempt(
                Spec {
                    spared,
                    ..smallest.clone()
                },
                &mut smallest,
            );
            number += 1;
        }
    }
    let last = world(&smallest, mutant);
    let (law, faults) = (last.broken.unwrap_or(law), last.faults);
    (smallest, law, faults)
}

/// The command that runs this world again.
pub fn command(spec: &Spec, mutant: Option<Mutant>) -> String {
    let mut command = format!(
        "cargo run --release --example prove -- --world {} --faults {:#x} --events {:#x}",
        spec.seed, spec.faults, spec.events
    );
    if !spec.spared.is_empty() {
        let spared: Vec<String> = spec.spared.iter().map(u32::to_string).collect();
        command += &format!(" --spare {}", spared.join(","));
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
