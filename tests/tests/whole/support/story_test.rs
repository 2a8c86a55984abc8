//! Stories as files of `tests/stories`: what the command plays, and in between `look`, the
//! points at which somebody looks at the customer.

use super::expect::stories_folder;
use local_shop::delivery::Delivery;
use local_shop::story::{Signers, Story};
use serde_json::{Map, Value, json};
use tests::harness::{TestHarness, start_time};
use toml::Table;

/// A story and the places where one looks.
pub(crate) struct StoryTest {
    pub(crate) name: String,
    /// Whom one looks at.
    pub(crate) customer: String,
    pub(crate) story: Story,
    /// How many deliveries come before each look, and what it is called.
    snapshots: Vec<(usize, String)>,
}

impl StoryTest {
    /// A story of `tests/stories`, its customer's ids replaced where one is given.
    pub(crate) fn read(name: &str) -> Self {
        let path = stories_folder().join(format!("{name}.toml"));
        let mut file: Table = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .parse()
            .unwrap();
        let customer = file.remove("customer").unwrap();
        let mut snapshots = Vec::new();
        let mut deliveries = 0;
        for event in file["events"].as_array_mut().unwrap() {
            let event = event.as_table_mut().unwrap();
            let times = event.get("times").and_then(toml::Value::as_integer);
            deliveries += usize::try_from(times.unwrap_or(1)).unwrap();
            if let Some(look) = event.remove("snapshot") {
                snapshots.push((deliveries, look.as_str().unwrap().to_owned()));
            }
        }
        Self {
            name: name.into(),
            customer: customer.as_str().unwrap().into(),
            story: Story::parse(&file.to_string()).unwrap(),
            snapshots,
        }
    }

    pub(crate) fn deliveries(&self, signers: &Signers) -> Vec<Delivery> {
        self.story.deliveries(signers, start_time()).unwrap()
    }

    /// Plays it, looks where it says so, and gives all that was seen.
    pub(crate) async fn play(&self, harness: &TestHarness) -> Value {
        for partner in self.story.partners() {
            harness.add_partner(partner.as_str()).await;
        }
        let mut seen = Map::new();
        let mut sent = 0;
        let deliveries = self.deliveries(&harness.signers());
        for (upto, look) in &self.snapshots {
            harness.send_all(&deliveries[sent..*upto]).await;
            sent = *upto;
            harness.settle().await;
            seen.insert(look.clone(), figures(&harness.view(&self.customer).await));
        }
        harness.send_all(&deliveries[sent..]).await;
        harness.settle().await;
        seen.insert("at the end".into(), harness.view(&self.customer).await);
        Value::Object(seen)
    }
}

/// The figures one looks for in a view.
pub(crate) fn figures(view: &Value) -> Value {
    let list = |name: &str| view[name].as_array().unwrap().clone();
    let subscriptions: Vec<Value> = list("subscriptions")
        .iter()
        .map(|event| {
            let items: Vec<_> = event["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(item)
                .collect();
            json!({
                "status": event["status"],
                "plan": event["plan"],
                "items": items,
                "current_period_end": event["current_period_end"],
            })
        })
        .collect();
    let payments: Vec<Value> = list("payments")
        .iter()
        .map(|event| {
            json!({
                "id": event["id"],
                "amount_minor": event["amount_minor"],
                "refunded_minor": event["refunded_minor"],
                "disputed_minor": event["disputed_minor"],
            })
        })
        .collect();
    let letters: Vec<Value> = list("letters")
        .iter()
        .map(|event| format!("{} {}", text(&event["kind"]), text(&event["state"])).into())
        .collect();
    json!({ "subscriptions": subscriptions, "payments": payments, "letters": letters })
}

fn item(item: &Value) -> Value {
    let kind = text(&item["kind"]);
    let product = item["product"].as_str().unwrap_or("(unlisted)");
    format!("{kind} {product} at {}", item["unit_minor"]).into()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
