//! Prices: what each model makes of a quantity, line by line, and which prices are refused. The
//! same is recomputed by `tests/rating`.

use domain::subscription::terms::Period;
use domain::usage::meter::MeteredUsage;
use domain::usage::price::UsagePrice;
use domain::usage::rate::{RatedUsage, TooMuchToRate, rate};
use jiff::Timestamp;

fn price(toml: &str) -> Result<UsagePrice, String> {
    toml::from_str(&format!("currency = \"eur\"\n{toml}")).map_err(|error| error.to_string())
}

fn rated(toml: &str, quantity: &str, events: u64) -> Result<RatedUsage, TooMuchToRate> {
    let usage = MeteredUsage {
        quantity: quantity.parse().unwrap(),
        events,
    };
    let period = Period {
        start: Timestamp::UNIX_EPOCH,
        end: Timestamp::MAX,
    };
    rate(usage, &price(toml).unwrap(), period)
}

fn arithmetic(toml: &str, quantity: &str) -> String {
    let rated = rated(toml, quantity, 3).unwrap();
    let lines: Vec<&str> = rated.lines.iter().map(|line| &*line.arithmetic).collect();
    let sum: i64 = rated.lines.iter().map(|line| line.amount.minor).sum();
    assert_eq!(sum, rated.total.minor);
    format!("{} = {}", lines.join("; "), rated.total)
}

const GRADUATED: &str = "model = \"graduated\"\ntiers = [{ up_to = \"100\", unit = \"0.015\" }, \
    { up_to = \"1000\", unit = \"0.01\", flat = \"2\" }, { unit = \"0.0025\" }]\n";

#[test]
fn a_price_per_unit_shows_its_arithmetic_and_its_bounds() {
    let unit = "model = \"per_unit\"\nunit = \"0.0025\"\n";
    let free = format!("{unit}allowance = \"1000\"\n");
    let bounds = format!("{unit}minimum = \"2\"\ncap = \"3.5\"\n");
    for (toml, quantity, expected) in [
        (
            unit,
            "250",
            "250 × 0.0025 = 0.625, rounded to 0.63 EUR = 0.63 EUR",
        ),
        (unit, "400", "400 × 0.0025 = 1.00 EUR = 1.00 EUR"),
        (unit, "0", " = 0.00 EUR"),
        (unit, "-5", " = 0.00 EUR"),
        (&free, "1000", " = 0.00 EUR"),
        (
            &free,
            "1002",
            "2 × 0.0025 = 0.005, rounded to 0.01 EUR = 0.01 EUR",
        ),
        (
            &bounds,
            "0",
            "minimum 2.00 EUR: 0.00 EUR and 2.00 EUR = 2.00 EUR",
        ),
        (
            &bounds,
            "4000",
            "4000 × 0.0025 = 10.00 EUR; cap 3.50 EUR: 10.00 EUR and -6.50 EUR = 3.50 EUR",
        ),
    ] {
        assert_eq!(arithmetic(toml, quantity), expected, "{toml} {quantity}");
    }
}

#[test]
fn each_model_shows_its_arithmetic() {
    let volume = GRADUATED.replace("graduated", "volume");
    let package = "model = \"package\"\nsize = \"100\"\nunit = \"0.99\"\n";
    let percent = "model = \"percentage\"\nrate = \"2.9\"\nfixed = \"0.25\"\n";
    let bounded = format!("{percent}at_least = \"1\"\nat_most = \"20\"\n");
    for (toml, quantity, expected) in [
        (GRADUATED, "100", "100 × 0.015 = 1.50 EUR = 1.50 EUR"),
        (
            GRADUATED,
            "1001.5",
            "100 × 0.015 = 1.50 EUR; 900 × 0.01 + 2 = 11.00 EUR; \
             1.5 × 0.0025 = 0.00375, rounded to 0.00 EUR = 12.50 EUR",
        ),
        (&volume, "100", "100 × 0.015 = 1.50 EUR = 1.50 EUR"),
        (
            &volume,
            "100.000000000001",
            "100.000000000001 × 0.01 + 2 = 3.00000000000001, rounded to 3.00 EUR = 3.00 EUR",
        ),
        (
            package,
            "100",
            "100 in packages of 100: 1 × 0.99 = 0.99 EUR = 0.99 EUR",
        ),
        (
            package,
            "100.5",
            "100.5 in packages of 100: 2 × 0.99 = 1.98 EUR = 1.98 EUR",
        ),
        (
            percent,
            "99.99",
            "99.99 × 2.9 % + 3 × 0.25 = 3.64971, rounded to 3.65 EUR = 3.65 EUR",
        ),
        (
            &bounded,
            "1",
            "1 × 2.9 % + 3 × 0.25, at least 1 = 1.00 EUR = 1.00 EUR",
        ),
        (
            &bounded,
            "5000",
            "5000 × 2.9 % + 3 × 0.25, at most 20 = 20.00 EUR = 20.00 EUR",
        ),
    ] {
        assert_eq!(arithmetic(toml, quantity), expected, "{toml} {quantity}");
    }
}

#[test]
fn what_no_amount_can_hold_is_refused_and_never_wraps() {
    let unit = |unit: &str| format!("model = \"per_unit\"\nunit = \"{unit}\"\n");
    for (price, quantity) in [
        ("1", "100000000000000000"),
        ("99999999999999999999999999", "99999999999999999999999999"),
        ("1", "-99999999999999999999999999"),
    ] {
        let rated = rated(&unit(price), quantity, u64::MAX);
        let is_nothing = rated.as_ref().is_ok_and(|rated| rated.total.minor == 0);
        assert!(rated.is_err() || is_nothing, "{price} {quantity}");
    }
    let many = rated(
        "model = \"percentage\"\nrate = \"1\"\nfixed = \"999999999\"\n",
        "1",
        u64::MAX,
    );
    assert_eq!(many, Err(TooMuchToRate));
}

#[test]
fn prices_that_contradict_themselves_are_refused() {
    for (toml, words) in [
        ("model = \"per_unit\"", "do not fit"),
        (
            "model = \"per_unit\"\nunit = \"1\"\nrate = \"2\"",
            "do not fit",
        ),
        (
            "model = \"per_unit\"\nunit = \"1\"\nat_most = \"2\"",
            "do not fit",
        ),
        ("model = \"per_unit\"\nunit = 0.5", "expected a string"),
        ("model = \"per_unit\"\nunit = \"1e-3\"", "not a decimal"),
        ("model = \"per_unit\"\nunit = \"-1\"", "below zero"),
        (
            "model = \"per_unit\"\nunit = \"1\"\nminimum = \"3\"\ncap = \"2\"",
            "above the cap",
        ),
        (
            "model = \"package\"\nsize = \"0\"\nunit = \"1\"",
            "size above 0",
        ),
        ("model = \"graduated\"\ntiers = []", "tiers rise"),
        (
            "model = \"graduated\"\ntiers = [{ up_to = \"5\", unit = \"1\" }]",
            "tiers rise",
        ),
        (
            "model = \"volume\"\ntiers = [{ unit = \"1\" }, { unit = \"1\" }]",
            "tiers rise",
        ),
        (
            "model = \"volume\"\ntiers = [{ up_to = \"5\" }, { up_to = \"5\" }, { unit = \"1\" }]",
            "tiers rise",
        ),
        (
            "model = \"graduated\"\ntiers = [{ unit = \"1\", flat = \"-1\" }]",
            "below zero",
        ),
        ("model = \"free\"", "unknown variant"),
        (
            "model = \"per_unit\"\nunit = \"1\"\nunits = \"1\"",
            "unknown field",
        ),
    ] {
        let error = price(toml).unwrap_err();
        assert!(error.contains(words), "{toml}: {error}");
    }
}
