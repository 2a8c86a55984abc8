//! Where a deployed stage's bank accounts stand.

use super::support::{open, shop};
use domain::ids::PartnerId;
use local_shop::connection::dynamo_table;
use std::process::{Command, Output};
use store::payouts::bank;

/// A stack's table, reached as a deployed stage's is: by the usual AWS variables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bank_accounts_are_put_into_no_table_that_functions_read() {
    let stack = open(&shop()).await;
    let table = dynamo_table(stack.endpoints()).unwrap();
    let acme = PartnerId::parse("acme").unwrap();
    store::partners::add(&table, &acme).await.unwrap();
    let words = [
        "partner",
        "bank",
        "acme",
        "--name",
        "Acme",
        "--iban",
        "DE89370400440532013000",
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_orangery"));
    command.args(words).env_clear().envs([
        ("AWS_ENDPOINT_URL_DYNAMODB", &*stack.endpoints().table_url),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-west-3"),
        ("ORANGERY_TABLE", &stack.endpoints().table_name),
    ]);
    let output: Output = tokio::task::block_in_place(|| command.output().unwrap());
    let complaint = String::from_utf8_lossy(&output.stderr);
    // A stack has no table of accounts, and the one that it has is not taken instead.
    assert!(!output.status.success(), "{complaint}");
    assert!(complaint.contains("no table of that name"), "{complaint}");
    assert!(bank(&table, &acme).await.unwrap().is_none());
}
