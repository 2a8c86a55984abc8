//! What must come of a set of events, by rules written a second time.

pub(crate) mod facts;
pub(crate) mod expected_payments;
pub(crate) mod expected_commissions;
pub(crate) mod expected_referrals;
pub(crate) mod oracle;
pub(crate) mod expected_letters;
