//! Subscriptions: what a provider states of one, and what the record keeps of it.

pub mod terms;
pub mod snapshot_order;
pub mod state;
