//! Amounts are exact in every currency, as each provider counts it.

use super::deliver_sample;
use crate::{ItemOutcome, PROVIDERS, Provider};
use domain::event::{Fact, NormalizedEvent};
use domain::money::Money;

/// Minor digits: ISO 4217's, unless the provider says otherwise.
const CURRENCIES: [(&str, u8); 6] = [
    ("eur", 2),
    ("jpy", 0),
    ("kwd", 3),
    ("tnd", 3),
    ("ugx", 0),
    ("isk", 0),
];

#[test]
fn every_provider_counts_every_currency_as_it_says() {
    for provider in PROVIDERS {
        let mut seen = Vec::new();
        for (name, body) in provider.samples() {
            for fact in reading(provider, body.as_bytes()).facts {
                if let Some(paid) = paid_of(&fact) {
                    assert_eq!(
                        paid.exponent,
                        exponent(provider, paid),
                        "{provider:?} {name}"
                    );
                    seen.push(paid.currency.code().to_owned());
                }
            }
        }
        assert!(seen.contains(&"eur".to_owned()), "{provider:?}");
    }
}

#[test]
fn what_a_fixture_names_by_its_currency_is_exact() {
    // `…-kwd` and its like: amounts that a wrong exponent or a float would not survive.
    let expected = [
        ("jpy", "1200"),
        ("kwd", "1.234"),
        ("tnd", "9.005"),
        ("ugx", "5000"),
        ("isk", "700"),
    ];
    for provider in PROVIDERS {
        if provider.name() == super::stripe().name() {
            continue; // has tests of its own: it counts two of these otherwise
        }
        for (code, decimal) in expected {
            let end = format!("-{code}");
            let sample = provider
                .samples()
                .iter()
                .find(|(name, _)| name.ends_with(&end));
            let (name, body) = sample.unwrap_or_else(|| panic!("{provider:?} has no {code}"));
            let reading = reading(provider, body.as_bytes());
            let paid = reading.facts.iter().find_map(paid_of);
            let paid = paid.unwrap_or_else(|| panic!("{provider:?} {name} pays nothing"));
            assert_eq!(
                (paid.currency.code(), paid.decimal().as_str()),
                (code, decimal),
                "{name}"
            );
        }
    }
}

fn exponent(provider: &Provider, paid: Money) -> u8 {
    let code = paid.currency.code();
    let own = provider
        .exponents()
        .iter()
        .find(|(known, _)| *known == code);
    let iso = CURRENCIES.iter().find(|(known, _)| *known == code);
    own.or(iso)
        .map(|(_, places)| *places)
        .expect("is one of these")
}

fn reading(provider: &'static Provider, body: &[u8]) -> NormalizedEvent {
    let received = deliver_sample(provider, "", body);
    let outcome = received.expect("is right").remove(0).outcome;
    let ItemOutcome::Event(reading) = outcome else {
        panic!("{provider:?}: {outcome:?}");
    };
    reading
}

pub(super) fn paid_of(fact: &Fact) -> Option<Money> {
    if let Fact::Payment(payment) = fact {
        Some(payment.paid)
    } else {
        None
    }
}
