//! What a letter's cause is not: the time of a field that any update moves, a start that names the
//! past, money that credit paid, a trial that nobody will charge.

use crate::due_letters::{
    DAY, HOUR, confirmed, due, invoice, invoice_of, letters, profile_event, renewing,
    subscription_event, trial,
};
use crate::scenarios::{at, customer, email, entry, eur, id, new_event, paid};
use domain::event::{Fact, NormalizedEvent};
use domain::letter::Letter;
use domain::letter::address::is_address;
use domain::letter::plan::DueLetter;
use domain::payment::snapshot::{InvoiceSnapshot, InvoiceState, NextAttempt, SourceKind};
use domain::record::{AdvanceOutcome, Effect, Record};
use domain::state::fold::fold;
use domain::subscription::terms::SubscriptionStatus::{Active, Canceled, Incomplete, PastDue};
use domain::subscription::terms::{Pause, SubscriptionSnapshot};

/// Its end was asked for at that time, the events say; it happened at `second`.
fn ending(name: &str, second: i64, asked: i64) -> NormalizedEvent {
    subscription_event(name, second, |snapshot| set_to_end(snapshot, asked))
}

fn set_to_end(snapshot: &mut SubscriptionSnapshot, asked: i64) {
    snapshot.terms.cancel_at = Some(at(60 * DAY));
    snapshot.canceled_at = Some(at(asked));
}

#[test]
fn a_request_whose_time_moves_with_every_update_is_confirmed_once_in_any_order_of_arrival() {
    let moves = [
        ending("m1", 40 * DAY, 40 * DAY),
        ending("m2", 41 * DAY, 41 * DAY),
        ending("m3", 42 * DAY, 42 * DAY),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let mut known = renewing(Active);
        let mut record = Record::new(customer());
        let mut decided = 0;
        for next in order {
            known.push(moves[next].clone());
            assert_eq!(letters(&known, 42 * DAY), [confirmed(1)], "{order:?}");
            let entries: Vec<_> = known.iter().cloned().map(entry).collect();
            let rebuilt = record.rebuild(&entries, &entries, at(42 * DAY));
            let effects = rebuilt.iter().flat_map(|record| record.pending.clone());
            decided += effects
                .filter(|effect| matches!(effect, Effect::Letter(_)))
                .count();
            record = rebuilt.map_or(record, |record| record.cleared());
        }
        assert_eq!(decided, 1, "{order:?}");
        let kept = &record.folded.state.subscriptions[&id("sub_1")];
        assert_eq!(
            (kept.canceled_at, kept.end_requests),
            (Some(at(40 * DAY)), 1)
        );
    }
}

#[test]
fn a_letter_decided_under_the_time_of_its_request_is_not_decided_again() {
    let named = |cause: &str, second| DueLetter {
        letter: Letter::CancellationConfirmed,
        cause: cause.into(),
        caused_at: at(second),
    };
    let before = named("sub_1@2026-02-10T00:00:00Z", 40 * DAY);
    assert!(before.is_same(&named("sub_1@1", 40 * DAY)));
    assert!(!before.is_same(&named("sub_1@2", 41 * DAY)));
    assert!(!before.is_same(&named("sub_2@1", 40 * DAY)));
}

#[test]
fn a_fixed_term_is_confirmed_only_once_somebody_ends_it_before() {
    let agreed = ending("f1", 1, 0);
    let mut events = vec![profile_event(), agreed, ending("f2", 30 * DAY, 30 * DAY)];
    assert!(letters(&events, 30 * DAY).is_empty(), "nobody asked");
    let mut over = events.clone();
    over.push(subscription_event("f4", 60 * DAY, |snapshot| {
        snapshot.terms.status = Canceled;
        snapshot.canceled_at = Some(at(60 * DAY));
        snapshot.ended_at = Some(at(60 * DAY));
    }));
    assert!(
        letters(&over, 60 * DAY).is_empty(),
        "it came to its agreed end"
    );
    events.push(subscription_event("f3", 40 * DAY, |snapshot| {
        set_to_end(snapshot, 40 * DAY);
        snapshot.terms.cancel_at = Some(at(50 * DAY));
    }));
    assert_eq!(letters(&events, 40 * DAY), [confirmed(1)]);
}

#[test]
fn a_subscription_with_a_start_in_the_past_is_at_checkout_until_it_runs() {
    let begun = |name: &str, second, status| {
        subscription_event(name, second, |snapshot| {
            snapshot.started_at = at(0);
            snapshot.terms.status = status;
        })
    };
    let mut events = vec![profile_event(), begun("b1", 60 * DAY, Incomplete)];
    events.push(invoice("f1", 60 * DAY + 1, InvoiceState::Failed));
    assert!(
        letters(&events, 60 * DAY + 1).is_empty(),
        "the page shows it"
    );
    let mut given_up = events.clone();
    given_up.push(subscription_event("b3", 60 * DAY + HOUR, |snapshot| {
        snapshot.terms.status = Canceled;
        snapshot.canceled_at = Some(at(60 * DAY + HOUR));
        snapshot.ended_at = Some(at(60 * DAY + HOUR));
    }));
    assert!(
        letters(&given_up, 60 * DAY + HOUR).is_empty(),
        "it never began"
    );
    events.push(invoice("p1", 60 * DAY + HOUR, InvoiceState::Paid));
    events.push(begun("b2", 60 * DAY + HOUR, Active));
    assert!(
        letters(&events, 60 * DAY + HOUR).is_empty(),
        "nothing had to recover"
    );
    let renewal = ["in_2", "sub_1"];
    events.push(invoice_of("f2", 90 * DAY, renewal, InvoiceState::Failed));
    events.push(begun("b4", 90 * DAY, PastDue));
    assert_eq!(
        letters(&events, 90 * DAY),
        [(Letter::PaymentFailed, "in_2")]
    );
}

#[test]
fn a_start_that_later_events_leave_out_stays_the_earliest() {
    let mut events = renewing(Active);
    events.push(subscription_event("s2", 40 * DAY, |snapshot| {
        snapshot.started_at = at(40 * DAY);
    }));
    assert!(letters(&events, 40 * DAY).is_empty(), "it began long ago");
}

#[test]
fn what_credit_paid_or_what_went_back_is_no_payment_that_arrived() {
    let settled = |minor| {
        let snapshot = InvoiceSnapshot {
            id: id("in_1"),
            subscription: Some(id("sub_1")),
            state: InvoiceState::Paid,
            due: eur(0),
            attempts: 2,
            next_attempt: NextAttempt::Unknown,
            paid: Some(eur(minor)),
        };
        new_event("evt_paid", 31 * DAY, 40, vec![Fact::Invoice(snapshot)])
    };
    let mut events = renewing(Active);
    events.push(invoice("f1", 30 * DAY, InvoiceState::Failed));
    let with = |event: NormalizedEvent| [events.clone(), vec![event]].concat();
    assert!(letters(&with(settled(0)), 31 * DAY).is_empty());
    let mut part = with(settled(600));
    assert_eq!(
        letters(&part, 31 * DAY),
        [(Letter::PaymentRecovered, "in_1")]
    );
    assert_eq!(
        fold(&part).invoices[&id("in_1")].paid,
        Some(eur(600)),
        "and not what was due"
    );
    let money = paid(SourceKind::Invoice, &["in_1"], 600, 31 * DAY);
    part.push(new_event("evt_money", 31 * DAY, 41, vec![money]));
    assert_eq!(letters(&part, 31 * DAY).len(), 1);
    let ids = vec![id("in_1")];
    let back = Fact::CumulativeRefund {
        ids,
        amount: eur(600).into(),
        released_minor: 0,
    };
    part.push(new_event("evt_back", 32 * DAY, 70, vec![back]));
    assert!(letters(&part, 32 * DAY).is_empty());
}

#[test]
fn what_was_given_up_and_is_paid_after_all_is_settled_and_told_when_it_is_paid() {
    let mut events = renewing(Active);
    events.push(invoice("f1", 30 * DAY, InvoiceState::Failed));
    events.push(invoice("u1", 34 * DAY, InvoiceState::Uncollectible));
    assert!(letters(&events, 34 * DAY).is_empty());
    events.push(invoice("p1", 49 * DAY, InvoiceState::Paid));
    let due = due(&events, 49 * DAY).due;
    assert_eq!(
        (due[0].letter, due[0].caused_at),
        (Letter::PaymentRecovered, at(49 * DAY))
    );
    events.push(invoice("p2", 50 * DAY, InvoiceState::Paid));
    let state = fold(&events);
    assert_eq!(
        state.invoices[&id("in_1")].settled_at,
        Some(at(49 * DAY)),
        "told twice"
    );
}

#[test]
fn a_trial_whose_collection_is_paused_is_not_announced_to_become_paid() {
    let paused = trial(14 * DAY, |snapshot| {
        snapshot.terms.pause = Some(Pause {
            behavior: "void".into(),
            resumes_at: None,
        });
    });
    assert!(letters(&paused, 11 * DAY).is_empty());
    assert_eq!(due(&paused, 9 * DAY).next_due_at, None);
}

#[test]
fn nobody_is_written_to_at_what_is_not_exactly_one_address() {
    for address in [
        "ada@example.com",
        "a.b+c@sub.example.co",
        "o'neill@example.com",
    ] {
        assert!(is_address(address), "{address}");
    }
    let long = format!("{}@example.com", "a".repeat(65));
    for address in [
        "",
        "ada",
        "ada@example",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "Ada <ada@example.com>",
        "\"ada\"@example.com",
        "ada@example.com ",
        "ada @example.com",
        ".ada@example.com",
        "a..b@example.com",
        "ada@-example.com",
        "ada@example..com",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@exämple.com",
        "ada(x)@example.com",
        &long,
    ] {
        assert!(!is_address(address), "{address}");
        let mut events = trial(14 * DAY, |_| ());
        events.push(new_event("evt_address", 2, 12, vec![email(address)]));
        assert!(letters(&events, HOUR).is_empty(), "{address}");
    }
}

#[test]
fn a_record_knows_the_request_that_it_decided() {
    let events = [renewing(Active), vec![ending("m1", 40 * DAY, 40 * DAY)]].concat();
    let entries: Vec<_> = events.into_iter().map(entry).collect();
    let record = Record::new(customer()).rebuild(&entries, &entries, at(40 * DAY));
    let mut record = record.expect("there are entries").cleared();
    for known in &mut record.due_letters {
        known.cause = format!("sub_1@{}", known.caused_at).into();
    }
    let next = entry(ending("m2", 41 * DAY, 41 * DAY));
    let AdvanceOutcome::Next(next) = record.advance(&[next], at(41 * DAY)) else {
        panic!("it comes last")
    };
    assert!(
        !next
            .pending
            .iter()
            .any(|effect| matches!(effect, Effect::Letter(_)))
    );
}
