//! The Lambda.

use shop_api::ShopApi;

fn main() -> Result<(), lambda_runtime::Error> {
    runtime::serve::run(ShopApi::from_settings)
}
