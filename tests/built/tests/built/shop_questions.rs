//! The shop's own code asks the built program, in every form in which a gateway hands it over.

use crate::test_harness::{BuiltHarness, invoke, invoke_http};
use domain::shop_key::{KeyName, KeyScope};
use lambda::{ClientRequest, HttpEventFormat};
use local_shop::shop::LOCAL_MASTER;
use providers::{Secret, StageName, shop_key};
use serde_json::Value;
use store::shop_keys::create;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_has_one_answer_in_every_form_and_a_forged_one_asks_the_table_nothing() {
    let harness = BuiltHarness::open().await;
    let name: KeyName = "backend".parse().unwrap();
    let (root, stage) = (
        Secret::new(LOCAL_MASTER),
        StageName::parse("built").unwrap(),
    );
    let (table, now) = (harness.table(), jiff::Timestamp::UNIX_EPOCH);
    let created = create(&table, &name, KeyScope::Read, now).await;
    created.unwrap();
    let key = shop_key(&root.unwrap(), &stage, &name, KeyScope::Read, 1).unwrap();
    let mut api = harness.start("shop-api").await;
    for shape in HttpEventFormat::ALL {
        let ask = |credential: &str| question(shape, credential);
        let (status, response) = invoke_http(&mut api, &ask(&key)).await;
        assert_eq!(
            (status, &response["why"]),
            (200, &"unknown_customer".into()),
            "{shape:?}: {response}"
        );
        harness.aws.take_operations();
        let other = key.replace("_read_", "_write_");
        let (status, response) = invoke_http(&mut api, &ask(&other)).await;
        assert_eq!(
            (status, &response["code"]),
            (401, &"mistyped_credential".into()),
            "{shape:?}"
        );
        assert_eq!(harness.aws.take_operations(), [""; 0], "{shape:?}");
    }
    let answer = invoke(&mut api, &question(HttpEventFormat::HttpApi2, &key)).await;
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    assert!(!api.log().contains(&key), "no key stands in a log line");
}

fn question(shape: HttpEventFormat, credential: &str) -> Value {
    let body = r#"{"customer":"nobody","feature":"export"}"#;
    let event = shape.event(&ClientRequest {
        method: "POST",
        path: "/v1/check",
        parameters: &[],
        headers: &[
            ("authorization", format!("Bearer {credential}")),
            ("content-type", "application/json".to_owned()),
        ],
        body: Some(body.to_owned()),
        base64: false,
    });
    event.unwrap()
}
