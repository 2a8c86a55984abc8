//! What the whole promises, tried on the whole: stories, laws, fidelity, tidiness.

pub mod doors;

pub mod prove;
