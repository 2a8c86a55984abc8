//! The Lambda.

use engagement_email::EngagementEmail;

fn main() -> Result<(), lambda_runtime::Error> {
    runtime::serve::run(EngagementEmail::from_settings)
}
