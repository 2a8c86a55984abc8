//! The local stack's shop: its settings, its sample customers, and requests as its providers and
//! partners would send them. The pages and the command stand on it.

pub mod shop;
pub mod connection;

pub mod samples;
pub mod story;
pub mod delivery;
pub mod chaos;
pub mod provider_stubs;
mod authority;
pub mod clock;
pub mod stack_catalog;
pub mod catalog_draft;

pub mod customer_search;

pub mod visible_text;
pub mod saved_request;
pub mod statement;
pub mod amounts;
pub mod sample_letters;
pub mod sample_cases;
