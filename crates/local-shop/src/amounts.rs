//! Amounts as people read them.

use domain::money::Money;
use domain::payment::amounts::OtherCurrencyPart;
use domain::view::PaymentView;

/// So many minor units of a payment's currency for people.
pub fn amount(payment: &PaymentView, minor: i64) -> String {
    money(Money {
        minor,
        ..payment.paid
    })
}

/// A part of a payment for people, with what is told of it in other currencies:
/// `5.00 EUR, 9000 JPY`. `None` where there is nothing of it.
pub fn part(payment: &PaymentView, part: OtherCurrencyPart, minor: i64) -> Option<String> {
    let own = (minor != 0).then(|| amount(payment, minor));
    let others = payment.other_currencies.iter();
    let others = others.filter(|other| other.part == part);
    let texts: Vec<_> = own
        .into_iter()
        .chain(others.map(|other| money(other.amount)))
        .collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// An amount for people: `19.00 EUR`.
pub fn money(money: Money) -> String {
    format!(
        "{} {}",
        money.decimal(),
        money.currency.code().to_uppercase()
    )
}
