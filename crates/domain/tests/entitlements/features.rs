//! The catalog's features, purchases and access policy as a shop writes them.

use domain::catalog::Catalog;
use domain::catalog::access::{AccessPolicy, AccessRule, AccessSpan};
use domain::catalog::calendar_duration::CalendarDuration;
use domain::catalog::feature::{FeatureGrant, FeatureKind};
use domain::ids::PriceId;
use jiff::Timestamp;

const TEXT: &str = r#"[features.export]
name = { en = "Export", fr = "Exporter" }

[features.seats]
kind = "limit"

[features.support]
kind = "tier"
levels = ["none", "standard", "premium"]

[features.spare]

[plans.grove]
name = "Grove"
prices = ["price_grove"]
features = { export = true, seats = 5, support = "standard" }

[plans.seed]
name = "Seed"
prices = ["price_seed"]
features = { export = false, seats = 0, support = "none" }

[add_ons.seat]
name = "Seat"
prices = ["price_seat"]
features.seats = 1

[purchases.cover]
name = "Cover"
prices = ["price_cover"]
features = { support = "premium", seats = "unlimited" }
for = "24 months"

[access]
past_due = { soften = "10 days" }
disputed = "keep"
"#;

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn refusal(text: &str) -> String {
    Catalog::parse(text).unwrap_err().to_string()
}

#[test]
fn products_give_flags_limits_and_tiers() {
    let catalog = Catalog::parse(TEXT).unwrap();
    let kinds: Vec<_> = catalog.features.values().map(|f| f.scale.kind()).collect();
    let (flag, limit, tier) = (FeatureKind::Flag, FeatureKind::Limit, FeatureKind::Tier);
    assert_eq!(kinds, [flag, limit, flag, tier]);
    assert_eq!(
        catalog.features["export"].name.in_language("fr"),
        "Exporter"
    );
    assert_eq!(catalog.features["seats"].name.in_language("fr"), "seats");
    let grove: Vec<_> = catalog.plans["grove"].features.values().copied().collect();
    assert_eq!(
        grove,
        [
            FeatureGrant::Flag,
            FeatureGrant::Limit(5),
            FeatureGrant::Level(1)
        ]
    );
    assert!(catalog.plans["seed"].features.is_empty());
    let (key, cover) = catalog
        .purchase(&PriceId::parse("price_cover").unwrap())
        .unwrap();
    assert_eq!(
        (key, cover.features["support"]),
        ("cover", FeatureGrant::Level(2))
    );
    assert_eq!(cover.features["seats"], FeatureGrant::Unlimited);
}

#[test]
fn a_feature_that_no_product_gives_is_no_error_and_can_be_listed() {
    let catalog = Catalog::parse(TEXT).unwrap();
    assert_eq!(catalog.features_without_product(), ["spare"]);
}

#[test]
fn a_policy_changes_what_it_names_and_nothing_else() {
    let (usual, mine) = (
        AccessPolicy::default(),
        Catalog::parse(TEXT).unwrap().access,
    );
    let ten_days: CalendarDuration = "10d".parse().unwrap();
    let expected = AccessPolicy {
        past_due: AccessRule::Soften(AccessSpan::For(ten_days)),
        disputed: AccessRule::Keep(AccessSpan::Always),
        ..usual
    };
    assert_eq!(mine, expected);
    let failed = moment("2026-01-31T09:00:00Z");
    assert_eq!(
        usual.past_due.lasts_until(failed),
        Some(moment("2026-02-07T09:00:00Z"))
    );
    assert_eq!(usual.disputed.lasts_until(failed), None);
}

#[test]
fn what_is_wrong_with_a_feature_is_said_with_its_line_its_section_and_its_name() {
    let seats = "[features.seats]\nkind = \"limit\"\n";
    let help = "[features.help]\nkind = \"tier\"\nlevels = [\"no\", \"yes\"]\n";
    let product = |section: &str| format!("[{section}]\nname = \"X\"\nprices = []\n");
    let plan = product("plans.x");
    let cases = [
        (
            format!("{plan}\n[plans.x.features]\nexprot = true\n"),
            "line 6: [plans.x], feature `exprot`: no such feature is listed; add [features.exprot]",
        ),
        (
            format!(
                "[features.a]\n{}features = {{ a = 1 }}\n",
                product("add_ons.x")
            ),
            "line 5: [add_ons.x], feature `a`: it is a flag; write `true` or `false`",
        ),
        (
            format!("{seats}{plan}features.seats = -1\n"),
            "line 6: [plans.x], feature `seats`: it is a limit",
        ),
        (
            format!("{seats}{plan}features.seats = 1.5\n"),
            "line 6: [plans.x], feature `seats`: it is a limit",
        ),
        (
            format!("{help}{}features.help = \"gold\"\n", product("purchases.x")),
            "line 7: [purchases.x], feature `help`: it is a tier; write one of its levels: no, yes",
        ),
        (
            "[features.help]\nkind = \"tier\"\n".to_owned(),
            "line 1: [features.help], feature `help`: a tier needs two levels at least",
        ),
        (
            help.replace("yes", "no"),
            "feature `help`: its level `no` is listed twice",
        ),
        (
            help.replace("tier", "flag"),
            "feature `help`: only a tier has levels",
        ),
        (
            "[features.\"a b\"]\n".to_owned(),
            "feature `a b`: a feature's key has 1 to 64 letters",
        ),
    ];
    for (text, said) in cases {
        let refusal = refusal(&text);
        assert!(refusal.contains(said), "{refusal}\n{said}");
    }
}

#[test]
fn what_can_not_be_meant_is_refused_with_its_line() {
    let cases = [
        (
            "[access]\n\npast_due = \"maybe\"\n",
            "line 3",
            "write \"keep\"",
        ),
        (
            "[access]\nrefunded = { keep = \"7 days\" }\n",
            "line 2",
            "takes no number of days",
        ),
        ("[access]\npastdue = \"keep\"\n", "line 2", "unknown field"),
        (
            "[features.x]\nkind = \"meter\"\n",
            "line 2",
            "unknown variant",
        ),
        (
            "[purchases.x]\nname = \"X\"\nprices = []\nfor = \"a while\"\n",
            "line 4",
            "no length of time",
        ),
        (
            "[meters.x]\nname = \"X\"\nprices = []\nfeatures = {}\n",
            "line 4",
            "unknown field",
        ),
    ];
    for (text, line, said) in cases {
        let refusal = refusal(text);
        assert!(
            refusal.contains(line) && refusal.contains(said),
            "{refusal}"
        );
    }
    let twice = format!("{TEXT}\n[plans.x]\nname = \"X\"\nprices = [\"price_cover\"]\n");
    assert!(refusal(&twice).contains("price_cover is listed twice"));
}

#[test]
fn lengths_of_time_follow_the_calendar_in_utc() {
    let cases = [
        ("24 months", "2026-01-31T08:00:00Z", "2028-01-31T08:00:00Z"),
        ("1 month", "2026-01-31T08:00:00Z", "2026-02-28T08:00:00Z"),
        ("1 year", "2028-02-29T00:00:00Z", "2029-02-28T00:00:00Z"),
        ("7 days", "2026-03-28T12:00:00Z", "2026-04-04T12:00:00Z"),
        ("2 weeks", "2026-01-01T00:00:00Z", "2026-01-15T00:00:00Z"),
        ("36 hours", "2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z"),
        ("30d", "2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z"),
    ];
    for (text, start, end) in cases {
        let duration: CalendarDuration = text.parse().unwrap();
        assert_eq!(duration.after(moment(start)), moment(end), "{text}");
    }
    for text in [
        "",
        "7",
        "days",
        "0 days",
        "-1 days",
        "1.5 days",
        "12 m",
        "70000 days",
        "7 dayz",
    ] {
        assert!(text.parse::<CalendarDuration>().is_err(), "{text}");
    }
    let ages: CalendarDuration = "65535 years".parse().unwrap();
    assert_eq!(ages.after(Timestamp::UNIX_EPOCH), Timestamp::MAX);
}

#[test]
fn ten_thousand_features_are_read() {
    let features: String = (0..10_000).map(|n| format!("[features.f{n}]\n")).collect();
    let given: String = (0..10_000).map(|n| format!("f{n} = true\n")).collect();
    let plan = "[plans.x]\nname = \"X\"\nprices = [\"p\"]\n[plans.x.features]\n";
    let catalog = Catalog::parse(&format!("{features}{plan}{given}")).unwrap();
    assert_eq!(catalog.plans["x"].features.len(), 10_000);
    assert!(catalog.features_without_product().is_empty());
}
