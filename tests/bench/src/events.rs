//! Signed webhooks as API Gateway hands them over: one customer's subscription, told again and
//! again, each time a new event and a later one.

use anyhow::{Context, Result};
use providers::{Secret, provider};
use serde_json::{Value, json};

/// The endpoint's secret; the master key is another.
pub(crate) const SECRET: &str = "whsec_benchbenchbenchbenchbench0";

/// The next event of its kind, signed just now.
pub(crate) fn webhook(number: usize) -> Result<Vec<u8>> {
    let stripe = provider("stripe").context("the provider of the bench")?;
    let name = "customer.subscription.updated";
    let sample = stripe.samples().iter().find(|(known, _)| *known == name);
    let mut event: Value = serde_json::from_str(sample.context("the sample of the bench")?.1)?;
    let now = jiff::Timestamp::now();
    event["id"] = format!("evt_bench{number}").into();
    event["created"] = (now.as_second() - 86_400 + i64::try_from(number)?).into();
    // As long as what a provider really sends.
    event["data"]["object"]["metadata"]["note"] = "x".repeat(3_000).into();
    let body = event.to_string();
    let signed = stripe.sign(body.as_bytes(), &Secret::new(SECRET)?, now);
    let mut headers = json!({"content-type": "application/json", "host": "bench"});
    for (name, value) in signed.context("it can be signed for")? {
        headers[name.to_lowercase()] = value.into();
    }
    let event = json!({
        "version": "2.0", "routeKey": "POST /webhooks/stripe", "rawPath": "/webhooks/stripe",
        "rawQueryString": "", "headers": headers, "isBase64Encoded": false, "body": body,
        "requestContext": {
            "accountId": "123456789012", "apiId": "bench", "domainName": "bench",
            "domainPrefix": "bench", "requestId": format!("request-{number}"),
            "routeKey": "POST /webhooks/stripe", "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": now.as_millisecond(),
            "http": {"method": "POST", "path": "/webhooks/stripe", "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "bench"},
        },
    });
    Ok(event.to_string().into_bytes())
}
