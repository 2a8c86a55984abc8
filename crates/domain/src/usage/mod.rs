//! Usage: what a customer used, counted from a set of events. The page beside it (`README.md`) has
//! the rules.

pub mod quantity;
pub mod meter_event;
pub mod page;
pub mod page_bytes;
pub mod page_place;
pub mod periods;
pub mod price;
pub mod meter;
pub mod rate;
pub mod credits;
