//! What the tests stand on: a running house, a table in memory, stories, expectations, logs.

pub(crate) mod api;
pub(crate) mod desk;
pub(crate) mod expect;
pub(crate) mod house;
pub(crate) mod partner_shop;
pub(crate) mod logs;
pub(crate) mod memory;
pub(crate) mod mortal;
pub(crate) mod receiver;
pub(crate) mod small_house;
pub(crate) mod tale;
pub(crate) mod wire;
