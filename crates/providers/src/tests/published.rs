//! What we read, held against what the providers publish for programs: the facts in `published/`.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "counts of tries, and chance"
)]

mod schema;
mod deliveries;
mod sites;

mod absence;
mod decisions;
mod events;
mod random;
