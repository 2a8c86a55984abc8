//! What is typed wrongly of partners, and what is said to it.

use super::command_line::{CommandLine, text};
use super::support::{open, shop};
use std::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_wrongly_is_refused_with_what_to_do() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    typed.run_ok("partner add acme --rate 20% --months 12 --hold 30d --window 60d");
    for (words, said) in INVALID_COMMANDS {
        let refused = typed.run_refused(words);
        assert!(refused.contains(said), "{words}: {refused}");
        assert!(!refused.contains("bruna"), "an address is in: {refused}");
    }
    let mut deployed = Command::new(env!("CARGO_BIN_EXE_orangery"));
    deployed.args(["partner", "add", "acme"]);
    deployed.env_clear().env("AWS_ACCESS_KEY_ID", "key");
    let output = tokio::task::block_in_place(|| deployed.output().unwrap());
    assert!(text(&output.stderr).contains("set ORANGERY_MASTER_KEY"));
    let terms = typed.run_ok("partner terms acme");
    assert_eq!(terms.lines().count(), 1, "something changed: {terms}");
}

/// What is typed, and a part of what is said to it.
const INVALID_COMMANDS: &[(&str, &str)] = &[
    ("partner add Acme", "lower-case letters, digits and dashes"),
    (
        "partner add acme --rate 15%",
        "`orangery partner terms acme",
    ),
    (
        "partner add acme --email bruna@acme.example",
        "`orangery partner terms acme",
    ),
    (
        "partner add new --rate 20",
        "write it in percent with at most two decimals",
    ),
    (
        "partner add new --rate 0.001%",
        "write it in percent with at most two decimals",
    ),
    (
        "partner add new --rate 0%",
        "more than 0 % and at most 100 %",
    ),
    (
        "partner add new --rate 101%",
        "more than 0 % and at most 100 %",
    ),
    ("partner add new --rate 20% --fixed=5", "\"5.00 eur\""),
    ("partner add new --months 0", "1 to 1,200"),
    ("partner add new --months 12 --life", "cannot be used with"),
    ("partner add new --hold 4000d", "0 to 3,650 days"),
    ("partner add new --window 0d", "1 to 3,650 days"),
    ("partner add new --hold 30", "write it as 30d"),
    (
        "partner add new --attribution-model both",
        "write first or last",
    ),
    ("partner add new --tier many", "`many` is not a valid tier"),
    (
        "partner add new --tier 10:5.00",
        "`10:5.00` is not a valid tier",
    ),
    (
        "partner add new --tier 9:25% --tier 9:30%",
        "active customers must rise",
    ),
    (
        "partner add new --program nobody",
        "no program `nobody`: it has agency",
    ),
    (
        "partner add new --tier 9:25% --no-tiers",
        "cannot be used with",
    ),
    (
        "partner add new --email bruna",
        "an e-mail address is not valid",
    ),
    (
        "partner add new --domain gmail.com",
        "not a valid company domain",
    ),
    (
        "partner terms nobody --rate 15%",
        "no partner is called nobody",
    ),
    ("partner rotate nobody", "no partner is called nobody"),
    ("partner postback nobody", "no partner is called nobody"),
    ("partner key acme whpk_AAAA", "not an Ed25519 public key"),
    (
        "partner key acme whpk_iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w= --remove",
        "none of this partner's",
    ),
    ("partner statement nobody", "no partner is called nobody"),
    (
        "partner statement acme --at yesterday",
        "is neither a time like",
    ),
    ("partner code acme a/b", "can't be a code"),
    ("partner release acme r-9", "--customer names it"),
    (
        "partner void acme r-9 --customer stripe/test/cus_x",
        "were not referred so",
    ),
    ("partner test acme http://example.com/", "must be https"),
    (
        "partner test acme https://u:p@example.com/",
        "names no host, or a user",
    ),
    (
        "partner test acme http://127.0.0.1:1/",
        "nobody answers at http://127.0.0.1:1/",
    ),
    (
        "partner statement acme --table-port 1",
        "its clock is not this table's",
    ),
    (
        "send partner/acme invoice.paid",
        "there is no sample `invoice.paid`",
    ),
    ("send partner/Acme referral.created", "can't be a partner"),
];
