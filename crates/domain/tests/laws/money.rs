//! Money is in integers, and its text is exact.

use domain::money::{Currency, Money, exponent};

fn text(minor: i64, code: &str, places: u8) -> String {
    Money {
        minor,
        currency: Currency::parse(code).unwrap(),
        exponent: places,
    }
    .decimal()
}

#[test]
fn decimal_text_is_exact_for_every_exponent() {
    assert_eq!(text(1999, "eur", 2), "19.99");
    assert_eq!(text(5, "eur", 2), "0.05");
    assert_eq!(text(-5, "eur", 2), "-0.05");
    assert_eq!(text(500, "jpy", 0), "500");
    assert_eq!(text(1500, "kwd", 3), "1.500");
    assert_eq!(text(i64::MIN, "eur", 2), "-92233720368547758.08");
}

#[test]
fn exponents_come_from_iso_4217_unless_the_provider_differs() {
    let of = |code, exceptions| exponent(Currency::parse(code).unwrap(), exceptions);
    assert_eq!(of("eur", &[]), 2);
    assert_eq!(of("jpy", &[]), 0);
    assert_eq!(of("TND", &[]), 3);
    assert_eq!(of("isk", &[]), 0);
    assert_eq!(of("isk", &[("isk", 2)]), 2);
}

#[test]
fn a_currency_nobody_lists_is_refused() {
    for code in ["", "eu", "euro", "zzz", "€"] {
        assert!(Currency::parse(code).is_err(), "{code}");
    }
}
