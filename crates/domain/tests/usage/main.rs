//! Laws of usage: quantities, pages as sets, periods, what meters count, and what it costs.

mod quantities;
mod pages;
mod periods;
mod meters;
mod prices;
