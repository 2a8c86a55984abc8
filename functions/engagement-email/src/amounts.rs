//! Amounts in the reader's language: the only module that names icu's unfinished crate.

use domain::money::Money;
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_experimental::dimension::currency::CurrencyType;
use icu_experimental::dimension::currency::formatter::CurrencyFormatter;
use icu_locale_core::extensions::unicode::Value;
use icu_locale_core::{Locale, preferences};

/// An amount with its currency, to the last digit.
pub(crate) fn amount(money: Money, locale: &Locale) -> String {
    let exact = money.decimal();
    let Ok(decimal) = exact.parse::<Decimal>() else {
        return with_currency_code(&exact, money);
    };
    let with_currency = currency(money)
        .and_then(|currency| {
            CurrencyFormatter::try_new_symbol(locale.into(), currency, Default::default()).ok()
        })
        .map(|formatter| formatter.format_fixed_decimal(&decimal).to_string())
        // A currency may be written with fewer places than its provider counts: what would be
        // rounded away is money, so it is written in full.
        .filter(|text| has_same_digits(text, &exact));
    with_currency.unwrap_or_else(|| {
        let number = DecimalFormatter::try_new(locale.into(), Default::default()).map_or_else(
            |_| exact.clone(),
            |number| number.format(&decimal).to_string(),
        );
        with_currency_code(&number, money)
    })
}

/// Whether a text has the digits of an amount, but for zeros at the end.
fn has_same_digits(text: &str, exact: &str) -> bool {
    let (written, meant) = (digits(text), digits(exact));
    match meant.strip_prefix(&written) {
        Some("") => true,
        Some(rest) => exact.contains('.') && rest.chars().all(|digit| digit == '0'),
        None => false,
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn with_currency_code(number: &str, money: Money) -> String {
    format!(
        "{number}\u{a0}{}",
        money.currency.code().to_ascii_uppercase()
    )
}

fn currency(money: Money) -> Option<CurrencyType> {
    let value = Value::try_from_str(money.currency.code()).ok()?;
    preferences::extensions::unicode::keywords::CurrencyType::try_from(&value).ok()
}
