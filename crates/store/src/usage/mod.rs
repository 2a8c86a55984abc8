//! What customers used: pages of events, and what waits for its customer.

pub(crate) mod page_row;
pub(crate) mod parked_usage;
pub mod recording;
pub mod usage_reads;
pub mod parking;
