//! What Paddle's events mean: statuses, adjustments, times, what is unclear, order.

use super::arbitrary::{any_json, with_any_value_replaced};
use super::{T, arrive, at, is_unclear, post, secret_of, secrets_of};
use crate::{Headers, ItemOutcome, Provider};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{Mode, ObjectId};
use domain::payment::snapshot::{DisputeState, InvoiceState, RefundState};
use domain::state::CustomerState;
use domain::state::fold::{fold, fold_with_all_payments};
use domain::subscription::terms::SubscriptionStatus;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::sync::LazyLock;

fn paddle() -> &'static Provider {
    crate::provider("paddle").expect("is in the list")
}

fn outcome_at(mode: Mode, body: &[u8]) -> ItemOutcome {
    let signed = paddle().sign(body, &secret_of(paddle()), at(T));
    let headers = Headers::new(signed.expect("can sign")).expect("are few");
    let secrets = secrets_of(paddle());
    let received = arrive(paddle(), mode, &post(&headers, body), &secrets, T);
    received.expect("is rightly signed").remove(0).outcome
}

fn read(event: &Value) -> NormalizedEvent {
    match outcome_at(Mode::Test, event.to_string().as_bytes()) {
        ItemOutcome::Event(reading) => reading,
        other @ (ItemOutcome::Ignored { .. }
        | ItemOutcome::WrongMode { .. }
        | ItemOutcome::OtherAccount { .. }) => {
            panic!("{other:?}")
        }
    }
}

fn sample(name: &str) -> Value {
    let all = paddle().samples();
    let (_, body) = all.iter().find(|(known, _)| *known == name).expect(name);
    serde_json::from_str(body).expect("is JSON")
}

/// The sample with one value changed, by pointer into its data.
fn with(name: &str, pointer: &str, value: Value) -> NormalizedEvent {
    let mut event = sample(name);
    let (parent, key) = pointer.rsplit_once('/').expect("is a pointer");
    let parent = event.pointer_mut(&format!("/data{parent}"));
    parent.expect("is there")[key] = value;
    read(&event)
}

static SCENARIO: LazyLock<Vec<NormalizedEvent>> = LazyLock::new(|| {
    let life = paddle().scenario().iter();
    life.map(|(_, body)| read(&serde_json::from_str(body).expect("is JSON")))
        .collect()
});

static SCENARIO_STATE: LazyLock<CustomerState> =
    LazyLock::new(|| fold_with_all_payments(SCENARIO.iter()));

#[test]
fn a_subscription_has_one_of_five_statuses() {
    for (word, status) in [
        ("trialing", SubscriptionStatus::Trialing),
        ("active", SubscriptionStatus::Active),
        ("past_due", SubscriptionStatus::PastDue),
        ("paused", SubscriptionStatus::Paused),
        ("canceled", SubscriptionStatus::Canceled),
    ] {
        let reading = with("subscription.updated", "/status", word.into());
        let [Fact::Subscription(seen)] = reading.facts.as_slice() else {
            panic!("no subscription: {reading:?}");
        };
        assert_eq!(seen.terms.status, status);
        assert_eq!(seen.terms.pause.is_some(), word == "paused");
        assert_eq!(seen.end_requested, word == "canceled");
    }
    for word in ["incomplete", "unpaid", "ended", "Active", ""] {
        assert!(is_unclear(&with(
            "subscription.updated",
            "/status",
            word.into()
        )));
    }
}

#[test]
fn an_adjustment_is_what_action_and_status_say() {
    use DisputeState::{Inquiry, InquiryClosed, Lost, Won};
    use RefundState::{Failed, Succeeded};
    const STATUSES: [&str; 4] = ["pending_approval", "approved", "rejected", "reversed"];
    let refund = |told: [Option<RefundState>; 4]| told.map(|state| state.map(Ok));
    let dispute = |told: [Option<DisputeState>; 4]| told.map(|state| state.map(Err));
    for (action, by_status, others_unclear) in [
        ("credit", refund([None; 4]), false),
        ("credit_reverse", refund([None; 4]), false),
        (
            "refund",
            refund([None, Some(Succeeded), Some(Failed), Some(Failed)]),
            false,
        ),
        (
            "chargeback",
            dispute([None, Some(Lost), None, Some(Won)]),
            true,
        ),
        (
            "chargeback_reverse",
            dispute([None, Some(Won), None, None]),
            true,
        ),
        (
            "chargeback_warning",
            dispute([None, Some(Inquiry), None, Some(InquiryClosed)]),
            true,
        ),
        (
            "chargeback_warning_reverse",
            dispute([None, Some(InquiryClosed), None, None]),
            true,
        ),
    ] {
        for (status, expected) in STATUSES.into_iter().zip(by_status) {
            let mut event = sample("adjustment.updated");
            event["data"]["action"] = action.into();
            event["data"]["status"] = status.into();
            let reading = read(&event);
            let told = match reading.facts.as_slice() {
                [Fact::Refund(seen)] => Some(Ok(seen.state)),
                [Fact::Dispute(seen)] => Some(Err(seen.state)),
                _ => None,
            };
            assert_eq!(told, expected, "{action} {status}");
            let unclear = expected.is_none() && others_unclear;
            assert_eq!(is_unclear(&reading), unclear, "{action} {status}");
        }
    }
    assert!(is_unclear(&with(
        "adjustment.updated",
        "/status",
        "lost".into()
    )));
    assert!(is_unclear(&with(
        "adjustment.updated",
        "/action",
        "refund_reverse".into()
    )));
}

#[test]
fn money_taken_by_the_bank_brought_back_and_taken_again_is_away() {
    let disputed = |names: &[&str]| {
        let days = 1_i64..;
        let readings: Vec<_> = names
            .iter()
            .zip(days)
            .map(|(name, day)| {
                let mut event = sample(name);
                event["event_id"] = format!("evt_{day}").into();
                event["occurred_at"] = at(T + day * 86_400).to_string().into();
                read(&event)
            })
            .collect();
        let state = fold(&readings);
        assert_eq!(state.payments.open.len(), 1);
        state.payments.open[0].disputed_minor()
    };
    let (taken, back) = (
        "adjustment.created-chargeback",
        "adjustment.created-chargeback-reverse",
    );
    let warned = "adjustment.created-chargeback-warning";
    assert_eq!(disputed(&[warned]), 0);
    assert_eq!(disputed(&[warned, taken]), 2880);
    assert_eq!(disputed(&[warned, taken, back]), 0);
    assert_eq!(disputed(&[taken, "adjustment.updated-reversed", back]), 0);
    assert_eq!(disputed(&[taken, back, taken]), 2880);
}

#[test]
fn a_first_payment_that_fails_at_the_checkout_page_is_no_failed_invoice() {
    let states = |name: &str| -> Vec<InvoiceState> {
        let mut states = Vec::new();
        for fact in read(&sample(name)).facts {
            if let Fact::Invoice(seen) = fact {
                states.push(seen.state);
            }
        }
        states
    };
    assert_eq!(states("transaction.payment_failed"), [InvoiceState::Failed]);
    assert_eq!(states("transaction.past_due"), [InvoiceState::Failed]);
    assert_eq!(states("transaction.canceled"), [InvoiceState::Voided]);
    assert_eq!(states("transaction.completed"), [InvoiceState::Paid]);
    assert_eq!(states("transaction.payment_failed-at-checkout"), []);
    assert_eq!(states("transaction.past_due-by-invoice"), []);
    let nothing = with(
        "transaction.past_due",
        "/details/totals/balance",
        "0".into(),
    );
    assert!(
        nothing.facts.is_empty(),
        "a change of the card bills nothing"
    );
}

#[test]
fn what_is_no_amount_in_text_is_unclear_and_never_rounded() {
    for amount in [
        json!(2880),
        json!(28.8),
        json!("28.80"),
        json!("2880.0"),
        json!("+2880"),
        json!("02880"),
        json!("-0"),
        json!(" 2880"),
        json!("2_880"),
        json!("٢٨٨٠"),
        json!("0x10"),
        json!(""),
        json!("9223372036854775808"),
        json!(null),
        json!(["2880"]),
    ] {
        let name = "transaction.completed";
        assert!(
            is_unclear(&with(name, "/details/totals/grand_total", amount.clone())),
            "{amount}"
        );
        let name = "adjustment.updated";
        assert!(
            is_unclear(&with(name, "/totals/total", amount.clone())),
            "{amount}"
        );
        let price = "/items/0/price/unit_price/amount";
        assert!(
            is_unclear(&with("subscription.updated", price, amount.clone())),
            "{amount}"
        );
    }
    let largest = with(
        "transaction.completed",
        "/details/totals/grand_total",
        i64::MAX.to_string().into(),
    );
    assert!(!is_unclear(&largest));
}

#[test]
fn times_of_six_and_of_nine_digits_sort_by_time_and_not_by_text() {
    let at = |text: &str| {
        let mut event = sample("customer.updated");
        event["occurred_at"] = text.into();
        read(&event).occurred_at
    };
    // As text, each of these stands behind the next.
    for pair in [
        "2026-01-01T10:00:00Z",
        "2026-01-01T10:00:00.33Z",
        "2026-01-01T10:00:00.334150Z",
        "2026-01-01T10:00:00.334150001Z",
        "2026-01-01T10:00:00.3342Z",
        "2026-01-01T10:00:01Z",
        "2026-01-01T12:00:01.5+02:00",
    ]
    .windows(2)
    {
        assert!(at(pair[0]) < at(pair[1]), "{} before {}", pair[0], pair[1]);
    }
    for text in [
        "2026-01-01T10:00:00",
        "2026-01-01",
        "10:00",
        "1767261600",
        "2026-01-01T10:00:00.0000000001Z",
    ] {
        let mut event = sample("customer.updated");
        event["occurred_at"] = text.into();
        assert_eq!(&*read(&event).kind, "unreadable", "{text}");
    }
}

#[test]
fn the_simulators_events_are_test_money() {
    let mut event = sample("transaction.completed");
    let live = |event: &Value| outcome_at(Mode::Live, event.to_string().as_bytes());
    assert!(
        matches!(live(&event), ItemOutcome::Event(_)),
        "nothing else says which money it is"
    );
    event["event_id"] = "ntfsimevt_01kgrove".into();
    let kind = "transaction.completed".into();
    assert_eq!(live(&event), ItemOutcome::WrongMode { kind });
    assert_eq!(read(&event).id.as_str(), "paddle/test/ntfsimevt_01kgrove");
}

#[test]
fn what_the_shop_wrote_may_be_anything() {
    for custom in [
        json!(null),
        json!([]),
        json!(["olive"]),
        json!("x"),
        json!({"ref": 7}),
    ] {
        let reading = with("customer.created", "/custom_data", custom.clone());
        assert!(
            matches!(reading.facts.as_slice(), [Fact::Profile(_)]),
            "{custom}"
        );
    }
    let long = "x".repeat(10_000);
    let reading = with(
        "customer.created",
        "/custom_data",
        json!({ "referral_code": long }),
    );
    assert!(matches!(reading.facts.as_slice(), [Fact::Profile(_)]));
}

#[test]
fn the_life_ends_as_it_was_lived() {
    let state = fold(SCENARIO.iter());
    let id = ObjectId::parse("sub_01kgrove000000000000000000").unwrap();
    let subscription = &state.subscriptions[&id];
    assert_eq!(subscription.terms.status, SubscriptionStatus::Canceled);
    let asked = "2026-04-05T16:00:00Z".parse().ok();
    assert_eq!(
        subscription.canceled_at, asked,
        "asked for ten days before it ended"
    );
    assert_eq!(subscription.ended_at, "2026-04-15T10:00:00Z".parse().ok());
    assert_eq!(
        subscription.activated_at,
        "2026-01-01T10:00:00Z".parse().ok()
    );
    let paid: Vec<_> = state.payments.settled().collect();
    let money: Vec<_> = paid
        .iter()
        .map(|p| p.paid().expect("is").decimal())
        .collect();
    assert_eq!(money, ["12.00", "12.00", "12.00", "14.40"]);
    let back: Vec<_> = paid
        .iter()
        .map(|p| (p.refunded_minor(), p.disputed_minor()))
        .collect();
    assert_eq!(back, [(0, 0), (0, 1200), (0, 0), (480, 0)]);
    let invoices: Vec<_> = state.invoices.values().collect();
    assert_eq!(invoices.len(), 1);
    assert_eq!(
        (invoices[0].state, invoices[0].attempts),
        (InvoiceState::Paid, 1)
    );
    assert_eq!(state.person.email(), Some("nell@example.com"));
    assert_eq!(state.unclear, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_life_ends_so_in_every_order_and_with_every_repetition(
        told in Just(SCENARIO.clone()).prop_shuffle(),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
    ) {
        let mut all = told.clone();
        all.extend(again.iter().map(|index| index.get(&told).clone()));
        prop_assert_eq!(&fold_with_all_payments(&all), &*SCENARIO_STATE);
    }

    #[test]
    fn any_data_of_any_type_has_an_outcome(
        kind in select(paddle().handled_types()),
        data in any_json(),
    ) {
        let event = json!({
            "event_id": "evt_1", "event_type": kind, "data": data,
            "occurred_at": "2026-01-01T10:00:00.334150Z",
        });
        let reading = read(&event);
        prop_assert_eq!(reading.id.as_str(), "paddle/test/evt_1");
        super::arbitrary::assert_sound(&reading);
    }

    #[test]
    fn a_sample_with_any_value_replaced_keeps_its_id(
        event in with_any_value_replaced(paddle().samples()),
    ) {
        let reading = read(&event);
        prop_assert!(reading.id.as_str().starts_with("paddle/test/evt_"));
        super::arbitrary::assert_sound(&reading);
    }
}
