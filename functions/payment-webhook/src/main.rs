//! The Lambda.

use payment_webhook::PaymentWebhook;

fn main() -> Result<(), lambda_runtime::Error> {
    runtime::serve::run(PaymentWebhook::from_settings)
}
