//! Payments, refunds, disputes and failed invoices: what events say of them (`snapshot`), and what
//! the record keeps (`payments`, `invoice`).

pub mod snapshot;
pub mod payments;
pub mod invoice;
