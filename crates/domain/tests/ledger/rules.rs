//! The rules of programs and of the ledger, each by example.

use crate::model_table::{
    LedgerTable, day, disputed, money, new_event, paid, program, refund, refunded, report,
    report_of, taxed,
};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{ObjectId, PartnerId, ReferralCode};
use domain::money::{Money, rounded};
use domain::partner::identity::PartnerIdentity;
use domain::partner::payout::balances;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::referral::CodeGranted;
use domain::payment::snapshot::{DisputeState, PaymentSnapshot, RefundState, SourceKind};

pub(crate) fn summary_in_both_orders(events: &[NormalizedEvent]) -> Vec<String> {
    let in_order = LedgerTable::after(events).summary();
    let reversed: Vec<NormalizedEvent> = events.iter().rev().cloned().collect();
    assert_eq!(
        LedgerTable::after(&reversed).summary(),
        in_order,
        "and in the other order"
    );
    in_order
}

pub(crate) fn pays(id: &str, month: i8, date: i8, minor: i64) -> NormalizedEvent {
    paid(id, day(month, date), money(minor, "eur"))
}

#[test]
fn r3_a_late_report_earns_on_stored_payments_inside_the_window_alone() {
    let payments = [pays("pi_1", 3, 3, 1_000), pays("pi_2", 4, 3, 1_000)];
    let with = |at| [payments.to_vec(), vec![report("acme", at, &program())]].concat();
    let both = ["acme/eur/due/pi_1 200", "acme/eur/due/pi_2 200"];
    assert_eq!(
        summary_in_both_orders(&with(day(5, 2))),
        both,
        "60 days after the first payment"
    );
    assert!(
        summary_in_both_orders(&with(day(5, 3))).is_empty(),
        "61 days after it"
    );
    assert_eq!(
        summary_in_both_orders(&with(day(1, 2))),
        both,
        "60 days before it"
    );
    assert!(
        summary_in_both_orders(&with(day(1, 1))).is_empty(),
        "61 days before it"
    );
}

#[test]
fn a_report_dated_back_counts_from_its_signature() {
    let dated = |signed| {
        report_of(
            "acme",
            day(3, 1),
            signed,
            &program(),
            PartnerIdentity::default(),
        )
    };
    let payment = || pays("pi_1", 3, 3, 1_000);
    assert_eq!(
        summary_in_both_orders(&[payment(), dated(day(5, 2))]),
        ["acme/eur/due/pi_1 200"]
    );
    assert!(summary_in_both_orders(&[payment(), dated(day(5, 3))]).is_empty());
}

#[test]
fn r4_of_two_partners_the_first_signed_or_the_last_click_wins() {
    let with_model = |attribution_model| Program {
        attribution_model,
        ..program()
    };
    let story = |model: AttributionModel| {
        let zest = report_of(
            "zest",
            day(3, 1),
            day(3, 2),
            &with_model(model),
            PartnerIdentity::default(),
        );
        let acme = report_of(
            "acme",
            day(2, 1),
            day(3, 4),
            &with_model(model),
            PartnerIdentity::default(),
        );
        let late = report_of(
            "peel",
            day(3, 9),
            day(3, 9),
            &with_model(model),
            PartnerIdentity::default(),
        );
        summary_in_both_orders(&[zest, pays("pi_1", 3, 3, 1_000), acme, late])
    };
    assert_eq!(story(AttributionModel::First), ["zest/eur/due/pi_1 200"]);
    assert_eq!(
        story(AttributionModel::Last),
        ["zest/eur/due/pi_1 200"],
        "peel came after the payment"
    );
    let last = [
        report("acme", day(3, 1), &with_model(AttributionModel::Last)),
        report("zest", day(3, 2), &with_model(AttributionModel::First)),
        pays("pi_1", 3, 3, 1_000),
    ];
    assert_eq!(
        summary_in_both_orders(&last),
        ["zest/eur/due/pi_1 200"],
        "the first report's program decides"
    );
}

#[test]
fn a_canceled_referral_gives_way_to_the_next() {
    let canceled = Fact::ReferralCanceled {
        partner: PartnerId::parse("acme").unwrap(),
        referral: "r-acme".into(),
    };
    let story = [
        report("acme", day(3, 1), &program()),
        report("zest", day(3, 2), &program()),
        pays("pi_1", 3, 3, 1_000),
        new_event("partner/acme/cancel", day(3, 4), vec![canceled]),
    ];
    assert_eq!(summary_in_both_orders(&story), ["zest/eur/due/pi_1 200"]);
    let rows = LedgerTable::after(&story).rows();
    let kinds: Vec<_> = rows
        .iter()
        .map(|r| (r.partner.as_str(), r.kind.as_str()))
        .collect();
    let expected = [
        ("acme", "commission"),
        ("acme", "reversal"),
        ("zest", "commission"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(
        rows[0].releases_at, rows[1].releases_at,
        "both leave pending at once"
    );
}

#[test]
fn r7_the_rate_is_fixed_by_the_first_report() {
    let lower = Program {
        reward: Reward::BasisPoints(1_500),
        ..program()
    };
    let mut again = report("acme", day(6, 1), &lower);
    again.id = domain::ids::EventId::parse("partner/acme/again").unwrap();
    let old = [
        report("acme", day(3, 1), &program()),
        pays("pi_1", 3, 3, 1_000),
        again,
    ];
    assert_eq!(summary_in_both_orders(&old), ["acme/eur/due/pi_1 200"]);
    let new = [report("acme", day(6, 1), &lower), pays("pi_1", 6, 3, 1_000)];
    assert_eq!(summary_in_both_orders(&new), ["acme/eur/due/pi_1 150"]);
}

#[test]
fn a_commission_duration_is_the_first_payment_or_so_many_months_or_for_life() {
    let story = |span| {
        let program = Program {
            duration: span,
            ..program()
        };
        summary_in_both_orders(&[
            report("acme", day(3, 1), &program),
            pays("pi_1", 3, 31, 1_000),
            pays("pi_2", 4, 29, 1_000),
            pays("pi_3", 4, 30, 1_000),
        ])
    };
    assert_eq!(
        story(CommissionDuration::FirstPayment),
        ["acme/eur/due/pi_1 200"]
    );
    // One month after 31 March is 30 April, at the same hour.
    assert_eq!(
        story(CommissionDuration::Months(1)),
        ["acme/eur/due/pi_1 200", "acme/eur/due/pi_2 200"]
    );
    assert_eq!(story(CommissionDuration::Life).len(), 3);
}

#[test]
fn tax_earns_nothing_and_a_refund_takes_back_in_proportion() {
    let story = [
        report("acme", day(3, 1), &program()),
        taxed("pi_1", day(3, 3), money(1_200, "eur"), Some(200)),
        refunded("re_1", "pi_1", day(3, 4), 600),
    ];
    assert_eq!(
        summary_in_both_orders(&story[..2]),
        ["acme/eur/due/pi_1 200"]
    );
    assert_eq!(summary_in_both_orders(&story), ["acme/eur/due/pi_1 100"]);
}

#[test]
fn rows_of_a_payment_refunded_in_odd_steps_sum_to_zero() {
    let third = Program {
        reward: Reward::BasisPoints(3_333),
        ..program()
    };
    let mut story = vec![report("acme", day(3, 1), &third), pays("pi_1", 3, 3, 1_001)];
    for (n, minor) in [1, 2, 333, 332, 333].into_iter().enumerate() {
        story.push(refunded(&format!("re_{n}"), "pi_1", day(3, 4), minor));
    }
    assert_eq!(
        LedgerTable::after(&story).rows.len(),
        5,
        "one cent back moves nothing"
    );
    assert!(summary_in_both_orders(&story).is_empty());
    story.push(refund("re_4", "pi_1", day(3, 9), 333, RefundState::Failed));
    assert_eq!(
        summary_in_both_orders(&story),
        ["acme/eur/due/pi_1 111"],
        "that refund did not go through"
    );
}

#[test]
fn half_a_minor_unit_is_rounded_up() {
    assert_eq!(
        [(1, 2), (3, 2), (-1, 2), (1, 3), (2, 3)].map(|(n, d)| rounded(n, d).unwrap()),
        [1, 2, 0, 0, 1]
    );
    assert_eq!((rounded(1, 0), rounded(i128::MAX, 1)), (None, None));
}

#[test]
fn a_fixed_amount_is_earned_in_its_own_currency_alone() {
    let fixed = Program {
        reward: Reward::Fixed(money(500, "eur")),
        ..program()
    };
    let story = [
        report("acme", day(3, 1), &fixed),
        pays("pi_1", 3, 3, 1_000),
        paid("pi_2", day(3, 4), money(1_000, "usd")),
        refunded("re_1", "pi_1", day(3, 5), 250),
    ];
    assert_eq!(summary_in_both_orders(&story), ["acme/eur/due/pi_1 375"]);
}

#[test]
fn currencies_and_units_of_one_currency_are_kept_apart() {
    let yen = |minor, exponent| Money {
        exponent,
        ..money(minor, "jpy")
    };
    let story = [
        report("acme", day(3, 1), &program()),
        pays("pi_1", 3, 3, 1_000),
        paid("pi_2", day(3, 4), money(2_000, "usd")),
        paid("pi_3", day(3, 5), yen(3_000, 0)),
        paid("pi_4", day(3, 6), yen(4_000, 2)),
    ];
    let balances = balances(&LedgerTable::after(&story).rows(), &[], day(3, 7));
    let shown: Vec<_> = balances
        .iter()
        .map(|b| (b.currency.code(), b.exponent, b.pending_minor))
        .collect();
    let apart = [
        ("eur", 2, 200),
        ("jpy", 0, 600),
        ("jpy", 2, 800),
        ("usd", 2, 400),
    ];
    assert_eq!(shown, apart);
    let fixed = Program {
        reward: Reward::Fixed(yen(50, 2)),
        ..program()
    };
    let story = [
        report("acme", day(3, 1), &fixed),
        story[3].clone(),
        story[4].clone(),
    ];
    assert_eq!(summary_in_both_orders(&story), ["acme/jpy/due/pi_4 50"]);
}

#[test]
fn a_lost_dispute_stays_and_an_inquiry_holds_nothing() {
    let start = [
        report("acme", day(3, 1), &program()),
        pays("pi_1", 3, 3, 1_000),
    ];
    let then = |state| {
        summary_in_both_orders(
            &[
                start.to_vec(),
                vec![disputed("pi_1", day(3, 5), 1_000, state)],
            ]
            .concat(),
        )
    };
    assert_eq!(then(DisputeState::Inquiry), ["acme/eur/due/pi_1 200"]);
    assert!(then(DisputeState::Open).is_empty());
    assert!(then(DisputeState::Lost).is_empty());
    assert_eq!(then(DisputeState::Won), ["acme/eur/due/pi_1 200"]);
}

#[test]
fn a_code_given_to_a_partner_attributes_without_a_report() {
    let granted = CodeGranted {
        code: ReferralCode::parse("SPRING").unwrap(),
        partner: PartnerId::parse("acme").unwrap(),
        program: program(),
        identity: PartnerIdentity::default(),
    };
    let granted = new_event(
        "partner/acme/code",
        day(2, 1),
        vec![Fact::CodeGranted(Box::new(granted))],
    );
    let mut payment = pays("pi_1", 3, 3, 1_000);
    payment.facts.push(Fact::ReferralCode {
        code: ReferralCode::parse("SPRING").unwrap(),
    });
    let story = [granted.clone(), payment.clone()];
    assert_eq!(summary_in_both_orders(&story), ["acme/eur/due/pi_1 200"]);
    let state = LedgerTable::after(&story).record.folded.state;
    assert_eq!(
        &*state.attribution().unwrap().referral.referral,
        "code/spring"
    );
    payment.occurred_at = day(1, 31);
    assert!(
        summary_in_both_orders(&[granted, payment]).is_empty(),
        "it was nobody's then"
    );
}

#[test]
fn payments_that_turn_out_to_be_one_earn_once() {
    let invoice = PaymentSnapshot {
        ids: vec![ObjectId::parse("in_1").unwrap()],
        source_kind: SourceKind::Invoice,
        paid: money(1_000, "eur"),
        tax_minor: None,
        paid_at: day(3, 3),
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    };
    let ids = ["in_1", "pi_1"]
        .map(|text| ObjectId::parse(text).unwrap())
        .to_vec();
    let story = [
        report("acme", day(3, 1), &program()),
        new_event("invoice.paid", day(3, 3), vec![Fact::Payment(invoice)]),
        pays("pi_1", 3, 3, 1_000),
        new_event("linked", day(3, 3), vec![Fact::SamePayment { ids }]),
    ];
    assert_eq!(summary_in_both_orders(&story), ["acme/eur/due/pi_1 200"]);
}
