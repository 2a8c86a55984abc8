//! What stands in the table, and under which keys.

pub(crate) mod key;
pub(crate) mod item;
pub(crate) mod due_index;
pub(crate) mod attributes;

pub use item::Item;
pub use key::*;
