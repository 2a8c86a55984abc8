//! A guest's payment that turns out to be a customer's, as Stripe tells it: in every order it is
//! one payment of the customer's, with its refund.

use crate::event_orders::each_order;
use domain::ids::CustomerKey;
use domain::record::{Entry, Record};
use local_shop::delivery::{Delivery, Signer};
use local_shop::shop::signers;
use providers::ApiResponses;
use serde_json::{Value, json};
use std::sync::Arc;
use store::audit::walk;
use store::folding::read_record;
use store::ingest::ingest_entries;
use store::memory::MemoryTable;
use tests::harness::entries::{journal_entry, receive_recorded};
use tests::harness::{shop, start_time};

#[test]
fn a_charge_that_is_given_its_customer_later_is_refunded_in_every_order() {
    let charge = |customer: Value, refunded: i64| {
        json!({
            "id": "ch_Lime01", "object": "charge", "customer": customer, "payment_intent": null,
            "amount": 3_900, "amount_captured": 3_900, "amount_refunded": refunded,
            "captured": true, "currency": "eur", "status": "succeeded", "paid": true,
            "refunded": refunded > 0, "metadata": {}, "livemode": false,
            "billing_details": { "email": "lou@example.com", "name": null, "address": null },
        })
    };
    let events = [
        ("charge.succeeded", 0, charge(Value::Null, 0)),
        ("customer.created", 60, customer("cus_Lime01")),
        ("charge.updated", 61, charge("cus_Lime01".into(), 0)),
        ("charge.refunded", 3_600, charge("cus_Lime01".into(), 3_900)),
    ];
    every_order("cus_Lime01", &entries(&events), 3_900, 3_900);
}

#[test]
fn a_checkout_that_makes_a_customer_of_a_guest_is_one_payment_in_every_order() {
    let charge = |refunded: i64| {
        json!({
            "id": "ch_Lime02", "object": "charge", "customer": null,
            "payment_intent": "pi_Lime02", "amount": 6_100, "amount_captured": 6_100,
            "amount_refunded": refunded, "captured": true, "currency": "eur",
            "status": "succeeded", "paid": true, "refunded": false, "metadata": {},
            "livemode": false,
        })
    };
    let intent = json!({
        "id": "pi_Lime02", "object": "payment_intent", "customer": null, "currency": "eur",
        "amount": 6_100, "amount_received": 6_100, "latest_charge": "ch_Lime02",
        "status": "succeeded", "metadata": {}, "livemode": false,
    });
    let session = json!({
        "id": "cs_Lime02", "object": "checkout.session", "mode": "payment",
        "payment_status": "paid", "customer": "cus_Lime02", "payment_intent": "pi_Lime02",
        "amount_total": 6_100, "currency": "eur", "total_details": { "amount_tax": 0 },
        "metadata": {}, "livemode": false,
    });
    let events = [
        ("charge.succeeded", 0, charge(0)),
        ("payment_intent.succeeded", 0, intent),
        ("customer.created", 1, customer("cus_Lime02")),
        ("checkout.session.completed", 1, session),
        ("charge.refunded", 3_600, charge(2_500)),
    ];
    every_order("cus_Lime02", &entries(&events), 6_100, 2_500);
}

fn customer(id: &str) -> Value {
    json!({
        "id": id, "object": "customer", "email": "lou@example.com", "name": "Lou Lime",
        "address": { "country": "FR" }, "preferred_locales": ["fr"], "metadata": {},
        "livemode": false,
    })
}

/// What is acted on of these: name, seconds after the start, object.
fn entries(events: &[(&str, i64, Value)]) -> Vec<Arc<Entry>> {
    let now = start_time();
    let signers = signers(&shop()).unwrap();
    let signer = Signer::provider(signers.provider, &signers.secret).unwrap();
    let made = events
        .iter()
        .enumerate()
        .map(|(number, (name, after, object))| {
            let body = json!({
                "id": format!("evt_Lime{number}"), "object": "event",
                "api_version": "2025-09-30.clover", "created": now.as_second() + after,
                "data": { "object": object }, "livemode": false, "pending_webhooks": 1,
                "request": { "id": null, "idempotency_key": null }, "type": name,
            });
            let delivery = Delivery {
                name: (*name).to_owned(),
                path: "/webhooks/stripe".into(),
                body: body.to_string().into_bytes(),
                signer: signer.clone(),
            };
            let received = receive_recorded(&delivery, &ApiResponses::closed());
            let kept = received.into_iter();
            let kept = kept.filter_map(|item| journal_entry(signers.provider, item, name));
            kept.collect::<Vec<_>>()
        });
    made.flatten().collect()
}

fn every_order(id: &str, entries: &[Arc<Entry>], paid: i64, refunded: i64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut orders = 0;
    each_order(&mut vec![1; entries.len()], &mut Vec::new(), &mut |order| {
        runtime.block_on(async {
            let table = MemoryTable::default();
            for place in order {
                let delivered = std::slice::from_ref(&entries[*place]);
                ingest_entries(&table, delivered, start_time())
                    .await
                    .unwrap();
            }
            let record = record(&table, id).await;
            let open = &record.folded.state.payments.open;
            let seen: Vec<_> = open
                .iter()
                .map(|payment| {
                    (
                        payment.paid().map(|paid| paid.minor),
                        payment.refunded_minor(),
                    )
                })
                .collect();
            assert_eq!(seen, [(Some(paid), refunded)], "{order:?}");
            let audited = walk(&table, 9, start_time()).await.unwrap();
            assert_eq!(
                (audited.repaired, audited.passed_over.count),
                (0, 0),
                "{order:?}"
            );
        });
        orders += 1;
    });
    assert!(orders >= 6, "{orders}");
}

async fn record(table: &MemoryTable, id: &str) -> Arc<Record> {
    let customer = CustomerKey::parse(format!("stripe/test/{id}")).unwrap();
    read_record(table, &customer).await.unwrap().unwrap()
}
