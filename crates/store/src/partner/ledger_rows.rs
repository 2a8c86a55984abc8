//! The rows of a partner's ledger, as the table keeps them: what it earned, how its reports
//! stand, what it was paid. Their types are the domain's.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use domain::notice::{Notice, of_commission, of_payout, of_referral_status};
use domain::partner::ledger::CommissionRow;
use domain::partner::payout::Payout;
use domain::partner::referral_status::ReferralStatusRow;

impl StoredItem for CommissionRow {
    fn type_name(&self) -> &'static str {
        "commission"
    }

    fn key(&self) -> Key {
        Key::commission(self)
    }

    fields_by_serde!();

    fn notices(&self) -> Vec<Notice> {
        of_commission(self)
    }
}

impl StoredItem for ReferralStatusRow {
    fn type_name(&self) -> &'static str {
        "referral_status"
    }

    fn key(&self) -> Key {
        Key::referral_status(self)
    }

    fields_by_serde!();

    fn notices(&self) -> Vec<Notice> {
        vec![of_referral_status(self)]
    }
}

impl StoredItem for Payout {
    fn type_name(&self) -> &'static str {
        "payout"
    }

    fn key(&self) -> Key {
        Key::payout(&self.partner, self.n)
    }

    fields_by_serde!();

    fn notices(&self) -> Vec<Notice> {
        vec![of_payout(self)]
    }
}
