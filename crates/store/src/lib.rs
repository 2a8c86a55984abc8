//! One table behind a small port, and the protocol that keeps journal and record true over it.
//!
//! DynamoDB is named in [`dynamo`], `attributes` and [`stream`] alone. The numbers in comments
//! are the points of the protocol in `crates/README.md` at which a process may die.

pub mod port;
pub mod items;
pub mod accept;
pub mod waiting;
pub mod folding;
pub mod letters;
pub mod partners;
pub mod directory;
pub mod decided;
pub mod tiers;
pub mod payouts;
pub mod reports;
pub mod endpoints;
pub mod notices;
pub mod audit;
pub mod sweep;
pub mod dynamo;
pub mod stream;
pub mod misread;
mod attributes;

pub use items::{Item, Key};
pub use port::{Page, Put, StoreError, Table, When, Write};
