//! The Lambda.

use runtime::settings::Settings;
use shop_api::ShopApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::telemetry::start();
    let function = ShopApi::from_settings(&Settings::from_env())?;
    runtime::serve::serve(function).await
}
