//! Payouts: each row is paid once, whoever runs at the same time and while rows come in.

use crate::actors::{actor, seam, settled};
use crate::fallbacks::Net;
use crate::seam::{Actor, Holds, Seam, explore};
use crate::support::{acme, at_once};
use domain::ids::{CustomerKey, ObjectId};
use domain::money::{Currency, Money};
use domain::partner::bank_account::BankAccount;
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::payout::{PayoutRequest, balances};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::memory::{MemoryTable, TableState};
use store::payouts::{Transfer, read_ledger_snapshot, run, save_transfer_batches, set_bank};
use store::{Item, Table, WriteCondition};

const SENDER: [(Net, Holds); 1] = [(Net::Sender, Holds::Whole)];

/// One who asks again may find that more is released by then.
const TOGETHER: [(Net, Holds); 1] = [(Net::Sender, Holds::Kept)];

pub(crate) fn seams() -> Vec<Seam> {
    let ledger = || with_rows(2);
    let paying = |case, actors| Seam {
        nets: SENDER.to_vec(),
        together: TOGETHER.to_vec(),
        law: paid_once,
        compares_answers: true,
        ..seam(case, ledger(), actors)
    };
    vec![
        paying(
            "two runs for one day",
            vec![pays("one", 5), pays("other", 5)],
        ),
        paying(
            "runs for two days while a row comes in",
            vec![pays("one", 5), pays("later", 6), earns("earns", 7)],
        ),
        paying(
            "a run while two rows come in",
            vec![pays("one", 5), earns("earns", 7), earns("earns more", 8)],
        ),
        Seam {
            law: told_once,
            compares_answers: false,
            ..paying(
                "two messages to the bank with a transfer in common",
                vec![tells("one", [1, 2]), tells("other", [2, 3])],
            )
        },
        Seam {
            law: |_, _| Ok(()),
            compares_answers: false,
            together: SENDER.to_vec(),
            ..paying(
                "two accounts for one partner",
                vec![
                    says_account("one", "DE89370400440532013000"),
                    says_account("other", "FR1420041010050500013M02606"),
                ],
            )
        },
    ]
}

fn with_rows(count: u64) -> TableState {
    let table = MemoryTable::without_attributes();
    for n in 0..count {
        at_once(table.put(row(n), WriteCondition::Absent)).unwrap();
    }
    settled(&table)
}

fn pays(what: &'static str, of_march: i8) -> Actor {
    actor(what, move |table, _| async move {
        let order = PayoutRequest {
            date: date(2026, 3, of_march),
            minimums: Vec::new(),
        };
        match run(&table, &acme(), &order, noon(9)).await {
            Ok(outcome) => Ok(format!("{outcome:?}")),
            // A later day was paid meanwhile.
            Err(store::payouts::PayoutError::Refused(refusal)) => Ok(format!("{refusal:?}")),
            Err(error) => Err(error.to_string()),
        }
    })
}

fn earns(what: &'static str, n: u64) -> Actor {
    actor(what, move |table, _| async move {
        let put = table.put(row(n), WriteCondition::Absent).await;
        put.map(|_| "put".into()).map_err(|error| error.to_string())
    })
}

fn tells(what: &'static str, numbers: [u64; 2]) -> Actor {
    let transfers = numbers.map(|n| Transfer {
        partner: acme(),
        payout: n,
        amount: eur(100),
        account: BankAccount::new("Acme", "DE89370400440532013000", None).unwrap(),
    });
    actor(what, move |table, _| {
        let transfers = transfers.clone();
        async move {
            let told = save_transfer_batches(&table, date(2026, 3, 5), &transfers, noon(5)).await;
            told.map(|told| told.len().to_string())
                .map_err(|error| error.to_string())
        }
    })
}

fn says_account(what: &'static str, iban: &'static str) -> Actor {
    actor(what, move |table, _| async move {
        let account = BankAccount::new("Acme", iban, None).unwrap();
        match set_bank(&table, &acme(), account, noon(5)).await {
            Ok(true) => Ok("said".into()),
            // Somebody else said something meanwhile: look, and say it again.
            Ok(false) => Err("raced".into()),
            Err(error) => Err(error.to_string()),
        }
    })
}

/// Row n, released before the month.
fn row(n: u64) -> Item {
    Item::Commission(Arc::new(CommissionRow {
        partner: acme(),
        customer: CustomerKey::parse(format!("stripe/test/cus_{n}")).unwrap(),
        payment: ObjectId::parse(format!("pi_{n}")).unwrap(),
        n,
        kind: RowKind::Commission,
        amount: eur(100 + n as i64),
        referral: None,
        sub_ids: Default::default(),
        is_tax_unknown: false,
        self_referral_signal: None,
        reward: None,
        base_minor: None,
        paid_at: None,
        at: noon(4),
        releases_at: noon(1) - SignedDuration::from_hours(24),
    }))
}

fn noon(of_march: i8) -> Timestamp {
    let noon = date(2026, 3, of_march).at(12, 0, 0, 0);
    noon.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

fn eur(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    }
}

/// What was paid and what is to be paid come to the rows, and nothing is taken back.
fn paid_once(_: &TableState, table: &TableState) -> Result<(), String> {
    let table = MemoryTable::new(table.clone());
    let books = at_once(read_ledger_snapshot(&table, &acme())).map_err(|e| e.to_string())?;
    let earned: i64 = books.rows.iter().map(|row| row.amount.minor).sum();
    let amounts = books.payouts.iter().flat_map(|payout| &payout.amounts);
    let paid: i64 = amounts.map(|amount| amount.minor).sum();
    let balances = balances(&books.rows, &books.payouts, noon(28));
    let left: i64 = balances.iter().map(|balance| balance.released_minor).sum();
    let covered: i64 = books
        .rows
        .iter()
        .filter(|row| books.payouts.iter().any(|payout| payout.includes(row)))
        .map(|row| row.amount.minor)
        .sum();
    match paid + left == earned && left >= 0 && covered == paid {
        true => Ok(()),
        false => Err(format!(
            "earned {earned}, paid {paid}, of rows {covered}, left {left}"
        )),
    }
}

/// Each transfer is in one message.
fn told_once(_: &TableState, table: &TableState) -> Result<(), String> {
    let mut told: BTreeMap<u64, u32> = BTreeMap::new();
    for item in table.items() {
        if let Item::TransferBatch(batch) = item {
            for transfer in &batch.transfers {
                *told.entry(transfer.payout).or_default() += 1;
            }
        }
    }
    match told.values().all(|count| *count == 1) {
        true => Ok(()),
        false => Err(format!("in so many messages: {told:?}")),
    }
}

#[test]
fn each_row_is_paid_once_and_told_to_the_bank_once() {
    explore("payout", &seams());
}
