//! One table behind a small port, and the protocol that keeps journal and record true over it.
//!
//! DynamoDB is named in [`dynamo`], `attributes` and [`stream`] alone. The numbers in comments
//! are the points of the protocol in `crates/README.md` at which a process may die.

pub mod port;
pub mod items;
pub mod ingest;
pub mod waiting;
pub mod folding;
pub mod letters;
pub mod partners;
pub mod public_key_cache;
pub mod operator_decisions;
pub mod tiers;
pub mod payouts;
pub mod reports;
pub mod notice_endpoints;
pub mod notices;
pub mod audit;
pub mod due_scan;
pub mod dynamo;
pub mod stream;
pub mod redacted_json_error;
mod attributes;

pub use items::{Item, Key};
pub use port::{Page, PutOutcome, StoreError, Table, TransactWrite, WriteCondition};
