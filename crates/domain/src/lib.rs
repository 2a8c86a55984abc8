//! What a customer's record is: a pure function of the events known about that customer.
//!
//! Nothing here knows a provider, a cloud, a clock or a source of randomness; `now` is an argument.

// The order of a hash table is another in each process; clippy.toml has the rest.
#![warn(clippy::iter_over_hash_type)]

pub mod ids;
pub mod money;
pub mod digest;
pub mod person;
pub mod subscription;
pub mod payment;
pub mod partner;
pub mod event;
pub mod state;
pub mod letter;
pub mod catalog;
pub mod record;
pub mod view;
