//! Amounts as people read them.

use domain::money::Money;
use domain::view::PaymentView;

/// So many minor units of a payment's currency for people.
pub fn amount(payment: &PaymentView, minor: i64) -> String {
    money(Money {
        minor,
        ..payment.paid
    })
}

/// An amount for people: `19.00 EUR`.
pub fn money(money: Money) -> String {
    format!(
        "{} {}",
        money.decimal(),
        money.currency.code().to_uppercase()
    )
}
