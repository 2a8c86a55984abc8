//! The command's library: the local stack, and what people do with the shop's records.

pub mod console;
pub mod doctor;

pub mod wiring;
pub mod dev;
pub mod story;
pub mod delivery;
pub mod customer;
pub mod partner;
pub mod gateway;
pub mod clock;
pub mod calendar;
pub mod provider_stubs;
mod authority;
pub mod chaos;
pub mod send;
pub mod preview;
mod sample_cases;
pub mod table;
