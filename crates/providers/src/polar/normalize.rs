//! Normalizes Polar's events: the reader for each type.

use super::{customer, order, subscription};
use crate::envelope::{CustomerFields, EventSchema, read};
use crate::fetch::FetchStep;
use crate::outcome::ItemOutcome;
use crate::provider::WireItem;
use crate::standard::open;

/// Normalizes one verified body.
pub(super) fn normalize(item: &WireItem<'_, '_>) -> FetchStep<ItemOutcome> {
    read(item, &SCHEMA)
}

/// The handled types, in the order they take within one instant. Every change of a
/// subscription or an order is also told as `.updated`, with the same object.
#[rustfmt::skip] // one row a line, or the order cannot be seen
pub(super) const SCHEMA: EventSchema = EventSchema {
    open,
    event_types: &[
        ("customer.created", 10, customer::customer_snapshot),
        ("customer.updated", 12, customer::customer_snapshot),
        ("subscription.created", 30, subscription::snapshot),
        ("subscription.migrated", 31, subscription::snapshot),
        ("subscription.cycled", 34, subscription::snapshot),
        ("subscription.updated", 36, subscription::snapshot),
        ("subscription.active", 37, subscription::snapshot),
        ("subscription.past_due", 38, subscription::snapshot),
        ("subscription.paused", 39, subscription::snapshot),
        ("subscription.resumed", 40, subscription::snapshot),
        ("subscription.canceled", 41, subscription::snapshot),
        ("subscription.uncanceled", 42, subscription::snapshot),
        ("order.created", 50, order::snapshot),
        ("order.updated", 55, order::snapshot),
        ("order.paid", 57, order::snapshot),
        ("refund.created", 70, order::refund),
        ("order.refunded", 71, order::snapshot),
        ("refund.updated", 72, order::refund),
        ("subscription.revoked", 90, subscription::snapshot),
        ("customer.deleted", 99, customer::deleted),
    ],
    customer_fields: &[
        ("customer.", CustomerFields { customer: "id", references: &[] }),
        (
            "refund.",
            CustomerFields {
                customer: "customer_id",
                references: &["order_id", "subscription_id"],
            },
        ),
        ("", CustomerFields { customer: "customer_id", references: &["id"] }),
    ],
};
