//! The Lambda.

use partner_referral::PartnerReferral;

fn main() -> Result<(), lambda_runtime::Error> {
    runtime::serve::run(PartnerReferral::from_settings)
}
