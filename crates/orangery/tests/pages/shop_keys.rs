//! Keys of the shop's own code, as they are typed.

use super::command_line::{CommandLine, text};
use super::support::{open, shop};
use providers::{KeyRoots, OfferedBearer, StageName};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_shown_once_listed_without_its_secret_and_revoked() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    assert!(typed.run_ok("key list").contains("there are no keys"));
    let made = typed.run("key create --scope read --name backend");
    let (key, words) = (text(&made.stdout), text(&made.stderr));
    assert!(made.status.success(), "{words}");
    assert_eq!(key.lines().count(), 1);
    assert!(words.contains("stage local"), "{words}");
    let local = StageName::parse("local").unwrap();
    let roots = KeyRoots::new([orangery::wiring::LOCAL_MASTER]).unwrap();
    let offered = OfferedBearer::read(key.trim(), &local).unwrap();
    assert!(offered.verify(&roots, stack.clock().now()).is_ok());

    let again = typed.run_refused("key create --scope write --name backend");
    assert!(again.contains("not shown again"), "{again}");
    let listed = typed.run_json("key list --json");
    assert_eq!(listed[0]["name"], "backend");
    assert_eq!(listed[0]["scope"], "read");
    assert_eq!(listed[0]["revoked_at"], json!(null));
    let (_, proof) = key.trim().rsplit_once('_').unwrap();
    assert!(!typed.run_ok("key list").contains(proof));

    assert!(typed.run_ok("key revoke backend").contains("out of force"));
    assert!(typed.run_ok("key list").contains("revoked"));
    let next = typed.run_ok("key create --scope write --name backend");
    assert!(
        next.starts_with("orangery_key_local_write_backend_2_"),
        "{next}"
    );
    let unknown = typed.run_refused("key revoke nobody");
    assert!(unknown.contains("orangery key list"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_never_made_for_another_stage_than_the_tables() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    let other = typed.run_refused("key create --scope read --name backend --stage live");
    assert!(other.contains("live") && other.contains("local"), "{other}");
    for (words, why) in [
        ("key create --scope admin --name backend", "read or write"),
        ("key create --scope read --name Back_End", "lower-case"),
        ("key create --scope read", "--name"),
        (
            "key create --scope read --name backend --stage A",
            "lower-case",
        ),
    ] {
        let said = typed.run_refused(words);
        assert!(said.contains(why), "{words}: {said}");
    }
    assert!(typed.run_ok("key list").contains("there are no keys"));
}
