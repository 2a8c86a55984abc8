//! What a customer may use, asked after each event of a life in each provider's own payloads; and
//! what was bought once, as each provider says it.

use super::stripe_histories::{event, in_version, invoice, state};
use super::{T, at, deliver_sample};
use crate::{ItemOutcome, PROVIDERS, Provider};
use domain::catalog::Catalog;
use domain::entitlement::answer::Answer;
use domain::entitlement::{check, entitlements};
use domain::event::{Fact, NormalizedEvent};
use domain::state::CustomerState;
use domain::state::fold::fold;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SHOP: &str = r#"
[features.export]
[features.seats]
kind = "limit"
[features.support]
kind = "tier"
levels = ["none", "standard", "premium"]

[plans.grove]
name = "Grove"
prices = ["price_grove_monthly", "pri_01kgrovemonthly00000000000", "grove"]
features = { export = true, seats = 5, support = "standard" }

[plans.tall-grove]
name = "Tall Grove"
prices = ["price_grove_tall"]
features = { export = true, seats = 20, support = "standard" }

[add_ons.care]
name = "Care"
prices = ["price_care"]
features = { support = "premium" }

[purchases.cover]
name = "Cover"
prices = ["price_cover", "pri_01kspade000000000000000000"]
features = { support = "premium" }
for = "24 months"
"#;

pub(super) fn shop() -> Catalog {
    Catalog::parse(SHOP).expect("is a catalog")
}

pub(super) fn events_of(
    provider: &'static Provider,
    name: &str,
    body: &str,
) -> Vec<NormalizedEvent> {
    let received = deliver_sample(provider, name, body.as_bytes()).expect("is genuine");
    let events = received.into_iter().filter_map(|item| match item.outcome {
        ItemOutcome::Event(event) => Some(event),
        ItemOutcome::Ignored { .. }
        | ItemOutcome::WrongMode { .. }
        | ItemOutcome::OtherAccount { .. } => None,
    });
    events.collect()
}

/// An answer in one word or a few: `5 in_plan`, `no ended`.
pub(super) fn in_short(answer: &Answer) -> String {
    let amount = match (answer.limit, &answer.level) {
        _ if !answer.allowed => "no".to_owned(),
        (Some(limit), _) => limit.to_string(),
        (None, Some(level)) => level.to_string(),
        (None, None) => "yes".to_owned(),
    };
    let why = serde_json::to_value(answer.why).expect("is a word");
    let until = answer.until.map(|until| format!(" until {until}"));
    let why = why.as_str().expect("is a word");
    format!("{amount} {why}{}", until.unwrap_or_default())
}

#[test]
fn each_event_of_a_life_changes_what_may_be_used_as_its_provider_says() {
    let shop = shop();
    for provider in PROVIDERS
        .iter()
        .filter(|provider| !provider.scenario().is_empty())
    {
        let mut known: Vec<NormalizedEvent> = Vec::new();
        let mut told = String::new();
        for (name, body) in provider.scenario() {
            known.extend(events_of(provider, &format!("scenario/{name}"), body));
            let now = known
                .iter()
                .map(|event| event.occurred_at)
                .max()
                .expect("is one");
            let answers = entitlements(&fold(&known), &shop, now);
            let mut backwards = known.clone();
            backwards.reverse();
            assert_eq!(
                entitlements(&fold(&backwards), &shop, now),
                answers,
                "{name}"
            );
            let answers: Vec<_> = answers.features.iter().map(in_short).collect();
            told.push_str(&format!("{name} ({now}): {}\n", answers.join(" | ")));
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("entitlements");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(provider.name(), told));
    }
}

#[test]
fn no_answers_are_kept_of_a_life_that_nobody_tells() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/entitlements");
    let entries = std::fs::read_dir(folder).expect("is a folder");
    let names = entries.map(|entry| entry.expect("can be read").file_name());
    let kept: BTreeSet<_> = names
        .filter_map(|name| name.to_str()?.strip_suffix(".snap").map(str::to_owned))
        .collect();
    let telling = PROVIDERS
        .iter()
        .filter(|provider| !provider.scenario().is_empty());
    assert_eq!(
        kept,
        telling.map(|provider| provider.name().to_owned()).collect()
    );
}

/// What was bought once, by price and quantity.
fn bought(events: &[NormalizedEvent]) -> Vec<(String, u64)> {
    let payments = events.iter().flat_map(|event| &event.facts);
    let payments = payments.filter_map(|fact| {
        let Fact::Payment(payment) = fact else {
            return None;
        };
        Some(payment)
    });
    let lines = payments.flat_map(|payment| &payment.purchased);
    lines
        .map(|line| (line.price.to_string(), line.quantity))
        .collect()
}

fn bought_with(provider: &str, name: &str, change: impl Fn(&mut Value)) -> Vec<(String, u64)> {
    let provider = crate::provider(provider).expect("is in the list");
    let samples = provider.samples().iter();
    let mut samples = samples.filter(|(sample, _)| *sample == name);
    let body = samples.next().map(|(_, body)| *body);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let path = format!("{folder}/{}/{name}.json", provider.name());
    let body = body.map_or_else(
        || std::fs::read_to_string(path).expect("is there"),
        str::to_owned,
    );
    let mut body: Value = serde_json::from_str(&body).expect("is JSON");
    change(&mut body);
    bought(&events_of(provider, name, &body.to_string()))
}

#[test]
fn each_provider_says_what_was_bought_once_in_its_own_way() {
    let spade = ("pri_01kspade000000000000000000".to_owned(), 1);
    assert_eq!(
        bought_with("paddle", "transaction.completed-one-off", |_| ()),
        [spade]
    );
    assert_eq!(bought_with("paddle", "transaction.completed", |_| ()), []);
    let once = ("price_grove_monthly".to_owned(), 1);
    assert_eq!(
        bought_with("polar", "order.created-purchase", |_| ()),
        [once]
    );
    assert_eq!(bought_with("polar", "order.paid", |_| ()), []);
    let two = |body: &mut Value| {
        body["data"]["items"] = json!([{ "price": "price_cover", "quantity": 2 }]);
    };
    let cover = |quantity: u64| [("price_cover".to_owned(), quantity)];
    assert_eq!(
        bought_with("standard", "payment.succeeded-guest", two),
        cover(2)
    );
    let named = |body: &mut Value| body["data"]["metadata"] = json!({ "price": "price_cover" });
    assert_eq!(
        bought_with("standard", "payment.succeeded-guest", named),
        cover(1)
    );
    let named = |body: &mut Value| {
        body["data"]["object"]["metadata"] = json!({ "price": "price_cover" });
    };
    for name in [
        "checkout.session.completed-guest",
        "payment_intent.succeeded",
        "charge.succeeded",
    ] {
        assert_eq!(bought_with("stripe", name, named), cover(1), "{name}");
    }
    // What pays for a subscription buys its items and nothing else.
    assert_eq!(bought_with("stripe", "invoice.paid", named), []);
}

/// A line of an invoice, in the shape of today or of before.
fn line(changes: Value) -> Value {
    let mut line = json!({ "amount": 900, "quantity": 1 });
    let fields = changes.as_object().expect("is an object").clone();
    line.as_object_mut().expect("is an object").extend(fields);
    line
}

#[test]
fn an_invoice_of_stripe_says_what_of_it_was_bought_once() {
    let price = json!({ "price_details": { "price": "price_cover", "product": "prod_1" } });
    let item = |proration: bool| {
        json!({
            "type": "invoice_item_details", "subscription_item_details": null,
            "invoice_item_details": { "invoice_item": "ii_1", "proration": proration },
        })
    };
    let of_subscription = json!({
        "type": "subscription_item_details", "invoice_item_details": null,
        "subscription_item_details": { "proration": false, "subscription": "sub_1" },
    });
    let old = |kind: &str, proration: bool| {
        json!({
            "type": kind, "proration": proration,
            "price": { "id": "price_cover", "type": "one_time" },
        })
    };
    let cases = [
        (
            json!({ "pricing": price, "parent": item(false), "quantity": 2 }),
            2,
        ),
        (json!({ "pricing": price, "parent": item(true) }), 0),
        (
            json!({ "pricing": price, "parent": item(false), "amount": -900 }),
            0,
        ),
        (json!({ "pricing": price, "parent": of_subscription }), 0),
        (json!({ "pricing": null, "parent": item(false) }), 0),
        (old("invoiceitem", false), 1),
        (old("invoiceitem", true), 0),
        (old("subscription", false), 0),
    ];
    for (changes, quantity) in cases {
        let lines = json!({ "object": "list", "has_more": false, "data": [line(changes.clone())] });
        let paid = event(1, "invoice.paid", invoice(json!({ "lines": lines })));
        for paid in [paid.clone(), in_version(json!("2024-06-20"), paid)] {
            let bought = state(&[paid]).payments.purchases().collect::<Vec<_>>();
            let counted = bought.iter().flat_map(|bought| &bought.purchased);
            assert_eq!(
                counted.map(|line| line.quantity).sum::<u64>(),
                quantity,
                "{changes}"
            );
        }
    }
}

#[test]
fn u4_access_follows_each_step_of_what_was_bought_at_a_checkout() {
    let session = json!({
        "id": "cs_1", "object": "checkout.session", "customer": "cus_17", "mode": "payment",
        "payment_status": "paid", "payment_intent": "pi_17", "amount_total": 2400,
        "currency": "eur", "metadata": { "price": "price_cover" },
    });
    let refund = json!({
        "id": "re_1", "object": "refund", "payment_intent": "pi_17", "amount": 600,
        "currency": "eur", "status": "succeeded", "created": T + 2,
    });
    let dispute = |status: &str| {
        json!({
            "id": "dp_1", "object": "dispute", "payment_intent": "pi_17", "charge": "ch_17",
            "amount": 1800, "currency": "eur", "status": status,
        })
    };
    let steps = [
        (
            event(1, "checkout.session.completed", session),
            "premium purchase",
        ),
        (event(2, "refund.created", refund), "premium purchase"),
        (
            event(3, "charge.dispute.created", dispute("needs_response")),
            "no disputed",
        ),
        (
            event(4, "charge.dispute.closed", dispute("won")),
            "premium purchase",
        ),
    ];
    let mut told: Vec<Value> = Vec::new();
    for (step, expected) in steps {
        told.push(step);
        assert_eq!(support(&state(&told)), expected);
    }
    told.pop();
    told.push(event(4, "charge.dispute.closed", dispute("lost")));
    assert_eq!(support(&state(&told)), "no disputed");
}

fn support(state: &CustomerState) -> String {
    let answer = check(state, &shop(), "support", None, at(T + 10));
    in_short(&Answer {
        until: None,
        ..answer
    })
}
