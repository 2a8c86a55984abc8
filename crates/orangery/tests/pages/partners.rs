//! Partners as people look after them: commands as processes of their own against a stack of
//! its own, and the pages.

use super::command_line::{CommandLine, text};
use super::parsed_page::ParsedPage;
use super::support::{get, open, shop};
use domain::ids::CustomerKey;
use local_cloud::Stack;
use local_shop::connection::dynamo_table;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_is_added_reports_a_customer_who_pays_and_reads_its_statement() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    let added = typed.run_ok("partner add acme --rate 20% --months 12 --hold 30d --window 60d");
    assert!(
        added.starts_with("whsec_") && added.lines().count() == 1,
        "{added}"
    );
    assert_eq!(typed.run_ok("partner add acme"), added);
    typed.run_ok("send partner/acme referral.created --set data.customer.email=ada@x.example");
    typed.send_payment("cus_ada", "in_1", "ada@x.example");
    let row = json!({
        "cause": "stripe/test/in_1", "kind": "commission", "amount_minor": 480,
        "currency": "eur", "exponent": 2, "state": "pending",
        "text": "20 % for the payment of 2026-03-01: 24.00 EUR without tax",
    });
    let balance = |pending, released| {
        json!([{ "currency": "eur", "exponent": 2, "pending_minor": pending,
            "released_minor": released, "paid_minor": 0, "held_minor": 0 }])
    };
    let told = typed.statement("acme");
    let fields = told["rows"][0].as_object().unwrap();
    for (name, value) in row.as_object().unwrap() {
        assert_eq!(&fields[name], value, "{name}");
    }
    assert!(fields.contains_key("at") && fields["releases_at"].is_string());
    assert_eq!(
        (told["rows"].as_array().unwrap().len(), fields.len()),
        (1, 10)
    );
    assert_eq!(told["balance"], balance(480, 0));

    // New terms are for customers sent later; the calendar and the clock change nothing but
    // what is released.
    typed.run_ok("partner terms acme --rate 15%");
    typed.send_payment("cus_ada", "in_2", "ada@x.example");
    assert_eq!(typed.statement("acme")["balance"], balance(960, 0));
    typed.run_ok("clock advance 31d");
    typed.run_ok("calendar run");
    assert_eq!(typed.statement("acme")["balance"], balance(0, 960));
    let early = typed.run_json("partner statement acme --json --at 2026-03-02T00:00:00Z");
    assert_eq!(early["balance"], balance(960, 0));
    assert!(typed.run_ok("partner statement acme").contains("9.60 EUR"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_referral_that_is_held_is_released_or_voided_and_a_later_decision_stands() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    typed.run_ok(
        "partner add acme --rate 20% --life --hold 0d --window 60d --email anna@acme.example",
    );
    let report = "send partner/acme referral.created --set data.referral_id=r-1 \
                  --set data.customer.email=ben@acme.example";
    typed.run_ok(report);
    typed.send_payment("cus_ben", "in_1", "ben@acme.example");
    // What is held, what is released, and what is said: typed twice, each is one decision.
    for (decision, held, released, said) in [
        ("release", 0, 480, "released: what it held back is owed"),
        ("release", 0, 480, "was released already"),
        ("void", 0, 0, "void: it counts for nothing"),
        ("void", 0, 0, "was void already"),
        ("release", 0, 480, "released: what it held back is owed"),
    ] {
        let answer = typed.run_ok(&format!("partner {decision} acme r-1"));
        let later = match said.starts_with("was") {
            true => "",
            false => "\nand so for whomever it reaches later",
        };
        assert_eq!(answer, format!("stripe/test/cus_ben: {said}{later}"));
        let balance = &typed.statement("acme")["balance"][0];
        assert_eq!(
            (&balance["held_minor"], &balance["released_minor"]),
            (&json!(held), &json!(released))
        );
    }
    let wanted = ["everywhere/0000", "everywhere/0001", "everywhere/0002"];
    assert_eq!(operator_decisions(&stack, "cus_ben").await, wanted);
    let named = typed.run_ok("partner void acme r-1 --customer stripe/test/cus_ben");
    assert_eq!(named, "stripe/test/cus_ben: void: it counts for nothing");
    // Of one customer something else was decided since: the same word once more counts for it.
    let again = typed.run_ok("partner release acme r-1");
    assert_eq!(
        again,
        "stripe/test/cus_ben: released: what it held back is owed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_earns_from_the_day_it_is_given_on_the_terms_of_the_day_it_is_shown() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    typed.run_ok("partner add acme --rate 20% --life --hold 0d --window 60d");
    typed.run_ok("partner add other");
    assert!(
        typed
            .run_ok("partner code acme AUTUMN")
            .contains("is acme's")
    );
    assert!(
        typed
            .run_ok("partner code acme autumn")
            .contains("was acme's already")
    );
    let taken = typed.run_refused("partner code other Autumn");
    assert!(taken.contains("autumn is acme's"), "{taken}");
    typed.send_code("cus_1", "AUTUMN");
    typed.send_payment("cus_1", "in_1", "one@x.example");
    typed.run_ok("clock advance 1d");
    typed.run_ok("partner terms acme --rate 10%");
    typed.send_code("cus_2", "aUtUmN");
    typed.send_payment("cus_2", "in_2", "two@x.example");
    typed.send_payment("cus_1", "in_3", "one@x.example");
    let told = typed.statement("acme");
    let earned = |payment: &str| {
        let rows = told["rows"].as_array().unwrap().iter();
        let mut rows = rows.filter(|row| row["cause"] == format!("stripe/test/{payment}"));
        let earned = rows.next().unwrap()["amount_minor"].as_i64();
        assert!(rows.next().is_none());
        earned.unwrap()
    };
    assert_eq!(["in_1", "in_2", "in_3"].map(earned), [480, 240, 480]);
    assert_eq!(
        typed.run_json("partner list --json")[0]["codes"],
        json!(["autumn"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_of_the_catalog_is_agreed_on_by_its_name_and_what_is_said_besides_is_over_it() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    typed.run_ok("partner add bureau --program agency");
    let told = typed.run_ok("partner terms bureau");
    assert!(
        told.contains("30 % for life, released after 30 days"),
        "{told}"
    );
    typed.run_ok("send partner/bureau referral.created --set data.customer.email=ada@x.example");
    typed.send_payment("cus_ada", "in_1", "ada@x.example");
    assert_eq!(
        typed.statement("bureau")["balance"][0]["pending_minor"],
        720
    );
    typed.run_ok("partner add bureau --program agency");
    let other = typed.run_refused("partner add bureau --program agency --rate 25%");
    assert!(other.contains("already exists, on other terms"), "{other}");
    // Over its program, not over what was agreed on meanwhile.
    typed.run_ok("partner terms bureau --rate 25% --hold 7d");
    let told = typed.run_ok("partner terms bureau --program agency --window 90d");
    assert!(told.contains("30 %") && told.contains("90 days"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_who_type_at_once_each_is_told_what_stands() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    for partner in ["acme", "other"] {
        typed.run_ok(&format!("partner add {partner} --domain {partner}.example"));
    }
    let report = "send partner/acme referral.created --set data.referral_id=r-1 \
                  --set data.customer.email=ben@acme.example";
    typed.run_ok(report);
    typed.send_payment("cus_ben", "in_1", "ben@acme.example");
    let at_once = |words: [&'static str; 4]| {
        let children = words.map(|words| typed.command(words).spawn().unwrap());
        children.map(|child| {
            let output = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
            (
                output.status.success(),
                text(&output.stdout) + &text(&output.stderr),
            )
        })
    };
    let said = at_once(["partner release acme r-1"; 4]);
    assert!(said.iter().all(|(done, _)| *done), "{said:?}");
    assert_eq!(
        operator_decisions(&stack, "cus_ben").await,
        ["everywhere/0000"]
    );
    assert_eq!(
        typed.statement("acme")["balance"][0]["held_minor"],
        json!(0)
    );

    let acme = "partner code acme AUTUMN";
    let other = "partner code other AUTUMN";
    let said = at_once([acme, other, acme, other]);
    let done = said.iter().filter(|(done, _)| *done).count();
    assert_eq!(done, 2, "{said:?}");
    assert!(
        said.iter()
            .all(|(done, said)| *done || said.contains("stays with")),
        "{said:?}"
    );
    let said = at_once(["partner rotate acme"; 4]);
    assert!(said.iter().all(|(done, _)| *done), "{said:?}");
    assert_eq!(
        typed.run_json("partner list --json")[0]["keys"],
        json!([1, 2, 3, 4, 5])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_key_is_given_and_taken_and_a_token_opens_the_postback() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    typed.run_ok("partner add acme");
    let key = "whpk_iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";
    for _ in 0..2 {
        let said = typed.run_ok(&format!("partner key acme {key}"));
        assert!(said.starts_with("in force"), "{said}");
    }
    assert_eq!(typed.run_ok("partner key acme").trim(), key);
    typed.run_ok(&format!("partner key acme {key} --remove"));
    assert_eq!(typed.run_ok("partner key acme").trim(), "");
    let token = typed.run_ok("partner postback acme");
    let address = "/partners/acme/postback?transaction_id=t-1&code=c&token=";
    let path = format!("{address}{}", token.trim());
    assert_eq!(get(&stack, &path).await.0, 202);
    assert_eq!(get(&stack, address).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_rotated_and_revoked_and_a_version_never_given_out_again() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    let first = typed.run_ok("partner add acme");
    let url = format!("{}/partners/acme/events", stack.gateway_url());
    let sample = format!("partner test acme {url} --sample lead.created");
    let answer = typed.run_ok(&sample);
    assert!(
        answer.contains("202 Accepted") && answer.contains("accepted"),
        "{answer}"
    );
    let second = typed.run_ok("partner rotate acme");
    assert_ne!(first, second);
    // The endpoint has just read the row without it.
    let answer = typed.run_ok(&sample);
    assert!(answer.contains("202 Accepted"), "{answer}");
    assert!(
        typed
            .run_refused("partner revoke acme 3")
            .contains("in force: 1, 2")
    );
    assert!(
        typed
            .run_ok("partner revoke acme 2")
            .ends_with("In force: 1")
    );
    assert!(typed.run_refused("partner revoke acme 1").contains("--all"));
    let third = typed.run_ok("partner rotate acme");
    assert!(third != second && third != first);
    typed.run_ok("partner revoke acme --all");
    assert!(
        typed
            .run_refused("partner add acme")
            .contains("orangery partner rotate acme")
    );
    for _ in 4..=8 {
        typed.run_ok("partner rotate acme");
    }
    assert!(
        typed
            .run_refused("partner rotate acme")
            .contains("as many key versions")
    );
    assert_eq!(
        typed.run_json("partner list --json")[0]["keys"],
        json!([4, 5, 6, 7, 8])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partners_page_shows_balance_rows_and_customers_without_their_addresses() {
    let stack = open(&shop()).await;
    let typed = CommandLine::against(&stack);
    let (_, empty) = get(&stack, "/partners").await;
    assert!(empty.contains("This shop has no partners yet"), "{empty}");
    typed.run_ok(
        "partner add acme --rate 20% --life --hold 30d --window 60d --tier 10:25% \
         --domain acme.example",
    );
    typed.run_ok("partner code acme SPRING");
    for who in ["ada@x.example", "ben@acme.example"] {
        typed.run_ok(&format!(
            "send partner/acme referral.created --set data.referral_id=r-{who} \
             --set data.customer.email={who}"
        ));
    }
    for n in 0..51 {
        typed.send_payment("cus_ada", &format!("in_{n}"), "ada@x.example");
    }
    typed.send_payment("cus_ben", "in_ben", "ben@acme.example");
    stack.settle().await.unwrap();
    let (_, list) = get(&stack, "/partners").await;
    assert!(
        list.contains("<b>20 %</b> for life") && list.contains("referrals: 2"),
        "{list}"
    );
    let (status, page) = get(&stack, "/partner?name=acme").await;
    assert_eq!(status, 200);
    for word in [
        "<dd>244.80 EUR</dd>",
        "<dd>4.80 EUR</dd>",
        "Rows <span class=\"quiet\">52</span>",
        "<span>1 / 2</span>",
        "the customer&#x27;s address is at the partner&#x27;s company",
        "/customer?key=stripe%2Ftest%2Fcus_ada",
        "<span class=\"badge held\">held</span>",
        "<span class=\"badge attributed\">counts</span>",
        "it has an address at the partner’s company",
        "<bdi>spring</bdi>",
        "<span class=\"quiet\">from 10 active customers on: 25 %</span>",
    ] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(page.contains("It gets no notices."), "{page}");
    typed.run_ok("partner endpoint acme http://127.0.0.1:9/notices?token=secret");
    let (_, set) = get(&stack, "/partner?name=acme").await;
    assert!(set.contains("<bdi>127.0.0.1:9</bdi>"), "{set}");
    assert!(
        !set.contains("secret") && !set.contains("/notices"),
        "{set}"
    );
    let rest = page
        .replace("r-ada@x.example", "")
        .replace("r-ben@acme.example", "");
    assert!(!rest.contains('@'), "an address: {rest}");
    let (_, last) = get(&stack, "/partner?name=acme&page=2").await;
    assert_eq!(last.matches("<b>4.80 EUR</b>").count(), 2);
    assert_eq!(get(&stack, "/partner?name=nobody").await.0, 404);
    let (_, customer) = get(&stack, "/customer?key=stripe/test/cus_ada").await;
    assert!(customer.contains("/partner?name=acme"));
    let (_, overview) = get(&stack, "/").await;
    assert_eq!(
        ParsedPage::read(&overview).count_of("parked"),
        "0",
        "a code that waits for nobody"
    );
    let (status, decided) = get(&stack, "/event?id=operator%2Fcode%2Fspring%2F0000").await;
    assert_eq!(status, 200);
    assert!(decided.contains("Decided by a person") && !decided.contains("event/replay"));
}

/// What was decided of the referral r-1 of acme, as its customer's journal has it.
async fn operator_decisions(stack: &Stack, customer: &str) -> Vec<String> {
    let table = dynamo_table(stack.endpoints()).unwrap();
    let customer = CustomerKey::parse(format!("stripe/test/{customer}")).unwrap();
    let view = orangery::customer::view(&table, &customer, &shop().catalog).await;
    let events = view.unwrap().events;
    let decided = events
        .iter()
        .filter_map(|event| event.id.strip_prefix("operator/acme/r-1/"));
    decided.map(str::to_owned).collect()
}
