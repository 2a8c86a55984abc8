//! A body for every event acted upon, and one customer's life. Those of payments are forms.

use crate::samples::{answers, bodies};

/// Named by the event, or by the state that a payment is in. What is signed comes first.
pub(super) static SAMPLES: &[(&str, &str)] = bodies!["mollie":
    "sales-invoice.paid",
    "sales-invoice.paid-simple",
    "payment-link.paid",
    "payment-link.paid-whole",
    "payment.charged_back",
    "payment.charged_back-reversed",
    "payment.failed",
    "payment.paid",
    "payment.paid-card",
    "payment.paid-guest",
    "payment.paid-isk",
    "payment.paid-jpy",
    "payment.paid-kwd",
    "payment.paid-retry",
    "payment.paid-tnd",
    "payment.paid-ugx",
    "payment.refunded",
    "payment.refunded-failed",
];

/// One customer's life: what each provider tells of the same thing.
pub(super) static SCENARIO: &[(&str, &str)] = bodies!["mollie/life":
    "01-payment.paid-first",
    "02-payment.paid-renewal",
    "03-payment.failed",
    "04-payment.paid-recovered",
    "05-payment.paid-upgrade",
    "06-payment.refunded-pending",
    "07-payment.refunded-done",
    "08-payment.charged_back-after-the-end",
];

/// What the API says of these, and what it said by then.
pub(super) static RECORDED_RESPONSES: &[(&str, &str)] = answers!["mollie":
    "payment.charged_back",
    "payment.charged_back-reversed",
    "payment.refunded",
    "payment.refunded-failed",
    "life/01-payment.paid-first",
    "life/02-payment.paid-renewal",
    "life/03-payment.failed",
    "life/04-payment.paid-recovered",
    "life/05-payment.paid-upgrade",
    "life/06-payment.refunded-pending",
    "life/07-payment.refunded-done",
    "life/08-payment.charged_back-after-the-end",
];
