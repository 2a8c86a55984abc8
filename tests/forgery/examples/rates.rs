//! What it costs to hear: verify and normalize, per sender, in events a second on one core and in
//! instructions an event. `rates` measures all; `rates DOOR STEP TIMES` only goes round, for a
//! counter of instructions to count.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "a bench: it counts and prints, and nothing rests on it"
)]

use forgery::{TestEndpoint, endpoints};
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

fn main() {
    let endpoints = endpoints();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [endpoint, step, times] = arguments.as_slice() {
        let endpoint = endpoints
            .iter()
            .find(|known| known.name == *endpoint)
            .expect("is an endpoint");
        let times = times.parse().expect("is a number");
        round(endpoint, step, times);
        return;
    }
    println!("| endpoint | deliveries | events a second | instructions an event | to normalize |");
    println!("| --- | --- | --- | --- | --- |");
    for endpoint in &endpoints {
        let (low, high) = rates(endpoint);
        let heard = instructions(endpoint, "hear");
        let read = instructions(endpoint, "read");
        println!(
            "| {} | {} | {low} to {high} | {heard} | {read} |",
            endpoint.name,
            endpoint.deliveries()
        );
    }
}

/// Hears each genuine delivery, or only reads what the journal keeps of them, that often; how many
/// events that were.
fn round(endpoint: &TestEndpoint, step: &str, times: usize) -> usize {
    let entries = endpoint.entries();
    let once = || match step {
        "hear" => endpoint.receive_all(),
        _ => {
            for entry in &entries {
                black_box(endpoint.read_again(entry));
            }
            entries.len()
        }
    };
    (0..times).map(|_| once()).sum()
}

/// Events a second: the tenth and the ninetieth percentile of twenty rounds.
fn rates(endpoint: &TestEndpoint) -> (u128, u128) {
    let mut rates: Vec<u128> = (0..20)
        .map(|_| {
            let (began, mut events) = (Instant::now(), 0_u128);
            while began.elapsed() < Duration::from_millis(50) {
                events += u128::try_from(round(endpoint, "hear", 1)).expect("are few");
            }
            events * 1_000_000_000 / began.elapsed().as_nanos()
        })
        .collect();
    rates.sort_unstable();
    (
        *rates.get(2).expect("are twenty"),
        *rates.get(17).expect("are twenty"),
    )
}

/// Instructions an event, by callgrind: what ten rounds take more than none, by event.
fn instructions(endpoint: &TestEndpoint, step: &str) -> u64 {
    let counted = |times: usize| {
        let program = std::env::current_exe().expect("is known");
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args([&endpoint.name, step, &times.to_string()])
            .output()
            .expect("valgrind is installed");
        let output_text = String::from_utf8_lossy(&output.stderr).into_owned();
        let count = output_text.split("Collected : ").nth(1).expect("it counts");
        let count = count.split_whitespace().next().expect("it counts");
        count.parse::<u64>().expect("is a number")
    };
    let events = u64::try_from(round(endpoint, step, 10)).expect("are few");
    counted(11).saturating_sub(counted(1)) / events.max(1)
}
