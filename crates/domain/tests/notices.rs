//! Which notices a row makes, and for how long sending is tried.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::money::{Currency, Money};
use domain::notice::{
    GIVE_UP_AFTER, MAX_ATTEMPTS, MAX_WAIT, Notice, is_given_up, of_commission, of_payout,
    of_referral_status, retry_wait,
};
use domain::partner::identity::SelfReferralSignal;
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::payout::Payout;
use domain::partner::program::Reward;
use domain::partner::referral::ReferralRefusal;
use domain::partner::referral_status::{ReferralStatus, ReferralStatusRow};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

fn on(day: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + 86_400 * day).unwrap()
}

fn row(kind: RowKind, minor: i64) -> CommissionRow {
    CommissionRow {
        partner: PartnerId::parse("acme").unwrap(),
        customer: CustomerKey::parse("pay/test/cus_1").unwrap(),
        payment: ObjectId::parse("pi_1").unwrap(),
        n: 0,
        kind,
        amount: Money {
            minor,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        referral: None,
        sub_ids: Default::default(),
        is_tax_unknown: false,
        self_referral_signal: None,
        reward: Some(Reward::BasisPoints(2_000)),
        base_minor: Some(1_000),
        paid_at: Some(on(0)),
        at: on(1),
        releases_at: on(30),
    }
}

fn kinds_and_times(row: &CommissionRow) -> Vec<(&'static str, Timestamp)> {
    let notices = of_commission(row).into_iter();
    notices.map(|notice| (notice.kind, notice.at)).collect()
}

fn body(notice: &Notice) -> String {
    serde_json::to_string(&notice.body(&PartnerId::parse("acme").unwrap(), "commission#1")).unwrap()
}

#[test]
fn each_kind_of_row_has_one_notice_and_another_when_its_hold_ends() {
    for (kind, name) in [
        (RowKind::Commission, "commission.created"),
        (RowKind::Refund, "commission.refunded"),
        (RowKind::Dispute, "commission.disputed"),
        (RowKind::Reversal, "commission.reversed"),
    ] {
        let released = ("commission.released", on(30));
        assert_eq!(kinds_and_times(&row(kind, 200)), [(name, on(1)), released]);
    }
    let late = CommissionRow {
        at: on(30),
        ..row(RowKind::Refund, -80)
    };
    assert_eq!(kinds_and_times(&late), [("commission.refunded", on(30))]);
    let held = CommissionRow {
        self_referral_signal: Some(SelfReferralSignal::SameEmail),
        ..row(RowKind::Commission, 200)
    };
    assert_eq!(kinds_and_times(&held), [("commission.created", on(1))]);
}

#[test]
fn a_notice_says_how_the_row_stood_when_its_state_came() {
    let notices = of_commission(&row(RowKind::Commission, 200));
    assert_eq!(
        body(&notices[0]),
        concat!(
            r#"{"type":"commission.created","timestamp":"2026-01-02T00:00:00Z","#,
            r#""data":{"id":"row_53b65681d13cf67a4726a6c183199a25","at":"2026-01-02T00:00:00Z","#,
            r#""cause":"pay/test/pi_1","kind":"commission","amount_minor":200,"currency":"eur","#,
            r#""exponent":2,"state":"pending","releases_at":"2026-01-31T00:00:00Z","#,
            r#""text":"20 % for the payment of 2026-01-01: 10.00 EUR without tax"}}"#
        )
    );
    assert!(body(&notices[1]).contains(r#""state":"released""#));
    let customer = "cus_1";
    assert!(
        notices
            .iter()
            .all(|notice| !body(notice).contains(customer))
    );
}

#[test]
fn notices_of_referral_statuses_and_payouts_name_no_customer() {
    let status_row = |status| ReferralStatusRow {
        partner: PartnerId::parse("acme").unwrap(),
        referral: "r-1".into(),
        sub_ids: Default::default(),
        customer: CustomerKey::parse("pay/test/cus_1").unwrap(),
        n: 3,
        status,
        at: on(1),
    };
    let payout = Payout {
        partner: PartnerId::parse("acme").unwrap(),
        n: 1,
        date: date(2026, 4, 5),
        at: on(2),
        until: on(2),
        amounts: vec![row(RowKind::Commission, 600).amount],
        complete_until: on(2),
        late_rows: BTreeMap::new(),
    };
    let referral = |fields: &str| format!(r#""referral_id":"r-1",{fields}"#);
    for (notice, kind, data) in [
        (
            of_referral_status(&status_row(ReferralStatus::Waiting)),
            "referral.waiting",
            referral(r#""state":"waiting""#),
        ),
        (
            of_referral_status(&status_row(ReferralStatus::Attributed)),
            "referral.attributed",
            referral(r#""state":"attributed""#),
        ),
        (
            of_referral_status(&status_row(ReferralStatus::Held(
                SelfReferralSignal::SameEmail,
            ))),
            "referral.held",
            referral(r#""state":"held","reason":"same_email""#),
        ),
        (
            of_referral_status(&status_row(ReferralStatus::Refused(
                ReferralRefusal::Canceled,
            ))),
            "referral.refused",
            referral(r#""state":"refused","reason":"canceled""#),
        ),
        (
            of_payout(&payout),
            "payout.created",
            concat!(
                r#""date":"2026-04-05","#,
                r#""amounts":[{"amount_minor":600,"currency":"eur","exponent":2}]"#
            )
            .to_owned(),
        ),
    ] {
        let body = body(&notice);
        assert_eq!(notice.kind, kind);
        assert!(body.ends_with(&format!(",{data}}}}}")), "{body}");
        assert!(!body.contains("cus_1"));
    }
}

#[test]
fn an_id_belongs_to_one_partner_row_and_state() {
    let mut ids = BTreeSet::new();
    for partner in ["acme", "acm"] {
        for sort in ["commission#1", "ecommission#1", "commission#2"] {
            for notice in of_commission(&row(RowKind::Commission, 200)) {
                let id = notice.id(&PartnerId::parse(partner).unwrap(), sort);
                let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                assert!(id.len() == 36 && id.bytes().all(is_allowed), "{id}");
                assert_eq!(id, notice.id(&PartnerId::parse(partner).unwrap(), sort));
                assert!(ids.insert(id), "{partner} {sort} {}", notice.kind);
            }
        }
    }
}

#[test]
fn what_is_tried_in_vain_is_tried_again_for_three_days_and_no_longer() {
    let waits: Vec<SignedDuration> = (1..)
        .map_while(|attempt| retry_wait(attempt, None))
        .collect();
    assert_eq!(waits.len() + 1, usize::try_from(MAX_ATTEMPTS).unwrap());
    let all = waits
        .iter()
        .fold(SignedDuration::ZERO, |all, wait| all + *wait);
    assert_eq!(all, SignedDuration::from_secs(71 * 3_600 + 35 * 60 + 5));
    assert!(
        all > GIVE_UP_AFTER,
        "the last attempt finds its endpoint given up"
    );
    assert!(waits.iter().all(|wait| *wait <= MAX_WAIT));
    assert_eq!(retry_wait(MAX_ATTEMPTS, None), None);
    assert_eq!(
        retry_wait(MAX_ATTEMPTS, Some(SignedDuration::from_secs(1))),
        None
    );
    assert_eq!(retry_wait(0, None), retry_wait(1, None));
}

#[test]
fn a_partner_may_ask_for_more_time_and_not_for_less() {
    let hours = SignedDuration::from_hours;
    for (attempt, asked, waits) in [
        (1, hours(1), hours(1)),
        (4, hours(1), hours(2)),
        (1, hours(1_000), MAX_WAIT),
        (1, SignedDuration::MAX, MAX_WAIT),
        (1, SignedDuration::MIN, SignedDuration::from_secs(5)),
        (7, hours(1), hours(11)),
    ] {
        assert_eq!(
            retry_wait(attempt, Some(asked)),
            Some(waits),
            "{attempt} {asked}"
        );
    }
}

#[test]
fn an_endpoint_is_given_up_after_three_days_without_a_success() {
    assert!(!is_given_up(on(0), on(0)));
    assert!(!is_given_up(on(0), on(2)));
    assert!(is_given_up(on(0), on(3)));
    assert!(!is_given_up(on(3), on(0)), "a clock that was set back");
}
