//! Subscriptions: what events say of them (`terms`), what their prices mean (`pricing`), in which
//! order snapshots of one instant happened (`snapshot_order`), which items were taken off
//! (`removed_items`), and what the record keeps (`state`) and lets go (`closing`).

pub mod terms;
pub mod pricing;
pub mod snapshot_order;
pub mod removed_items;
pub mod state;
pub mod closing;
