//! The Lambda.

use calendar::Calendar;

fn main() -> Result<(), lambda_runtime::Error> {
    runtime::serve::run(Calendar::from_settings)
}
