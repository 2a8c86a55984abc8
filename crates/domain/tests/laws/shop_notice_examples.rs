//! What the shop is told of single lives: which rows, and when.

use crate::scenarios::{
    at, dispute, eur, id, new_event, paid, refund, subscription_fact, subscription_snapshot, terms,
};
use crate::shop_notices::{Shop, agrees, rows};
use domain::event::{Fact, NormalizedEvent};
use domain::notice::shop::content::ShopNoticeContent;
use domain::notice::shop::row::{ShopNoticeKind, ShopNoticeRow};
use domain::payment::snapshot::{
    DisputeState, InvoiceSnapshot, InvoiceState, NextAttempt, RefundState, SourceKind,
};
use domain::state::fold::fold_with_all_payments;
use domain::subscription::terms::SubscriptionStatus::{Active, Canceled, Incomplete, PastDue};
use domain::subscription::terms::{Pause, SubscriptionSnapshot};

pub(crate) fn subscription(
    name: &str,
    second: i64,
    change: impl FnOnce(&mut SubscriptionSnapshot),
) -> NormalizedEvent {
    let mut snapshot = subscription_snapshot("sub_1", terms(Active, "price_1"), None);
    change(&mut snapshot);
    new_event(name, second, 1, vec![subscription_fact(snapshot)])
}

fn kinds(events: &[NormalizedEvent], now: i64) -> Vec<(&'static str, i64)> {
    let rows = rows(events, at(now)).into_iter();
    let rows = rows.filter(|row| row.kind != ShopNoticeKind::AccessChanged);
    rows.map(|row| (row.kind.as_str(), row.at.as_second() - at(0).as_second()))
        .collect()
}

#[test]
fn each_change_of_a_subscription_is_told_once_at_its_time() {
    let life = [
        subscription("e1", 0, |s| s.terms.status = Incomplete),
        subscription("e2", 10, |_| ()),
        // The same again, with another period.
        subscription("e3", 20, |s| {
            s.terms.period.as_mut().unwrap().end = at(9_000_000)
        }),
        subscription("e4", 30, |s| s.terms = terms(Active, "price_2")),
        subscription("e5", 40, |s| {
            s.terms.pause = Some(Pause {
                behavior: "void".into(),
                resumes_at: None,
            });
            s.terms.items = terms(Active, "price_2").items;
        }),
        subscription("e6", 50, |s| s.terms = terms(Active, "price_2")),
        subscription("e7", 60, |s| s.terms = terms(PastDue, "price_2")),
        subscription("e8", 70, |s| {
            s.terms = terms(PastDue, "price_2");
            s.terms.cancel_at = Some(at(1_000_000));
            s.canceled_at = Some(at(69));
        }),
        subscription("e9", 80, |s| {
            s.terms = terms(Canceled, "price_2");
            s.ended_at = Some(at(79));
        }),
    ];
    assert_eq!(
        kinds(&life, 100),
        [
            ("subscription.started", 10),
            ("subscription.changed", 30),
            ("subscription.paused", 40),
            ("subscription.resumed", 50),
            ("subscription.changed", 60),
            ("subscription.ending", 69),
            ("subscription.ended", 79),
        ]
    );
}

#[test]
fn an_end_that_is_withdrawn_is_a_change() {
    let set = subscription("e2", 30, |s| {
        s.terms.cancel_at_period_end = true;
        s.canceled_at = Some(at(30));
    });
    let events = [
        subscription("e1", 10, |_| ()),
        set,
        subscription("e3", 40, |_| ()),
    ];
    assert_eq!(
        kinds(&events, 50)[1..],
        [("subscription.ending", 30), ("subscription.changed", 40)]
    );
}

#[test]
fn a_subscription_of_long_ago_is_no_start_when_it_is_first_heard_of() {
    let day = 86_400;
    let heard = subscription("e1", 400 * day, |_| ());
    assert_eq!(
        rows(std::slice::from_ref(&heard), at(400 * day)),
        Vec::new()
    );
    let changed = subscription("e2", 401 * day, |s| s.terms = terms(Active, "price_2"));
    assert_eq!(
        kinds(&[heard, changed], 401 * day),
        [("subscription.changed", 401 * day)]
    );
}

fn invoice(state: InvoiceState) -> Fact {
    Fact::Invoice(InvoiceSnapshot {
        id: id("in_1"),
        subscription: None,
        state,
        due: eur(1000),
        attempts: 1,
        next_attempt: NextAttempt::Unknown,
        paid: None,
    })
}

#[test]
fn money_is_told_as_it_comes_and_goes() {
    let pi = SourceKind::Intent;
    let events = [
        new_event("e1", 1, 1, vec![invoice(InvoiceState::Failed)]),
        new_event("e2", 2, 1, vec![invoice(InvoiceState::Failed)]),
        new_event(
            "e3",
            3,
            1,
            vec![
                paid(pi, &["pi_1", "in_1"], 1000, 3),
                invoice(InvoiceState::Paid),
            ],
        ),
        new_event(
            "e4",
            4,
            1,
            vec![refund("re_1", &["pi_1"], 400, RefundState::Pending, 4)],
        ),
        new_event(
            "e5",
            5,
            1,
            vec![refund("re_1", &["pi_1"], 400, RefundState::Succeeded, 4)],
        ),
        new_event(
            "e6",
            6,
            1,
            vec![dispute(&["pi_1"], 600, DisputeState::Open)],
        ),
        new_event("e7", 7, 1, vec![dispute(&["pi_1"], 600, DisputeState::Won)]),
        new_event(
            "e8",
            8,
            1,
            vec![refund("re_1", &["pi_1"], 400, RefundState::Failed, 4)],
        ),
        new_event("e9", 9, 1, vec![paid(pi, &["pi_1"], 0, 9)]),
    ];
    let told = kinds(&events, 20);
    assert_eq!(
        told,
        [
            ("payment.failed", 1),
            ("payment.received", 3),
            ("payment.recovered", 3),
            ("payment.refunded", 4),
            ("payment.disputed", 6),
            ("payment.disputed", 7),
            ("payment.refunded", 8),
            ("payment.failed", 9),
        ]
    );
}

#[test]
fn a_late_event_that_changes_what_was_told_makes_a_further_row() {
    let session = new_event(
        "e2",
        2,
        1,
        vec![paid(SourceKind::Session, &["cs_1", "pi_1"], 900, 2)],
    );
    // It happened before, and knows the amount better.
    let late = new_event(
        "e1",
        1,
        1,
        vec![paid(SourceKind::Intent, &["pi_1"], 1000, 1)],
    );
    let told = rows(&[session, late], at(10));
    let amounts = told.iter().filter_map(|row| {
        let ShopNoticeContent::Payment(content) = &row.content else {
            return None;
        };
        Some((row.kind, row.sequence, content.paid.minor))
    });
    assert_eq!(
        amounts.collect::<Vec<_>>(),
        [
            (ShopNoticeKind::PaymentReceived, 1, 900),
            (ShopNoticeKind::PaymentReceived, 2, 1000),
        ]
    );
    assert_ne!(
        told.first().map(|row| &row.cause),
        told.last().map(|row| &row.cause)
    );
}

#[test]
fn an_event_that_cannot_be_read_is_told() {
    let unclear = vec![Fact::Unclear {
        what: "unknown status `odd`".into(),
    }];
    assert_eq!(
        kinds(&[new_event("e1", 1, 1, unclear)], 2),
        [("event.quarantined", 1)]
    );
}

#[test]
fn access_is_told_where_it_may_have_changed_and_not_with_a_renewal() {
    let events = [
        subscription("e1", 10, |_| ()),
        subscription("e2", 20, |s| {
            s.terms.period.as_mut().unwrap().end = at(9_000_000)
        }),
        subscription("e3", 30, |s| s.terms = terms(PastDue, "price_1")),
    ];
    let told = rows(&events, at(40)).into_iter();
    let told = told.filter(|row| row.kind == ShopNoticeKind::AccessChanged);
    let told: Vec<_> = told.collect();
    assert_eq!(
        told.iter().map(|row| row.at).collect::<Vec<_>>(),
        [at(0), at(30)]
    );
    let bases = told.iter().filter_map(|row| {
        let ShopNoticeContent::Access(access) = &row.content else {
            return None;
        };
        Some((access.before.clone(), access.after.clone()))
    });
    let bases: Vec<_> = bases.collect();
    // Each begins where the one before it ended.
    assert_eq!(bases[0].1, bases[1].0);
}

#[test]
fn a_row_is_the_same_after_a_stay_in_the_table() {
    let events = [
        subscription("e1", 10, |_| ()),
        new_event(
            "e2",
            20,
            1,
            vec![
                paid(SourceKind::Intent, &["pi_1"], 1000, 20),
                invoice(InvoiceState::Failed),
            ],
        ),
    ];
    for row in rows(&events, at(30)) {
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<ShopNoticeRow>(&text).unwrap(), row);
    }
}

#[test]
fn payments_that_were_told_as_one_are_told_as_two() {
    let unlinked = |kind, name: &str, second| {
        let mut fact = paid(kind, &[name], 1000, second);
        if let Fact::Payment(snapshot) = &mut fact {
            snapshot.unlinked = true;
        }
        new_event(name, second, 1, vec![fact])
    };
    let events = [
        unlinked(SourceKind::Invoice, "in_1", 10),
        unlinked(SourceKind::Charge, "ch_1", 20),
        // It is nearer to the start, so the charge is taken for its own.
        unlinked(SourceKind::Invoice, "in_0", 5),
    ];
    let shop = Shop::told(&rows(&events, at(60)));
    agrees(&shop, &fold_with_all_payments(&events)).unwrap();
}
