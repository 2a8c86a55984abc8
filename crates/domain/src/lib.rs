//! What a customer's record is: a pure function of the events known about that customer.
//!
//! Nothing here knows a provider, a cloud, a clock or a source of randomness; `now` is an argument.

pub mod ids;
pub mod money;
pub mod event;
pub mod terms;
pub mod billing;
pub mod state;
pub mod program;
pub mod agreement;
pub mod tiers;
pub mod attribution;
pub mod payments;
pub mod snapshot_order;
pub mod fold;
pub mod ledger;
pub mod referral_status;
pub mod digest;
pub mod record;
pub mod letters;
pub mod plan;
pub mod catalog;
pub mod explain;
pub mod view;
pub mod payout;
pub mod statement;
pub mod notice;
pub mod bank;
