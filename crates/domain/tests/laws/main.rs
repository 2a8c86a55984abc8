//! The laws of the pure core, each over generated lives or by example.

mod catalog;
mod lives;
mod money;
mod order;
mod payments;
mod statements;
mod welcome;
