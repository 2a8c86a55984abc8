//! What a customer's record is: a pure function of the events known about that customer.
//!
//! Nothing here knows a provider, a cloud, a clock or a source of randomness; `now` is an argument.

pub mod billing;
pub mod ids;
pub mod money;
pub mod reading;
pub mod terms;
