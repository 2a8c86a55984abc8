//! A body for every handled event, and the scenario of one customer. Those of payments are forms.

use crate::samples::{bodies, recorded_responses};

/// Named by the event, or by the state that a payment is in. What is signed comes first.
pub(super) static SAMPLES: &[(&str, &str)] = bodies!["mollie":
    "sales-invoice.paid",
    "sales-invoice.paid-simple",
    "payment-link.paid",
    "payment-link.paid-whole",
    "payment.paid-signed",
    "payment.failed-signed",
    "refund.queued",
    "refund.pending",
    "refund.processing",
    "refund.refunded",
    "refund.failed",
    "refund.canceled",
    "refund.refunded-simple",
    "chargeback.received",
    "chargeback.reversed",
    "capture.succeeded",
    "payment.paid-captured-in-part",
    "sales-invoice.paid-by-link",
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

/// One customer from sign-up to the end, as this provider reports it.
pub(super) static SCENARIO: &[(&str, &str)] = bodies!["mollie/scenario":
    "01-payment.paid-first",
    "02-payment.paid-renewal",
    "03-payment.failed",
    "04-payment.paid-recovered",
    "05-payment.paid-upgrade",
    "06-payment.refunded-processing",
    "07-payment.refunded-done",
    "08-payment.charged_back-after-the-end",
];

/// What the API says of these, and what it said by then.
pub(super) static RECORDED_RESPONSES: &[(&str, &str)] = recorded_responses!["mollie":
    "chargeback.reversed",
    "chargeback.received",
    "refund.refunded-simple",
    "refund.canceled",
    "refund.failed",
    "refund.refunded",
    "refund.processing",
    "refund.pending",
    "refund.queued",
    "payment.charged_back",
    "payment.charged_back-reversed",
    "payment.refunded",
    "payment.refunded-failed",
    "scenario/01-payment.paid-first",
    "scenario/02-payment.paid-renewal",
    "scenario/03-payment.failed",
    "scenario/04-payment.paid-recovered",
    "scenario/05-payment.paid-upgrade",
    "scenario/06-payment.refunded-processing",
    "scenario/07-payment.refunded-done",
    "scenario/08-payment.charged_back-after-the-end",
];
