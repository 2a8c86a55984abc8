//! A body for every handled event, and the scenario of one customer.

use crate::samples::bodies;

/// Named by the event, then by what is special about it.
pub(super) static SAMPLES: &[(&str, &str)] = bodies!["standard":
    "customer.created",
    "customer.deleted",
    "customer.updated",
    "dispute.created",
    "dispute.updated",
    "payment.abandoned",
    "payment.action_required",
    "payment.failed",
    "payment.succeeded",
    "payment.succeeded-guest",
    "payment.succeeded-isk",
    "payment.succeeded-jpy",
    "payment.succeeded-kwd",
    "payment.succeeded-tnd",
    "payment.succeeded-ugx",
    "payment.voided",
    "refund.created",
    "refund.updated",
    "refund.updated-failed",
    "subscription.created",
    "subscription.ended",
    "subscription.updated",
    "subscription.updated-metered",
    "subscription.updated-paused",
];

/// One customer from sign-up to the end, as this provider reports it.
pub(super) static SCENARIO: &[(&str, &str)] = bodies!["standard/scenario":
    "01-customer.created",
    "02-subscription.created",
    "03-subscription.updated-activated",
    "04-payment.succeeded-first",
    "05-subscription.updated-renewed",
    "06-payment.succeeded-renewal",
    "07-subscription.updated-past-due",
    "08-payment.failed",
    "09-payment.succeeded-recovered",
    "10-subscription.updated-recovered",
    "11-subscription.updated-upgraded",
    "12-payment.succeeded-upgrade",
    "13-refund.created",
    "14-refund.updated",
    "15-dispute.created",
    "16-subscription.updated-cancels",
    "17-dispute.updated",
    "18-subscription.ended",
];
