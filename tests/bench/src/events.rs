//! What API Gateway hands over. Signed webhooks: one customer's subscription, told again and again,
//! each time a new event and a later one. And questions about that customer.

use anyhow::{Context, Result};
use domain::shop_key::{KeyName, KeyScope};
use lambda::{ClientRequest, HttpEventFormat};
use providers::{Secret, StageName, provider, shop_key};
use serde_json::{Value, json};

/// The endpoint's secret; the master key is another.
pub(crate) const SECRET: &str = "whsec_benchbenchbenchbenchbench0";

/// The root of every key.
pub(crate) const ROOT: &str = "benchbenchbenchbenchbenchbench00";

/// The stage.
pub(crate) const STAGE: &str = "bench";

/// What the sample customer's plan gives.
pub(crate) const CATALOG: &str = r#"
[features.export]

[plans.grove]
name = "Grove"
tier = 1
prices = ["price_grove_monthly"]
features = { export = true }
"#;

/// What a function is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Signed webhooks.
    Webhooks,
    /// Whether the customer of the webhooks may use a feature.
    Questions,
}

/// The row of the key that asks, as the table keeps it.
pub(crate) fn key_row() -> Value {
    let text = |text: &str| json!({ "S": text });
    let number = json!({ "N": "1" });
    json!({
        "pk": text("shop_keys"), "sk": text(KEY_NAME), "type": text("shop_key"),
        "name": text(KEY_NAME), "scope": text("read"), "created_at": text("2026-01-01T00:00:00Z"),
        "format": number, "key": number, "version": number,
    })
}

const KEY_NAME: &str = "backend";

/// A question of the shop's own code.
pub(crate) fn question() -> Result<Vec<u8>> {
    let (name, stage): (KeyName, _) = (KEY_NAME.parse()?, StageName::parse(STAGE)?);
    let key = shop_key(&Secret::new(ROOT)?, &stage, &name, KeyScope::Read, 1)?;
    let body = json!({ "customer": "stripe/test/cus_Valencia01", "feature": "export" });
    let headers = [
        ("authorization", format!("Bearer {key}")),
        ("content-type", "application/json".to_owned()),
    ];
    let event = HttpEventFormat::HttpApi2.event(&ClientRequest {
        method: "POST",
        path: "/v1/check",
        parameters: &[],
        headers: &headers,
        body: Some(body.to_string()),
        base64: false,
    })?;
    Ok(event.to_string().into_bytes())
}

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
