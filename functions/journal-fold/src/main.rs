//! The Lambda.

use journal_fold::JournalFold;

fn main() -> Result<(), lambda_runtime::Error> {
    runtime::serve::run(JournalFold::from_settings)
}
