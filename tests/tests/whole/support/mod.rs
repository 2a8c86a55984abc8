//! What the tests stand on: a running house, a table in memory, stories, expectations, logs.

pub(crate) mod provider_api_stub;
pub(crate) mod notice_harness;
pub(crate) mod expect;
pub(crate) mod partner_harness;
pub(crate) mod story_test;
