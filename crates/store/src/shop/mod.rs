//! What the shop's own code asks: its keys, and whom a reference leads to; and the rows of what the
//! shop is told.

pub(crate) mod notice_row;
pub(crate) mod shop_key_row;
pub mod shop_keys;
pub(crate) mod root_row;
pub mod roots;
pub mod lookup;
