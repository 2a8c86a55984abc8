//! Model 4 and the stories R2 to R8: Stripe's payloads and partners' reports, signed, through
//! the doors, into the ledger and its statement, day by day on the stack's clock. Then what the
//! doors made of it, in every order.

use crate::orders::{Dice, each_order};
use crate::support::desk::{once, secret};
use crate::support::house::blocking;
use crate::support::memory::Memory;
use crate::support::partner_shop::{Happens, PartnerShop, at, program};
use crate::support::receiver::{Notice, Receiver};
use domain::ids::PartnerId;
use domain::ledger::{Ledger, Row};
use domain::payout::Payout;
use domain::program::{Claim, Own, Program, Reward};
use domain::record::Entry;
use domain::statement::balances;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::accept::receive;
use store::partners::ledger;

/// Month and day, what happens, the rows it makes, then pending, released and paid that evening.
type Line = ((i8, i8), Happens, &'static [i64], (i64, i64, i64));

const MODEL_4: [Line; 12] = [
    ((3, 1), Happens::Reported, &[], (0, 0, 0)),
    ((3, 3), Happens::Paid(1, 1_000), &[200], (200, 0, 0)),
    ((3, 10), Happens::Paid(2, 1_400), &[280], (480, 0, 0)),
    ((3, 20), Happens::Refunded(2, 400), &[-80], (400, 0, 0)),
    ((4, 3), Happens::Paid(3, 3_000), &[600], (800, 200, 0)),
    ((4, 5), Happens::PaidOut, &[], (800, 0, 200)),
    (
        (4, 8),
        Happens::Refunded(1, 1_000),
        &[-200],
        (800, -200, 200),
    ),
    ((4, 9), Happens::Nothing, &[], (600, 0, 200)),
    ((5, 3), Happens::Nothing, &[], (0, 600, 200)),
    ((5, 5), Happens::PaidOut, &[], (0, 0, 800)),
    (
        (5, 20),
        Happens::Disputed(3, 3_000),
        &[-600],
        (0, -600, 800),
    ),
    ((5, 30), Happens::Won(3, 3_000), &[600], (0, 0, 800)),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_4_through_the_doors_is_its_table_row_by_row_and_in_every_order_its_sums() {
    let shop = PartnerShop::open(&[("acme", program(), Own::default())]).await;
    let mut seen = 0;
    for ((month, day), happens, made, balance) in MODEL_4 {
        shop.wait_for(at(month, day, 9)).await;
        shop.send("c", happens).await;
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

/// R2: what the doors journaled, told to an empty table in other orders.
fn every_order(entries: &[Arc<Entry>], payouts: &[Payout]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let told = |order: &[&Arc<Entry>]| {
        let rows = runtime.block_on(hear(order));
        let totals = totals(&rows).into_iter();
        let totals: Vec<_> = totals.map(|(id, sum)| (id.to_owned(), sum)).collect();
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
            let kind = &*entry.reading.kind;
            kinds.contains(&kind) || kind == "charge.dispute.created"
        })
        .collect();
    assert_eq!(few.len(), 7);
    let mut orders = 0;
    each_order(&mut vec![1; few.len()], &mut Vec::new(), &mut |order| {
        let order: Vec<_> = order.iter().map(|place| few[*place]).collect();
        let end = (vec![("pi_c_2".to_owned(), 200)], (0, -600, 800));
        assert_eq!(told(&order), end);
        orders += 1;
    });
    assert_eq!(orders, 5_040);
    let mut dice = Dice(7);
    for _ in 0..SAMPLES {
        let mut order: Vec<&Arc<Entry>> = entries.iter().collect();
        for _ in 0..dice.below(6) {
            order.push(&entries[dice.below(entries.len())]);
        }
        dice.shuffle(&mut order);
        let sums = [("pi_c_2".to_owned(), 200), ("pi_c_3".to_owned(), 600)];
        assert_eq!(told(&order), (sums.to_vec(), (0, 0, 800)));
    }
    println!(
        "model 4: {orders} orders of 7 of its events, {SAMPLES} of all {} with repetitions",
        entries.len()
    );
}

const SAMPLES: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_a_late_report_earns_on_what_was_paid_inside_the_window_alone() {
    let shop = PartnerShop::open(&[("acme", program(), Own::default())]).await;
    shop.wait_for(at(3, 3, 9)).await;
    shop.send("in", Happens::Paid(1, 1_000)).await;
    shop.send("out", Happens::Paid(1, 1_000)).await;
    shop.wait_for(at(4, 20, 9)).await;
    shop.send("in", Happens::Reported).await;
    assert_eq!(totals(&shop.rows("acme").await), [("pi_in_1", 200)]);
    shop.wait_for(at(5, 3, 9)).await;
    shop.send("out", Happens::Reported).await;
    assert_eq!(totals(&shop.rows("acme").await), [("pi_in_1", 200)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r4_of_two_partners_the_first_signed_report_earns_or_the_last_click() {
    for (claim, winner, other) in [
        (Claim::First, "zest", "acme"),
        (Claim::Last, "acme", "zest"),
    ] {
        let program = Program { claim, ..program() };
        let own = Own::default;
        let shop =
            PartnerShop::open(&[("acme", program.clone(), own()), ("zest", program, own())]).await;
        shop.wait_for(at(3, 2, 9)).await;
        shop.report("zest", "c").await;
        shop.wait_for(at(3, 4, 9)).await;
        shop.report("acme", "c").await;
        shop.wait_for(at(3, 5, 9)).await;
        shop.send("c", Happens::Paid(1, 1_000)).await;
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
    let mut own = Own::of("ow.ner@agrumes.fr");
    own.fingerprints.insert("CardOfTheOwner01".into());
    let shop = PartnerShop::open(&[("acme", program(), own)]).await;
    shop.wait_for(at(3, 3, 9)).await;
    for (customer, email, card) in [
        ("mail", "owner+shop@agrumes.fr", "CardOfSomebody01"),
        ("firm", "berthe@agrumes.fr", "CardOfSomebody02"),
        ("card", "berthe@oranges.fr", "CardOfTheOwner01"),
        ("else", "anna@oranges.fr", "CardOfSomebody03"),
    ] {
        shop.send(customer, Happens::Reported).await;
        let email = format!("\"data.object.email\" = \"{email}\"");
        shop.tell(customer, 1, "customer.created", &email).await;
        let fingerprint = "data.object.payment_method_details.card.fingerprint";
        let paid = format!("\"{fingerprint}\" = \"{card}\"");
        shop.tell(customer, 1, "charge.succeeded", &paid).await;
    }
    let rows = shop.rows("acme").await;
    let lines = Ledger::recalled(&rows).lines;
    let mut held: Vec<(&str, &str, i64)> = Vec::new();
    for (account, line) in lines.iter().filter(|(_, line)| line.total() != 0) {
        let why = account
            .suspicion
            .map_or("due", domain::program::Suspicion::as_str);
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
    let shop = PartnerShop::open(&[("acme", program(), Own::default())]).await;
    shop.send("old", Happens::Reported).await;
    shop.wait_for(at(3, 3, 9)).await;
    shop.send("old", Happens::Paid(1, 1_000)).await;
    shop.wait_for(at(5, 31, 9)).await;
    let lower = Program {
        reward: Reward::BasisPoints(1_500),
        ..program()
    };
    shop.agree("acme", at(6, 1, 0), lower, Own::default()).await;
    shop.wait_for(at(6, 3, 9)).await;
    shop.send("new", Happens::Reported).await;
    shop.send("new", Happens::Paid(1, 1_000)).await;
    // Also when the old one is reported again.
    shop.send("old", Happens::Reported).await;
    shop.send("old", Happens::Paid(2, 1_000)).await;
    let expected = [("pi_new_1", 150), ("pi_old_1", 200), ("pi_old_2", 200)];
    assert_eq!(totals(&shop.rows("acme").await), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_each_row_of_a_statement_has_its_cause_was_told_signed_and_all_come_to_the_balance() {
    let shop = PartnerShop::open(&[("acme", program(), Own::default())]).await;
    let receiver = Receiver::open().await;
    shop.endpoint("acme", &receiver.url).await;
    for ((month, day), happens, ..) in MODEL_4 {
        shop.wait_for(at(month, day, 9)).await;
        shop.send("c", happens).await;
        shop.settle().await;
    }
    let (told, statement) = (once(receiver.came(&secret())), shop.statement("acme").await);
    let made = |notice: &Notice| {
        let body = notice.body();
        let data = body["data"].clone();
        (body["type"] != "commission.released").then_some(data)
    };
    let made: Vec<Value> = told.iter().filter_map(made).collect();
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
async fn hear(order: &[&Arc<Entry>]) -> Vec<Row> {
    let table = Memory::default();
    for entry in order {
        let one = std::slice::from_ref(*entry);
        receive(&table, one, at(3, 1, 0)).await.unwrap();
    }
    ledger(&table, &PartnerId::new("acme")).await.unwrap()
}

/// Pending, released and paid.
fn sums_of(rows: &[Row], payouts: &[Payout], now: Timestamp) -> (i64, i64, i64) {
    let balance = balances(rows, payouts, now).pop();
    balance.map_or((0, 0, 0), |sums| {
        (sums.pending_minor, sums.released_minor, sums.paid_minor)
    })
}

/// What the rows of each payment come to, where it is anything.
fn totals(rows: &[Row]) -> Vec<(&str, i64)> {
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for row in rows {
        *totals.entry(row.payment.as_str()).or_default() += row.amount.minor;
    }
    totals
        .into_iter()
        .filter(|(_, total)| *total != 0)
        .collect()
}
