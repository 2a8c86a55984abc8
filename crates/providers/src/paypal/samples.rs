//! A body for every handled event, the scenario of one customer, and PayPal's API responses.

use crate::samples::{bodies, recorded_responses};

/// Named by the event, then by what is special about it.
pub(super) static SAMPLES: &[(&str, &str)] = bodies!["paypal":
    "BILLING.SUBSCRIPTION.ACTIVATED",
    "BILLING.SUBSCRIPTION.ACTIVATED-paid-trial",
    "BILLING.SUBSCRIPTION.ACTIVATED-trial",
    "BILLING.SUBSCRIPTION.CANCELLED",
    "BILLING.SUBSCRIPTION.CREATED",
    "BILLING.SUBSCRIPTION.EXPIRED",
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED",
    "BILLING.SUBSCRIPTION.RE-ACTIVATED",
    "BILLING.SUBSCRIPTION.SUSPENDED",
    "BILLING.SUBSCRIPTION.SUSPENDED-after-failures",
    "BILLING.SUBSCRIPTION.UPDATED",
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.CREATED-inquiry",
    "CUSTOMER.DISPUTE.CREATED-two-payments",
    "CUSTOMER.DISPUTE.RESOLVED",
    "CUSTOMER.DISPUTE.RESOLVED-inquiry",
    "CUSTOMER.DISPUTE.RESOLVED-lost",
    "CUSTOMER.DISPUTE.RESOLVED-without-outcome",
    "CUSTOMER.DISPUTE.RESOLVED-in-part",
    "CUSTOMER.DISPUTE.RESOLVED-none",
    "CUSTOMER.DISPUTE.UPDATED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.COMPLETED-first-version",
    "PAYMENT.CAPTURE.COMPLETED-isk",
    "PAYMENT.CAPTURE.COMPLETED-jpy",
    "PAYMENT.CAPTURE.COMPLETED-kwd",
    "PAYMENT.CAPTURE.COMPLETED-tnd",
    "PAYMENT.CAPTURE.COMPLETED-ugx",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REFUNDED-first-version",
    "PAYMENT.CAPTURE.REVERSED",
    "PAYMENT.SALE.COMPLETED",
    "PAYMENT.SALE.COMPLETED-guest",
    "PAYMENT.SALE.COMPLETED-old-agreement",
    "PAYMENT.SALE.COMPLETED-pending",
    "PAYMENT.SALE.REFUNDED",
    "PAYMENT.SALE.REFUNDED-below-zero",
    "PAYMENT.SALE.REVERSED",
    "PAYMENT.SALE.REVERSED-by-its-refund",
    "PAYMENT.SALE.REVERSED-itself",
];

/// In the order in which it happened.
pub(super) static SCENARIO: &[(&str, &str)] = bodies!["paypal/scenario":
    "01-BILLING.SUBSCRIPTION.CREATED",
    "02-BILLING.SUBSCRIPTION.ACTIVATED",
    "03-PAYMENT.SALE.COMPLETED-first",
    "04-PAYMENT.SALE.COMPLETED-renewal",
    "05-BILLING.SUBSCRIPTION.PAYMENT.FAILED",
    "06-PAYMENT.SALE.COMPLETED-recovered",
    "07-BILLING.SUBSCRIPTION.UPDATED-upgraded",
    "08-PAYMENT.SALE.COMPLETED-upgrade",
    "09-PAYMENT.SALE.REFUNDED",
    "10-CUSTOMER.DISPUTE.CREATED",
    "11-BILLING.SUBSCRIPTION.CANCELLED",
    "12-PAYMENT.SALE.REVERSED",
    "13-CUSTOMER.DISPUTE.RESOLVED",
];

/// What is answered whatever is told, then what is to one sale.
pub(super) static RECORDED_RESPONSES: &[(&str, &str)] = recorded_responses!["paypal":
    "scenario/03-PAYMENT.SALE.COMPLETED-first",
    "scenario/04-PAYMENT.SALE.COMPLETED-renewal",
    "scenario/06-PAYMENT.SALE.COMPLETED-recovered",
    "scenario/08-PAYMENT.SALE.COMPLETED-upgrade",
];
