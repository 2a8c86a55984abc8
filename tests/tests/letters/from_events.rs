//! From what a provider sends to what its customer reads: nothing that the events do not say.

use domain::catalog::Catalog;
use domain::ids::CustomerKey;
use domain::record::{Effect, Entry, Record};
use engagement_email::Sender;
use engagement_email::render::render_letter;
use jiff::Timestamp;
use local_shop::delivery::{Delivery, Signer};
use local_shop::shop::local_secret;
use serde_json::{Value, json};
use std::sync::Arc;
use store::letters::LetterRow;
use tests::harness::entries::entries;

/// Midnight of the first of May 2026.
const START: i64 = 1_777_593_600;
const DAY: i64 = 86_400;

#[test]
fn a_trial_without_a_card_becomes_paid_only_if_there_is_one() {
    let settings = json!({ "end_behavior": { "missing_payment_method": "cancel" } });
    let text = trial_letter(|object| object["trial_settings"] = settings.clone());
    assert_says(
        &text,
        &["If we have a way to charge you by then", "If not, it ends"],
    );
    assert_says_nothing_of(&text, &["nothing you need to do"]);
    let with_card = trial_letter(|object| {
        object["trial_settings"] = settings.clone();
        object["default_payment_method"] = json!("pm_Medlar1");
    });
    assert_says(&with_card, &["On that day it becomes a paid subscription"]);
}

#[test]
fn prices_by_the_package_are_charged_by_the_package() {
    let text = trial_letter(|object| {
        let item = &mut object["items"]["data"][0];
        item["quantity"] = json!(31);
        item["price"]["transform_quantity"] = json!({ "divide_by": 15, "round": "up" });
    });
    assert_says(&text, &["€57.00 every month"]);
}

#[test]
fn each_interval_has_a_price_of_its_own() {
    let text = trial_letter(|object| {
        let mut yearly = object["items"]["data"][0].clone();
        yearly["id"] = json!("si_Medlar2");
        yearly["price"]["id"] = json!("price_medlar_yearly");
        yearly["price"]["unit_amount"] = json!(19_900);
        yearly["price"]["recurring"]["interval"] = json!("year");
        object["items"]["data"].as_array_mut().unwrap().push(yearly);
    });
    assert_says(&text, &["€199.00 every year and €19.00 every month"]);
}

#[test]
fn tax_is_said_as_far_as_it_is_known() {
    for (behavior, stated, unsaid) in [
        (json!("inclusive"), "tax included", "before any tax"),
        (
            json!("exclusive"),
            "before any tax or discount",
            "tax included",
        ),
        (
            json!("unspecified"),
            "any tax that is not yet in it",
            "before any tax",
        ),
        (Value::Null, "any tax that is not yet in it", "tax included"),
    ] {
        let text = trial_letter(|object| {
            object["items"]["data"][0]["price"]["tax_behavior"] = behavior.clone();
        });
        assert_says(&text, &[stated]);
        assert_says_nothing_of(&text, &[unsaid]);
    }
}

#[test]
fn nothing_is_said_of_attempts_where_nobody_says_anything() {
    let failed = |date: Value, advances: Value| {
        let invoice = invoice(30, "invoice.payment_failed", |object| {
            object["next_payment_attempt"] = date.clone();
            object["auto_advance"] = advances.clone();
        });
        let mut read = letters(
            vec![customer(), subscription("active", |_| ()), invoice],
            30,
        );
        assert_eq!(read.len(), 1);
        read.remove(0)
    };
    assert_says_nothing_of(&failed(Value::Null, Value::Null), &["attempt"]);
    assert_says_nothing_of(&failed(Value::Null, json!(true)), &["attempt"]);
    assert_says(
        &failed(Value::Null, json!(false)),
        &["No further attempt is planned"],
    );
    let dated = failed(json!(START + 33 * DAY), json!(true));
    assert_says(&dated, &["The next attempt is on June\u{a0}3, 2026"]);
    let over = failed(json!(START + 29 * DAY), json!(true));
    assert_says_nothing_of(&over, &["attempt"]);
}

#[test]
fn an_invoice_for_no_subscription_names_none() {
    let invoice = invoice(30, "invoice.payment_failed", |object| {
        object["parent"] = Value::Null
    });
    let read = letters(vec![customer(), invoice], 30);
    assert_eq!(read.len(), 1);
    assert_says(&read[0], &["The payment of €19.00 did not go through"]);
    assert_says_nothing_of(&read[0], &["subscription"]);
}

#[test]
fn what_arrived_is_what_was_paid_after_a_credit_note() {
    let events = vec![
        customer(),
        subscription("active", |_| ()),
        invoice(30, "invoice.payment_failed", |_| ()),
        invoice(31, "invoice.paid", |object| {
            object["amount_due"] = json!(1_200);
            object["total"] = json!(1_200);
            object["amount_paid"] = json!(1_200);
            object["amount_remaining"] = json!(0);
        }),
    ];
    let read = letters(events, 31);
    assert_eq!(read.len(), 1);
    assert_says(&read[0], &["Your payment of €12.00 has arrived"]);
    assert_says_nothing_of(&read[0], &["19.00"]);
}

#[test]
fn an_end_for_want_of_payment_is_not_confirmed_as_a_wish() {
    let ended = |reason: Value| {
        let ended = subscription("canceled", |object| {
            object["canceled_at"] = json!(START + 44 * DAY);
            object["ended_at"] = json!(START + 44 * DAY);
            object["cancellation_details"] = json!({ "reason": reason });
        });
        let ended = stripe_event(
            44,
            "customer.subscription.deleted",
            ended["data"]["object"].clone(),
        );
        let mut read = letters(vec![customer(), subscription("active", |_| ()), ended], 44);
        assert_eq!(read.len(), 1);
        read.remove(0)
    };
    let unpaid = ended(json!("payment_failed"));
    assert_says(&unpaid, &["because its payment could not be collected"]);
    assert_says_nothing_of(&unpaid, &["confirm", "was canceled on"]);
    assert_says(
        &ended(json!("cancellation_requested")),
        &["was canceled on June\u{a0}14, 2026"],
    );
    let unknown = ended(Value::Null);
    assert_says(
        &unknown,
        &["This confirms that your subscription has ended"],
    );
    assert_says_nothing_of(&unknown, &["your cancellation", "was canceled on"]);
}

#[test]
fn a_request_whose_time_moves_is_confirmed_once() {
    let asked = |day: i64| {
        let asked = subscription("active", |object| {
            object["cancel_at_period_end"] = json!(true);
            object["canceled_at"] = json!(START + day * DAY);
        });
        stripe_event(
            day,
            "customer.subscription.updated",
            asked["data"]["object"].clone(),
        )
    };
    let events = vec![
        customer(),
        subscription("active", |_| ()),
        asked(20),
        asked(22),
    ];
    let read = letters(events, 22);
    assert_eq!(read.len(), 1);
    assert_says(&read[0], &["was canceled on May\u{a0}21, 2026"]);
}

#[test]
fn a_checkout_of_a_backdated_subscription_is_left_to_its_page() {
    let begun = subscription("incomplete", |object| {
        object["start_date"] = json!(START - 60 * DAY)
    });
    let failed = invoice(0, "invoice.payment_failed", |_| ());
    assert!(letters(vec![customer(), begun, failed], 0).is_empty());
}

/// The letter about a trial, three days before its end.
fn trial_letter(change: impl Fn(&mut Value)) -> String {
    let trying = subscription("trialing", |object| {
        object["trial_start"] = json!(START);
        object["trial_end"] = json!(START + 14 * DAY);
        change(object);
    });
    let mut read = letters(vec![customer(), trying], 11);
    assert_eq!(read.len(), 1, "the welcome's window is over");
    read.remove(0)
}

/// Subject and text of each letter that is due on that day, once all of this was told.
fn letters(events: Vec<Value>, day: i64) -> Vec<String> {
    let entries = entries_of("stripe", events);
    let now = Timestamp::from_second(START + day * DAY + 60).unwrap();
    let customer = CustomerKey::parse("stripe/test/cus_Medlar1").unwrap();
    let record = Record::new(customer).rebuild(&entries, &entries, now);
    letter_texts(&record.expect("there are events"), now)
}

/// The journal entries of these events, each delivered by itself.
fn entries_of(provider: &str, events: Vec<Value>) -> Vec<Arc<Entry>> {
    let known = providers::provider(provider).unwrap();
    let signer = Signer::provider(known, &local_secret(provider)).unwrap();
    let deliver = |event: Value| {
        entries(&Delivery {
            name: "an event".into(),
            path: format!("/webhooks/{provider}"),
            body: event.to_string().into_bytes(),
            signer: signer.clone(),
        })
    };
    events.into_iter().flat_map(deliver).collect()
}

/// Subject and text of each letter that the record decided.
fn letter_texts(record: &Record, now: Timestamp) -> Vec<String> {
    let sender = Sender {
        shop: "Orangerie".into(),
        from: "orangerie@example.com".into(),
        ..Sender::default()
    };
    let due = record.pending.iter().filter_map(|effect| match effect {
        Effect::Letter(due) => Some(LetterRow::due(record.customer.clone(), due, now)),
        _ => None,
    });
    let write = |row: LetterRow| {
        let mail = render_letter(&row, record, &Catalog::default(), &sender, now).unwrap();
        format!("{}\n{}", mail.subject, mail.text)
    };
    due.map(write).collect()
}

fn assert_says(text: &str, phrases: &[&str]) {
    for phrase in phrases {
        assert!(text.contains(phrase), "`{phrase}` is missing:\n{text}");
    }
}

fn assert_says_nothing_of(text: &str, phrases: &[&str]) {
    for phrase in phrases {
        assert!(!text.contains(phrase), "`{phrase}` is said:\n{text}");
    }
}

fn customer() -> Value {
    let object = json!({
        "id": "cus_Medlar1", "object": "customer", "email": "ines@example.com",
        "name": "Ines Medlar", "preferred_locales": ["en"], "metadata": {},
    });
    stripe_event(0, "customer.created", object)
}

fn subscription(status: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut object = json!({
        "id": "sub_Medlar1", "object": "subscription", "customer": "cus_Medlar1",
        "status": status, "currency": "eur", "start_date": START, "created": START,
        "items": { "object": "list", "has_more": false, "data": [{
            "id": "si_Medlar1", "object": "subscription_item", "quantity": 1,
            "current_period_start": START, "current_period_end": START + 31 * DAY,
            "price": {
                "id": "price_medlar_monthly", "object": "price", "currency": "eur",
                "unit_amount": 1_900, "type": "recurring", "recurring": {
                    "interval": "month", "interval_count": 1, "usage_type": "licensed",
                },
            },
        }] },
        "cancel_at": null, "cancel_at_period_end": false, "canceled_at": null, "ended_at": null,
        "metadata": {}, "discounts": [],
    });
    change(&mut object);
    stripe_event(0, "customer.subscription.created", object)
}

fn invoice(day: i64, kind: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut object = json!({
        "id": "in_Medlar1", "object": "invoice", "customer": "cus_Medlar1", "currency": "eur",
        "amount_due": 1_900, "amount_paid": 0, "amount_remaining": 1_900, "total": 1_900,
        "attempt_count": 1, "next_payment_attempt": null, "metadata": {}, "discounts": [],
        "parent": { "type": "subscription_details", "subscription_details": {
            "subscription": "sub_Medlar1", "metadata": {},
        } },
    });
    change(&mut object);
    stripe_event(day, kind, object)
}

/// An event of that day; its id is that of its kind and day.
fn stripe_event(day: i64, kind: &str, object: Value) -> Value {
    json!({
        "id": format!("evt_Medlar_{day}_{kind}"), "object": "event", "type": kind,
        "api_version": "2025-09-30.clover", "created": START + day * DAY, "livemode": false,
        "data": { "object": object },
    })
}
