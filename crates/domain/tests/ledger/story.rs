//! Model 4, row by row, then in every order.

use crate::books::{Books, day, disputed, money, paid, program, refunded, report};
use crate::history::Rng;
use domain::billing::DisputeState;
use domain::ids::PartnerId;
use domain::reading::Reading;
use domain::statement::{Payout, balances, statement};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What happens on a day.
enum Happens {
    Told(Reading),
    Payout,
    Nothing,
}

/// Month and day, what happens, the rows it makes, then pending, released and paid.
type Line = ((i8, i8), Happens, &'static [i64], (i64, i64, i64));

fn eur(minor: i64) -> domain::money::Money {
    money(minor, "eur")
}

fn model_4() -> Vec<Line> {
    use DisputeState::{Open, Won};
    use Happens::{Nothing, Payout, Told};
    let on = |month, date| day(month, date);
    vec![
        (
            (3, 1),
            Told(report("acme", on(3, 1), &program())),
            &[],
            (0, 0, 0),
        ),
        (
            (3, 3),
            Told(paid("pi_1", on(3, 3), eur(1_000))),
            &[200],
            (200, 0, 0),
        ),
        (
            (3, 10),
            Told(paid("pi_2", on(3, 10), eur(1_400))),
            &[280],
            (480, 0, 0),
        ),
        (
            (3, 20),
            Told(refunded("re_1", "pi_2", on(3, 20), 400)),
            &[-80],
            (400, 0, 0),
        ),
        (
            (4, 3),
            Told(paid("pi_3", on(4, 3), eur(3_000))),
            &[600],
            (800, 200, 0),
        ),
        ((4, 5), Payout, &[], (800, 0, 200)),
        (
            (4, 8),
            Told(refunded("re_2", "pi_1", on(4, 8), 1_000)),
            &[-200],
            (800, -200, 200),
        ),
        ((4, 9), Nothing, &[], (600, 0, 200)),
        ((5, 3), Nothing, &[], (0, 600, 200)),
        ((5, 5), Payout, &[], (0, 0, 800)),
        (
            (5, 20),
            Told(disputed("pi_3", on(5, 20), 3_000, Open)),
            &[-600],
            (0, -600, 800),
        ),
        (
            (5, 30),
            Told(disputed("pi_3", on(5, 30), 3_000, Won)),
            &[600],
            (0, 0, 800),
        ),
    ]
}

#[test]
fn model_4_row_by_row_with_its_balance() {
    let mut books = Books::new();
    let mut payouts: Vec<Payout> = Vec::new();
    for ((month, date), happens, made, (pending, released, paid)) in model_4() {
        let now = day(month, date);
        let before = books.rows.len();
        match happens {
            Happens::Told(reading) => books.hear(&reading, now),
            Happens::Payout => {
                let minor = balances(&books.rows(), &payouts, now)[0].released_minor;
                payouts.push(payout(now, minor));
            }
            Happens::Nothing => {}
        }
        let mut rows = books.rows();
        rows.sort_by_key(|row| row.n);
        let new: Vec<i64> = rows[before..].iter().map(|row| row.amount.minor).collect();
        assert_eq!(new, made, "{month}-{date}");
        let balance = balances(&rows, &payouts, now).pop().map_or((0, 0, 0), |b| {
            (b.pending_minor, b.released_minor, b.paid_minor)
        });
        assert_eq!(balance, (pending, released, paid), "{month}-{date}");
    }
    let shown = statement(&books.rows(), &payouts, day(6, 1));
    let lines: Vec<String> = shown
        .rows
        .iter()
        .map(|r| {
            let cause = r.cause.replace("stripe/test/", "…/");
            format!(
                "{cause} {} {} {}: {}",
                r.kind, r.amount_minor, r.state, r.text
            )
        })
        .collect();
    assert_eq!(lines, STATEMENT);
    let sum: i64 = shown.rows.iter().map(|row| row.amount_minor).sum();
    assert_eq!(
        sum,
        shown.balance[0].pending_minor + shown.balance[0].released_minor
    );
}

const STATEMENT: [&str; 9] = [
    "…/pi_1 commission 200 paid: 20 % for the payment of 2026-03-03: 10.00 EUR without tax",
    "…/pi_2 commission 280 paid: 20 % for the payment of 2026-03-10: 14.00 EUR without tax",
    "…/pi_2 refund -80 paid: 20 %: of the payment of 2026-03-10 4.00 EUR was refunded",
    "…/pi_3 commission 600 paid: 20 % for the payment of 2026-04-03: 30.00 EUR without tax",
    "payout/2026-04-05 payout -200 paid: paid out on 2026-04-05",
    "…/pi_1 refund -200 paid: 20 %: of the payment of 2026-03-03 10.00 EUR was refunded",
    "payout/2026-05-05 payout -600 paid: paid out on 2026-05-05",
    "…/pi_3 dispute -600 released: 20 %: of the payment of 2026-04-03 30.00 EUR is disputed",
    "…/pi_3 dispute 600 released: 20 %: of the payment of 2026-04-03 only 0.00 EUR stays disputed",
];

#[test]
fn every_order_of_seven_of_its_events_makes_the_same_sums_and_balance() {
    // Without the dispute's end, so that it is open when all is told.
    let told: Vec<Reading> = told().into_iter().take(7).collect();
    let mut orders = 0;
    permute(&mut told.iter().collect(), 0, &mut |order| {
        orders += 1;
        let books = heard(order);
        assert_eq!(books.said(), ["acme/eur/due/pi_2 200"]);
        assert_eq!(end_of(&books), (0, -600, 800));
    });
    assert_eq!(orders, 5_040);
}

#[test]
fn sampled_orders_of_all_with_repetitions_make_the_same_sums_and_balance() {
    let told = told();
    let mut rng = Rng(7);
    let mut ends = BTreeSet::new();
    for _ in 0..2_000 {
        let mut order: Vec<&Reading> = told.iter().collect();
        for _ in 0..rng.below(6) {
            order.push(&told[rng.below(told.len())]);
        }
        rng.shuffle(&mut order);
        let books = heard(&order);
        assert_eq!(
            books.said(),
            ["acme/eur/due/pi_2 200", "acme/eur/due/pi_3 600"]
        );
        assert_eq!(end_of(&books), (0, 0, 800));
        ends.insert(books.rows.len());
    }
    assert!(
        ends.len() > 2,
        "rows differ with the order, sums do not: {ends:?}"
    );
}

#[test]
fn refund_first_and_report_last_make_one_row_for_what_is_left() {
    let told = told();
    let order: Vec<&Reading> = [3, 2, 0].map(|n| &told[n]).into();
    let books = heard(&order);
    let mut rows: Vec<(&str, i64)> = Vec::new();
    for row in books.rows.values() {
        rows.push((row.kind.as_str(), row.amount.minor));
    }
    assert_eq!(rows, [("commission", 280), ("refund", -80)]);
    // And nothing at all where nothing is left: nobody is told of a pair that cancels out.
    let order: Vec<&Reading> = [5, 1, 0].map(|n| &told[n]).into();
    assert!(heard(&order).rows.is_empty());
}

fn told() -> Vec<Reading> {
    model_4()
        .into_iter()
        .filter_map(|(_, happens, ..)| match happens {
            Happens::Told(reading) => Some(reading),
            Happens::Payout | Happens::Nothing => None,
        })
        .collect()
}

/// All told on one late day, in this order.
fn heard(order: &[&Reading]) -> Books {
    let mut books = Books::new();
    for reading in order {
        books.hear(reading, day(3, 1));
    }
    books
}

fn end_of(books: &Books) -> (i64, i64, i64) {
    let payouts = [payout(day(4, 5), 200), payout(day(5, 5), 600)];
    let balance = balances(&books.rows(), &payouts, day(6, 1)).pop().unwrap();
    (
        balance.pending_minor,
        balance.released_minor,
        balance.paid_minor,
    )
}

fn payout(at: Timestamp, minor: i64) -> Payout {
    Payout {
        partner: PartnerId::new("acme"),
        at,
        amount: eur(minor),
    }
}

fn permute<'a>(order: &mut Vec<&'a Reading>, from: usize, see: &mut impl FnMut(&[&'a Reading])) {
    if from == order.len() {
        return see(order);
    }
    for with in from..order.len() {
        order.swap(from, with);
        permute(order, from + 1, see);
        order.swap(from, with);
    }
}
