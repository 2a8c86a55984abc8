//! What the shop is told about a customer: rows that are decided with the record's write, and never
//! change. The page beside it (`README.md`) says which there are and what a shop sees.

pub mod row;
pub mod content;
mod draft;
mod of_subscription;
mod of_payment;
pub mod plan;
pub mod access;
