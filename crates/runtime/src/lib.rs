//! What a handler needs and does not decide.

pub mod function;
