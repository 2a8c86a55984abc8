//! What goes on in a simulation: providers, partners, the shop, streams, queues and schedules.

pub(crate) mod scenario_builder;
pub(crate) mod payments;
pub(crate) mod subscriptions;
pub(crate) mod referrals;
pub(crate) mod provider_scripts;
pub(crate) mod scenarios;
pub(crate) mod webhooks;
pub(crate) mod payouts;
pub(crate) mod notices;
pub(crate) mod endpoint_changes;
pub(crate) mod handlers;
pub(crate) mod stream_and_queue;
pub(crate) mod schedules;
pub(crate) mod provider_api;
pub(crate) mod newer_items;
