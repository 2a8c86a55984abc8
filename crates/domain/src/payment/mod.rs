//! Payments, refunds, disputes and failed invoices: what events say of them (`snapshot`), what the
//! record keeps (`payments`, `invoice`), and what one payment comes to (`amounts`), also
//! while nothing links its two sides (`unlinked`).

pub mod snapshot;
pub mod payments;
pub mod amounts;
pub mod unlinked;
pub mod invoice;
