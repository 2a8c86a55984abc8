//! One customer's items as the fold and whoever puts what follows from it leave them, and the
//! events that happen to it.

use domain::billing::{PaymentSeen, Teller};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId};
use domain::money::{Currency, Money};
use domain::program::{Claim, CodeGranted, Decision, Own, Pinned, Program, Reward, Span};
use domain::reading::{About, Fact, Profile, Reading, ReferralSeen};
use domain::record::{Effect, Entry, Record, Step};
use domain::standing::StandingRow;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One customer's items.
pub(super) struct Table {
    pub(super) record: Record,
    pub(super) journal: Vec<Arc<Entry>>,
    pub(super) rows: BTreeMap<u64, StandingRow>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            record: Record::new(customer()),
            journal: Vec::new(),
            rows: BTreeMap::new(),
        }
    }
}

impl Table {
    pub(super) fn after(events: &[Reading]) -> Self {
        let mut table = Self::default();
        for event in events {
            table.fold(std::slice::from_ref(event));
            table.put();
        }
        table
    }

    pub(super) fn fold(&mut self, events: &[Reading]) {
        let entry = |reading: &Reading| {
            let raw: Arc<[u8]> = reading.id.as_str().as_bytes().into();
            Arc::new(Entry::new(reading.clone(), raw, 1, NOW, "".into()))
        };
        let new: Vec<Arc<Entry>> = events.iter().map(entry).collect();
        for entry in &new {
            if !self.journal.contains(entry) {
                self.journal.push(entry.clone());
            }
        }
        match self.record.advance(&new, NOW) {
            Step::Folded => {}
            Step::Next(next) => self.record = *next,
            Step::ReadJournal => self.rebuild(&new),
        }
    }

    pub(super) fn rebuild(&mut self, new: &[Arc<Entry>]) {
        let rows: Vec<StandingRow> = self.rows.values().cloned().collect();
        let recalled = match self.record.version {
            0 => self.record.recalled_standings(&rows),
            _ => self.record.clone(),
        };
        if let Some(next) = recalled.rebuild(&self.journal, new, NOW) {
            self.record = next;
        }
    }

    pub(super) fn lose_record(&mut self) {
        self.record = Record::new(customer());
        self.rebuild(&[]);
    }

    pub(super) fn put(&mut self) {
        if self.put_pending() {
            self.record = self.record.cleared();
        }
    }

    pub(super) fn put_pending(&mut self) -> bool {
        for effect in &self.record.pending {
            if let Effect::Standing(row) = effect {
                let there = self.rows.entry(row.n).or_insert_with(|| (**row).clone());
                assert_eq!(there, &**row, "two rows claim one key");
            }
        }
        !self.record.pending.is_empty()
    }

    pub(super) fn told(&self) -> Vec<String> {
        let told = self.rows.values().map(|row| {
            let reason = row.standing.reason().map(|reason| format!(" {reason}"));
            let standing = row.standing.as_str();
            format!("{} {standing}{}", row.referral, reason.unwrap_or_default())
        });
        told.collect()
    }
}

pub(super) fn sorted(events: &[Reading]) -> Vec<Reading> {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(Reading::position);
    sorted
}

pub(super) fn customer() -> CustomerKey {
    CustomerKey::new("stripe/test/cus_1")
}

pub(super) fn day(n: i64) -> Timestamp {
    NOW.checked_add(SignedDuration::from_hours(24 * n)).unwrap()
}

pub(super) fn program() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        span: Span::Life,
        hold_days: 30,
        window_days: 60,
        claim: Claim::First,
    }
}

pub(super) fn reading(id: &str, at: i64, facts: Vec<Fact>) -> Reading {
    Reading {
        id: EventId::new(id),
        kind: "made.up".into(),
        occurred_at: day(at),
        rank: 1,
        about: About::Customer(customer()),
        facts,
        references: Vec::new(),
    }
}

pub(super) fn granted(partner: &str, at: i64) -> Reading {
    let granted = CodeGranted {
        code: "spring".into(),
        partner: PartnerId::new(partner),
        program: program(),
        own: Own::default(),
    };
    let facts = vec![Fact::CodeGranted(Box::new(granted))];
    reading(&format!("code-{partner}"), at, facts)
}

pub(super) fn shows_the_code(at: i64) -> Reading {
    let code = "spring".into();
    reading("shown", at, vec![Fact::ReferralCode { code }])
}

pub(super) fn report(partner: &str, referral: &str, at: i64) -> Reading {
    report_of(partner, referral, at, Own::default())
}

pub(super) fn report_of(partner: &str, referral: &str, at: i64, own: Own) -> Reading {
    let partner = PartnerId::new(partner);
    let seen = ReferralSeen {
        partner: partner.clone(),
        referral: referral.into(),
        referred_at: day(at),
    };
    let pinned = Pinned {
        partner,
        referral: referral.into(),
        reported_at: day(at),
        program: program(),
        own,
    };
    let facts = vec![Fact::Referral(seen), Fact::Pinned(Box::new(pinned))];
    reading(&format!("report {referral}"), at, facts)
}

pub(super) fn canceled(partner: &str, referral: &str, at: i64) -> Reading {
    let fact = Fact::ReferralCanceled {
        partner: PartnerId::new(partner),
        referral: referral.into(),
    };
    reading(&format!("cancel {referral}"), at, vec![fact])
}

pub(super) fn reviewed(partner: &str, referral: &str, decision: Decision, at: i64) -> Reading {
    let fact = Fact::Reviewed {
        partner: PartnerId::new(partner),
        referral: referral.into(),
        decision,
    };
    reading(&format!("{decision:?} {referral}"), at, vec![fact])
}

pub(super) fn mail(email: &str, at: i64) -> Reading {
    let profile = Profile {
        whole: true,
        email: Some(email.into()),
        ..Profile::default()
    };
    reading(&format!("mail {email}"), at, vec![Fact::Profile(profile)])
}

pub(super) fn paid(at: i64) -> Reading {
    let seen = PaymentSeen {
        ids: vec![ObjectId::new(format!("pi_{at}"))],
        teller: Teller::Intent,
        paid: Money {
            minor: 1_000,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        tax_minor: None,
        paid_at: day(at),
        subscription: None,
    };
    reading(&format!("paid {at}"), at, vec![Fact::Payment(seen)])
}

pub(super) const NOW: Timestamp = Timestamp::constant(1_772_366_400, 0);
