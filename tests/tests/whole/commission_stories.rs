//! Model 4 and the stories R2 to R8: Stripe's payloads and partners' reports, signed, through
//! the endpoints, into the ledger and its statement, day by day on the stack's clock. Then what the
//! endpoints made of it, in every order.

use crate::event_orders::{SplitMixRng, each_order};
use domain::ids::PartnerId;
use domain::partner::identity::PartnerIdentity;
use domain::partner::ledger::{CommissionRow, Ledger};
use domain::partner::payout::Payout;
use domain::partner::payout::balances;
use domain::partner::program::{AttributionModel, Program, Reward};
use domain::record::Entry;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::ingest::ingest_entries;
use store::memory::MemoryTable;
use store::partners::ledger;
use tests::harness::TestHarness;
use tests::harness::notice_receiver::{NoticeReceiver, ReceivedNotice};
use tests::harness::notices::{deduplicated, secret};
use tests::harness::requests::blocking;
use tests::harness::shop_actions::{ShopAction, at, program};

/// Month and day, what happens, the rows it makes, then pending, released and paid that evening.
type ModelDay = ((i8, i8), ShopAction, &'static [i64], (i64, i64, i64));

const MODEL_4: [ModelDay; 12] = [
    ((3, 1), ShopAction::Reported, &[], (0, 0, 0)),
    ((3, 3), ShopAction::Paid(1, 1_000), &[200], (200, 0, 0)),
    ((3, 10), ShopAction::Paid(2, 1_400), &[280], (480, 0, 0)),
    ((3, 20), ShopAction::Refunded(2, 400), &[-80], (400, 0, 0)),
    ((4, 3), ShopAction::Paid(3, 3_000), &[600], (800, 200, 0)),
    ((4, 5), ShopAction::PaidOut, &[], (800, 0, 200)),
    (
        (4, 8),
        ShopAction::Refunded(1, 1_000),
        &[-200],
        (800, -200, 200),
    ),
    ((4, 9), ShopAction::Nothing, &[], (600, 0, 200)),
    ((5, 3), ShopAction::Nothing, &[], (0, 600, 200)),
    ((5, 5), ShopAction::PaidOut, &[], (0, 0, 800)),
    (
        (5, 20),
        ShopAction::Disputed(3, 3_000),
        &[-600],
        (0, -600, 800),
    ),
    (
        (5, 30),
        ShopAction::DisputeWon(3, 3_000),
        &[600],
        (0, 0, 800),
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_4_through_the_doors_is_its_table_row_by_row_and_in_every_order_its_sums() {
    let shop = TestHarness::with_partners(&[("acme", program(), PartnerIdentity::default())]).await;
    let mut seen = 0;
    for ((month, day), happens, made, balance) in MODEL_4 {
        shop.advance_to(at(month, day, 9)).await;
        shop.perform("c", happens).await;
        let rows = shop.rows("acme").await;
        let new: Vec<i64> = rows[seen..].iter().map(|row| row.amount.minor).collect();
        assert_eq!(new, made, "{month}-{day}");
        seen = rows.len();
        let evening = sums_of(&rows, &shop.payouts().await, at(month, day, 18));
        assert_eq!(evening, balance, "{month}-{day}");
    }
    let payouts = shop.payouts().await;
    assert_eq!(payouts.len(), 2, "each was run twice");
    assert_eq!(
        totals(&shop.rows("acme").await),
        [("pi_c_2", 200), ("pi_c_3", 600)]
    );
    let entries = shop.entries().await;
    blocking(move || every_order(&entries, &payouts)).await;
}

/// R2: what the endpoints journaled, told to an empty table in other orders.
fn every_order(entries: &[Arc<Entry>], payouts: &[Payout]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let outcome = |order: &[&Arc<Entry>]| {
        let rows = runtime.block_on(ledger_of(order));
        let totals = totals(&rows).into_iter();
        // The rows of a payment stand under the id that was known first: `in_c_2` or `pi_c_2`.
        let name = |id: &str| id.split_once('_').unwrap().1.to_owned();
        let mut totals: Vec<_> = totals.map(|(id, sum)| (name(id), sum)).collect();
        totals.sort();
        (totals, sums_of(&rows, payouts, at(6, 1, 0)))
    };
    // Without the dispute's end, so that it is open when all is told.
    let kinds = [
        "referral.created",
        "payment_intent.succeeded",
        "charge.refunded",
    ];
    let few: Vec<&Arc<Entry>> = entries
        .iter()
        .filter(|entry| {
            let kind = &*entry.event.kind;
            kinds.contains(&kind) || kind == "charge.dispute.created"
        })
        .collect();
    assert_eq!(few.len(), 7);
    let mut orders = 0;
    each_order(&mut vec![1; few.len()], &mut Vec::new(), &mut |order| {
        let order: Vec<_> = order.iter().map(|place| few[*place]).collect();
        let end = (vec![("c_2".to_owned(), 200)], (0, -600, 800));
        assert_eq!(outcome(&order), end);
        orders += 1;
    });
    assert_eq!(orders, 5_040);
    let mut dice = SplitMixRng(7);
    for _ in 0..SAMPLES {
        let mut order: Vec<&Arc<Entry>> = entries.iter().collect();
        for _ in 0..dice.below(6) {
            order.push(&entries[dice.below(entries.len())]);
        }
        dice.shuffle(&mut order);
        let sums = [("c_2".to_owned(), 200), ("c_3".to_owned(), 600)];
        assert_eq!(outcome(&order), (sums.to_vec(), (0, 0, 800)));
    }
    println!(
        "model 4: {orders} orders of 7 of its events, {SAMPLES} of all {} with repetitions",
        entries.len()
    );
}

const SAMPLES: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_a_late_report_earns_on_what_was_paid_inside_the_window_alone() {
    let shop = TestHarness::with_partners(&[("acme", program(), PartnerIdentity::default())]).await;
    shop.advance_to(at(3, 3, 9)).await;
    shop.perform("in", ShopAction::Paid(1, 1_000)).await;
    shop.perform("out", ShopAction::Paid(1, 1_000)).await;
    shop.advance_to(at(4, 20, 9)).await;
    shop.perform("in", ShopAction::Reported).await;
    assert_eq!(totals(&shop.rows("acme").await), [("pi_in_1", 200)]);
    shop.advance_to(at(5, 3, 9)).await;
    shop.perform("out", ShopAction::Reported).await;
    assert_eq!(totals(&shop.rows("acme").await), [("pi_in_1", 200)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r4_of_two_partners_the_first_signed_report_earns_or_the_last_click() {
    for (claim, winner, other) in [
        (AttributionModel::First, "zest", "acme"),
        (AttributionModel::Last, "acme", "zest"),
    ] {
        let program = Program {
            attribution_model: claim,
            ..program()
        };
        let own = PartnerIdentity::default;
        let shop = TestHarness::with_partners(&[
            ("acme", program.clone(), own()),
            ("zest", program, own()),
        ])
        .await;
        shop.advance_to(at(3, 2, 9)).await;
        shop.report("zest", "c").await;
        shop.advance_to(at(3, 4, 9)).await;
        shop.report("acme", "c").await;
        shop.advance_to(at(3, 5, 9)).await;
        shop.perform("c", ShopAction::Paid(1, 1_000)).await;
        assert_eq!(
            totals(&shop.rows(winner).await),
            [("pi_c_1", 200)],
            "{claim:?}"
        );
        assert!(shop.rows(other).await.is_empty(), "{claim:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_who_looks_like_the_partner_is_held_with_the_reason_and_not_refused() {
    let mut own = PartnerIdentity::of("ow.ner@agrumes.fr");
    own.fingerprints.insert("CardOfTheOwner01".into());
    let shop = TestHarness::with_partners(&[("acme", program(), own)]).await;
    shop.advance_to(at(3, 3, 9)).await;
    for (customer, email, card) in [
        ("mail", "owner+shop@agrumes.fr", "CardOfSomebody01"),
        ("firm", "berthe@agrumes.fr", "CardOfSomebody02"),
        ("card", "berthe@oranges.fr", "CardOfTheOwner01"),
        ("else", "anna@oranges.fr", "CardOfSomebody03"),
    ] {
        shop.perform(customer, ShopAction::Reported).await;
        let email = format!("\"data.object.email\" = \"{email}\"");
        shop.deliver_sample(customer, 1, "customer.created", &email)
            .await;
        let fingerprint = "data.object.payment_method_details.card.fingerprint";
        let paid = format!("\"{fingerprint}\" = \"{card}\"");
        shop.deliver_sample(customer, 1, "charge.succeeded", &paid)
            .await;
    }
    let rows = shop.rows("acme").await;
    let lines = Ledger::from_rows(&rows).balances;
    let mut held: Vec<(&str, &str, i64)> = Vec::new();
    for (account, line) in lines.iter().filter(|(_, line)| line.total() != 0) {
        let why = account
            .self_referral_signal
            .map_or("due", domain::partner::identity::SelfReferralSignal::as_str);
        held.push((account.payment.as_str(), why, line.total()));
    }
    held.sort_unstable();
    let expected = [
        ("pi_card_1", "same_payment", 576),
        ("pi_else_1", "due", 576),
        ("pi_firm_1", "same_domain", 576),
        ("pi_mail_1", "same_email", 576),
    ];
    assert_eq!(held, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_a_lower_rate_touches_only_those_who_are_sent_after_it() {
    let shop = TestHarness::with_partners(&[("acme", program(), PartnerIdentity::default())]).await;
    shop.perform("old", ShopAction::Reported).await;
    shop.advance_to(at(3, 3, 9)).await;
    shop.perform("old", ShopAction::Paid(1, 1_000)).await;
    shop.advance_to(at(5, 31, 9)).await;
    let lower = Program {
        reward: Reward::BasisPoints(1_500),
        ..program()
    };
    shop.agree_program("acme", at(6, 1, 0), lower, PartnerIdentity::default())
        .await;
    shop.advance_to(at(6, 3, 9)).await;
    shop.perform("new", ShopAction::Reported).await;
    shop.perform("new", ShopAction::Paid(1, 1_000)).await;
    // Also when the old one is reported again.
    shop.perform("old", ShopAction::Reported).await;
    shop.perform("old", ShopAction::Paid(2, 1_000)).await;
    let expected = [("pi_new_1", 150), ("pi_old_1", 200), ("pi_old_2", 200)];
    assert_eq!(totals(&shop.rows("acme").await), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_each_row_of_a_statement_has_its_cause_was_told_signed_and_all_come_to_the_balance() {
    let shop = TestHarness::with_partners(&[("acme", program(), PartnerIdentity::default())]).await;
    let receiver = NoticeReceiver::open();
    shop.set_endpoint("acme", &receiver.url).await;
    for ((month, day), happens, ..) in MODEL_4 {
        shop.advance_to(at(month, day, 9)).await;
        shop.perform("c", happens).await;
        shop.settle().await;
    }
    let (outcome, statement) = (
        deduplicated(receiver.take_received(&secret())),
        shop.statement("acme").await,
    );
    let made = |notice: &ReceivedNotice| {
        let body = notice.body();
        let data = body["data"].clone();
        (body["type"] != "commission.released").then_some(data)
    };
    let made: Vec<Value> = outcome.iter().filter_map(made).collect();
    let mut sum = 0;
    for row in &statement.rows {
        assert!(!row.cause.is_empty() && !row.text.is_empty(), "{row:?}");
        sum += row.amount_minor;
        let is_told = |data: &&Value| match row.kind {
            "payout" => data["amounts"][0]["amount_minor"] == -row.amount_minor,
            kind => {
                data["kind"] == kind
                    && data["cause"] == *row.cause
                    && data["amount_minor"] == row.amount_minor
                    && data["text"] == *row.text
                    && data["at"] == row.at.to_string()
            }
        };
        assert_eq!(made.iter().filter(is_told).count(), 1, "{row:?}");
    }
    assert_eq!(statement.rows.len(), 9);
    let [balance] = &statement.balance[..] else {
        panic!("one currency");
    };
    let left = balance.pending_minor + balance.released_minor + balance.held_minor;
    assert_eq!((sum, balance.paid_minor), (left, 800));
    // Its rows, two payouts, and that the report counts.
    assert_eq!(made.len(), statement.rows.len() + 1);
}

/// The rows of an empty table that hears these.
async fn ledger_of(order: &[&Arc<Entry>]) -> Vec<CommissionRow> {
    let table = MemoryTable::without_attributes();
    for entry in order {
        let one = std::slice::from_ref(*entry);
        ingest_entries(&table, one, at(3, 1, 0)).await.unwrap();
    }
    ledger(&table, &PartnerId::parse("acme").unwrap())
        .await
        .unwrap()
}

/// Pending, released and paid.
fn sums_of(rows: &[CommissionRow], payouts: &[Payout], now: Timestamp) -> (i64, i64, i64) {
    let balance = balances(rows, payouts, now).pop();
    balance.map_or((0, 0, 0), |sums| {
        (sums.pending_minor, sums.released_minor, sums.paid_minor)
    })
}

/// What the rows of each payment come to, where it is anything.
fn totals(rows: &[CommissionRow]) -> Vec<(&str, i64)> {
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for row in rows {
        *totals.entry(row.payment.as_str()).or_default() += row.amount.minor;
    }
    totals
        .into_iter()
        .filter(|(_, total)| *total != 0)
        .collect()
}
