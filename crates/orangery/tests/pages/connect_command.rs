//! `orangery connect`, as somebody types it who has never seen the project.

use super::command_line::{CommandLine, text};
use super::support::{SECRET, open, post, shop};
use local_shop::shop::Shop;
use providers::{PROVIDERS, Secret};
use std::io::{BufRead, BufReader};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_provider_is_connected_in_its_own_words() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    for provider in PROVIDERS {
        let name = provider.name();
        let said = typed.run_ok(&format!("connect {name} --no-wait"));
        let url = format!("{}/webhooks/{name}", stack.gateway_url());
        assert!(said.contains(&url), "{name}: {said}");
        assert!(said.contains(provider.setup().endpoint), "{name}: {said}");
        let events = provider.setup().event_line();
        let is_one_line = |events: &String| said.lines().any(|line| line == events);
        assert!(events.as_ref().is_none_or(is_one_line), "{name}: {said}");
        assert!(
            said.contains("No event of") || said.contains("names all"),
            "{said}"
        );
    }
    let unknown = typed.run_refused("connect strype");
    assert!(
        unknown.contains("there are: gocardless, mollie, stripe"),
        "{unknown}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_webhook_secret_is_refused_and_not_repeated() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    for (secret, what) in [
        ("sk_test_51HabcSECRETpart", "a secret key of Stripe's API"),
        (
            "rk_live_51HabcSECRETpart",
            "a restricted key of Stripe's API",
        ),
        ("we_1SECRETpart", "the id of an endpoint"),
        ("shortSECRETpart", "at least 16 are needed"),
    ] {
        for words in [
            "connect stripe --no-wait --secret ",
            "dev --port 0 --table-port 0 --secret stripe=",
        ] {
            let mut command = typed.command("");
            let mut bare = std::process::Command::new(command.get_program());
            let words = format!("{words}{secret}");
            bare.args(words.split_whitespace());
            let output = match words.starts_with("dev") {
                true => tokio::task::block_in_place(|| bare.output().unwrap()),
                false => {
                    command = typed.command(&words);
                    tokio::task::block_in_place(|| command.output().unwrap())
                }
            };
            let said = text(&output.stderr);
            assert!(
                !output.status.success() && said.contains(what),
                "{words}: {said}"
            );
            assert!(!said.contains("SECRETpart"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_in_force_at_once_and_the_first_event_is_waited_for() {
    let stack = open(&Shop::default()).await;
    let typed = CommandLine::against(&stack);
    let provider = providers::provider("stripe").unwrap();
    let (_, body) = provider
        .samples()
        .iter()
        .find(|(name, _)| *name == "customer.created")
        .unwrap();
    let now = stack.clock().now();
    let signed = |secret: &str| -> Vec<(String, String)> {
        let secret = Secret::new(secret).unwrap();
        let headers = provider.sign(body.as_bytes(), &secret, now).unwrap();
        headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    let mut waiting = typed
        .command(&format!("connect stripe --secret {SECRET}"))
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(waiting.stdout.take().unwrap()).lines();
    let mut until = |part: &str| {
        tokio::task::block_in_place(|| lines.find(|line| line.as_ref().unwrap().contains(part)))
            .unwrap_or_else(|| panic!("{part} was not printed"))
            .unwrap()
    };
    until("waiting for the first event of stripe");
    let wrong = signed("whsec_of_another_endpoint_of_ours");
    let (status, _) = post(&stack, "/webhooks/stripe", &wrong, body.as_bytes()).await;
    assert_eq!(status, 401);
    let refused = until("refused");
    assert!(refused.contains("401"), "{refused}");
    until("Is the secret that of this endpoint?");
    let (status, said) = post(&stack, "/webhooks/stripe", &signed(SECRET), body.as_bytes()).await;
    assert_eq!(status, 200, "{said}");
    let taken = until("customer.created");
    assert!(
        taken.contains("applied") && taken.contains("stripe/test/cus_"),
        "{taken}"
    );
    until("stripe is connected");
    assert!(tokio::task::block_in_place(|| waiting.wait().unwrap()).success());
    // What `send` signs with is in force beside it.
    typed.run_ok("send stripe invoice.paid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalog_is_written_from_the_prices_seen_and_never_over_a_file() {
    let stack = open(&Shop {
        catalog_text: Some(String::new()),
        ..Shop::default()
    })
    .await;
    let typed = CommandLine::against(&stack);
    typed.run_ok("send stripe ada");
    typed.run_ok("send stripe karim");
    let file = std::env::temp_dir().join(format!("orangery-catalog-{}", std::process::id()));
    let words = format!(
        "connect stripe --no-wait --write-catalog {}",
        file.display()
    );
    let said = typed.run_ok(&words);
    let text = std::fs::read_to_string(&file).unwrap();
    let catalog = domain::catalog::Catalog::parse(&text).unwrap();
    assert!(!catalog.plans.is_empty(), "{text}");
    assert!(said.contains(text.trim()), "{said}");
    assert!(text.contains("EUR every month"), "{text}");
    let again = typed.run_refused(&words);
    std::fs::remove_file(&file).unwrap();
    assert!(again.contains("only a new file is"), "{again}");
}
