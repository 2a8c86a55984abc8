//! From an authentic event to a customer's record, and those who finish what was begun.

pub(crate) mod rows;
pub mod ingest;
pub(crate) mod append;
pub(crate) mod fan_out_row;
pub(crate) mod closed_bucket;
pub(crate) mod closed_index;
pub(crate) mod checkpoint;
pub(crate) mod guest;
pub(crate) mod effects;
pub(crate) mod first_payment_row;
pub(crate) mod person_first;
pub(crate) mod journal_reads;
pub mod folding;
pub mod waiting;
pub(crate) mod passed_over;
pub mod audit;
pub(crate) mod audit_report;
pub(crate) mod audit_partition;
pub(crate) mod audit_cursor;
pub(crate) mod fan_out;
pub mod due_scan;
