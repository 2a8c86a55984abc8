use super::{EventFormat, HttpHandler, HttpRequest, HttpResponse, answer};
use serde_json::{Value, json};

/// Answers everything so.
struct Answering(u16);

impl HttpHandler for Answering {
    async fn handle(&self, _: HttpRequest) -> HttpResponse {
        HttpResponse::json(self.0, &"well")
    }
}

async fn answered(event: Value) -> Value {
    answered_with(200, event).await
}

async fn answered_with(status: u16, event: Value) -> Value {
    let event = serde_json::to_vec(&event).unwrap();
    serde_json::from_slice(&answer(&Answering(status), &event).await).unwrap()
}

#[tokio::test]
async fn an_answer_has_the_fields_of_its_form_and_no_others() {
    let http = answered(json!({ "requestContext": { "http": { "method": "POST" } } })).await;
    assert_eq!(
        http["cookies"],
        json!([]),
        "cargo lambda watch reads no answer without"
    );
    let rest = answered(json!({ "requestContext": {}, "httpMethod": "POST" })).await;
    assert!(
        rest.get("cookies").is_none(),
        "a REST API refuses what it does not know"
    );
}

#[test]
fn further_headers_stand_beside_those_that_every_answer_has() {
    let response = HttpResponse::json(200, &"well").with_header("etag", "W/\"1\"");
    let event: Value = serde_json::from_slice(&response.into_event(EventFormat::Http)).unwrap();
    let headers = json!({ "content-type": "application/json", "etag": "W/\"1\"" });
    assert_eq!(event["headers"], headers);
    let unchanged = HttpResponse::json(304, &"well").with_header("etag", "W/\"1\"");
    let event: Value = serde_json::from_slice(&unchanged.into_event(EventFormat::Http)).unwrap();
    assert_eq!(event["headers"], json!({ "etag": "W/\"1\"" }));
    assert!(event.get("body").is_none(), "{event}");
}

#[tokio::test]
async fn an_answer_without_content_has_no_body_and_no_type_of_one() {
    let request = || json!({ "requestContext": { "http": { "method": "POST" } } });
    let with = answered_with(200, request()).await;
    assert_eq!(with["body"], "\"well\"");
    assert_eq!(with["headers"]["content-type"], "application/json");
    let without = answered_with(204, request()).await;
    assert_eq!(without["statusCode"], 204);
    assert!(without.get("body").is_none(), "{without}");
    assert_eq!(without["headers"], json!({}));
}
