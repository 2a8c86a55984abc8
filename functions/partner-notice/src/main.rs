//! The Lambda.

use partner_notice::PartnerNotice;

fn main() -> Result<(), lambda_runtime::Error> {
    runtime::serve::run(PartnerNotice::from_settings)
}
