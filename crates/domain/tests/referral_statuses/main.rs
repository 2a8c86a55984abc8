//! Which referral statuses partners are told: they follow from the events, and each change is told
//! once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod table;

use domain::event::NormalizedEvent;
use domain::ids::PartnerId;
use domain::partner::identity::PartnerIdentity;
use domain::partner::identity::SelfReferralSignal;
use domain::partner::referral::Decision;
use domain::partner::referral::ReferralRefusal;
use domain::partner::referral_status::{ReferralStatus, ReferralStatusRow, referral_statuses};
use proptest::prelude::*;
use std::collections::BTreeMap;
use table::*;

#[test]
fn nothing_is_told_before_the_first_payment_and_each_change_once_after_it() {
    let summary = |events: &[NormalizedEvent]| StatusTable::after(events).summary();
    let (r1, r2, r3) = (
        report("acme", "r-1", 1),
        report("acme", "r-2", 2),
        report("zest", "r-3", 3),
    );
    let all = [r1, r2, r3];
    assert!(summary(&all).is_empty());
    let paid = [all.to_vec(), vec![paid(4)]].concat();
    let first = [
        "r-1 attributed",
        "r-2 refused another_report",
        "r-3 refused another_partner",
    ];
    assert_eq!(summary(&paid), first);
    let canceled = [
        paid.clone(),
        vec![canceled("acme", "r-1", 5), canceled("acme", "r-2", 6)],
    ];
    let later = [
        "r-1 refused canceled",
        "r-2 attributed",
        "r-2 refused canceled",
        "r-3 attributed",
    ];
    assert_eq!(summary(&canceled.concat()), [&first[..], &later].concat());
}

#[test]
fn a_report_that_looks_like_its_partner_is_held_until_a_person_decides() {
    let identity = PartnerIdentity::of("ann@grove.example");
    let events = [
        report_of("acme", "r-1", 1, identity),
        mail("ann+x@grove.example", 2),
        paid(3),
    ];
    let with = |decision| {
        let events = [events.to_vec(), vec![reviewed("acme", "r-1", decision, 4)]].concat();
        StatusTable::after(&events).summary()
    };
    let held = "r-1 held same_email";
    assert_eq!(with(Decision::Release), [held, "r-1 attributed"]);
    assert_eq!(with(Decision::Void), [held, "r-1 refused void"]);
}

#[test]
fn a_report_outside_the_window_is_refused_with_that_reason() {
    let late = [paid(0), report("acme", "r-1", 61)];
    assert_eq!(
        StatusTable::after(&late).summary(),
        ["r-1 refused outside_window"]
    );
    let inside = [paid(0), report("acme", "r-1", 60)];
    assert_eq!(StatusTable::after(&inside).summary(), ["r-1 attributed"]);
}

#[test]
fn what_was_told_of_a_code_is_taken_back_when_it_was_anothers_by_then() {
    let shown = [granted("acme", 1), shows_the_code(3), paid(4)];
    assert_eq!(
        StatusTable::after(&shown).summary(),
        ["code/spring attributed"]
    );
    let anothers = [shown.to_vec(), vec![granted("zest", 2)]].concat();
    let table = StatusTable::after(&anothers);
    let rows = table
        .rows
        .values()
        .map(|row| (row.partner.as_str(), row.status));
    let expected = [
        ("acme", ReferralStatus::Attributed),
        ("acme", ReferralStatus::Waiting),
        ("zest", ReferralStatus::Attributed),
    ];
    assert!(rows.eq(expected));
}

#[test]
fn what_a_person_decides_is_told_at_once_and_may_be_taken_back() {
    let void = [
        report("acme", "r-1", 1),
        reviewed("acme", "r-1", Decision::Void, 2),
    ];
    assert_eq!(StatusTable::after(&void).summary(), ["r-1 refused void"]);
    let released = reviewed("acme", "r-1", Decision::Release, 3);
    let released = [void.to_vec(), vec![released]].concat();
    assert_eq!(
        StatusTable::after(&released).summary(),
        ["r-1 refused void", "r-1 waiting"]
    );
}

#[test]
fn what_cancels_out_within_one_fold_is_not_told() {
    let mut table = StatusTable::after(&[report("acme", "r-1", 1), paid(2)]);
    let both = [
        reviewed("acme", "r-1", Decision::Void, 3),
        reviewed("acme", "r-1", Decision::Release, 4),
    ];
    table.fold(&both);
    table.put();
    assert_eq!(table.summary(), ["r-1 attributed"]);
}

#[test]
fn a_partner_without_a_program_is_told_nothing() {
    let mut bare = report("acme", "r-1", 1);
    bare.facts.truncate(1);
    assert!(StatusTable::after(&[bare, paid(2)]).summary().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn in_any_order_and_with_any_crash_the_last_row_has_the_status_of_the_events(
        events in proptest::sample::subsequence(pool(), 1..=pool().len()).prop_shuffle(),
        faults in prop::collection::vec(0..8_u8, pool().len()),
    ) {
        let mut table = StatusTable::default();
        for (event, fault) in events.iter().zip(&faults) {
            table.fold(std::slice::from_ref(event));
            match fault {
                // It dies before it puts the effects; the next one puts them.
                0 => {}
                // It puts them, and dies before it clears them.
                1 => drop(table.put_pending()),
                2 => {
                    table.put();
                    table.lose_record();
                }
                3 => {
                    table.put();
                    table.fold(std::slice::from_ref(event));
                }
                _ => table.put(),
            }
        }
        table.put();
        let state = &table.record.folded.state;
        let statuses = referral_statuses(&state.partners, &state.payments).into_iter();
        let expected: BTreeMap<String, ReferralStatus> =
            statuses.map(|(key, status)| (key.clone(), status)).collect();
        let mut last = BTreeMap::new();
        for row in table.rows.values() {
            let key = format!("{}/{}", row.partner, row.referral);
            let before = last.insert(key, row.status);
            prop_assert_ne!(before.unwrap_or(ReferralStatus::Waiting), row.status);
        }
        last.retain(|_, status| *status != ReferralStatus::Waiting);
        prop_assert_eq!(last, expected);
        let in_order = StatusTable::after(&sorted(&events));
        prop_assert_eq!(&in_order.record.folded, &table.record.folded);
    }
}

#[test]
fn every_referral_status_has_the_words_that_its_json_has() {
    for status in [
        ReferralStatus::Waiting,
        ReferralStatus::Attributed,
        ReferralStatus::Held(SelfReferralSignal::SameDomain),
        ReferralStatus::Refused(ReferralRefusal::Canceled),
        ReferralStatus::Refused(ReferralRefusal::Void),
        ReferralStatus::Refused(ReferralRefusal::OutsideWindow),
        ReferralStatus::Refused(ReferralRefusal::AnotherPartner),
        ReferralStatus::Refused(ReferralRefusal::AnotherReport),
    ] {
        let row = ReferralStatusRow {
            partner: PartnerId::parse("acme").unwrap(),
            referral: "r-1".into(),
            sub_ids: Default::default(),
            customer: customer(),
            n: 7,
            status,
            at: day(1),
        };
        let json = serde_json::to_value(&row).unwrap();
        assert_eq!(json["status"], status.as_str());
        assert_eq!(json.get("reason").and_then(|r| r.as_str()), status.reason());
        assert_eq!(
            serde_json::from_value::<ReferralStatusRow>(json).unwrap(),
            row
        );
    }
}

/// Events of which any subset may arrive, in any order.
fn pool() -> Vec<NormalizedEvent> {
    let mut pool = vec![
        report("acme", "r-1", 1),
        report("acme", "r-2", 2),
        report_of("zest", "r-3", 0, PartnerIdentity::of("ann@grove.example")),
        report("peel", "r-4", 90),
        canceled("acme", "r-1", 5),
        reviewed("zest", "r-3", Decision::Void, 6),
        reviewed("zest", "r-3", Decision::Release, 8),
        mail("a.nn@grove.example", 4),
        mail("bea@grove.example", 7),
        granted("acme", 1),
        granted("zest", 2),
        shows_the_code(3),
    ];
    pool.extend((3..17).map(paid));
    pool
}
