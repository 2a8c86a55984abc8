//! What the whole promises, tried on the whole: stories, laws, fidelity, tidiness.

pub mod endpoints;

pub mod harness;

pub mod proof;

pub mod results;
