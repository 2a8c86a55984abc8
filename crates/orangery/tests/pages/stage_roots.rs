//! A key is made from the stage's own root, or not at all.

use super::command_line::text;
use super::support::{open, shop};
use local_cloud::Stack;
use std::process::{Command, Output};

const OURS: &str = "the-root-of-this-stage-alone";
const THEIRS: &str = "the-root-of-another-stage-of-ours";

/// A stack's table, reached as a deployed stage's is.
fn typed(stack: &Stack, words: &str, root: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orangery"));
    command.args(words.split_whitespace()).env_clear().envs([
        ("AWS_ENDPOINT_URL_DYNAMODB", &*stack.endpoints().table_url),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-west-3"),
        ("ORANGERY_TABLE", &stack.endpoints().table_name),
        ("ORANGERY_ROOT_SHOP", root),
        ("ORANGERY_ROOT_PARTNERS", root),
    ]);
    tokio::task::block_in_place(|| command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_made_from_another_stages_root_is_refused_and_nothing_is_changed() {
    let stack = open(&shop()).await;
    let create = "key create --scope read --stage test --name";
    let terms = "--rate 20% --months 12 --hold 30d --window 60d --stage test";
    let made = typed(&stack, &format!("{create} first"), OURS);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stdout).starts_with("orangery_key_test_read_first_1_"));
    let refused = typed(&stack, &format!("{create} second"), THEIRS);
    let said = text(&refused.stderr);
    assert!(
        !refused.status.success() && refused.stdout.is_empty(),
        "{said}"
    );
    assert!(
        said.contains("not the one that the shop keys of stage test"),
        "{said}"
    );
    assert!(
        said.contains("--new-root") && !said.contains(THEIRS),
        "{said}"
    );
    let listed = text(&typed(&stack, "key list --stage test", THEIRS).stdout);
    assert!(
        listed.contains("first") && !listed.contains("second"),
        "{listed}"
    );

    // Each purpose has a root of its own.
    let added = typed(&stack, &format!("partner add acme {terms}"), THEIRS);
    assert!(added.status.success(), "{}", text(&added.stderr));
    let refused = typed(&stack, &format!("partner add trellis {terms}"), OURS);
    assert!(text(&refused.stderr).contains("the partners keys of stage test"));
    let listed = text(&typed(&stack, "partner list --stage test", OURS).stdout);
    assert!(
        listed.contains("acme") && !listed.contains("trellis"),
        "{listed}"
    );
    let rotated = typed(&stack, "partner rotate acme --stage test", OURS);
    assert!(!rotated.status.success(), "{}", text(&rotated.stdout));

    // A root that was replaced on purpose is the stage's from then on.
    let replaced = typed(&stack, &format!("{create} second --new-root"), THEIRS);
    assert!(replaced.status.success(), "{}", text(&replaced.stderr));
    let refused = typed(&stack, &format!("{create} third"), OURS);
    assert!(!refused.status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_stack_takes_no_root_but_the_one_that_everybody_knows() {
    let stack = open(&shop()).await;
    let port = stack.gateway_url().rsplit(':').next().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_orangery"));
    command.args([
        "key", "create", "--scope", "read", "--name", "b", "--port", port,
    ]);
    command.env_clear().env("ORANGERY_ROOT_SHOP", THEIRS);
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let said = text(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("ORANGERY_ROOT_SHOP is another root"),
        "{said}"
    );
}
