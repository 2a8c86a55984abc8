//! What a handler needs and does not decide: configuration, secrets, clock, HTTP, telemetry.

pub mod function;
pub mod http;
pub mod clock;
pub mod secrets;
pub mod queue;
pub mod batch;
pub mod rate_limit;
pub mod settings;
pub mod aws;
mod trust;
mod connector;
pub mod api;
pub mod post;
pub mod ingest;
pub mod serve;
pub mod telemetry;
#[cfg(feature = "openapi")]
pub mod openapi;

pub use clock::Clock;
pub use function::{Failure, Function, Invocation, Warming};
