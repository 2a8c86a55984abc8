//! A body for every handled event, and the scenario of one customer.

use crate::samples::{bodies, recorded_responses};

/// Named by the event, then by what is special about it.
pub(super) static SAMPLES: &[(&str, &str)] = bodies!["gocardless":
    "billing_requests.fulfilled",
    "mandates.active",
    "mandates.cancelled",
    "mandates.created",
    "mandates.created-customer-removed",
    "mandates.expired",
    "mandates.failed",
    "payments.cancelled",
    "payments.chargeback_cancelled",
    "payments.chargeback_settled",
    "payments.charged_back",
    "payments.confirmed",
    "payments.confirmed-guest",
    "payments.confirmed-isk",
    "payments.confirmed-jpy",
    "payments.confirmed-kwd",
    "payments.confirmed-tnd",
    "payments.confirmed-ugx",
    "payments.customer_approval_denied",
    "payments.failed",
    "payments.late_failure_settled",
    "payments.paid_out",
    "refunds.created",
    "refunds.failed",
    "refunds.funds_returned",
    "refunds.paid",
    "refunds.paid-on-a-mandate",
    "refunds.refund_settled",
    "subscriptions.amended",
    "subscriptions.cancelled",
    "subscriptions.created",
    "subscriptions.created-fixed-term",
    "subscriptions.created-to-be-approved",
    "subscriptions.customer_approval_denied",
    "subscriptions.customer_approval_granted",
    "subscriptions.finished",
    "subscriptions.paused",
    "subscriptions.payment_created",
    "subscriptions.resumed",
];

/// One customer from sign-up to the end, as this provider reports it.
pub(super) static SCENARIO: &[(&str, &str)] = bodies!["gocardless/scenario":
    "01-billing_requests.fulfilled",
    "02-mandates.created",
    "03-subscriptions.created",
    "04-mandates.active",
    "05-subscriptions.payment_created-first",
    "06-payments.confirmed-first",
    "07-payments.paid_out-first",
    "08-subscriptions.payment_created-renewal",
    "09-payments.confirmed-renewal",
    "10-payments.failed",
    "11-payments.confirmed-recovered",
    "12-subscriptions.amended",
    "13-payments.confirmed-upgrade",
    "14-refunds.created",
    "15-refunds.paid",
    "16-payments.charged_back",
    "17-payments.chargeback_settled",
    "18-subscriptions.cancelled",
];

/// What the API says of these, and what it said by then.
pub(super) static RECORDED_RESPONSES: &[(&str, &str)] = recorded_responses!["gocardless":
    "scenario/03-subscriptions.created",
    "scenario/05-subscriptions.payment_created-first",
    "scenario/08-subscriptions.payment_created-renewal",
    "scenario/10-payments.failed",
    "scenario/12-subscriptions.amended",
    "scenario/18-subscriptions.cancelled",
];
