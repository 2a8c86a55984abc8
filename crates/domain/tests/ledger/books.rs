//! A table in memory that keeps one customer's journal, record and ledger rows as `store` does,
//! and words to tell it things in.

use domain::billing::{DisputeSeen, DisputeState, PaymentSeen, RefundSeen, RefundState, Teller};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId};
use domain::ledger::{Account, Ledger, Row};
use domain::money::{Currency, Money};
use domain::program::{Claim, Own, Pinned, Program, Reward, Span};
use domain::reading::{About, Fact, Profile, Reading, ReferralSeen};
use domain::record::{Effect, Entry, Record, Step};
use domain::standing::StandingRow;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One customer's items.
#[derive(Clone)]
pub(crate) struct Books {
    pub(crate) record: Record,
    pub(crate) journal: Vec<Arc<Entry>>,
    pub(crate) rows: BTreeMap<(ObjectId, u64), Row>,
    pub(crate) told: BTreeMap<u64, StandingRow>,
}

impl Books {
    pub(crate) fn new() -> Self {
        Self {
            record: Record::new(customer()),
            journal: Vec::new(),
            rows: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Takes in one reading and puts what follows.
    pub(crate) fn hear(&mut self, reading: &Reading, now: Timestamp) {
        self.fold(reading, now);
        self.put();
    }

    /// Up to the record's write: a process that dies then leaves the rows to whoever comes next.
    pub(crate) fn fold(&mut self, reading: &Reading, now: Timestamp) {
        let known = self.journal.iter().any(|e| e.reading.id == reading.id);
        let raw: Arc<[u8]> = reading.id.as_str().as_bytes().into();
        let new = Arc::new(Entry::new(reading.clone(), raw, 1, now, "".into()));
        if !known {
            self.journal.push(new.clone());
        }
        match self.record.advance(std::slice::from_ref(&new), now) {
            Step::Folded => {}
            Step::Next(next) => self.record = *next,
            Step::ReadJournal => self.rebuild(&[new], now),
        }
    }

    /// Reads journal and rows, and folds all of it.
    pub(crate) fn rebuild(&mut self, new: &[Arc<Entry>], now: Timestamp) {
        let mut recalled = self.record.recalled(&self.rows());
        if recalled.version == 0 {
            let told: Vec<StandingRow> = self.told.values().cloned().collect();
            recalled = recalled.recalled_standings(&told);
        }
        if let Some(next) = recalled.rebuild(&self.journal, new, now) {
            self.record = next;
        }
    }

    /// Puts what is pending, each if absent, and clears it.
    pub(crate) fn put(&mut self) {
        if self.record.pending.is_empty() {
            return;
        }
        for effect in &self.record.pending {
            if let Effect::Commission(row) = effect {
                let key = (row.payment.clone(), row.n);
                let there = self.rows.entry(key).or_insert_with(|| (**row).clone());
                assert_eq!(there, &**row, "two rows claim one key");
            } else if let Effect::Standing(row) = effect {
                let there = self.told.entry(row.n).or_insert_with(|| (**row).clone());
                assert_eq!(there, &**row, "two rows claim one key");
            }
        }
        self.record = self.record.cleared();
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.rows.values().cloned().collect()
    }

    /// What the rows of each account come to, where it is anything.
    pub(crate) fn sums(&self) -> BTreeMap<Account, i64> {
        let lines = Ledger::recalled(&self.rows()).lines.into_iter();
        lines
            .map(|(account, line)| (account, line.total()))
            .filter(|(_, total)| *total != 0)
            .collect()
    }

    /// The same in short: `acme/eur/due/pi_1 200`.
    pub(crate) fn said(&self) -> Vec<String> {
        self.sums()
            .into_iter()
            .map(|(account, total)| format!("{} {total}", String::from(account)))
            .collect()
    }

    pub(crate) fn after(readings: &[Reading]) -> Self {
        let mut books = Self::new();
        for reading in readings {
            books.hear(reading, reading.occurred_at);
        }
        books
    }
}

pub(crate) fn customer() -> CustomerKey {
    CustomerKey::new("stripe/test/cus_1")
}

/// Noon of a day of 2026.
pub(crate) fn day(month: i8, day: i8) -> Timestamp {
    let noon = date(2026, month, day).at(12, 0, 0, 0);
    noon.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

pub(crate) fn money(minor: i64, code: &str) -> Money {
    Money {
        minor,
        currency: Currency::parse(code).unwrap(),
        exponent: 2,
    }
}

/// Model 4's program: 20 %, 12 months, hold 30 days, window 60 days.
pub(crate) fn program() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        span: Span::Months(12),
        hold_days: 30,
        window_days: 60,
        claim: Claim::First,
    }
}

pub(crate) fn reading(name: &str, at: Timestamp, facts: Vec<Fact>) -> Reading {
    Reading {
        id: EventId::new(name),
        kind: "made.up".into(),
        occurred_at: at,
        rank: 1,
        about: About::Customer(customer()),
        facts,
        references: Vec::new(),
    }
}

pub(crate) fn report(partner: &str, at: Timestamp, program: &Program) -> Reading {
    report_of(partner, at, at, program, Own::default())
}

pub(crate) fn report_of(
    partner: &str,
    sent: Timestamp,
    reported_at: Timestamp,
    program: &Program,
    own: Own,
) -> Reading {
    let referral: Arc<str> = format!("r-{partner}").into();
    let seen = ReferralSeen {
        partner: PartnerId::new(partner),
        referral: referral.clone(),
        referred_at: sent,
    };
    let pinned = Pinned {
        partner: PartnerId::new(partner),
        referral,
        reported_at,
        program: program.clone(),
        own,
    };
    let facts = vec![Fact::Referral(seen), Fact::Pinned(Box::new(pinned))];
    reading(&format!("partner/{partner}/msg"), sent, facts)
}

pub(crate) fn paid(id: &str, at: Timestamp, paid: Money) -> Reading {
    taxed(id, at, paid, None)
}

pub(crate) fn taxed(id: &str, at: Timestamp, paid: Money, tax_minor: Option<i64>) -> Reading {
    let seen = PaymentSeen {
        ids: vec![ObjectId::new(id)],
        teller: Teller::Intent,
        paid,
        tax_minor,
        paid_at: at,
        subscription: None,
    };
    reading(&format!("paid {id}"), at, vec![Fact::Payment(seen)])
}

pub(crate) fn refunded(id: &str, of: &str, at: Timestamp, minor: i64) -> Reading {
    refund(id, of, at, minor, RefundState::Succeeded)
}

pub(crate) fn refund(id: &str, of: &str, at: Timestamp, minor: i64, state: RefundState) -> Reading {
    let seen = RefundSeen {
        id: ObjectId::new(id),
        payment: vec![ObjectId::new(of)],
        minor,
        state,
        created_at: at,
    };
    reading(&format!("{state:?} {id}"), at, vec![Fact::Refund(seen)])
}

pub(crate) fn disputed(of: &str, at: Timestamp, minor: i64, state: DisputeState) -> Reading {
    let seen = DisputeSeen {
        id: ObjectId::new(format!("dp_{of}")),
        payment: vec![ObjectId::new(of)],
        minor,
        state,
    };
    reading(&format!("{state:?} {of}"), at, vec![Fact::Dispute(seen)])
}

pub(crate) fn profile(email: &str, at: Timestamp) -> Reading {
    let profile = Profile {
        whole: true,
        email: Some(email.into()),
        ..Profile::default()
    };
    reading(
        &format!("profile {email}"),
        at,
        vec![Fact::Profile(profile)],
    )
}
