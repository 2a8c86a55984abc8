//! The table in memory, for tests and simulations, with hooks for faults. Behind the feature
//! `memory-table`.
//!
//! [`TableState`] is the table itself: it answers one request after another, can be cloned and
//! compared, and keeps every change for the stream. [`MemoryTable`] shares one among tasks as a
//! [`Table`](crate::Table), and a handle of it may have [`Fault`]s. Whoever schedules requests
//! by other rules implements [`RequestTable`].

mod image;
mod request;
mod paging;
mod state;
mod fault;
mod table;
mod stepped;
mod interleavings;

pub use fault::{Crash, Fault};
pub use image::{bytes_of_item, image_of_item, item_of_image};
pub use interleavings::{Exploration, Interleavings, ScheduleEnd, StepFault, SteppedProcess};
pub use paging::Paging;
pub use request::{RequestTable, TableAnswer, TableRequest};
pub use state::{TableChange, TableState, partition_hash};
pub use stepped::SteppedTable;
pub use table::MemoryTable;
