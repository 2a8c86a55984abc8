//! What is typed wrongly of partners, and what is said to it.

use super::command_line::{CommandLine, text};
use super::support::{SECRET, open, shop};
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
    deployed.args(["partner", "add", "acme", "--stage", "test"]);
    deployed.env_clear().env("AWS_ACCESS_KEY_ID", "key");
    let output = tokio::task::block_in_place(|| deployed.output().unwrap());
    assert!(text(&output.stderr).contains("set ORANGERY_ROOT_PARTNERS"));
    let terms = typed.run_ok("partner terms acme");
    assert_eq!(terms.lines().count(), 1, "something changed: {terms}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistyped_fields_ports_and_dates_are_told_and_do_nothing() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    let port_of = |url: &str| url.rsplit(':').next().unwrap().to_owned();
    let table = port_of(&stack.endpoints().table_url);
    let gateway = port_of(stack.gateway_url());
    for (words, said) in MISTYPED_COMMANDS {
        let words = words.replace("SECRET", SECRET).replace("GATEWAY", &gateway);
        let refused = typed.run_refused(&words);
        assert!(refused.contains(said), "{words}: {refused}");
    }
    for words in [
        "clock show",
        "customer cus_x",
        "partner list",
        "send stripe invoice.paid",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orangery"));
        command.args(words.split(' ')).args(["--port", &table]);
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        let said = text(&output.stderr);
        assert!(said.contains("is a stack's table"), "{words}: {said}");
        assert!(!output.status.success(), "{words}");
    }
    let mut elsewhere = Command::new(env!("CARGO_BIN_EXE_orangery"));
    elsewhere.args(["customer", "cus_x", "--url", "https://shop.example"]);
    elsewhere
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_ENDPOINT_URL");
    let output = tokio::task::block_in_place(|| elsewhere.output().unwrap());
    let said = text(&output.stderr);
    assert!(said.contains("nothing says where its table is"), "{said}");
    let both = Command::new(env!("CARGO_BIN_EXE_orangery"))
        .args(["dev", "--port", "8123", "--table-port", "8123"])
        .output();
    assert!(text(&both.unwrap().stderr).contains("two ports are needed"));
    assert_eq!(
        stack.engine().changes(None, 10).unwrap().len(),
        0,
        "something was written"
    );
    let set = format!("--secret {SECRET} --set data.object.metadata.shelf=3");
    let added = typed.run(&format!("send stripe invoice.paid {set}"));
    assert!(added.status.success(), "{}", text(&added.stderr));
    assert!(text(&added.stderr).contains("no `shelf` here; it is added"));
}

/// What is typed of fields, ports and dates, and a part of what is said to it.
const MISTYPED_COMMANDS: &[(&str, &str)] = &[
    (
        "send stripe invoice.paid --secret SECRET --set data.object.custmer=cus_x",
        "there is no `custmer` here; did you mean `customer`?",
    ),
    (
        "send stripe invoice.paid --secret SECRET --set data.objcet.customer=cus_x",
        "did you mean `object`?",
    ),
    (
        "send partner/acme referral.created --set data.ocurred_at=now",
        "did you mean `occurred_at`?",
    ),
    (
        "send stripe ada --set data.object.customer=cus_x",
        "is several events",
    ),
    ("send polar scenario --set data.id=x", "is several events"),
    ("clock set 2026-02-30", "`2026-02-30` is no moment"),
    ("clock set 2026-02-30T00:00:00Z", "is no moment"),
    ("clock advance 4000y", "an amount like 3d"),
    ("clock advance 99999w", "after 2099"),
    (
        "customer cus_x --table-port GATEWAY",
        "is a stack's gateway",
    ),
    ("partner list --table-port GATEWAY", "is a stack's gateway"),
];

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
        "write a percentage with at most two decimals",
    ),
    (
        "partner add new --rate 0.001%",
        "write a percentage with at most two decimals",
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
