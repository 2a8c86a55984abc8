//! What nobody may read in a log line or an answer.

use super::{PARTNER_EVENTS_PATH, RequestHeaders, SignedSender, changed, invoice};
use domain::ids::PartnerId;
use local_shop::shop::{LOCAL_MASTER, Shop};
use providers::{Secret, partner, partner_secret};
use serde_json::{Value, json};
use tests::harness::logs;
use tests::harness::{TestHarness, shop};

const SECRET: &str = "whsec_canary7secret7canary7";
const EMAIL: &str = "canary.bird@example.com";
const NAME: &str = "Canary McTweet";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_an_address_and_a_name_are_never_logged_nor_said_in_an_answer() {
    let shop = Shop {
        secrets: [("stripe".to_owned(), vec![SECRET.to_owned()])].into(),
        ..shop()
    };
    let harness = TestHarness::local_stack().shop(shop).counted().open().await;
    let wire = harness.proxy().clone();
    harness.add_partner("acme").await;
    let secret = Secret::new(SECRET).unwrap();
    let sender = SignedSender {
        harness,
        proxy: wire,
        secret,
    };
    let master = Secret::new(LOCAL_MASTER).unwrap();
    let acme = partner_secret(&master, &PartnerId::parse("acme").unwrap(), 1).unwrap();
    let mut texts = deliver_to_provider(&sender).await;
    texts.push_str(&deliver_to_partner(&sender, &acme).await);
    sender.harness.settle().await;
    assert_eq!(
        sender.harness.mails().len(),
        1,
        "a letter was sent to the canary"
    );
    let logged = logs::lines();
    for sign_of_life in [
        "\"verdict\":\"refused\"",
        "\"verdict\":\"quarantined\"",
        "\"applied\"",
    ] {
        assert!(logged.contains(sign_of_life), "no line says {sign_of_life}");
    }
    let revealed = acme.reveal_standard();
    for canary in [SECRET, EMAIL, NAME, "canary", "Canary", &revealed] {
        assert!(
            !texts.contains(canary),
            "an answer says `{canary}`: {texts}"
        );
        let line = logged.lines().find(|line| line.contains(canary));
        assert!(line.is_none(), "a log line says `{canary}`: {line:?}");
    }
}

/// Sound events, unclear ones that hold all three where they make most trouble, and forgeries
/// that hold them where a signature belongs.
async fn deliver_to_provider(sender: &SignedSender) -> String {
    let person = [
        ("data.object.customer_email", json!(EMAIL)),
        ("data.object.customer_name", json!(NAME)),
    ];
    let owner = [
        ("data.object.email", json!(EMAIL)),
        ("data.object.name", json!(NAME)),
    ];
    let all = Value::from(format!("{NAME} <{EMAIL}> {SECRET}"));
    let lately = Value::from(sender.now().as_second() - 60);
    let young = [("data.object.start_date", lately)];
    let mut bodies = vec![
        invoice(&person),
        changed("customer.created", &owner),
        changed("customer.subscription.updated", &young),
        format!("{{{NAME} {EMAIL} {SECRET}").into_bytes(),
    ];
    for field in [
        "status",
        "currency",
        "created",
        "amount_paid",
        "customer",
        "id",
    ] {
        let field = format!("data.object.{field}");
        let [email, name] = person.clone();
        bodies.push(invoice(&[email, name, (&field, all.clone())]));
    }
    bodies.push(invoice(&[("created", all.clone())]));
    bodies.push(invoice(&[("livemode", all)]));
    let forged: RequestHeaders = vec![("stripe-signature", format!("t={SECRET},v1={EMAIL}"))];
    let mut texts = String::new();
    for body in bodies {
        texts.push_str(&sender.post(&sender.signed(&body), body.clone()).await.body);
        texts.push_str(&sender.post(&forged, body).await.body);
    }
    texts
}

async fn deliver_to_partner(sender: &SignedSender, acme: &Secret) -> String {
    let mut texts = String::new();
    for customer in [
        json!({ "email": EMAIL }),
        json!({ "email": NAME }),
        json!({ "id": [SECRET] }),
        json!(EMAIL),
    ] {
        let data = json!({ "referral_id": "r-1", "customer": customer });
        let report = json!({ "type": "referral.created", "data": data });
        let report = report.to_string().into_bytes();
        let headers = partner::sign(&report, acme, sender.now());
        let answer = sender
            .harness
            .post("POST", PARTNER_EVENTS_PATH, &headers, report)
            .await;
        texts.push_str(&answer.body);
    }
    texts
}
