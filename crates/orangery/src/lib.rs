//! The command's library: the local stack, and what people do with the shop's records.

pub mod doctor;

pub mod request_log;
mod request_lines;
mod live_webhook;
mod live_email;
pub mod wiring;
pub mod dev;
pub mod connect;
pub mod customer;
pub mod partner;
pub mod key;
pub mod gateway;
pub mod calendar;
pub mod send;
mod set_fields;
pub mod preview;
pub mod check;
mod place;
mod aws;
pub mod stage;
mod root;
pub mod table;
pub mod terminal;

pub use local_shop::{delivery, story};
