use super::{HttpHandler, HttpRequest, HttpResponse, answer};
use serde_json::{Value, json};

struct OkHandler;

impl HttpHandler for OkHandler {
    async fn handle(&self, _: HttpRequest) -> HttpResponse {
        HttpResponse::json(200, &"well")
    }
}

async fn answered(event: Value) -> Value {
    let event = serde_json::to_vec(&event).unwrap();
    serde_json::from_slice(&answer(&OkHandler, &event).await).unwrap()
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
