//! A customer's record is a pure function of the events known about that customer.
//!
//! This crate knows no provider, no cloud, no clock and no source of randomness. Where the moment
//! matters, it is the argument `now`. The modules below stand in reading order: a module uses only
//! modules above it.

pub mod ids;
pub mod shop_key;
pub mod root_fingerprint;
pub mod money;
pub mod digest;
pub mod person;
pub mod subscription;
pub mod payment;
pub mod usage;
pub mod partner;
pub mod event;
pub mod state;
pub mod letter;
pub mod shop_settings;
pub mod catalog;
pub mod entitlement;
pub mod notice;
pub mod record;
pub mod view;
