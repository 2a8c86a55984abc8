//! What these tests have of their own: stories, expectations, a provider's API on loopback.

pub(crate) mod provider_api_stub;
pub(crate) mod expect;
pub(crate) mod story_test;
