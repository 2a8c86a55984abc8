//! The command's library: the local stack, and what people do with the shop's records.

pub mod stack;
