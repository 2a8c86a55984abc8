//! What stands in the table, and under which keys.

pub(crate) mod key;
pub(crate) mod stored_item;
pub(crate) mod item;
pub(crate) mod unreadable;
pub(crate) mod format;
pub(crate) mod due_index;
pub(crate) mod attributes;

pub use crate::journal::audit_cursor::Cursor;
pub use crate::journal::closed_bucket::ClosedBucket;
pub use crate::journal::fan_out_row::FanOut;
pub use crate::journal::first_payment_row::FirstPaymentRow;
pub use crate::journal::rows::{Alias, JournalEntry, ParkedEntry};
pub use crate::partner::report_row::ReportRow;
pub use crate::usage::page_row::UsagePageRow;
pub use crate::usage::parked_usage::ParkedUsage;
pub use item::{Item, TableRow};
pub use key::*;
pub use unreadable::UnreadableItem;
