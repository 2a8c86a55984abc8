//! The Lambda.

use partner_notice::PartnerNotice;
use runtime::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::telemetry::start();
    let function = PartnerNotice::from_settings(&Settings::from_env())?;
    runtime::serve::serve(function).await
}
