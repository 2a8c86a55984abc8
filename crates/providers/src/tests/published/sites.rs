//! Where the published objects and their fields stand in a delivery.

use super::deliveries::Delivery;
use super::schema::{Field, Published};
use serde_json::Value;

/// A field of a published object, in a delivery.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The pointer of the object.
    pub(super) object: String,
    /// What the object is called where it is published.
    pub(super) name: String,
    /// The field.
    pub(super) field: String,
    /// What is published of it.
    pub(super) told: Field,
    /// The object, where it does not stand there yet.
    made: Option<Value>,
}

impl Site {
    /// The object and the field: `subscription.status`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.name, self.field)
    }

    /// Whether the object stands there, and need not be made.
    pub(super) fn stands_there(&self) -> bool {
        self.made.is_none()
    }

    /// The parts with this value there; without it where there is none.
    pub(super) fn set(&self, parts: &Value, value: Option<Value>) -> Value {
        let mut parts = parts.clone();
        if let (Some(made), Some((around, own))) = (&self.made, self.object.rsplit_once('/'))
            && let Some(Value::Object(around)) = parts.pointer_mut(around)
        {
            around.insert(own.to_owned(), made.clone());
        }
        if let Some(Value::Object(object)) = parts.pointer_mut(&self.object) {
            match value {
                Some(value) => object.insert(self.field.clone(), value),
                None => object.remove(&self.field),
            };
        }
        parts
    }

    /// What stands there.
    pub(super) fn get<'v>(&self, parts: &'v Value) -> Option<&'v Value> {
        parts.pointer(&self.object)?.get(&self.field)
    }
}

/// Every field of every published object in a delivery, there or not.
pub(super) fn sites(delivery: &Delivery, published: &Published) -> Vec<Site> {
    let mut found = Vec::new();
    for (pointer, name) in roots(delivery) {
        walk(&delivery.parts, &pointer, name, published, &mut found);
    }
    found
}

fn walk(parts: &Value, pointer: &str, name: &str, published: &Published, found: &mut Vec<Site>) {
    let Some(Value::Object(object)) = parts.pointer(pointer) else {
        return;
    };
    let fields = published.objects.get(name);
    let fields = fields.unwrap_or_else(|| panic!("no object {name} is published"));
    let site = |pointer: &str, name: &str, field: &str, told: &Field, made| Site {
        object: pointer.to_owned(),
        name: name.to_owned(),
        field: field.to_owned(),
        told: told.clone(),
        made,
    };
    for (field, told) in fields {
        found.push(site(pointer, name, field, told, None));
        let Some(inner) = told.object() else {
            continue;
        };
        let below = format!("{pointer}/{field}");
        match object.get(field) {
            Some(Value::Object(_)) => walk(parts, &below, inner, published, found),
            Some(Value::Array(items)) if !items.is_empty() => {
                walk(parts, &format!("{below}/0"), inner, published, found);
            }
            // What may stand there, and does not.
            Some(Value::Null) | None
                if told.is.as_deref().is_some_and(|is| is.starts_with('@')) =>
            {
                let made = published.object(inner, 2);
                for (field, told) in published.objects.get(inner).into_iter().flatten() {
                    found.push(site(&below, inner, field, told, Some(made.clone())));
                }
            }
            Some(_) | None => {}
        }
    }
}

/// The objects of a delivery: pointer and published name.
fn roots(delivery: &Delivery) -> Vec<(String, &'static str)> {
    let (provider, parts) = (delivery.provider.name(), &delivery.parts);
    let mut roots = Vec::new();
    let in_body = BODIES.iter().find(|(of, kind, begin, ..)| {
        let kind = parts.pointer(kind).and_then(Value::as_str);
        *of == provider && kind.is_some_and(|kind| kind.starts_with(begin))
    });
    // What a payment or a refund is in the first version of an API.
    let first = [("capture", "sale"), ("refund", "sale_refund")];
    let is_first = parts.pointer("/body/resource/state").is_some();
    let in_body = in_body.map(|(.., pointer, object)| {
        let of_first = first.iter().find(|(now, _)| is_first && now == object);
        (pointer, of_first.map_or(*object, |(_, before)| *before))
    });
    if let Some((pointer, object)) = in_body {
        roots.push(((*pointer).to_owned(), object));
    }
    let answers = parts["answers"].as_object().expect("are documents");
    for path in answers.keys() {
        let row = ANSWERS.iter().find(|(of, begin, within, ..)| {
            *of == provider && path.starts_with(begin) && path.contains(within)
        });
        let row = row.filter(|(.., object)| !object.is_empty());
        if let Some((.., pointer, object)) = row {
            let key = path.replace('~', "~0").replace('/', "~1");
            roots.push((format!("/answers/{key}{pointer}"), *object));
        }
    }
    roots
}

/// A provider, the pointer of an event's type, how the type begins, the object's pointer, its name.
/// The first row that fits counts.
#[rustfmt::skip] // one row a line
const BODIES: &[SiteRow] = &[
    ("stripe", "/body/type", "customer.subscription.", "/body/data/object", "subscription"),
    ("stripe", "/body/type", "customer.discount.", "/body/data/object", "discount"),
    ("stripe", "/body/type", "customer.", "/body/data/object", "customer"),
    ("stripe", "/body/type", "checkout.session.", "/body/data/object", "checkout.session"),
    ("stripe", "/body/type", "invoice_payment.", "/body/data/object", "invoice_payment"),
    ("stripe", "/body/type", "invoice.", "/body/data/object", "invoice"),
    ("stripe", "/body/type", "charge.dispute.", "/body/data/object", "dispute"),
    ("stripe", "/body/type", "charge.refund.", "/body/data/object", "refund"),
    ("stripe", "/body/type", "refund.", "/body/data/object", "refund"),
    ("stripe", "/body/type", "charge.", "/body/data/object", "charge"),
    ("stripe", "/body/type", "payment_intent.", "/body/data/object", "payment_intent"),
    ("paddle", "/body/event_type", "subscription.created", "/body/data", "subscription.created"),
    ("paddle", "/body/event_type", "subscription.", "/body/data", "subscription"),
    ("paddle", "/body/event_type", "transaction.", "/body/data", "transaction"),
    ("paddle", "/body/event_type", "adjustment.", "/body/data", "adjustment"),
    ("paddle", "/body/event_type", "customer.", "/body/data", "customer"),
    ("polar", "/body/type", "subscription.", "/body/data", "subscription"),
    ("polar", "/body/type", "order.", "/body/data", "order"),
    ("polar", "/body/type", "refund.", "/body/data", "refund"),
    ("polar", "/body/type", "customer.", "/body/data", "customer"),
    ("paypal", "/body/event_type", "BILLING.SUBSCRIPTION.", "/body/resource", "subscription"),
    ("paypal", "/body/event_type", "PAYMENT.SALE.COMPLETED", "/body/resource", "sale"),
    ("paypal", "/body/event_type", "PAYMENT.SALE.", "/body/resource", "sale_refund"),
    ("paypal", "/body/event_type", "PAYMENT.CAPTURE.COMPLETED", "/body/resource", "capture"),
    ("paypal", "/body/event_type", "PAYMENT.CAPTURE.", "/body/resource", "refund"),
    ("paypal", "/body/event_type", "CUSTOMER.DISPUTE.", "/body/resource", "dispute"),
    ("gocardless", "/body/events/0/resource_type", "", "/body/events/0", "event"),
    ("mollie", "/body/type", "payment.", "/body/_embedded/entity", "payment"),
    ("mollie", "/body/type", "refund.", "/body/_embedded/entity", "refund"),
    ("mollie", "/body/type", "chargeback.", "/body/_embedded/entity", "chargeback"),
    ("mollie", "/body/type", "sales-invoice.", "/body/_embedded/entity", "sales_invoice"),
];

/// A provider, how a path begins, what it contains, the object's pointer in the document, its name;
/// no name where it is not of interest. The first row that fits counts.
#[rustfmt::skip] // one row a line
const ANSWERS: &[SiteRow] = &[
    ("paypal", "/v1/billing/subscriptions/", "", "", "subscription"),
    ("paypal", "/v1/payments/refund/", "", "", "sale_refund"),
    ("gocardless", "/payments/", "", "/payments", "payment"),
    ("gocardless", "/refunds/", "", "/refunds", "refund"),
    ("gocardless", "/subscriptions/", "", "/subscriptions", "subscription"),
    ("gocardless", "/subscriptions?", "", "/subscriptions/0", "subscription"),
    ("gocardless", "/mandates/", "", "/mandates", "mandate"),
    ("gocardless", "/customers/", "", "/customers", "customer"),
    ("gocardless", "/billing_requests/", "", "/billing_requests", "billing_request"),
    ("mollie", "/payments/", "", "", "payment"),
    ("mollie", "/payment-links/", "/payments", "/_embedded/payments/0", "payment"),
    ("mollie", "/customers/", "/subscriptions/", "", "subscription"),
    ("mollie", "/customers/", "", "", "customer"),
    ("mollie", "/sales-invoices/", "", "", "sales_invoice"),
];

/// Where an object stands, in the words of the table.
type SiteRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);
