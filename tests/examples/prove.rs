//! The proof, as one command: `cargo run --release --example prove -- [--part PART]
//! [--deliveries N] [--seed S]`; a closing line a part, non-zero on the first divergence.

#![allow(
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "a command's answer is what it prints"
)]

use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tests::proof::simulation_runs::SimulationTotals;
use tests::proof::{
    FAULT_NAMES, MUTANTS, Mutant, SimulationSpec, engine_comparison, exhaustive, process_kills,
    shrink, simulation_runs,
};
use tests::results;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ProofPart {
    /// Random simulations.
    Simulate,
    /// Everything there is to try on canonical scenarios.
    Exhaustive,
    /// The table in memory against real engines.
    ModelTable,
    /// The local stack killed and restarted under load.
    Kill,
    /// Rules of the protocol broken on purpose.
    Mutants,
    /// Deliveries tampered with in every way, at every endpoint.
    Forgery,
}

/// Runs the proof of the core, or one part of it.
#[derive(Parser)]
struct ProveOptions {
    /// Only this part.
    #[arg(long)]
    part: Option<ProofPart>,
    /// Simulated deliveries.
    #[arg(long, default_value_t = 20_000_000)]
    deliveries: u64,
    /// Tampered deliveries of the part forgery.
    #[arg(long, default_value_t = 10_000_000)]
    tries: u64,
    /// Where chance begins.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// A file that keeps the sum of the simulations after every round; the same command goes on
    /// from it.
    #[arg(long)]
    progress: Option<PathBuf>,
    /// Rounds of the kill part.
    #[arg(long, default_value_t = 20)]
    rounds: u64,
    /// Writes what each part ends with into tests/results.md.
    #[arg(long)]
    record: bool,
    /// One simulation again, as a failure printed it.
    #[arg(long)]
    simulation: Option<u64>,
    /// Kinds of faults in that simulation, a bit each.
    #[arg(long, value_parser = bits)]
    faults: Option<u64>,
    /// Events of that simulation, a bit each.
    #[arg(long, value_parser = bits)]
    events: Option<u64>,
    /// Faults that do not happen in that simulation, by number.
    #[arg(long, value_delimiter = ',')]
    spared: Vec<u32>,
    /// The rule that is broken in that simulation, by number.
    #[arg(long)]
    mutant: Option<usize>,
}

fn main() -> ExitCode {
    let options = ProveOptions::parse();
    if let Some(seed) = options.simulation {
        return rerun(&options, seed);
    }
    type Run = fn(&ProveOptions) -> Result<String, String>;
    let parts: [(ProofPart, Run); 6] = [
        (ProofPart::Simulate, run_simulations),
        (ProofPart::Exhaustive, run_exhaustive),
        (ProofPart::Mutants, run_mutants),
        (ProofPart::Forgery, run_forgery),
        (ProofPart::ModelTable, compare_tables),
        (ProofPart::Kill, run_kill),
    ];
    for (part, run) in parts {
        if options.part.is_some_and(|only| only != part) {
            continue;
        }
        let began = Instant::now();
        let closing = match run(&options) {
            Ok(closing) => closing,
            Err(divergence) => {
                println!("DIVERGENCE: {divergence}");
                return ExitCode::FAILURE;
            }
        };
        let took = began.elapsed();
        println!("{closing}\n  in {took:.1?}");
        let name = part.to_possible_value();
        let name = name.as_ref().map_or("", |value| value.get_name());
        if options.record
            && let Err(error) = results::record(name, &closing, options.seed, took)
        {
            println!("  not recorded: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

fn run_simulations(options: &ProveOptions) -> Result<String, String> {
    let file = options.progress.as_deref();
    let (sum, earlier) = match file.filter(|file| file.exists()) {
        Some(file) => progress::read(file, options.seed)?,
        None => (SimulationTotals::default(), Duration::ZERO),
    };
    let began = Instant::now();
    let total = simulation_runs::resume(
        sum,
        options.seed,
        options.deliveries,
        threads(),
        None,
        |sum| {
            if let Some(file) = file
                && let Err(error) =
                    progress::write(file, options.seed, sum, earlier + began.elapsed())
            {
                println!(
                    "  {}: {error}: a later run can't go on from here",
                    file.display()
                );
            }
        },
    );
    for (name, hits) in FAULT_NAMES.iter().zip(total.fault_counts.0) {
        println!("  {hits:>12} {name}");
    }
    let took = earlier + began.elapsed();
    let each = u64::try_from(took.as_millis()).unwrap_or(1).max(1);
    let rate = total.deliveries * 1000 / each;
    println!("  {rate} deliveries a second, {took:.0?} in all");
    let closing = format!(
        "{} deliveries, {} simulations, {} rows of partners, {} payouts, {} notices, \
         {} divergences, seed {}",
        total.deliveries,
        total.simulations,
        total.rows,
        total.payouts,
        total.notices,
        u8::from(total.first_violation.is_some()),
        options.seed
    );
    match total.first_violation {
        None => Ok(closing),
        Some((number, seed, law)) => {
            let (spec, small, faults) = shrink::shrink(seed, None);
            let command = shrink::command(&spec, None);
            let description = simulation_runs::describe(&spec);
            Err(format!(
                "{closing}\nsimulation {number}: {law}\nshrunk to {faults} faults: {small}\n\
                 {description}{command}"
            ))
        }
    }
}

/// What a long run has come to so far, kept in a file.
mod progress {
    use super::{Duration, SimulationTotals};
    use serde_json::{Value, json};
    use std::path::Path;
    use tests::proof::FaultCounts;

    pub(super) fn write(
        file: &Path,
        seed: u64,
        sum: &SimulationTotals,
        took: Duration,
    ) -> std::io::Result<()> {
        let hits = sum.fault_counts.0.as_slice();
        let (deliveries, simulations, rows) = (sum.deliveries, sum.simulations, sum.rows);
        let payouts = sum.payouts;
        let seconds = took.as_secs();
        let kept = json!({
            "seed": seed, "deliveries": deliveries, "simulations": simulations, "rows": rows,
            "payouts": payouts, "notices": sum.notices,
            "seconds": seconds, "fault_counts": hits,
        });
        let next = file.with_extension("next");
        std::fs::write(&next, kept.to_string())?;
        std::fs::rename(next, file)
    }

    pub(super) fn read(file: &Path, seed: u64) -> Result<(SimulationTotals, Duration), String> {
        let unfit = |what: &str| format!("{}: {what}; name another file", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| unfit(&error.to_string()))?;
        let kept: Value = serde_json::from_str(&text).map_err(|_| unfit("is not a sum"))?;
        let number = |name: &str| kept.get(name).and_then(Value::as_u64);
        let number = |name: &str| number(name).ok_or_else(|| unfit("is not a sum"));
        if number("seed")? != seed {
            return Err(unfit("is of another seed"));
        }
        let hits = kept.get("fault_counts").and_then(Value::as_array);
        let hits: Vec<u64> = hits
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect();
        let hits = FaultCounts(
            hits.try_into()
                .map_err(|_| unfit("is of another version"))?,
        );
        let total = SimulationTotals {
            deliveries: number("deliveries")?,
            simulations: number("simulations")?,
            rows: number("rows")?,
            payouts: number("payouts")?,
            notices: number("notices")?,
            fault_counts: hits,
            first_violation: None,
        };
        Ok((total, Duration::from_secs(number("seconds")?)))
    }
}

fn run_exhaustive(options: &ProveOptions) -> Result<String, String> {
    let cases = exhaustive::run_all(options.seed, threads(), false);
    let closing = format!(
        "{} scenarios ({} of them earn), \
         {} orders, {} duplicates, {} crashes and lost answers, {} draws from all of \
         these at once, {} interleavings of two folds and {} of three with {} different ends \
         ({} sets whole, {} cut), {} divergences, seed {}",
        cases.scenarios,
        cases.earning,
        cases.orders,
        cases.duplicates,
        cases.crashes,
        cases.samples,
        cases.pairs,
        cases.triples,
        cases.ends,
        cases.complete_sets,
        cases.truncated_sets,
        u8::from(cases.first_violation.is_some()),
        options.seed
    );
    match cases.first_violation {
        None => Ok(closing),
        Some(violation) => Err(format!("{closing}\n{violation}")),
    }
}

fn run_mutants(options: &ProveOptions) -> Result<String, String> {
    let mut found = 0;
    for (mutant, name) in MUTANTS {
        let (began, total) = find_violation(options.seed, mutant);
        let Some((number, seed, _)) = total else {
            return Err(format!("nobody notices: {name}"));
        };
        found += 1;
        let after = began.elapsed();
        let (spec, law, faults) = shrink::shrink(seed, Some(mutant));
        let law = law.lines().next().unwrap_or_default().to_owned();
        let events = spec
            .events
            .count_ones()
            .min(simulation_runs::event_count(&spec));
        println!(
            "  {name}: simulation {number} (seed {seed}) after {after:.1?}; shrunk to {events} \
             events and {faults} faults: {law}\n    {}",
            shrink::command(&spec, Some(mutant))
        );
    }
    Ok(format!(
        "{found} of {} rules broken on purpose noticed, seed {}",
        MUTANTS.len(),
        options.seed
    ))
}

fn find_violation(seed: u64, mutant: Mutant) -> (Instant, Option<(u64, u64, String)>) {
    let began = Instant::now();
    let total = simulation_runs::simulate_many(seed, 1_000_000, threads(), Some(mutant));
    (began, total.first_violation)
}

fn run_forgery(options: &ProveOptions) -> Result<String, String> {
    let endpoints = forgery::endpoints();
    let total = forgery::run_tries(&endpoints, options.seed, options.tries, threads());
    println!("    refused   the same  API's word");
    let ways = total.by_tampering();
    for (name, count) in ways.chain(total.by_endpoint(&endpoints)) {
        let (refused, same, vouched) = (count.refused, count.same, count.vouched);
        println!("  {refused:>9}  {same:>9}  {vouched:>10} {name}");
    }
    let closing = format!("{total}, seed {}", options.seed);
    match &total.first {
        None => Ok(closing),
        Some((number, believed)) => Err(format!("{closing}\ntry {number}: {believed}")),
    }
}

fn compare_tables(options: &ProveOptions) -> Result<String, String> {
    engine_comparison::compare(options.seed, 4_000)
}

fn run_kill(options: &ProveOptions) -> Result<String, String> {
    process_kills::run_kill_rounds(options.seed, options.rounds)
}

fn rerun(options: &ProveOptions, seed: u64) -> ExitCode {
    let spec = SimulationSpec {
        seed,
        faults: options.faults.unwrap_or(u64::MAX),
        events: options.events.unwrap_or(u64::MAX),
        spared: options.spared.clone(),
    };
    let mutant = options.mutant.and_then(|number| MUTANTS.get(number));
    let ran = simulation_runs::simulate_one(&spec, mutant.map(|(mutant, _)| *mutant));
    print!("{}", simulation_runs::describe(&spec));
    println!("{} deliveries, {} faults", ran.deliveries, ran.faults);
    match ran.violation {
        None => ExitCode::SUCCESS,
        Some(law) => {
            println!("DIVERGENCE: {law}");
            ExitCode::FAILURE
        }
    }
}

fn bits(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| error.to_string())
}
