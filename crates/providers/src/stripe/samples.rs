//! A body for every event acted upon, and of some the shape of before 2025-03-31.

macro_rules! samples {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../fixtures/stripe/", $name, ".json")))),*]
    };
}

/// Named by the event, then by what is special about it.
pub(super) static SAMPLES: &[(&str, &str)] = samples![
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "charge.refunded-old-shape",
    "charge.succeeded",
    "charge.succeeded-guest",
    "charge.succeeded-old-shape",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.completed-guest",
    "checkout.session.completed-subscription",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.created-trial",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.subscription.updated-old-shape",
    "customer.updated",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.paid-old-shape",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.voided",
    "invoice_payment.paid",
    "payment_intent.succeeded",
    "payment_intent.succeeded-guest",
    "payment_intent.succeeded-old-shape",
    "refund.created",
    "refund.failed",
    "refund.updated",
];
