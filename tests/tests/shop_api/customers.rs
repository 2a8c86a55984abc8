//! A customer's record: by any reference, bounded, and the same as the command shows.

use crate::support::{ADA, customer, open};
use domain::shop_key::KeyScope;
use serde_json::{Value, json};
use tests::harness::shop_requests::ShopRequest;

#[tokio::test]
async fn a_record_is_what_the_command_shows_without_events_and_letters() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let answer = harness.ask(&ShopRequest::get(&key, &customer(ADA))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["more"], false);
    let shown = &answer.body["customers"][0];
    let mut view = harness.view(ADA).await;
    let view = view.as_object_mut().unwrap();
    let events = view.remove("events").unwrap().as_array().unwrap().len();
    view.remove("letters");
    view.insert("events".into(), events.into());
    view.insert("earlier_payments".into(), 0.into());
    view.insert("unclear_events".into(), 0.into());
    assert_eq!(*shown, Value::Object(view.clone()));
}

#[tokio::test]
async fn every_reference_of_a_customer_leads_to_the_same_record() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let by_key = harness.ask(&ShopRequest::get(&key, &customer(ADA))).await;
    let record = &by_key.body["customers"][0];
    let invoices = record["payments"][0]["ids"].as_array().unwrap();
    let ids = invoices.iter().map(|id| id.as_str().unwrap().to_owned());
    let references = [
        "cus_ada",
        "sub_Ada01",
        "stripe/test/sub_Ada01",
        "shop-ada",
        "shop/shop-ada",
    ];
    let references = references.map(str::to_owned).into_iter().chain(ids);
    let mut tried = 0;
    for reference in references {
        let answer = harness
            .ask(&ShopRequest::get(&key, &customer(&reference)))
            .await;
        assert_eq!(answer, by_key, "{reference}");
        tried += 1;
    }
    assert!(tried >= 7, "{tried}");
    let find =
        |email: &str| ShopRequest::post(&key, "/v1/customers/find", &json!({ "email": email }));
    assert_eq!(harness.ask(&find("  Ada@Example.com ")).await, by_key);
    assert_eq!(
        harness.ask(&find("nobody@example.com")).await.verdict(),
        (404, "unknown_customer")
    );
}

#[tokio::test]
async fn a_record_that_is_known_already_is_not_sent_again() {
    let harness = open(&["ada"]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    let ask = ShopRequest::get(&key, &customer(ADA));
    let answer = harness.ask(&ask).await;
    assert_eq!(answer.headers["cache-control"], "private, no-cache");
    let etag = &answer.headers["etag"];
    for known in [etag.as_str(), etag.trim_start_matches("W/"), "\"x\", *"] {
        let again = harness
            .ask(&ask.clone().with_header("if-none-match", known))
            .await;
        assert_eq!((again.status, &again.body), (304, &Value::Null), "{known}");
        assert_eq!(again.headers["etag"], *etag);
    }
    let other = harness
        .ask(&ask.with_header("if-none-match", "W/\"x\""))
        .await;
    assert_eq!(other, answer);
}

#[tokio::test]
async fn all_payments_come_in_pages_and_the_record_with_the_latest_twelve() {
    let harness = open(&[]).await;
    let key = harness.shop_key("backend", KeyScope::Read).await;
    for n in 0..60 {
        harness
            .ingest_story(&format!(
                "title = \"t\"\nbegins = \"{}d\"\n\
                 rename = {{ Grove0 = \"Nell{n}\", Valencia01 = \"nell\" }}\n\
                 [[events]]\nsample = \"invoice.paid\"\n",
                300 - n
            ))
            .await;
    }
    let payments = async |query: &str| {
        let address = format!("{}{query}", customer("stripe/test/cus_nell"));
        let answer = harness.ask(&ShopRequest::get(&key, &address)).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let record = answer.body["customers"][0].clone();
        let payments = record["payments"].as_array().unwrap().clone();
        (payments, record["earlier_payments"].as_u64().unwrap())
    };
    let (latest, earlier) = payments("").await;
    assert_eq!((latest.len(), earlier), (12, 48));
    let (first, earlier) = payments("?payments=1").await;
    assert_eq!((first.len(), earlier), (50, 10));
    assert_eq!(first[38..], latest[..]);
    let (second, earlier) = payments("?payments=2").await;
    assert_eq!((second.len(), earlier), (10, 0));
    assert!(second[9]["paid_at"].as_str() < first[0]["paid_at"].as_str());
    let (none, earlier) = payments("?payments=3").await;
    assert_eq!((none.len(), earlier), (0, 0));
}
