//! A whole deployed stage on an emulator of AWS: `infra/emulate` deploys the template there and
//! runs this very test inside. What is asked of the deployed functions is asked over HTTP.

use crate::template::root;
use local_shop::delivery::{Delivery, DeliveryResponse, Signer, agent};
use local_shop::samples::sample_story;
use local_shop::shop::Shop;
use local_shop::shop::signers;
use local_shop::story::Story;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

/// For all that happens on the emulator: minutes on an idle machine, ten times that on a busy one.
const PATIENCE: Duration = Duration::from_secs(1800);

/// For what follows an answer by itself: the stream, the queue, a secret read again.
const SECONDS: u32 = 60;

#[test]
#[ignore = "wants infra/emulate's tools on the path, and functions that cargo-lambda built"]
fn a_deployed_stage_does_what_it_promises() {
    let me = std::env::current_exe().unwrap();
    let inside = ["--ignored", "--exact", "emulator::inside", "--nocapture"];
    let ended = Command::new("timeout")
        .arg(PATIENCE.as_secs().to_string())
        .arg(root().join("infra/emulate"))
        .arg(me)
        .args(inside)
        .stdin(Stdio::null())
        .status();
    assert!(ended.unwrap().success(), "see what was printed above");
}

/// The commands of infra/README.md, one after the other, as a reader would type them.
#[test]
#[ignore = "wants infra/emulate's tools on the path, and functions that cargo-lambda built"]
fn the_readmes_commands_do_what_it_says() {
    let readme = std::fs::read_to_string(root().join("infra/README.md")).unwrap();
    let blocks = readme.split("\n```sh\n").skip(1);
    let blocks: Vec<&str> = blocks
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect();
    assert!(blocks.len() >= 12, "{} blocks", blocks.len());
    let script = root().join("target/readme.sh");
    std::fs::write(&script, format!("{READER}\n{}\n", blocks.join("\n"))).unwrap();
    let output = Command::new("timeout")
        .arg(PATIENCE.as_secs().to_string())
        .arg(root().join("infra/emulate"))
        .args(["bash", "-euo", "pipefail"])
        .arg(script)
        .env("EMULATE", "bare")
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{printed}\n{errors}");
    for sign in ["Ada Lovage", "acme added", "function deployed successfully"] {
        let heard = printed.contains(sign) || errors.contains(sign);
        assert!(heard, "`{sign}` was not said:\n{printed}\n{errors}");
    }
    println!("{} blocks of infra/README.md were run", blocks.len());
}

/// A reader who built before, and whose command is on the path.
const READER: &str = r#"
STRIPE_SECRET=whsec_what_stripe_shows_for_this_endpoint
STRIPE_SECRET_2=whsec_what_stripe_shows_after_rolling_it
orangery() { "$PWD/target/debug/orangery" "$@"; }
cargo() { [ "$1 $2" = "lambda build" ] || command cargo "$@"; }
set -x
"#;

#[test]
#[ignore = "run by infra/emulate, for the test above"]
fn inside() {
    let Ok(url) = std::env::var("ORANGERY_URL") else {
        println!("skipped: this is run by `a_deployed_stage_does_what_it_promises`");
        return;
    };
    webhooks_are_kept_repeated_and_refused(&url);
    a_letter_goes_out_and_comes_back_from_the_dead(&url);
    deploying_again_changes_nothing();
    let second = a_second_stage_stands_beside_the_first_and_waits_for_its_secrets(&url);
    a_removed_stage_leaves_its_table(&second);
}

fn webhooks_are_kept_repeated_and_refused(url: &str) {
    let requests = story_deliveries("ada");
    for delivery in &requests {
        let answer = send(delivery, url);
        assert_eq!(answer.status, 200, "{}: {answer:?}", delivery.name);
    }
    let customer = customer("test", "stripe/test/cus_ada");
    assert_eq!(
        customer["subscriptions"][0]["status"], "active",
        "{customer}"
    );
    assert_eq!(
        customer["events"].as_array().unwrap().len(),
        9,
        "{customer}"
    );
    for delivery in &requests {
        let answer: Value = serde_json::from_str(&send(delivery, url).body).unwrap();
        assert_eq!(
            (&answer["applied"], &answer["repeated"]),
            (&0.into(), &1.into())
        );
    }
    let mut forged = requests[0].clone();
    let provider = signers(&Shop::default()).unwrap().provider;
    forged.signer = Signer::provider(provider, "whsec_of_somebody_else_entirely").unwrap();
    assert_eq!(send(&forged, url).status, 401);
    println!("kept nine events, knew twelve repetitions, refused a forgery");
}

fn a_letter_goes_out_and_comes_back_from_the_dead(url: &str) {
    until("the letter to Ada", || mails_to("ada@example.com") == 1);
    // A sender that finds no table, and a queue that loses patience with it.
    let sender = "orangery-test-engagement-email";
    shell(&format!(
        "aws lambda get-function-configuration --function-name {sender} \
            --query Environment --output json >target/emulator/environment.json
         sed 's/orangery-test\"/orangery-nowhere\"/' target/emulator/environment.json \
            >target/emulator/broken.json
         aws lambda update-function-configuration --function-name {sender} \
            --environment file://target/emulator/broken.json >target/emulator/updated.json"
    ));
    let dead = shell("output test LettersDeadArn");
    let redrive = json!({ "deadLetterTargetArn": dead.trim(), "maxReceiveCount": "2" });
    let hurry = json!({ "VisibilityTimeout": "1", "RedrivePolicy": redrive.to_string() });
    shell(&format!(
        "aws sqs set-queue-attributes --queue-url \"$(output test LettersUrl)\" \
            --attributes '{hurry}'"
    ));
    for delivery in story_deliveries("chloe") {
        assert_eq!(send(&delivery, url).status, 200);
    }
    until("Chloe's letter among the dead", || dead_letters() == 1);
    assert_eq!(mails_to("chloe@example.com"), 0);
    shell(&format!(
        "aws lambda update-function-configuration --function-name {sender} \
            --environment file://target/emulator/environment.json >target/emulator/updated.json
         aws sqs start-message-move-task --source-arn \"$(output test LettersDeadArn)\""
    ));
    until("the letter to Chloe, redriven", || {
        mails_to("chloe@example.com") == 1
    });
    println!("a letter went out; another died, was redriven, and went out once");
}

fn deploying_again_changes_nothing() {
    let printed = shell("deploy test");
    assert!(printed.contains("No changes to deploy"), "{printed}");
    println!("deployed twice: no change");
}

fn a_second_stage_stands_beside_the_first_and_waits_for_its_secrets(first: &str) -> String {
    shell("deploy second MailIdentity=use PolarEndpoint=open");
    let second = shell("output second ApiUrl").trim().to_owned();
    assert_ne!(first, second);
    let bruno = story_deliveries("bruno");
    for _ in 0..3 {
        let answer = send(&bruno[0], &second);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.body.contains("send it again later"), "{answer:?}");
    }
    let log = std::fs::read_to_string(root().join("target/emulator/emulator.log")).unwrap();
    assert!(
        !log.contains("Runtime exited"),
        "a function that lacks secrets must not die"
    );
    shell("put_secrets second");
    until("the second stage's secrets", || {
        send(&bruno[0], &second).status == 200
    });
    for delivery in &bruno {
        assert_eq!(send(delivery, &second).status, 200);
    }
    let there = customer("second", "stripe/test/cus_bruno");
    assert!(there["events"].as_array().unwrap().len() > 5, "{there}");
    let elsewhere = shell(
        "aws dynamodb query --table-name orangery-test --select COUNT --query Count \
            --key-condition-expression 'pk = :pk' --expression-attribute-values \
            '{\":pk\":{\"S\":\"customer#stripe/test/cus_bruno\"}}'",
    );
    assert_eq!(elsewhere.trim(), "0", "stages share nothing");
    // Its lines name the cause, and it is the process that began without: it did not die of it.
    let log = std::fs::read_to_string(root().join("target/emulator/emulator.log")).unwrap();
    let begun = "environment spawned for orangery-second-payment-webhook-stripe";
    assert_eq!(log.matches(begun).count(), 1);
    let lines = shell(
        "aws logs filter-log-events --log-group-name /orangery/second/functions --output json",
    );
    assert!(
        lines.contains("unverifiable")
            && lines.contains("the parameter that holds the secrets is not there"),
        "{lines}"
    );
    shell(&format!(
        "target/debug/orangery send polar customer.created --url {second}"
    ));
    let unheard = Delivery {
        path: "/webhooks/standard".to_owned(),
        ..bruno[0].clone()
    };
    assert_eq!(
        send(&unheard, &second).status,
        404,
        "an endpoint that nobody opened"
    );
    println!("a second stage answered 503 until it had secrets, and shares nothing");
    second
}

fn a_removed_stage_leaves_its_table(url: &str) {
    shell(
        "aws cloudformation delete-stack --stack-name orangery-second
         aws cloudformation wait stack-delete-complete --stack-name orangery-second",
    );
    let items = "aws dynamodb scan --table-name orangery-second --select COUNT --query Count";
    let left: u32 = shell(items).trim().parse().unwrap();
    assert!(left > 5, "{left} items are left of the second stage");
    assert_ne!(
        send(&story_deliveries("bruno")[0], url).status,
        200,
        "the endpoint is still there"
    );
    println!("a removed stage left its table with {left} items");
}

fn story_deliveries(story: &str) -> Vec<Delivery> {
    let story = Story::parse(sample_story(story).unwrap()).unwrap();
    let signers = signers(&Shop::default()).unwrap();
    story.deliveries(&signers, jiff::Timestamp::now()).unwrap()
}

fn send(delivery: &Delivery, url: &str) -> DeliveryResponse {
    delivery.send(url, jiff::Timestamp::now()).unwrap()
}

/// The customer as the command shows it to people who deployed the stage.
fn customer(stage: &str, key: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let settings = runtime::settings::Settings::from_env();
    let client = runtime::aws::Cloud::from_settings(&settings)
        .unwrap()
        .dynamo();
    let table = store::dynamo::DynamoTable::new(client, format!("orangery-{stage}"));
    let key = domain::ids::CustomerKey::parse(key).unwrap();
    let catalog = domain::catalog::Catalog::default();
    let view = runtime
        .unwrap()
        .block_on(orangery::customer::view(&table, &key, &catalog));
    serde_json::to_value(view.unwrap()).unwrap()
}

fn mails_to(address: &str) -> usize {
    let sent = get_json("/_ministack/ses/messages");
    let of_account = sent["messages"]["000000000000"].as_array();
    let to = |mail: &&Value| mail["To"][0] == address;
    of_account.map_or(0, |mails| mails.iter().filter(to).count())
}

fn dead_letters() -> u32 {
    let count = shell(
        "aws sqs get-queue-attributes --queue-url \"$(output test LettersDeadUrl)\" --output text \
            --attribute-names ApproximateNumberOfMessages \
            --query Attributes.ApproximateNumberOfMessages",
    );
    count.trim().parse().unwrap()
}

fn get_json(path: &str) -> Value {
    let url = std::env::var("AWS_ENDPOINT_URL").unwrap() + path;
    let mut answer = agent(&url).get(&url).call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

/// Waits for what must come by itself, a bounded while.
fn until(what: &str, came: impl Fn() -> bool) {
    for _ in 0..SECONDS {
        if came() {
            return;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    panic!("{what} did not come within {SECONDS} seconds");
}

/// What the shell says; `infra/emulate` lends it `deploy`, `output` and `put_secrets`.
fn shell(script: &str) -> String {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}\n{printed}");
    printed
}
