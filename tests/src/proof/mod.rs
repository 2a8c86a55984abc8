//! The proof's machinery: simulations in which everything goes wrong, and the laws that hold there.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

mod simulation;
mod reference_model;
mod mutations;
mod checkers;
mod workload;
mod behavior;
pub mod simulation_runs;
pub mod shrink;
mod canonical_scenarios;
pub mod exhaustive;
mod random_requests;
pub mod engine_comparison;
pub mod process_kills;

pub use simulation::faults::{FAULT_COUNT, FAULT_NAMES, FaultCounts, SimulationSpec};
pub use simulation::mutant::{ALL as MUTANTS, Mutant};
