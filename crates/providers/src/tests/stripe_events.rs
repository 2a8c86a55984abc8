//! What Stripe's events mean: shapes, limits of JSON, money, guests, order.

use super::{T, event_of, is_unclear, outcome_at, outcome_of, sample, stripe};
use crate::ItemOutcome;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{Mode, Reference};
use domain::money::{Currency, exponent};
use domain::payment::snapshot::DisputeState;
use serde_json::{Value, json};

pub(super) fn fixture(name: &str) -> Value {
    let path = format!("{}/fixtures/stripe/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("is there");
    serde_json::from_str(&text).expect("is JSON")
}

pub(super) fn read(event: &Value) -> NormalizedEvent {
    event_of(event.to_string().as_bytes())
}

/// The fixture with one value changed, by pointer into its object.
pub(super) fn with(name: &str, pointer: &str, value: Value) -> NormalizedEvent {
    let mut event = fixture(name);
    let (parent, key) = pointer.rsplit_once('/').expect("is a pointer");
    let parent = format!("/data/object{parent}");
    event.pointer_mut(&parent).expect("is there")[key] = value;
    read(&event)
}

/// Everything but the event's own id.
fn without_id(reading: &NormalizedEvent) -> NormalizedEvent {
    NormalizedEvent {
        id: domain::ids::EventId::parse("-").unwrap(),
        ..reading.clone()
    }
}

#[test]
fn old_and_current_shape_of_a_subscription_read_alike() {
    for (current, old) in [
        (
            "customer.subscription.updated",
            "customer.subscription.updated-old-shape",
        ),
        (
            "customer.subscription.updated-renewed",
            "customer.subscription.updated-renewed-old-shape",
        ),
    ] {
        let (current, old) = (read(&fixture(current)), read(&fixture(old)));
        assert_eq!(without_id(&current), without_id(&old));
    }
}

#[test]
fn old_and_current_shape_of_an_invoice_differ_only_in_the_payment_they_name() {
    let current = read(&fixture("invoice.paid"));
    let old = read(&fixture("invoice.paid-old-shape"));
    let payment = |reading: &NormalizedEvent| {
        let Some(Fact::Payment(payment)) = reading.facts.first() else {
            panic!("no payment: {reading:?}");
        };
        payment.clone()
    };
    let (mut current, old) = (payment(&current), payment(&old));
    assert_eq!(current.ids.len(), 1);
    assert_eq!(old.ids.len(), 3);
    current.ids = old.ids.clone();
    // Nor does it say whether another source tells of the same money.
    assert_eq!((current.unlinked, old.unlinked), (true, false));
    current.unlinked = false;
    assert_eq!(current, old);
}

#[test]
fn an_expanded_object_counts_as_its_id() {
    let plain = read(&fixture("invoice.paid-old-shape"));
    for field in ["customer", "subscription", "charge", "payment_intent"] {
        let id = fixture("invoice.paid-old-shape")["data"]["object"][field].clone();
        let object = json!({ "object": field, "id": id, "deleted": true, "customer": "cus_other" });
        let expanded = with("invoice.paid-old-shape", &format!("/{field}"), object);
        assert_eq!(expanded, plain, "{field}");
    }
}

#[test]
fn each_of_the_eight_statuses_is_known_and_a_ninth_is_unclear() {
    for status in [
        "incomplete",
        "incomplete_expired",
        "trialing",
        "active",
        "past_due",
        "unpaid",
        "paused",
        "canceled",
    ] {
        let reading = with("customer.subscription.updated", "/status", status.into());
        let Fact::Subscription(seen) = &reading.facts[0] else {
            panic!("no subscription: {reading:?}");
        };
        assert_eq!(seen.terms.status.as_str(), status);
    }
    let unknown = with("customer.subscription.updated", "/status", "ended".into());
    assert!(is_unclear(&unknown));
}

#[test]
fn a_dispute_is_what_its_status_says() {
    for (status, state) in [
        ("warning_needs_response", DisputeState::Inquiry),
        ("warning_under_review", DisputeState::Inquiry),
        ("warning_closed", DisputeState::InquiryClosed),
        ("needs_response", DisputeState::Open),
        ("under_review", DisputeState::Open),
        ("won", DisputeState::Won),
        ("prevented", DisputeState::Won),
        ("charge_refunded", DisputeState::Won),
        ("response_disabled", DisputeState::Open),
        ("lost", DisputeState::Lost),
    ] {
        let reading = with("charge.dispute.updated", "/status", status.into());
        let [Fact::Dispute(seen)] = reading.facts.as_slice() else {
            panic!("no dispute: {reading:?}");
        };
        assert_eq!(seen.state, state, "{status}");
    }
    assert!(is_unclear(&with(
        "charge.dispute.updated",
        "/status",
        "teleported".into()
    )));
}

#[test]
fn nothing_paid_is_no_payment() {
    let payment = |fact: &Fact| matches!(fact, Fact::Payment(_));
    for (name, pointer, value) in [
        ("payment_intent.succeeded", "/amount_received", json!(0)),
        ("invoice.paid", "/amount_paid", json!(0)),
        ("checkout.session.completed", "/amount_total", json!(0)),
        (
            "checkout.session.completed",
            "/payment_status",
            json!("unpaid"),
        ),
        (
            "checkout.session.completed",
            "/payment_status",
            json!("no_payment_required"),
        ),
        ("checkout.session.completed", "/mode", json!("subscription")),
        ("checkout.session.completed", "/mode", json!("setup")),
        ("charge.succeeded", "/captured", json!(false)),
        ("charge.succeeded", "/status", json!("pending")),
        ("charge.succeeded", "/status", json!("failed")),
    ] {
        assert!(read(&fixture(name)).facts.iter().any(payment), "{name}");
        let reading = with(name, pointer, value);
        assert!(
            !is_unclear(&reading) && !reading.facts.iter().any(payment),
            "{name}{pointer}"
        );
    }
}

#[test]
fn a_guests_events_meet_under_the_payment() {
    let guest = About::Customer(domain::ids::CustomerKey::parse("stripe/test/pi_Grove03").unwrap());
    for name in [
        "checkout.session.completed-guest",
        "payment_intent.succeeded-guest",
        "charge.succeeded-guest",
    ] {
        assert_eq!(read(&fixture(name)).about, guest, "{name}");
    }
    let legacy = with("charge.succeeded-guest", "/payment_intent", Value::Null);
    let charge =
        About::Customer(domain::ids::CustomerKey::parse("stripe/test/ch_Grove03").unwrap());
    assert_eq!(legacy.about, charge);
}

#[test]
fn a_known_customers_charge_says_nothing_of_who_the_customer_is() {
    let profile = |fact: &Fact| matches!(fact, Fact::Profile(_));
    assert!(!read(&fixture("charge.succeeded")).facts.iter().any(profile));
    assert!(
        read(&fixture("charge.succeeded-guest"))
            .facts
            .iter()
            .any(profile)
    );
}

#[test]
fn a_referral_code_is_plain_text_and_a_customer_id_is_no_code() {
    let codes = |reading: &NormalizedEvent| {
        let code = |fact: &Fact| matches!(fact, Fact::ReferralCode { .. });
        reading.facts.iter().filter(|fact| code(fact)).count()
    };
    let name = "checkout.session.completed-guest";
    assert_eq!(codes(&read(&fixture(name))), 1);
    for text in [
        "shop-1",
        "ref_",
        "ref_a b",
        "ref_ä",
        &format!("ref_{}", "x".repeat(65)),
    ] {
        let reading = with(name, "/client_reference_id", text.into());
        assert_eq!(codes(&reading), 0, "{text}");
    }
    for value in [json!(7), json!({}), json!(""), json!("  "), Value::Null] {
        let reading = with(name, "/metadata", json!({ "referral_code": value }));
        assert_eq!(codes(&reading), 1, "from the client reference alone");
        assert!(!is_unclear(&reading));
    }
}

#[test]
fn a_referral_code_is_read_alike_however_it_is_spelled() {
    let name = "checkout.session.completed-guest";
    let by_reference =
        |text: &str| with(name, "/client_reference_id", format!("ref_{text}").into());
    let by_metadata = |text: &str| with(name, "/metadata", json!({ "referral_code": text }));
    for text in ["SPRING20", "Spring20", " spring20 ", "sPRING20\t"] {
        assert_eq!(by_reference(text), by_reference("spring20"), "{text:?}");
        assert_eq!(by_metadata(text), by_metadata("spring20"), "{text:?}");
    }
    let spring = Reference::code("spring20").unwrap();
    assert!(by_metadata("SPRING20").references.contains(&spring));
}

#[test]
fn what_was_charged_is_marked_whatever_it_is_called_and_other_text_is_no_mark() {
    let marks = |details: Value| -> Vec<String> {
        let reading = with("charge.succeeded-card", "/payment_method_details", details);
        assert!(!is_unclear(&reading));
        let mark = |fact: &Fact| {
            if let Fact::Fingerprint { fingerprint } = fact {
                Some(fingerprint.to_string())
            } else {
                None
            }
        };
        reading.facts.iter().filter_map(mark).collect()
    };
    for kind in ["card", "sepa_debit", "bacs_debit", "one_of_tomorrow"] {
        let details = json!({ "type": kind, kind: { "fingerprint": "Mark1" } });
        assert_eq!(marks(details), ["Mark1"], "{kind}");
    }
    let of_card = |mark: Value| json!({ "type": "card", "card": { "fingerprint": mark } });
    let long = "x".repeat(129);
    for mark in [json!(""), json!("a b"), json!(long), json!(7), Value::Null] {
        assert!(marks(of_card(mark)).is_empty());
    }
    for details in [
        json!({ "type": "ideal", "ideal": { "bank": "ing" } }),
        json!("card"),
        Value::Null,
    ] {
        assert!(marks(details).is_empty());
    }
}

#[test]
fn test_money_at_a_live_endpoint_is_acknowledged_and_not_written() {
    let body = sample("invoice.paid").as_bytes();
    let kind = "invoice.paid".into();
    assert_eq!(
        outcome_at(Mode::Live, body),
        ItemOutcome::WrongMode { kind }
    );
    assert!(matches!(outcome_of(body), ItemOutcome::Event(_)));
}

#[test]
fn stripe_counts_these_currencies_so() {
    let places = |code: &str| {
        let currency = Currency::parse(code).expect("is known");
        exponent(currency, stripe().exponents())
    };
    for code in "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(' ') {
        assert_eq!(places(code), 0, "{code}");
    }
    for code in "bhd jod kwd omr tnd".split(' ') {
        assert_eq!(places(code), 3, "{code}");
    }
    for code in "eur usd gbp chf isk ugx huf twd".split(' ') {
        assert_eq!(places(code), 2, "{code}");
    }
}

#[test]
fn events_of_one_second_sort_as_lives_go() {
    let rank = |name: &str| read(&fixture(name)).rank;
    for pair in [
        "customer.created",
        "customer.updated",
        "checkout.session.completed",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "invoice.payment_failed",
        "invoice.paid",
        "charge.succeeded",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "customer.subscription.deleted",
        "customer.deleted",
    ]
    .windows(2)
    {
        assert!(
            rank(pair[0]) < rank(pair[1]),
            "{} before {}",
            pair[0],
            pair[1]
        );
    }
}

#[test]
fn a_retry_signed_anew_reads_the_same() {
    let body = sample("invoice.paid").as_bytes();
    let secret = crate::Secret::new(super::SECRET).expect("is strong");
    let outcome = |now| {
        let signed = stripe()
            .sign(body, &secret, super::at(now))
            .expect("can sign");
        let headers: Vec<_> = signed.iter().map(|(n, v)| (*n, v.as_str())).collect();
        super::deliver(&headers, body, &super::secrets(&[super::SECRET]), now)
    };
    assert_eq!(outcome(T + 2), outcome(T + 3 * 86_400));
    assert_eq!(event_of(body).occurred_at.as_second(), T + 2);
}
