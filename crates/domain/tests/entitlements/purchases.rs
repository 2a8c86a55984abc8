//! What was bought once: for a time or for ever, and what becomes of it with its money.

use crate::life::{DAY, Life, SHOP, paid, runs};
use crate::scenarios::{at, customer, dispute, entry, eur, id, ids, paid as paid_by, refund};
use domain::catalog::Catalog;
use domain::entitlement::answer::{AccessReason as Why, Answer, EntitlementSourceKind, Want};
use domain::entitlement::{BadWant, check, want_fits};
use domain::event::Fact;
use domain::ids::PriceId;
use domain::payment::kept_purchase::{CLOSED_PURCHASES, PaymentStanding};
use domain::payment::payments::OPEN_PAYMENTS;
use domain::payment::snapshot::{
    DisputeState, PaymentSnapshot, PurchasedPrice, RefundState, SourceKind,
};
use domain::record::{AdvanceOutcome, Entry, Record};
use domain::subscription::terms::SubscriptionStatus::Active;
use jiff::Timestamp;
use std::sync::Arc;

const COVER: &[(&str, u64)] = &[("price_cover", 1)];

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a2_a_protection_plan_covers_twenty_four_months_and_ends_by_itself() {
    let life = Life::default().on(0, paid("pi_1", 900, 0, COVER));
    let ask = |now: &str| life.want(SHOP, "support", None, moment(now));
    let answer = ask("2026-01-02T00:00:00Z");
    assert_eq!((answer.allowed, answer.why), (true, Why::Purchase));
    let end = Some(moment("2028-01-01T00:00:00Z"));
    assert_eq!((answer.until, answer.next_change), (end, end));
    let source = &answer.sources[0];
    assert_eq!(source.kind, EntitlementSourceKind::Purchase);
    assert_eq!(
        (&*source.key, &source.payment),
        ("cover", &Some(id("pi_1")))
    );
    assert!(ask("2027-12-31T23:59:59Z").allowed);
    let over = ask("2028-01-01T00:00:00Z");
    assert_eq!(
        (over.allowed, over.why, over.next_change),
        (false, Why::Expired, None)
    );
    let refunded = life.on(9, refund("re_1", &["pi_1"], 900, RefundState::Succeeded, 9));
    assert_eq!(refunded.verdict(SHOP, "support", 9), (false, Why::Refunded));
}

#[test]
fn a_purchase_follows_its_money_step_by_step() {
    let bought = Life::default().on(0, paid("pi_1", 900, 0, COVER));
    let part = bought.on(1, refund("re_1", &["pi_1"], 300, RefundState::Succeeded, 1));
    assert_eq!(part.verdict(SHOP, "support", 1), (true, Why::Purchase));
    let disputed = part.on(2, dispute(&["pi_1"], 600, DisputeState::Open));
    assert_eq!(disputed.verdict(SHOP, "support", 2), (false, Why::Disputed));
    let won = disputed
        .clone()
        .on(3, dispute(&["pi_1"], 600, DisputeState::Won));
    assert_eq!(won.verdict(SHOP, "support", 3), (true, Why::Purchase));
    let lost = disputed.on(3, dispute(&["pi_1"], 600, DisputeState::Lost));
    assert_eq!(lost.verdict(SHOP, "support", 3), (false, Why::Disputed));
    // A payment that did not arrive after all bought nothing.
    let taken_back = won.on(4, paid_by(SourceKind::Intent, &["pi_1"], 0, 4));
    assert_eq!(taken_back.verdict(SHOP, "support", 4), (false, Why::None));
}

#[test]
fn what_several_sources_state_of_one_purchase_counts_once() {
    let stated = |kind, names: &[&str], price: &str| {
        Fact::Payment(PaymentSnapshot {
            ids: ids(names),
            source_kind: kind,
            paid: eur(900),
            tax_minor: None,
            paid_at: at(0),
            subscription: None,
            unlinked: false,
            purchased: vec![PurchasedPrice {
                price: PriceId::parse(price).unwrap(),
                quantity: 1,
            }],
        })
    };
    let life = Life::default()
        .on(0, stated(SourceKind::Intent, &["pi_1"], "price_cover"))
        .on(
            0,
            stated(SourceKind::Invoice, &["in_1", "pi_1"], "price_export"),
        );
    assert_eq!(life.ask(SHOP, "seats", 1).limit, Some(3));
    assert!(
        !life.ask(SHOP, "support", 1).allowed,
        "the invoice knows better"
    );
}

/// Many payments: first a purchase, then renewals.
fn long_life(renewals: i64) -> Life {
    let life = Life::default().on(0, paid("pi_0", 900, 0, COVER));
    (1..=renewals).fold(life, |life, n| {
        life.on(n, paid(&format!("pi_{n}"), 1000, n, &[]))
    })
}

#[test]
fn a_purchase_outlives_its_payment_in_the_record_and_follows_it_still() {
    let life = long_life(20);
    let state = life.state();
    assert_eq!(state.payments.open.len(), OPEN_PAYMENTS);
    assert!(
        state
            .payments
            .open
            .iter()
            .all(|payment| payment.purchased().is_empty())
    );
    assert_eq!(life.verdict(SHOP, "support", 21), (true, Why::Purchase));
    let refunded = life.clone().on(
        22,
        refund("re_1", &["pi_0"], 900, RefundState::Succeeded, 22),
    );
    assert!(refunded.state().payments.closed_purchases.is_empty());
    assert_eq!(refunded.verdict(SHOP, "support", 22), (false, Why::None));
    let disputed = life.on(22, dispute(&["pi_0"], 900, DisputeState::Open));
    let kept = &disputed.state().payments.closed_purchases;
    assert_eq!(kept[0].standing, PaymentStanding::Disputed);
    assert_eq!(
        disputed.verdict(SHOP, "support", 22),
        (false, Why::Disputed)
    );
}

#[test]
fn a_record_that_grows_event_by_event_keeps_the_purchases_of_the_whole_journal() {
    let life = long_life(30)
        .on(
            40,
            refund("re_1", &["pi_0"], 300, RefundState::Succeeded, 40),
        )
        .on(41, paid("pi_late", 900, 2, COVER));
    let mut journal: Vec<Arc<Entry>> = Vec::new();
    let mut record = Record::new(customer());
    for event in life.0 {
        let new = [entry(event)];
        journal.extend(new.iter().cloned());
        record = match record.advance(&new, at(0)) {
            AdvanceOutcome::AlreadyFolded => record,
            AdvanceOutcome::Next(next) => *next,
            AdvanceOutcome::ReadJournal => record.rebuild(&journal, &new, at(0)).unwrap(),
        };
    }
    let whole = Record::new(customer())
        .rebuild(&journal, &[], at(0))
        .unwrap();
    assert_eq!(record.folded, whole.folded);
    let kept = &record.folded.state.payments.closed_purchases;
    let standings: Vec<_> = kept.iter().map(|kept| kept.standing).collect();
    assert_eq!(
        standings,
        [PaymentStanding::PartlyRefunded, PaymentStanding::Kept]
    );
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
}

#[test]
fn of_very_many_purchases_the_latest_stay() {
    let many = (0..100).fold(Life::default(), |life, n| {
        life.on(n, paid(&format!("pi_{n}"), 900, n, COVER))
    });
    let payments = many.state().payments;
    assert_eq!(payments.closed_purchases.len(), CLOSED_PURCHASES);
    let first = &payments.closed_purchases[0];
    let kept = i64::try_from(CLOSED_PURCHASES + OPEN_PAYMENTS).unwrap();
    assert_eq!(first.paid_at, at((100 - kept) * DAY));
    assert_eq!(
        payments.purchases().count(),
        CLOSED_PURCHASES + OPEN_PAYMENTS
    );
}

#[test]
fn what_nobody_lists_gives_nothing_and_says_so() {
    let life = Life::default()
        .shows(0, runs(Active, &[("price_unlisted", 1)], 0))
        .on(0, paid("pi_1", 900, 0, &[("price_grove", 1)]));
    assert_eq!(life.verdict(SHOP, "export", 1), (false, Why::None));
    let answer = check(&life.state(), &Catalog::default(), "export", None, at(0));
    assert_eq!((answer.why, answer.kind), (Why::UnknownFeature, None));
    assert_eq!(
        Answer::unknown_customer("x", at(0)).why,
        Why::UnknownCustomer
    );
}

#[test]
fn what_a_feature_can_not_be_asked_for_is_said() {
    let shop = Catalog::parse(SHOP).unwrap();
    let bad = |feature: &str, want: Want| want_fits(&shop, feature, &want);
    assert_eq!(bad("export", Want::Quantity(1)), Err(BadWant::OfFlag));
    assert_eq!(
        bad("seats", Want::Level("many".into())),
        Err(BadWant::NotANumber)
    );
    assert_eq!(bad("seats", Want::Level("7".into())), Ok(()));
    let levels = "none, standard, premium".to_owned();
    assert_eq!(
        bad("support", Want::Level("gold".into())),
        Err(BadWant::NotALevel(levels))
    );
    assert_eq!(bad("support", Want::Level("premium".into())), Ok(()));
    assert_eq!(bad("nothing", Want::Quantity(1)), Ok(()));
}

#[test]
fn the_answer_reads_as_its_page_says() {
    let life = Life::default()
        .shows(0, runs(Active, &[("price_grove", 1), ("price_seat", 1)], 0))
        .shows(5, runs(Active, &[("price_grove", 1)], 0));
    let answer = serde_json::to_value(life.ask(SHOP, "seats", 14)).unwrap();
    let source = |kind: &str, key: &str, limit: u64, until: Option<&str>| {
        serde_json::json!({
            "kind": kind, "key": key, "subscription": "sub_1", "payment": null, "limit": limit,
            "unlimited": false, "level": null, "soft": false, "until": until,
        })
    };
    let until = "2026-01-31T00:00:00Z";
    let expected = serde_json::json!({
        "feature": "seats", "allowed": true, "kind": "limit", "limit": 7, "unlimited": false,
        "level": null, "soft": false, "until": null, "next_change": until, "why": "in_plan",
        "sources": [
            source("plan", "grove", 5, None),
            source("add_on", "seat", 2, Some(until)),
        ],
        "as_of": "2026-01-15T00:00:00Z",
    });
    assert_eq!(answer, expected);
}
