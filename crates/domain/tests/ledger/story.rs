//! The story of model 4: row by row, then in every order.

use crate::history::SeededRng;
use crate::model_table::{LedgerTable, day, disputed, money, paid, program, refunded, report};
use domain::event::NormalizedEvent;
use domain::ids::PartnerId;
use domain::partner::payout::Balance;
use domain::partner::payout::balances;
use domain::partner::payout::{Payout, PayoutOutcome, PayoutRequest, decide};
use domain::partner::statement::{monthly_statement, statement};
use domain::payment::snapshot::DisputeState;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// What happens on a day.
enum StoryEvent {
    Event(NormalizedEvent),
    Payout,
    Nothing,
}

/// Month and day, what happens, the amounts of the rows it makes, and the balance after it:
/// pending, released, paid.
type ModelStep = ((i8, i8), StoryEvent, &'static [i64], (i64, i64, i64));

fn eur(minor: i64) -> domain::money::Money {
    money(minor, "eur")
}

fn model_4() -> Vec<ModelStep> {
    use DisputeState::{Open, Won};
    use StoryEvent::{Event, Nothing, Payout};
    let on = |month, date| day(month, date);
    vec![
        (
            (3, 1),
            Event(report("acme", on(3, 1), &program())),
            &[],
            (0, 0, 0),
        ),
        (
            (3, 3),
            Event(paid("pi_1", on(3, 3), eur(1_000))),
            &[200],
            (200, 0, 0),
        ),
        (
            (3, 10),
            Event(paid("pi_2", on(3, 10), eur(1_400))),
            &[280],
            (480, 0, 0),
        ),
        (
            (3, 20),
            Event(refunded("re_1", "pi_2", on(3, 20), 400)),
            &[-80],
            (400, 0, 0),
        ),
        (
            (4, 3),
            Event(paid("pi_3", on(4, 3), eur(3_000))),
            &[600],
            (800, 200, 0),
        ),
        ((4, 5), Payout, &[], (800, 0, 200)),
        (
            (4, 8),
            Event(refunded("re_2", "pi_1", on(4, 8), 1_000)),
            &[-200],
            (800, -200, 200),
        ),
        ((4, 9), Nothing, &[], (600, 0, 200)),
        ((5, 3), Nothing, &[], (0, 600, 200)),
        ((5, 5), Payout, &[], (0, 0, 800)),
        (
            (5, 20),
            Event(disputed("pi_3", on(5, 20), 3_000, Open)),
            &[-600],
            (0, -600, 800),
        ),
        (
            (5, 30),
            Event(disputed("pi_3", on(5, 30), 3_000, Won)),
            &[600],
            (0, 0, 800),
        ),
    ]
}

#[test]
fn model_4_row_by_row_with_its_balance() {
    let mut table = LedgerTable::new();
    let mut payouts: Vec<Payout> = Vec::new();
    for ((month, date), happening, made, (pending, released, paid)) in model_4() {
        let now = day(month, date);
        let before = table.rows.len();
        match happening {
            StoryEvent::Event(event) => table.deliver(&event, now),
            StoryEvent::Payout => {
                let decided = run_payout(&table, &payouts, now);
                let PayoutOutcome::Pay(payout, _) = decided else {
                    panic!("{month}-{date}: {decided:?}")
                };
                payouts.push(payout);
                assert_eq!(
                    rerun_payout(&table, &payouts, now),
                    *payouts.last().unwrap()
                );
            }
            StoryEvent::Nothing => {}
        }
        let mut rows = table.rows();
        rows.sort_by_key(|row| row.n);
        let new: Vec<i64> = rows[before..].iter().map(|row| row.amount.minor).collect();
        assert_eq!(new, made, "{month}-{date}");
        let balance = balances(&rows, &payouts, now).pop().map_or((0, 0, 0), |b| {
            (b.pending_minor, b.released_minor, b.paid_minor)
        });
        assert_eq!(balance, (pending, released, paid), "{month}-{date}");
    }
    let shown = statement(&table.rows(), &payouts, day(6, 1));
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

#[test]
fn each_month_of_model_4_begins_as_the_last_one_ended() {
    let mut table = LedgerTable::new();
    let mut payouts: Vec<Payout> = Vec::new();
    for ((month, date), happening, ..) in model_4() {
        let now = day(month, date);
        match happening {
            StoryEvent::Event(event) => table.deliver(&event, now),
            StoryEvent::Payout => match run_payout(&table, &payouts, now) {
                PayoutOutcome::Pay(payout, _) => payouts.push(payout),
                other @ (PayoutOutcome::AlreadyPaid(_) | PayoutOutcome::Nothing(_)) => {
                    panic!("{other:?}")
                }
            },
            StoryEvent::Nothing => {}
        }
    }
    let sums = |balances: &[Balance]| -> Vec<(i64, i64, i64)> {
        let of_one = |b: &Balance| (b.pending_minor, b.released_minor, b.paid_minor);
        balances.iter().map(of_one).collect()
    };
    for (month, opening, rows, closing) in [
        (2, vec![], vec![], vec![]),
        (3, vec![], vec![200, 280, -80], vec![(400, 0, 0)]),
        (
            4,
            vec![(400, 0, 0)],
            vec![600, -200, -200],
            vec![(600, 0, 200)],
        ),
        (
            5,
            vec![(600, 0, 200)],
            vec![-600, -600, 600],
            vec![(0, 0, 800)],
        ),
        (6, vec![(0, 0, 800)], vec![], vec![(0, 0, 800)]),
    ] {
        let day_of_it = date(2026, month, 17);
        let shown = monthly_statement(&table.rows(), &payouts, day_of_it, day(6, 9));
        assert_eq!(shown.month, date(2026, month, 1));
        assert_eq!(sums(&shown.opening), opening, "{month}");
        assert_eq!(sums(&shown.closing), closing, "{month}");
        let amounts: Vec<i64> = shown.rows.iter().map(|row| row.amount_minor).collect();
        assert_eq!(amounts, rows, "{month}");
        let of =
            |balances: &[Balance]| balances.iter().map(Balance::outstanding_minor).sum::<i64>();
        let made: i64 = rows.iter().sum();
        assert_eq!(of(&shown.opening) + made, of(&shown.closing), "{month}");
    }
    // The current month closes now: on 4 April 200 of it is released.
    let running = monthly_statement(&table.rows(), &payouts, date(2026, 4, 30), day(4, 4));
    assert_eq!(sums(&running.closing), [(800, 200, 0)]);
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
    // Without the event that ends the dispute, so that it stays open.
    let events: Vec<NormalizedEvent> = story_events().into_iter().take(7).collect();
    let mut orders = 0;
    permute(&mut events.iter().collect(), 0, &mut |order| {
        orders += 1;
        let table = after_events(order);
        assert_eq!(table.summary(), ["acme/eur/due/pi_2 200"]);
        assert_eq!(end_of(&table), (0, -600, 800));
    });
    assert_eq!(orders, 5_040);
}

#[test]
fn sampled_orders_of_all_with_repetitions_make_the_same_sums_and_balance() {
    let events = story_events();
    let mut rng = SeededRng(7);
    let mut ends = BTreeSet::new();
    for _ in 0..2_000 {
        let mut order: Vec<&NormalizedEvent> = events.iter().collect();
        for _ in 0..rng.below(6) {
            order.push(&events[rng.below(events.len())]);
        }
        rng.shuffle(&mut order);
        let table = after_events(&order);
        assert_eq!(
            table.summary(),
            ["acme/eur/due/pi_2 200", "acme/eur/due/pi_3 600"]
        );
        assert_eq!(end_of(&table), (0, 0, 800));
        ends.insert(table.rows.len());
    }
    assert!(
        ends.len() > 2,
        "rows differ with the order, sums do not: {ends:?}"
    );
}

#[test]
fn refund_first_and_report_last_make_one_row_for_what_is_left() {
    let events = story_events();
    let order: Vec<&NormalizedEvent> = [3, 2, 0].map(|n| &events[n]).into();
    let table = after_events(&order);
    let mut rows: Vec<(&str, i64)> = Vec::new();
    for row in table.rows.values() {
        rows.push((row.kind.as_str(), row.amount.minor));
    }
    assert_eq!(rows, [("commission", 280), ("refund", -80)]);
    // Where nothing is left there is no row at all: rows that cancel each other out are not
    // decided.
    let order: Vec<&NormalizedEvent> = [5, 1, 0].map(|n| &events[n]).into();
    assert!(after_events(&order).rows.is_empty());
}

fn story_events() -> Vec<NormalizedEvent> {
    model_4()
        .into_iter()
        .filter_map(|(_, happening, ..)| match happening {
            StoryEvent::Event(event) => Some(event),
            StoryEvent::Payout | StoryEvent::Nothing => None,
        })
        .collect()
}

/// Decides the payout of that day.
fn run_payout(table: &LedgerTable, payouts: &[Payout], now: Timestamp) -> PayoutOutcome {
    let request = PayoutRequest {
        date: now.to_zoned(TimeZone::UTC).date(),
        minimums: Vec::new(),
    };
    decide(
        &PartnerId::parse("acme").unwrap(),
        &table.rows(),
        payouts,
        &request,
        now,
    )
    .unwrap()
}

/// Decides the payout of that day again, which pays nothing more.
fn rerun_payout(table: &LedgerTable, payouts: &[Payout], now: Timestamp) -> Payout {
    match run_payout(table, payouts, now) {
        PayoutOutcome::AlreadyPaid(payout) => payout,
        other @ (PayoutOutcome::Pay(..) | PayoutOutcome::Nothing(_)) => panic!("{other:?}"),
    }
}

/// The table after these events, delivered in this order on one day after all of them.
fn after_events(order: &[&NormalizedEvent]) -> LedgerTable {
    let mut table = LedgerTable::new();
    for event in order {
        table.deliver(event, day(3, 1));
    }
    table
}

fn end_of(table: &LedgerTable) -> (i64, i64, i64) {
    let payouts = [payout(1, day(4, 5), 200), payout(2, day(5, 5), 600)];
    let balance = balances(&table.rows(), &payouts, day(6, 1)).pop().unwrap();
    (
        balance.pending_minor,
        balance.released_minor,
        balance.paid_minor,
    )
}

fn payout(n: u64, at: Timestamp, minor: i64) -> Payout {
    Payout {
        partner: PartnerId::parse("acme").unwrap(),
        n,
        date: at.to_zoned(TimeZone::UTC).date(),
        at,
        until: at,
        amounts: vec![eur(minor)],
        complete_until: at,
        late_rows: BTreeMap::new(),
    }
}

fn permute<'a>(
    order: &mut Vec<&'a NormalizedEvent>,
    from: usize,
    see: &mut impl FnMut(&[&'a NormalizedEvent]),
) {
    if from == order.len() {
        return see(order);
    }
    for with in from..order.len() {
        order.swap(from, with);
        permute(order, from + 1, see);
        order.swap(from, with);
    }
}
