//! Quantities: which texts are one, and that nothing is ever lost or made up.

use domain::usage::quantity::{BadQuantity, Quantity};
use proptest::prelude::*;

#[test]
fn hostile_text_is_refused_and_the_rest_is_exact() {
    let nines = "9".repeat(26);
    let largest = format!("{nines}.999999999999");
    for (text, expected) in [
        ("0", Ok("0")),
        ("1", Ok("1")),
        ("007", Ok("7")),
        ("1.50", Ok("1.5")),
        ("-2.000000000001", Ok("-2.000000000001")),
        ("0.000000000001", Ok("0.000000000001")),
        ("1.0000000000000000000", Ok("1")),
        ("-0", Ok("0")),
        ("100000000000000000000", Ok("100000000000000000000")),
        (&largest, Ok(&*largest)),
        ("", Err(BadQuantity::NotDecimal)),
        ("-", Err(BadQuantity::NotDecimal)),
        (".", Err(BadQuantity::NotDecimal)),
        (".5", Err(BadQuantity::NotDecimal)),
        ("5.", Err(BadQuantity::NotDecimal)),
        ("+1", Err(BadQuantity::NotDecimal)),
        ("--1", Err(BadQuantity::NotDecimal)),
        ("1e3", Err(BadQuantity::NotDecimal)),
        ("1e400", Err(BadQuantity::NotDecimal)),
        ("NaN", Err(BadQuantity::NotDecimal)),
        ("inf", Err(BadQuantity::NotDecimal)),
        ("0x10", Err(BadQuantity::NotDecimal)),
        ("1,5", Err(BadQuantity::NotDecimal)),
        (" 1", Err(BadQuantity::NotDecimal)),
        ("1\n", Err(BadQuantity::NotDecimal)),
        ("1_000", Err(BadQuantity::NotDecimal)),
        ("١", Err(BadQuantity::NotDecimal)),
        ("0.0000000000001", Err(BadQuantity::TooFine)),
        (
            "1000000000000000000000000000000",
            Err(BadQuantity::TooLarge),
        ),
        (&"9".repeat(27), Err(BadQuantity::TooLarge)),
        (&"9".repeat(4000), Err(BadQuantity::TooLarge)),
    ] {
        let read = text
            .parse::<Quantity>()
            .map(|quantity| quantity.to_string());
        assert_eq!(read, expected.map(str::to_owned), "`{text}`");
    }
}

#[test]
fn json_that_is_no_text_is_refused() {
    for json in ["1", "1.5", "null", "true", "[]", "1e400", "\"NaN\"", "{}"] {
        assert!(serde_json::from_str::<Quantity>(json).is_err(), "{json}");
    }
}

#[test]
fn a_sum_beyond_the_bounds_is_none_and_never_a_wrong_one() {
    let largest: Quantity = format!("{}.999999999999", "9".repeat(26)).parse().unwrap();
    let least: Quantity = "0.000000000001".parse().unwrap();
    assert_eq!(largest.plus(least), None);
    assert_eq!(Quantity::sum([largest, largest]), None);
    assert_eq!(largest.minus(largest), Some(Quantity::ZERO));
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(parts in -(10_i128.pow(38) - 1)..10_i128.pow(38)) {
        let quantity = Quantity::from_parts(parts);
        let text = quantity.to_string();
        prop_assert_eq!(text.parse::<Quantity>(), Ok(quantity));
        prop_assert!(!text.contains('.') || !text.ends_with('0'));
    }

    #[test]
    fn addition_is_that_of_whole_numbers(one in any::<i64>(), other in any::<i64>()) {
        let quantity = |parts| Quantity::from_parts(i128::from(parts));
        let sum = quantity(one).plus(quantity(other)).map(Quantity::parts);
        prop_assert_eq!(sum, Some(i128::from(one) + i128::from(other)));
        let left = quantity(one).minus(quantity(other)).map(Quantity::parts);
        prop_assert_eq!(left, Some(i128::from(one) - i128::from(other)));
    }
}
