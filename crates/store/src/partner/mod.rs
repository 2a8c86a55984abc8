//! Partners: who they are, what they reported, what they earned, and what they are told.

pub mod partners;
pub(crate) mod partner_row;
pub mod public_key_cache;
pub(crate) mod referral_ref;
pub mod operator_decisions;
pub mod tiers;
pub(crate) mod ledger;
pub(crate) mod ledger_rows;
pub mod payouts;
pub(crate) mod payout_rows;
pub mod reports;
pub(crate) mod report_row;
pub mod notice_endpoints;
pub(crate) mod endpoint_row;
pub mod notices;
pub(crate) mod delivery_row;
pub(crate) mod delivery_states;
pub(crate) mod undelivered_notices;
