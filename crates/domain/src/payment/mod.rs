//! Payments, refunds, disputes and invoices that failed: as events show them, and as they stand.

pub mod snapshot;
pub mod payments;
pub mod invoice;
