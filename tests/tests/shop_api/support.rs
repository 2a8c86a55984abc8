//! A shop whose customers are told of by Stripe, and whose catalog has features.

use domain::catalog::Catalog;
use local_shop::samples::sample_story;
use local_shop::shop::Shop;
use tests::harness::shop_requests::percent_encoded;
use tests::harness::{InProcess, TestHarness};

/// What the sample customers' plans and add-ons give.
pub(crate) const CATALOG: &str = r#"
[features.export]
[features.seats]
kind = "limit"
[features.support]
kind = "tier"
levels = ["none", "standard", "premium"]
[features.audit]

[meters.requests]
name = "Requests"
kind = "sum"
[meters.filtered]
name = "Filtered"
kind = "count"
filter = { region = ["eu"] }
[meters.future]
name = "Future"
kind = "count"
starts_at = "2099-01-01T00:00:00Z"
[meters.daily]
name = "Daily"
kind = "count"
period = { calendar = "day", zone = "Europe/Paris" }

[plans.grove]
name = "Grove"
tier = 1
prices = ["price_grove_monthly"]
features = { export = true, seats = 5, support = "standard" }

[plans.tall-grove]
name = "Tall Grove"
tier = 2
prices = ["price_grove_tall"]
features = { export = true, seats = 25, support = "premium" }
"#;

pub(crate) const ADA: &str = "stripe/test/cus_ada";

/// The shop, its customer Ada, and whatever else these stories tell.
pub(crate) async fn open(stories: &[&str]) -> TestHarness<InProcess> {
    let shop = Shop {
        catalog: Catalog::parse(CATALOG).unwrap(),
        ..Shop::default()
    };
    let harness = TestHarness::in_process().shop(shop).open();
    for story in stories {
        harness.ingest_story(sample_story(story).unwrap()).await;
    }
    harness
}

/// The address of a customer, by any reference.
pub(crate) fn customer(reference: &str) -> String {
    format!("/v1/customers/{}", percent_encoded(reference))
}

/// The address of what a customer may use.
pub(crate) fn entitlements(reference: &str) -> String {
    format!("{}/entitlements", customer(reference))
}
