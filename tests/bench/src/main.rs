//! What release binaries cost: how fast they wake, what an accepted webhook or an answered question
//! takes, how large they are. `cargo run -p bench --release`, see README.md.

#![allow(
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    reason = "a bench: it counts and prints, and nothing rests on it"
)]

mod aws;
mod events;
mod quota;
mod report;
mod subject;

use anyhow::{Context, Result, bail};
use clap::Parser;
use quota::Quota;
use report::Measurement;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use subject::{BenchEnvironment, Subject};

/// Measures release binaries under an emulator of Lambda's Runtime API, over TLS.
#[derive(Parser)]
struct Options {
    /// Where cargo-lambda or cargo put the binaries.
    #[arg(long)]
    binaries: PathBuf,
    /// A folder with the Node peer, installed by `peer/install`; without it only ours is measured.
    #[arg(long)]
    peer: Option<PathBuf>,
    /// Cold starts of each.
    #[arg(long, default_value_t = 20)]
    starts: usize,
    /// Calls of the warm loop.
    #[arg(long, default_value_t = 2000)]
    calls: usize,
    /// Where to keep what callgrind saw of the last program that was measured.
    #[arg(long, default_value = "/dev/null")]
    callgrind: PathBuf,
    /// Only count, and hold the counts against limits.toml: for CI.
    #[arg(long)]
    check: bool,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let world = BenchEnvironment::start()?;
    let ours = [
        Subject::ours(&options.binaries)?,
        Subject::shop_api(&options.binaries)?,
    ];
    if options.check {
        return check(&world, &ours, &options.callgrind).await;
    }
    let mut rows = Vec::new();
    for subject in &ours {
        rows.push(measure(&world, subject, &options).await?);
    }
    match &options.peer {
        Some(folder) => {
            let peer = Subject::node(folder).context("the Node peer")?;
            rows.push(measure(&world, &peer, &options).await?);
        }
        None => println!("skipped: the Node peer (--peer)"),
    }
    println!("{}", report::table(&rows));
    Ok(ExitCode::SUCCESS)
}

/// Calls of the warm loop of a small function.
const SMALL_CALLS: usize = 100;

async fn measure(
    world: &BenchEnvironment,
    subject: &Subject,
    options: &Options,
) -> Result<Measurement> {
    let mut measured = Measurement::of(subject);
    for _ in 0..options.starts {
        let cold = subject.start(world, 1, None).await?;
        measured.to_next.push(cold.to_next);
        measured.to_answer.push(cold.to_next + cold.after_next);
        measured.after_next.push(cold.after_next);
        measured.cold_cpu.push(cold.cpu);
    }
    match Quota::new() {
        Ok(quota) => {
            for _ in 0..options.starts {
                let cold = subject.start(world, 1, Some(&quota)).await?;
                measured.small.push(cold.after_next);
            }
            let calls = options.calls.min(SMALL_CALLS);
            let warm = subject.start(world, calls, Some(&quota)).await?;
            measured.small_rate = Some(calls as f64 / warm.took.as_secs_f64());
        }
        Err(error) => println!("skipped: the share of a function of 128 MB ({error:#})"),
    }
    let warm = subject.start(world, options.calls, None).await?;
    measured.warm(&warm, options.calls);
    measured.instructions = subject.instructions(world, &options.callgrind).await?;
    Ok(measured)
}

/// Counts that do not depend on the machine's haste, against their limits.
async fn check(world: &BenchEnvironment, ours: &[Subject], callgrind: &Path) -> Result<ExitCode> {
    let mut failed = false;
    for subject in ours {
        failed |= exceeds(world, subject, callgrind).await?;
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Whether one of its counts is over its limit.
async fn exceeds(world: &BenchEnvironment, subject: &Subject, callgrind: &Path) -> Result<bool> {
    let limits = include_str!("../limits.toml").parse::<toml::Table>()?;
    let warm = subject.start(world, 200, None).await?;
    let mut measured = Measurement::of(subject);
    measured.warm(&warm, 200);
    measured.instructions = subject.instructions(world, callgrind).await?;
    let mut failed = false;
    println!("{}", subject.name);
    for (name, counted) in measured.counts() {
        let limit = limits.get(subject.name).and_then(|of| of.get(name));
        let Some(limit) = limit.and_then(toml::Value::as_integer) else {
            bail!("limits.toml says nothing of {name} of {}", subject.name);
        };
        let verdict = match counted {
            None => "skipped: valgrind is not here",
            Some(counted) if counted > limit => {
                failed = true;
                "TOO MUCH"
            }
            Some(_) => "ok",
        };
        let counted = counted.map_or_else(|| "-".to_owned(), |counted| counted.to_string());
        println!("  {name:30} {counted:>12} of {limit:>12}  {verdict}");
    }
    Ok(failed)
}
