//! Credits: one order in which lots burn, and allotments that are a function of the set.

use domain::usage::credits::{
    Allotment, CreditDebit, CreditHistory, CreditHold, CreditLot, CreditRefund, LotOrigin,
    Settlement,
};
use domain::usage::quantity::Quantity;
use jiff::Timestamp;
use proptest::prelude::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * 3600).unwrap()
}

fn lot(amount: u64, effective: i64, expires: Option<i64>) -> CreditLot {
    CreditLot {
        priority: 0,
        expires_at: expires.map(at),
        origin: LotOrigin::Paid,
        effective_at: at(effective),
        amount: Quantity::whole(amount),
    }
}

fn debit(hour: i64, amount: u64) -> CreditDebit {
    let amount = Quantity::whole(amount);
    CreditDebit {
        at: at(hour),
        amount,
    }
}

fn refund(lot: &str, amount: u64) -> CreditRefund {
    let amount = Quantity::whole(amount);
    CreditRefund {
        lot: lot.into(),
        amount,
    }
}

/// Each lot as `id spent left`, and what is owed.
fn shown(allotment: &Allotment) -> String {
    let lots = allotment.lots.iter();
    let lots: Vec<String> = lots
        .map(|l| format!("{} {} {}", l.id, l.spent, l.left))
        .collect();
    format!("{}; debt {}", lots.join(", "), allotment.debt)
}

#[test]
fn lots_burn_in_one_order() {
    let mut history = CreditHistory::default();
    let lots = [
        (
            "late end",
            CreditLot {
                ..lot(1, 0, Some(90))
            },
        ),
        ("no end", lot(1, 0, None)),
        ("early end", lot(1, 0, Some(80))),
        (
            "given",
            CreditLot {
                origin: LotOrigin::Promotional,
                ..lot(1, 0, None)
            },
        ),
        (
            "second",
            CreditLot {
                priority: 1,
                ..lot(1, 0, Some(70))
            },
        ),
        ("younger", lot(1, 1, None)),
        ("younger b", lot(1, 1, None)),
    ];
    for (id, lot) in lots {
        history.lots.insert(id, lot);
    }
    let burned = history.allot(at(2)).unwrap();
    let order: Vec<&str> = burned.lots.iter().map(|lot| &*lot.id).collect();
    let expected = [
        "early end",
        "late end",
        "given",
        "no end",
        "younger",
        "younger b",
        "second",
    ];
    assert_eq!(order, expected);
    history.debits.insert("d", debit(2, 3));
    let spent = history.allot(at(2)).unwrap();
    let spent: Vec<String> = spent.lots.iter().map(|lot| lot.spent.to_string()).collect();
    assert_eq!(spent, ["1", "1", "1", "0", "0", "0", "0"]);
}

#[test]
fn a_refund_takes_what_is_unspent_and_the_next_lot_pays_the_rest() {
    let mut history = CreditHistory::default();
    history.lots.insert("top-up", lot(100, 0, None));
    history.debits.insert("d1", debit(1, 60));
    assert_eq!(
        shown(&history.allot(at(2)).unwrap()),
        "top-up 60 40; debt 0"
    );
    history.refunds.insert("r1", refund("top-up", 100));
    let owing = history.allot(at(2)).unwrap();
    assert_eq!(shown(&owing), "top-up 0 0; debt 60");
    assert!(owing.available().unwrap().is_negative());
    assert_eq!(history.covers(Quantity::ONE, at(2)), Ok(false));
    history.lots.insert("next", lot(100, 3, None));
    assert_eq!(
        shown(&history.allot(at(3)).unwrap()),
        "top-up 0 0, next 60 40; debt 0"
    );
    // Told again, and of more than there was: the same.
    history.refunds.insert("r1", refund("top-up", 100));
    history.refunds.insert("r2", refund("top-up", 50));
    assert_eq!(
        shown(&history.allot(at(3)).unwrap()),
        "top-up 0 0, next 60 40; debt 0"
    );
}

#[test]
fn what_is_left_at_the_end_is_gone_and_what_was_used_before_is_not() {
    let mut history = CreditHistory::default();
    history.lots.insert("month", lot(100, 0, Some(10)));
    history.debits.insert("before", debit(9, 30));
    history.debits.insert("after", debit(10, 5));
    let ended = history.allot(at(10)).unwrap();
    let month = &ended.lots[0];
    let parts = [month.spent, month.expired, month.left];
    assert_eq!(parts.map(|part| part.to_string()), ["30", "70", "0"]);
    assert_eq!(ended.debt, Quantity::whole(5));
}

#[test]
fn a_hold_is_kept_free_until_it_is_settled_or_over() {
    let mut history = CreditHistory::default();
    history.lots.insert("month", lot(100, 0, Some(10)));
    let amount = Quantity::whole(70);
    history.holds.insert(
        "h",
        CreditHold {
            at: at(1),
            until: at(12),
            amount,
        },
    );
    let held = history.allot(at(2)).unwrap();
    assert_eq!(
        (held.held, held.available()),
        (amount, Ok(Quantity::whole(30)))
    );
    assert_eq!(history.covers(Quantity::whole(31), at(2)), Ok(false));
    assert_eq!(history.covers(Quantity::whole(30), at(2)), Ok(true));
    assert_eq!(history.covers("-1".parse().unwrap(), at(2)), Ok(false));
    let over = history.allot(at(12)).unwrap();
    assert_eq!(over.held, Quantity::ZERO);
    // Settled in time, even when the lot has ended meanwhile: what was held was there.
    let settlement = |hour| Settlement {
        at: at(hour),
        used: Quantity::whole(50),
    };
    let mut in_time = history.clone();
    in_time.settlements.insert("h", settlement(11));
    in_time.settlements.insert("h", settlement(11));
    assert_eq!(shown(&in_time.allot(at(11)).unwrap()), "month 50 0; debt 0");
    // Settled after its end: the usage is booked, and lost it is not.
    history.settlements.insert("h", settlement(13));
    assert_eq!(shown(&history.allot(at(13)).unwrap()), "month 0 0; debt 50");
}

#[derive(Clone, Debug)]
enum Statement {
    Lot(u8, CreditLot),
    Refund(u8, CreditRefund),
    Debit(u8, CreditDebit),
    Hold(u8, CreditHold),
    Settlement(u8, Settlement),
}

fn add(history: &mut CreditHistory, statement: &Statement) {
    match statement {
        Statement::Lot(id, lot) => history.lots.insert(&id.to_string(), lot.clone()),
        Statement::Refund(id, refund) => history.refunds.insert(&id.to_string(), refund.clone()),
        Statement::Debit(id, debit) => history.debits.insert(&id.to_string(), *debit),
        Statement::Hold(id, hold) => history.holds.insert(&id.to_string(), *hold),
        Statement::Settlement(id, settled) => history.settlements.insert(&id.to_string(), *settled),
    };
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let hour = || 0..20_i64;
    let any_lot = (
        0..3_u8,
        0..3_u8,
        prop::option::of(1..25_i64),
        any::<bool>(),
        hour(),
        0..50_u64,
    );
    prop_oneof![
        (0..5_u8, any_lot).prop_map(|(id, (_, priority, expires, paid, effective, amount))| {
            let origin = if paid {
                LotOrigin::Paid
            } else {
                LotOrigin::Promotional
            };
            let lot = CreditLot {
                priority,
                origin,
                ..lot(amount, effective, expires)
            };
            Statement::Lot(id, lot)
        }),
        (0..5_u8, 0..5_u8, 0..60_u64)
            .prop_map(|(id, lot, n)| Statement::Refund(id, refund(&lot.to_string(), n))),
        (0..8_u8, hour(), 0..40_u64).prop_map(|(id, h, n)| Statement::Debit(id, debit(h, n))),
        (0..4_u8, hour(), 0..9_i64, 0..30_u64).prop_map(|(id, h, long, n)| {
            let amount = Quantity::whole(n);
            Statement::Hold(
                id,
                CreditHold {
                    at: at(h),
                    until: at(h + long),
                    amount,
                },
            )
        }),
        (0..4_u8, hour(), 0..40_u64).prop_map(|(id, h, n)| {
            Statement::Settlement(
                id,
                Settlement {
                    at: at(h),
                    used: Quantity::whole(n),
                },
            )
        }),
    ]
}

fn history_of(statements: &[Statement]) -> CreditHistory {
    let mut history = CreditHistory::default();
    for statement in statements {
        add(&mut history, statement);
    }
    history
}

proptest! {
    #[test]
    fn order_and_repetition_change_no_lot(
        (told, shuffled) in prop::collection::vec(any_statement(), 0..30).prop_flat_map(|told| {
            let again = [&told[..], &told[..told.len() / 3]].concat();
            (Just(told), Just(again).prop_shuffle())
        }),
        now in 0..30_i64,
    ) {
        let allotted = history_of(&told).allot(at(now));
        prop_assert_eq!(history_of(&shuffled).allot(at(now)), allotted);
    }

    #[test]
    fn nothing_is_lost_and_nothing_made(
        told in prop::collection::vec(any_statement(), 0..30), now in 0..30_i64,
    ) {
        let history = history_of(&told);
        let allotment = history.allot(at(now)).unwrap();
        let sum = |parts: Vec<Quantity>| Quantity::sum(parts).unwrap();
        for lot in &allotment.lots {
            let parts = vec![lot.refunded, lot.spent, lot.expired, lot.left];
            prop_assert!(parts.iter().all(|part| !part.is_negative()));
            prop_assert_eq!(sum(parts), lot.amount);
        }
        let debits = history.debits.iter().filter(|(_, debit)| debit.at <= at(now));
        let used = sum(debits.map(|(_, debit)| debit.amount).collect());
        let settled = history.settlements.iter().filter(|(id, settled)| {
            let hold = history.holds.get(id).filter(|hold| settled.at < hold.until);
            hold.map_or(settled.at, |hold| hold.at.min(settled.at)) <= at(now)
        });
        let settled = sum(settled.map(|(_, settled)| settled.used).collect());
        let spent = sum(allotment.lots.iter().map(|lot| lot.spent).collect());
        prop_assert_eq!(used.plus(settled), spent.plus(allotment.debt));
    }

    #[test]
    fn who_asks_first_never_goes_below_zero(
        lots in prop::collection::vec((0..50_u64, 0..10_i64, prop::option::of(5..25_i64)), 0..4),
        wishes in prop::collection::vec((0..3_i64, 0..20_u64, 0..4_u8, 0..25_u64), 0..25),
    ) {
        let mut history = CreditHistory::default();
        for (id, (amount, effective, expires)) in lots.iter().enumerate() {
            history.lots.insert(&id.to_string(), lot(*amount, *effective, *expires));
        }
        let mut now = 0;
        for (id, (passed, amount, way, used)) in wishes.iter().enumerate() {
            now += passed;
            let (id, amount) = (id.to_string(), Quantity::whole(*amount));
            if history.covers(amount, at(now)).unwrap() {
                if *way == 0 {
                    let until = at(now + 4);
                    history.holds.insert(&id, CreditHold { at: at(now), until, amount });
                    // Never more than is held: what is used beyond it may be owed.
                    let used = Quantity::whole(*used).min(amount);
                    history.settlements.insert(&id, Settlement { at: at(now + 1), used });
                } else {
                    history.debits.insert(&id, CreditDebit { at: at(now), amount });
                }
            }
            let allotment = history.allot(at(now)).unwrap();
            prop_assert!(!allotment.available().unwrap().is_negative());
            prop_assert_eq!(allotment.debt, Quantity::ZERO);
        }
    }
}
