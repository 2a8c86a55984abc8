//! Amounts and dates as their readers write them.

use domain::money::{Currency, Money};
use engagement_email::reader::Reader;
use engagement_email::render::Language;
use std::process::Command;

/// Locale, currency, minor units, their exponent, as Node's `Intl` writes it.
const AMOUNTS: [(&str, &str, i64, u8, &str); 18] = [
    ("en", "eur", 2_880, 2, "€28.80"),
    ("en", "usd", 123_456_789, 2, "$1,234,567.89"),
    ("en", "jpy", 2_880, 0, "¥2,880"),
    ("en", "chf", 123_450, 2, "CHF\u{a0}1,234.50"),
    ("en", "bhd", 12_345, 3, "BHD\u{a0}12.345"),
    ("en", "gbp", -300, 2, "-£3.00"),
    ("en", "xof", 1_500, 0, "F\u{202f}CFA\u{a0}1,500"),
    ("en-GB", "usd", 2_880, 2, "US$28.80"),
    ("en-GB", "gbp", 100, 2, "£1.00"),
    ("fr", "eur", 2_880, 2, "28,80\u{a0}€"),
    (
        "fr",
        "eur",
        123_456_780,
        2,
        "1\u{202f}234\u{202f}567,80\u{a0}€",
    ),
    ("fr", "usd", 2_880, 2, "28,80\u{a0}$US"),
    ("fr", "chf", 123_450, 2, "1\u{202f}234,50\u{a0}CHF"),
    ("fr", "bhd", 12_345, 3, "12,345\u{a0}BHD"),
    ("fr", "xof", 1_500, 0, "1\u{202f}500\u{a0}F\u{202f}CFA"),
    ("fr", "eur", 5, 2, "0,05\u{a0}€"),
    ("fr-CA", "cad", 500, 2, "5,00\u{a0}$"),
    ("fr-BE", "eur", 500, 2, "5,00\u{a0}€"),
];

/// Locale, moment, as Node's `Intl` writes it but for the marks noted at the test.
const DATES: [(&str, &str, &str); 6] = [
    ("en", "2026-01-15T00:00:00Z", "January 15, 2026"),
    ("en-GB", "2026-08-31T23:59:59Z", "31 August 2026"),
    ("fr", "2026-01-15T00:00:00Z", "15 janvier 2026"),
    ("fr", "2026-02-01T00:00:00Z", "1 février 2026"),
    ("fr-CA", "2026-08-31T12:00:00Z", "31 août 2026"),
    ("fr-BE", "2026-12-01T00:00:00Z", "1 décembre 2026"),
];

#[test]
fn amounts_are_written_as_their_reader_writes_them() {
    for (locale, currency, minor, exponent, expected) in AMOUNTS {
        let money = money(currency, minor, exponent);
        assert_eq!(
            reader(locale).amount(money),
            expected,
            "{locale} {currency}"
        );
    }
}

#[test]
fn no_digit_of_an_amount_is_rounded_away() {
    // Currencies whose notes have no cents while a provider counts in them.
    assert_eq!(
        reader("en").amount(money("huf", 288_000, 2)),
        "HUF\u{a0}2,880"
    );
    assert_eq!(
        reader("en").amount(money("huf", 288_050, 2)),
        "2,880.50\u{a0}HUF"
    );
    assert_eq!(
        reader("fr").amount(money("isk", 288_050, 2)),
        "2\u{202f}880,50\u{a0}ISK"
    );
    assert_eq!(
        reader("fr").amount(money("jpy", i64::MAX, 0)).len(),
        "9 223 372 036 854 775 807".len() + 6 * 2 + 6
    );
}

#[test]
fn dates_are_written_as_their_reader_writes_them() {
    for (locale, moment, expected) in DATES {
        // No line ends within a day, and the first is an ordinal in French: both are ours.
        let expected = match expected.strip_prefix("1 ") {
            Some(rest) => format!("1er {rest}"),
            None => expected.to_owned(),
        };
        let written = reader(locale).date(moment.parse().unwrap());
        assert_eq!(written, expected.replacen(' ', "\u{a0}", 1), "{locale}");
    }
}

#[test]
fn a_locale_counts_only_where_it_is_the_letters_own_language_and_region() {
    let money = money("eur", 123_456, 2);
    for odd in [
        "ar-EG-u-nu-arab",
        "fr-u-nu-deva",
        "xx",
        "",
        "en_GB@calendar=hebrew",
        "-",
    ] {
        let written = Reader::new(Language::En, Some(odd)).amount(money);
        assert_eq!(written, "€1,234.56", "{odd}");
    }
}

#[test]
fn the_tables_are_what_node_writes_where_there_is_one() {
    let script = r#"
        const [amounts, dates] = JSON.parse(process.argv[1]);
        const money = ([l, c, v]) => new Intl.NumberFormat(l, {style: "currency", currency: c})
            .format(v);
        const date = ([l, m]) => new Intl.DateTimeFormat(l, {dateStyle: "long", timeZone: "UTC"})
            .format(new Date(m));
        console.log(JSON.stringify([amounts.map(money), dates.map(date)]));"#;
    let amounts: Vec<_> = AMOUNTS
        .iter()
        .map(|(locale, code, minor, exponent, _)| {
            (locale, code, money(code, *minor, *exponent).decimal())
        })
        .collect();
    let dates: Vec<_> = DATES
        .iter()
        .map(|(locale, moment, _)| (locale, moment))
        .collect();
    let asked = serde_json::to_string(&(amounts, dates)).unwrap();
    let Ok(printed) = Command::new("node").args(["-e", script, &asked]).output() else {
        return;
    };
    let printed: (Vec<String>, Vec<String>) = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed.0, AMOUNTS.map(|(.., expected)| expected.to_owned()));
    assert_eq!(printed.1, DATES.map(|(.., expected)| expected.to_owned()));
}

fn reader(locale: &str) -> Reader {
    let language = if locale.starts_with("fr") {
        Language::Fr
    } else {
        Language::En
    };
    Reader::new(language, Some(locale))
}

fn money(code: &str, minor: i64, exponent: u8) -> Money {
    let currency = Currency::parse(code).unwrap();
    Money {
        minor,
        currency,
        exponent,
    }
}
