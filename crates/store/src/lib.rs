//! One table behind a small port, and the protocol that keeps journal and record true over it.
//!
//! DynamoDB is named alone in [`dynamo`], [`stream`] and where items become attributes. The
//! numbers in comments are the points of the protocol in this crate's `README.md` at which a
//! process may die. Rooms are private; callers name a module by what it does.

pub mod items;
mod error;
pub mod port;
mod journal;
pub mod letters;
mod partner;
mod shop;
mod usage;
pub mod dynamo;
pub mod stream;
#[cfg(feature = "memory-table")]
pub mod memory;
pub mod redacted_json_error;

pub use error::StoreError;
pub use items::{Item, Key, TableRow};
pub use journal::{audit, due_scan, folding, ingest, waiting};
pub use partner::{
    notice_endpoints, notices, operator_decisions, partners, payouts, public_key_cache, reports,
    tiers,
};
pub use port::{InsertOutcome, Page, PutOutcome, Table, TransactWrite, WriteCondition};
pub use shop::{lookup, roots, shop_keys};
pub use usage::{parking, recording, usage_reads};
