//! `orangery partner referrals`: what a partner reported, with what became of it and why.

use super::command_line::CommandLine;
use super::support::{open, shop};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_refused_or_in_conflict_is_listed_with_its_reason_and_worked_from_there() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    let nobody = typed.run_refused("partner referrals acme");
    assert!(nobody.contains("no partner is called acme"), "{nobody}");
    typed.run_ok("partner add acme --rate 20% --life --hold 0d --window 60d --domain acme.example");
    assert_eq!(
        typed.run_ok("partner referrals acme"),
        "there are no such referrals of acme"
    );
    let report = |id: &str, email: &str| {
        typed.run_ok(&format!(
            "send partner/acme referral.created --set data.referral_id={id} \
             --set data.customer.email={email}"
        ));
    };
    report("r-held", "ben@acme.example");
    report("r-good", "ada@x.example");
    report("r-later", "eve@x.example");
    typed.send_payment("cus_ben", "in_1", "ben@acme.example");
    typed.send_payment("cus_ada", "in_2", "ada@x.example");
    stack.settle().await.unwrap();
    let listed = |flags: &str| {
        let rows = typed.run_json(&format!("partner referrals acme --json {flags}"));
        let row = |row: &Value| {
            json!([
                row["referral"],
                row["customer"],
                row["status"],
                row["reason"]
            ])
        };
        rows.as_array()
            .unwrap()
            .iter()
            .map(row)
            .collect::<Vec<Value>>()
    };
    let (ben, ada) = ("stripe/test/cus_ben", "stripe/test/cus_ada");
    assert_eq!(
        listed(""),
        [
            json!(["r-held", ben, "held", "same_domain"]),
            json!(["r-good", ada, "attributed", null]),
            json!(["r-later", null, "reported", null]),
        ]
    );
    assert_eq!(listed("--status held").len(), 1);
    let text = typed.run("partner referrals acme");
    let hint = String::from_utf8(text.stderr).unwrap();
    assert!(
        hint.contains("orangery partner release acme REFERRAL"),
        "{hint}"
    );
    typed.run_ok("partner void acme r-held");
    stack.settle().await.unwrap();
    assert_eq!(
        listed("--status refused"),
        [json!(["r-held", ben, "refused", "void"])]
    );
    assert!(listed("--status held").is_empty());
}
