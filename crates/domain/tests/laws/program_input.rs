//! A program is read as it is written, or refused: no term is guessed or out of its bounds.

use domain::catalog::Catalog;
use domain::money::Money;
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::program_input::ProgramInput;
use domain::partner::rate::Days;
use domain::partner::rate::Rate;
use domain::partner::tiers::ProgramTerms;
use proptest::prelude::*;

/// A program in a catalog file, and the program it makes or a part of the error.
const PROGRAM_CASES: &[(&str, Result<&str, &str>)] = &[
    (
        r#"rate = "20%", months = 12, hold = "30d", window = "60d""#,
        Ok("20 % for 12 months, released after 30 days, window 60 days, first report counts"),
    ),
    (
        "fixed = \"5.00 EUR\", first_payment = true, hold = \"0d\", window = \"1d\", \
         attribution_model = \"last\"",
        Ok(
            "5.00 EUR of the first payment, released after 0 days, window 1 days, \
            last report counts",
        ),
    ),
    (
        r#"rate = "12.5 %", life = true, hold = "3650d", window = "3650d""#,
        Ok("12.5 % for life, released after 3650 days, window 3650 days, first report counts"),
    ),
    (
        r#"rate = "20%", hold = "30d""#,
        Err("months, first payment or life; window is missing"),
    ),
    (
        r#"rate = "20%", fixed = "5 eur", life = true, hold = "30d", window = "60d""#,
        Err("a rate and a fixed amount exclude each other"),
    ),
    (
        r#"rate = "20%", life = true, months = 3, hold = "30d", window = "60d""#,
        Err("months, first payment and life exclude each other"),
    ),
    (
        r#"rate = "0%", life = true, hold = "30d", window = "60d""#,
        Err("a rate of 0 % is not allowed: it must be more than 0 % and at most 100 %"),
    ),
    (
        r#"rate = "100.01%", life = true, hold = "30d", window = "60d""#,
        Err("a rate of 100.01 %"),
    ),
    (
        r#"fixed = "0.00 eur", life = true, hold = "30d", window = "60d""#,
        Err("a fixed amount of 0.00 EUR is not allowed"),
    ),
    (
        r#"rate = "20%", months = 0, hold = "30d", window = "60d""#,
        Err("a number of months of 0"),
    ),
    (
        r#"rate = "20%", months = 1201, hold = "30d", window = "60d""#,
        Err("a number of months of 1201"),
    ),
    (
        r#"rate = "20%", life = true, hold = "3651d", window = "60d""#,
        Err("a hold of 3651 days"),
    ),
    (
        r#"rate = "20%", life = true, hold = "30d", window = "0d""#,
        Err("a window of 0 days"),
    ),
    (
        r#"rate = 0.2, life = true, hold = "30d", window = "60d""#,
        Err("invalid type: floating point"),
    ),
    (
        r#"rate = "20%", life = true, hold = "30d", window = "60d", attribution_model = "both""#,
        Err("unknown variant `both`"),
    ),
    (r#"share = "20%""#, Err("unknown field `share`")),
    (
        r#"rate = "20%", life = true, hold = "30d", window = "60d", tiers = ["10:25%", "50:30%"]"#,
        Ok(
            "20 % for life, released after 30 days, window 60 days, first report counts; 25 % from \
             10 active customers, 30 % from 50 active customers",
        ),
    ),
    (
        r#"fixed = "5.00 eur", life = true, hold = "30d", window = "60d", tiers = ["10:25%"]"#,
        Err("a tier of 25 % from 10 active customers is not allowed"),
    ),
    (
        r#"rate = "20%", life = true, hold = "30d", window = "60d", tiers = ["9:25%", "9:30%"]"#,
        Err("the numbers of active customers must rise"),
    ),
    (
        r#"rate = "20%", life = true, hold = "30d", window = "60d", tiers = ["0:25%"]"#,
        Err("the numbers of active customers must rise"),
    ),
    (
        r#"rate = "20%", life = true, hold = "30d", window = "60d", tiers = ["9:101%"]"#,
        Err("a rate of 101 %"),
    ),
    (
        r#"rate = "20%", life = true, hold = "30d", window = "60d", tiers = ["many"]"#,
        Err("`many` is not a valid tier"),
    ),
];

#[test]
fn a_catalogs_program_is_read_whole_or_refused_with_its_reason() {
    for (text, expected) in PROGRAM_CASES {
        let catalog = Catalog::parse(&format!("program = {{ {text} }}"));
        match (catalog, expected) {
            (Ok(catalog), Ok(expected)) => {
                assert_eq!(catalog.program.unwrap().to_string(), *expected)
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{text}: {error}");
            }
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn what_is_left_out_stays_as_it_was() {
    let base = Program {
        reward: Reward::BasisPoints(2_000),
        duration: CommissionDuration::Months(12),
        hold_days: 30,
        window_days: 60,
        attribution_model: AttributionModel::Last,
    };
    let terms = ProgramTerms::from(base.clone());
    assert_eq!(
        ProgramInput::default().merge_onto(Some(&terms)).unwrap(),
        terms
    );
    let lower = ProgramInput {
        rate: Some(Rate(1_500)),
        ..ProgramInput::default()
    };
    let expected = Program {
        reward: Reward::BasisPoints(1_500),
        ..base.clone()
    };
    assert_eq!(lower.merge_onto(Some(&terms)).unwrap(), expected.into());
}

#[test]
fn texts_that_are_no_rate_days_or_amount_are_refused() {
    for text in [
        "20", "0.2", "%", " %", "-5%", "+5%", "5,5%", "1.234%", ".5%", "5.%", "1e2%", "٢%", "9999%",
    ] {
        assert!(text.parse::<Rate>().is_err(), "{text}");
    }
    for text in ["30", "d", "-1d", "+1d", "1.5d", "30 days", "99999d", "2w"] {
        assert!(text.parse::<Days>().is_err(), "{text}");
    }
    for text in [
        "5.00",
        "eur",
        "5.00 zzz",
        "5.001 eur",
        "5.5 jpy",
        "-5 eur",
        "+5 eur",
        "5. eur",
        ".5 eur",
        "5,00 eur",
        "99999999999999999999 eur",
        "5 eur net",
    ] {
        assert!(text.parse::<Money>().is_err(), "{text}");
    }
    for (text, minor) in [
        ("5 eur", 500),
        ("0.05 EUR", 5),
        ("500 jpy", 500),
        ("1.5 kwd", 1_500),
    ] {
        assert_eq!(text.parse::<Money>().unwrap().minor, minor, "{text}");
    }
}

#[test]
fn a_partner_is_known_by_its_addresses_and_its_companys_domain() {
    let mut identity = PartnerIdentity::default();
    identity.add_email("anna@agrumes.fr").unwrap();
    identity.add_email("anna.b+shop@gmail.com").unwrap();
    identity.add_domain("Agrumes.example").unwrap();
    let domains: Vec<&str> = identity.domains.iter().map(AsRef::as_ref).collect();
    assert_eq!(
        (identity.mailboxes.len(), domains),
        (2, vec!["agrumes.example", "agrumes.fr"])
    );
    for email in ["anna", "@agrumes.fr", "anna@", "anna b@agrumes.fr", ""] {
        let error = identity.add_email(email).unwrap_err().to_string();
        assert!(!error.contains("agrumes"), "{error}");
    }
    for domain in ["gmail.com", "agrumes", "a@agrumes.fr", "", "agrumes fr."] {
        assert!(identity.add_domain(domain).is_err(), "{domain}");
    }
    assert!(
        identity.is_superset(&PartnerIdentity::of("anna@agrumes.fr"))
            && !PartnerIdentity::default().is_superset(&identity)
    );
}

#[test]
fn a_stored_program_out_of_bounds_is_not_read() {
    let valid =
        r#"{"reward":{"basis_points":2000},"duration":"life","hold_days":30,"window_days":60}"#;
    let program: Program = serde_json::from_str(valid).unwrap();
    assert_eq!(program.attribution_model, AttributionModel::First);
    for (from, to) in [
        ("2000", "10001"),
        ("2000", "0"),
        ("60", "0"),
        ("60", "3651"),
        ("30", "3651"),
        ("\"life\"", "{\"months\":0}"),
    ] {
        let error = serde_json::from_str::<Program>(&valid.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains("is not allowed"), "{error}");
    }
}

proptest! {
    #[test]
    fn every_rate_is_read_as_it_is_shown(points in 0_u16..=10_000) {
        let shown = Reward::BasisPoints(points).to_string();
        prop_assert_eq!(shown.parse::<Rate>().unwrap(), Rate(points));
    }

    #[test]
    fn every_amount_is_read_as_it_is_shown(minor in 0_i64.., code in "eur|jpy|kwd") {
        let mut money: Money = format!("0 {code}").parse().unwrap();
        money.minor = minor;
        prop_assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
    }
}
