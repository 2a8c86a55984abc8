//! Signed webhooks as API Gateway hands them over: one customer's subscription, told again and
//! again, each time a new event and a later one.

use anyhow::{Context, Result};
use lambda::{ClientRequest, HttpEventFormat};
use providers::{Secret, provider};
use serde_json::Value;

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
    let signed = signed.context("it can be signed for")?;
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(signed);
    let event = HttpEventFormat::HttpApi2.event(&ClientRequest {
        method: "POST",
        path: "/webhooks/stripe",
        parameters: &[],
        headers: &headers,
        body: Some(body),
        base64: false,
    })?;
    Ok(event.to_string().into_bytes())
}
