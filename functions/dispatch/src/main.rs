//! The Lambda.

use dispatch::Dispatch;

fn main() -> Result<(), lambda_runtime::Error> {
    runtime::serve::run(Dispatch::from_settings)
}
