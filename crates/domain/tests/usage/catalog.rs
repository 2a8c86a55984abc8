//! Meters as the catalog defines them.

use domain::catalog::Catalog;
use domain::ids::MeterName;
use domain::usage::meter::MeterKind;
use domain::usage::periods::{PeriodRule, PeriodUnit, zone};
use jiff::SignedDuration;

fn parse(fields: &str) -> Result<Catalog, String> {
    let text = format!("[meters.requests]\nname = \"Requests\"\n{fields}\n");
    Catalog::parse(&text).map_err(|error| error.to_string())
}

#[test]
fn a_meter_says_what_it_counts() {
    let catalog = parse(
        "kind = \"sum\"\nvalue = \"tokens\"\nfilter = { region = [\"eu\"] }\nnegative = true\n\
         starts_at = \"2026-03-01T00:00:00Z\"\nlate = \"7 days\"\n\
         period = { calendar = \"month\", zone = \"Europe/Paris\" }\n\
         price = { currency = \"eur\", model = \"per_unit\", unit = \"0.002\" }",
    );
    let catalog = catalog.unwrap();
    let meter = &catalog.counted[&MeterName::parse("requests").unwrap()];
    assert_eq!((meter.kind, meter.negative), (MeterKind::Sum, true));
    assert_eq!(meter.value.as_deref(), Some("tokens"));
    assert!(meter.filters["region"].contains("eu"));
    assert_eq!(meter.starts_at.unwrap().to_string(), "2026-03-01T00:00:00Z");
    assert_eq!(meter.late, SignedDuration::from_hours(168));
    let paris = PeriodRule::Calendar(PeriodUnit::Month, zone("Europe/Paris").unwrap());
    assert_eq!(meter.period, paris);
    assert!(meter.price.is_some());
    let plain = parse("kind = \"count\"\nperiod = \"subscription\"").unwrap();
    let plain = plain.counted.values().next().unwrap();
    assert_eq!(plain.period, PeriodRule::Subscription);
    assert_eq!(plain.late, SignedDuration::from_hours(72));
    // One that only names the provider's prices is not counted here.
    let named = parse("prices = [\"price_requests\"]").unwrap();
    assert_eq!((named.counted.len(), named.meters.len()), (0, 1));
}

#[test]
fn a_meter_that_can_not_count_is_refused() {
    for (fields, words) in [
        ("value = \"tokens\"", "not what"),
        ("late = \"3 days\"", "not what"),
        ("kind = \"average\"", "unknown variant"),
        (
            "kind = \"count\"\nvalue = \"tokens\"",
            "count takes no `value`",
        ),
        ("kind = \"weighted\"\nnegative = true", "`negative` is for"),
        (
            "kind = \"sum\"\nperiod = { calendar = \"month\", zone = \"Mars/Olympus\" }",
            "no time zone",
        ),
        ("kind = \"sum\"\nperiod = \"weekly\"", "did not match"),
        ("kind = \"sum\"\nlate = \"soon\"", "no length of time"),
        ("kind = \"sum\"\nfilters = {}", "unknown field"),
    ] {
        let error = parse(fields).unwrap_err();
        assert!(error.contains(words), "{fields}: {error}");
    }
    let named = Catalog::parse("[meters.\"a b\"]\nname = \"x\"\nkind = \"sum\"").unwrap_err();
    assert!(named.to_string().contains("1 to 64 letters"), "{named}");
}
