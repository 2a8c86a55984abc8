//! The proof's machinery: worlds in which everything goes wrong, and the laws that hold there.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

mod provider_api;
mod expected_payments;
mod schedules;
mod canonical_scenarios;
mod endpoint_changes;
mod expected_letters;
pub mod engine_comparison;
pub mod exhaustive;
mod faults;
mod handlers;
mod activity;
pub mod process_kills;
mod due_index;
mod interleavings;
mod invariants;
mod scenarios;
mod process_stepper;
mod ledger_mutations;
mod fold_mutations;
mod notice_mutations;
mod mutants;
mod notice_checks;
mod notice_workload;
mod random_requests;
mod oracle;
mod expected_commissions;
mod payout_workload;
mod payout_checks;
mod stream_and_queue;
mod port;
mod random;
mod referral_workload;
mod ledger_checks;
mod webhook_workload;
pub mod shrink;
pub mod simulation_runs;
mod payment_workload;
mod subscription_workload;
mod provider_scripts;
mod script;
mod model_table;
mod fault_injector;
mod scheduler;

pub use faults::{FAULT_COUNT, FAULT_NAMES, FaultCounts, SimulationSpec};
pub use model_table::ImmediateTable;
pub use mutants::{ALL as MUTANTS, Mutant};
