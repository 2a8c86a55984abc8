//! What the pages say, and in whose words.

use super::command_line::CommandLine;
use super::parsed_page::ParsedPage;
use super::support::{blocking, get, open, play_story, post, shop};
use local_shop::delivery::{Delivery, Signer};
use local_shop::shop::local_secret;
use std::collections::BTreeSet;

#[test]
fn both_languages_have_the_same_texts() {
    let keys = |text: &str| -> BTreeSet<String> {
        let table: toml::Table = toml::from_str(text).unwrap();
        table.into_iter().map(|(key, _)| key).collect()
    };
    let en = keys(include_str!("../../../pages/templates/texts/en.toml"));
    let fr = keys(include_str!("../../../pages/templates/texts/fr.toml"));
    assert_eq!(en, fr);
    for cause in providers::diagnose::Cause::ALL {
        for kind in ["cause", "act"] {
            assert!(
                en.contains(&format!("{kind}_{}", cause.as_str())),
                "{cause:?}"
            );
        }
    }
    for letter in domain::letter::Letter::ALL {
        assert!(
            en.contains(&format!("letter_{}", letter.as_str())),
            "{letter:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_answers_and_search_finds_by_any_reference() {
    let shop = shop();
    let stack = open(&shop).await;
    for name in ["ada", "dana", "bruno"] {
        play_story(&stack, &shop, name).await;
    }
    let pages = [
        "/",
        "/live",
        "/customers",
        "/customers?q=zzz",
        "/mailbox",
        "/gallery",
        "/refused",
        "/clock",
        "/clock?since=0",
        "/demo",
        "/gallery/one?letter=welcome&language=fr",
        "/gallery/body?letter=welcome&language=en",
        "/customer?key=stripe/test/cus_ada",
        "/event?id=stripe/test/evt_Ada026",
        "/pages.css",
        "/pages.js",
    ];
    for page in pages {
        let (status, text) = get(&stack, page).await;
        assert_eq!(status, 200, "{page}: {text}");
    }
    let (status, _) = get(&stack, "/customer?key=stripe/test/nobody").await;
    assert_eq!(status, 404);
    let table = local_shop::connection::dynamo_table(stack.endpoints()).unwrap();
    let ada = domain::ids::CustomerKey::parse("stripe/test/cus_ada").unwrap();
    let view = orangery::customer::view(&table, &ada, &shop.catalog)
        .await
        .unwrap();
    let mut words = vec![
        "cus_ada".to_owned(),
        "ADA@example.com ".into(),
        "stripe%2Ftest%2Fevt_Ada026".into(),
    ];
    words.extend(view.subscriptions.iter().map(|known| known.id.to_string()));
    words.extend(
        view.payments
            .iter()
            .flat_map(|paid| paid.ids.iter().map(ToString::to_string)),
    );
    for word in words {
        let (_, text) = get(
            &stack,
            &format!(
                "/customers?q={}",
                word.replace(' ', "%20").replace('@', "%40")
            ),
        )
        .await;
        assert!(
            text.contains("Ada Lovage") && text.contains("timeline"),
            "{word} leads nowhere"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_is_a_repetition_and_changes_nothing() {
    let shop = shop();
    let stack = open(&shop).await;
    play_story(&stack, &shop, "ada").await;
    play_story(&stack, &shop, "dana").await;
    let (_, page) = get(&stack, "/customer?key=stripe/test/cus_dana").await;
    let events = ParsedPage::read(&page).links_after("/event?id=");
    let mut replayed = 0;
    for event in events {
        let form = vec![(
            "content-type".into(),
            "application/x-www-form-urlencoded".into(),
        )];
        let (status, page) = post(
            &stack,
            "/event/replay",
            &form,
            format!("id={event}").as_bytes(),
        )
        .await;
        assert_eq!(status, 200, "{page}");
        assert!(
            ParsedPage::read(&page).replay_changed_nothing(),
            "{event} changed something"
        );
        let repeated = [
            "&quot;repeated&quot;:1",
            "&quot;verdict&quot;:&quot;repeated&quot;",
        ];
        assert!(
            repeated.iter().any(|said| page.contains(said)),
            "{event}: {page}"
        );
        replayed += 1;
    }
    assert!(replayed > 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_of_other_origins_change_nothing() {
    let stack = open(&shop()).await;
    let before = stack.clock().offset();
    let form = (
        "content-type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    );
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let headers = [form.clone(), (name.into(), value.into())];
        let (status, _) = post(&stack, "/clock", &headers, b"advance=1d").await;
        assert_eq!(status, 403, "{name}: {value}");
    }
    assert_eq!(stack.clock().offset(), before);
    let back = post(
        &stack,
        "/display",
        &[form],
        b"language=fr&back=//evil.example/",
    )
    .await;
    assert!(back.1.contains("Orangery"), "led away: {}", back.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_whose_api_is_silent_is_shown_as_waiting_with_what_it_lacks() {
    let shop = shop();
    let stack = open(&shop).await;
    let provider = providers::provider("gocardless").unwrap();
    let samples = provider.samples().iter();
    let (name, body) = samples
        .copied()
        .find(|(name, _)| *name == "payments.confirmed")
        .unwrap();
    let delivery = Delivery {
        name: name.into(),
        path: "/webhooks/gocardless".into(),
        body: body.as_bytes().to_vec(),
        signer: Signer::provider(provider, &local_secret("gocardless")).unwrap(),
    };
    let (gateway, now) = (stack.gateway_url().to_owned(), stack.clock().now());
    let answer = blocking(move || delivery.send(&gateway, now).unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    stack.settle().await.unwrap();

    let (_, overview) = get(&stack, "/").await;
    let overview = ParsedPage::read(&overview);
    assert_eq!(overview.count_of("waiting"), "1");
    assert_eq!(overview.count_of("parked"), "0");
    let words = [
        "badge waiting",
        "Missing:",
        "<bdi>payments</bdi>",
        "within a minute",
    ];
    let (status, page) = get(&stack, "/event?id=gocardless/test/EV000000001011").await;
    assert_eq!(status, 200);
    for word in words {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(
        !page.contains("badge parked") && !page.contains("class=\"warn\""),
        "{page}"
    );

    let table = local_shop::connection::dynamo_table(stack.endpoints()).unwrap();
    let customer = domain::ids::CustomerKey::parse("gocardless/test/CU000Grove01").unwrap();
    let nobody = orangery::customer::view(&table, &customer, &shop.catalog).await;
    let said = nobody.unwrap_err().to_string();
    assert!(said.ends_with("; 1 of gocardless's events wait for its API to say whose they are"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_and_its_charge_are_one_payment_that_says_that_it_is_not_linked_yet() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    for side in ["invoice.paid", "charge.succeeded"] {
        typed.send_sample(side, &[]);
    }
    let page = "/customer?key=stripe/test/cus_Valencia01";
    let shown = typed.run_ok("customer cus_Valencia01");
    assert_eq!(shown.matches("28.80 EUR, unlinked").count(), 1, "{shown}");
    let (_, text) = get(&stack, page).await;
    assert_eq!(text.matches(NOT_LINKED).count(), 1, "{text}");
    typed.send_sample("invoice_payment.paid", &[]);
    typed.send_sample("payment_intent.succeeded", &[]);
    let shown = typed.run_ok("customer cus_Valencia01");
    assert_eq!(shown.matches("28.80 EUR").count(), 1, "{shown}");
    assert!(!shown.contains("unlinked"), "{shown}");
    let (_, text) = get(&stack, page).await;
    assert!(!text.contains(NOT_LINKED), "{text}");
}

const NOT_LINKED: &str = "invoice and charge not linked yet";
