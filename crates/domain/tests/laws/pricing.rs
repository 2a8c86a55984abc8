//! What an item costs each time: by the one, by the package, or unknown.

use crate::scenarios::terms;
use domain::subscription::pricing::{BillingInterval, IntervalUnit, Package};
use domain::subscription::terms::{SubscriptionItem, SubscriptionStatus};

fn item(quantity: u64, package: Option<(u64, bool)>) -> SubscriptionItem {
    let mut item = terms(SubscriptionStatus::Active, "price_1").items.remove(0);
    item.quantity = Some(quantity);
    item.unit_minor = Some(900);
    item.pricing.package = package.map(|(size, round_up)| Package { size, round_up });
    item
}

#[test]
fn a_price_for_a_package_is_charged_for_each_package() {
    for (quantity, package, amount) in [
        (31, None, Some(27_900)),
        (31, Some((15, true)), Some(2_700)),
        (31, Some((15, false)), Some(1_800)),
        (30, Some((15, true)), Some(1_800)),
        (0, Some((15, true)), Some(0)),
        (1, Some((15, false)), Some(0)),
        (1, Some((0, true)), None),
        (u64::MAX, None, None),
    ] {
        assert_eq!(
            item(quantity, package).amount_minor(),
            amount,
            "{quantity} {package:?}"
        );
    }
}

#[test]
fn tiers_and_usage_have_no_amount() {
    let mut tiers = item(3, None);
    tiers.unit_minor = None;
    let mut usage = item(3, None);
    usage.metered = true;
    assert_eq!((tiers.amount_minor(), usage.amount_minor()), (None, None));
}

#[test]
fn an_interval_has_a_known_unit_and_a_count_above_zero() {
    let month = BillingInterval {
        unit: IntervalUnit::Month,
        count: 3,
    };
    assert_eq!(BillingInterval::parse("month", 3), Some(month));
    assert_eq!(BillingInterval::parse("month", 0), None);
    assert_eq!(BillingInterval::parse("fortnight", 1), None);
    let day = BillingInterval::parse("day", 1).unwrap();
    let week = BillingInterval::parse("week", 1).unwrap();
    let year = BillingInterval::parse("year", 1).unwrap();
    let mut all = [year, day, month, week];
    all.sort_by_key(|interval| interval.approximate_days());
    assert_eq!(all, [day, week, month, year]);
}

#[test]
fn items_of_before_are_read_and_written_as_they_were() {
    let stored = r#"{"id":"si_1","price":"price_1","quantity":1,"unit_minor":900}"#;
    let item: SubscriptionItem = serde_json::from_str(stored).unwrap();
    assert_eq!(item.pricing, Default::default());
    assert_eq!(serde_json::to_string(&item).unwrap(), stored);
}
