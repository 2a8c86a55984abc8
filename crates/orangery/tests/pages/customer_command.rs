//! `orangery customer` as it is typed: whom it finds, and what it shows of what others wrote.

use super::command_line::CommandLine;
use super::support::{SECRET, open, play_story, shop};
use domain::catalog::Catalog;
use local_shop::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_found_by_whatever_one_has_at_hand() {
    let shop = shop();
    let stack = open(&shop).await;
    for name in ["ada", "emil"] {
        play_story(&stack, &shop, name).await;
    }
    let typed = CommandLine::against(&stack);
    for who in [
        "stripe/test/cus_ada",
        "cus_ada",
        "ada@example.com",
        " Ada@Example.com",
        "sub_Ada01",
        "in_Ada01",
        "pi_Ada01",
        "ch_Ada01",
        "si_Base01",
        "evt_Ada001",
    ] {
        let output = typed.command("customer").arg(who).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.starts_with("stripe/test/cus_ada  Ada Lovage"),
            "{who}: {said}"
        );
    }
    let nobody = typed.run_refused("customer nobody@example.com");
    assert!(nobody.contains("no customer with that address"), "{nobody}");
    assert!(!nobody.contains("nobody@"), "an address is in: {nobody}");
    let nobody = typed.run_refused("customer sub_Nobody1");
    assert!(nobody.contains("no customer sub_Nobody1"), "{nobody}");
    typed.send_payment("cus_other", "in_other", "ada@example.com");
    let both = typed.run_refused("customer ada@example.com");
    let keys = "say which: stripe/test/cus_ada, stripe/test/cus_other";
    assert!(both.contains(keys), "{both}");
    let quarantined = typed.run_ok("customer cus_emil");
    let why = "quarantined: `data.object.status` is `hibernating`, which we do not know";
    assert!(quarantined.contains(why), "{quarantined}");
    let view = typed.run_json("customer cus_emil --json");
    let events = view["events"].as_array().unwrap();
    assert!(
        events
            .iter()
            .any(|event| event["reason"] == why["quarantined: ".len()..]),
        "{view:#}"
    );
    assert!(
        events.iter().any(|event| event["reason"].is_null()),
        "{view:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stranger_typed_steers_no_terminal() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    let name = "Eve\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\r\nstripe/test/cus_ada  Ada";
    typed.send_sample(
        "customer.created",
        &[
            ("data.object.id", "cus_eve"),
            ("data.object.name", name),
            ("data.object.email", "eve@x.example"),
            ("data.object.metadata.referral_code", "\u{1b}c"),
        ],
    );
    let text = typed.run_ok("customer cus_eve");
    assert!(text.contains("Eve‹U+001B›[2J"), "{text}");
    let head = text.lines().next().unwrap();
    assert!(
        head.ends_with("eve@x.example"),
        "the name began a line: {text}"
    );
    let json = typed.run_ok("customer cus_eve --json");
    let refused = typed.run_refused("customer \u{1b}[2Jcus_nobody");
    for said in [&text, &json, &refused] {
        let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!said.contains(steers), "{said:?}");
    }
    let view: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(view["customer"]["name"], name, "programs read it as it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_take_the_catalog_that_the_stack_was_started_with() {
    let catalog = "[plans.citrus]\nname = \"Citrus\"\ntier = 1\n\
                   prices = [\"price_grove_monthly\"]\n\
                   [program]\nrate = \"7%\"\nmonths = 3\nhold = \"1d\"\nwindow = \"9d\"\n";
    let shop = Shop {
        catalog: Catalog::parse(catalog).unwrap(),
        catalog_text: Some(catalog.to_owned()),
        secrets: [("stripe".to_owned(), vec![SECRET.to_owned()])].into(),
        ..Shop::default()
    };
    let stack = open(&shop).await;
    let typed = CommandLine::against(&stack);
    let said = typed.run("partner add acme");
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("it earns 7"), "{said}");
    play_story(&stack, &shop, "ada").await;
    let view = typed.run_json("customer cus_ada --json");
    assert_eq!(view["subscriptions"][0]["plan"], "citrus", "{view:#}");
    let given = format!(
        "{}/../local-shop/samples/catalog.toml",
        env!("CARGO_MANIFEST_DIR")
    );
    let view = typed.run_json(&format!("customer cus_ada --json --catalog {given}"));
    assert_eq!(view["subscriptions"][0]["plan"], "grove", "{view:#}");
}
