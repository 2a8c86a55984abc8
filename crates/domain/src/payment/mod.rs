//! Payments, refunds, disputes and failed invoices: what events say of them (`snapshot`), what the
//! record keeps (`payments`, `invoice`), and what one payment comes to (`amounts`), also
//! while nothing links its two sides (`unlinked`). Old ones leave it (`closing`); what was bought
//! once with them stays (`purchases`).

pub mod snapshot;
pub(crate) mod payment_index;
pub mod place;
pub mod kept_purchase;
pub mod payments;
mod merging;
pub mod amounts;
pub mod unlinked;
mod purchases;
mod closing;
pub mod invoice;
