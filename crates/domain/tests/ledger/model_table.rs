//! A table in memory that keeps one customer's journal, record and rows as `store` does, and
//! functions that make events for it.

use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId};
use domain::money::{Currency, Money, StatedAmount};
use domain::partner::first_payment::{FirstPayment, FirstPaymentAnnouncement};
use domain::partner::identity::PartnerIdentity;
use domain::partner::ledger::{CommissionRow, Ledger};
use domain::partner::ledger_account::LedgerAccount;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::referral::AttributionTerms;
use domain::partner::referral::ReferralSnapshot;
use domain::partner::referral_status::ReferralStatusRow;
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, PaymentSnapshot, RefundSnapshot, RefundState, SourceKind,
};
use domain::person::Profile;
use domain::record::{AdvanceOutcome, Effect, Entry, Record};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One customer's items.
#[derive(Clone)]
pub(crate) struct LedgerTable {
    pub(crate) record: Record,
    pub(crate) journal: Vec<Arc<Entry>>,
    pub(crate) rows: BTreeMap<(ObjectId, u64), CommissionRow>,
    pub(crate) status_rows: BTreeMap<u64, ReferralStatusRow>,
}

impl LedgerTable {
    pub(crate) fn new() -> Self {
        Self {
            record: Record::new(customer()),
            journal: Vec::new(),
            rows: BTreeMap::new(),
            status_rows: BTreeMap::new(),
        }
    }

    /// Folds one event and puts the effects.
    pub(crate) fn deliver(&mut self, event: &NormalizedEvent, now: Timestamp) {
        self.fold(event, now);
        self.put();
    }

    /// Folds one event up to the record's write. A process that dies here leaves the rows to the
    /// next one.
    pub(crate) fn fold(&mut self, event: &NormalizedEvent, now: Timestamp) {
        let appended = self.journal.iter().any(|e| e.event.id == event.id);
        let raw: Arc<[u8]> = event.id.as_str().as_bytes().into();
        let new = Arc::new(Entry::new(event.clone(), raw, 1, now, "".into()));
        if !appended {
            self.journal.push(new.clone());
        }
        match self.record.advance(std::slice::from_ref(&new), now) {
            AdvanceOutcome::AlreadyFolded => {}
            AdvanceOutcome::Next(next) => self.record = *next,
            AdvanceOutcome::ReadJournal => self.rebuild(&[new], now),
        }
    }

    /// Reads journal and rows, and folds the whole journal.
    pub(crate) fn rebuild(&mut self, new: &[Arc<Entry>], now: Timestamp) {
        let mut record = self.record.with_ledger_from_rows(&self.rows());
        if record.version == 0 {
            let status_rows: Vec<ReferralStatusRow> = self.status_rows.values().cloned().collect();
            record = record.with_statuses_from_rows(&status_rows);
        }
        if let Some(next) = record.rebuild(&self.journal, new, now) {
            self.record = next;
        }
    }

    /// Puts the pending effects, each if absent, and clears them.
    pub(crate) fn put(&mut self) {
        if self.record.pending.is_empty() {
            return;
        }
        for effect in &self.record.pending {
            if let Effect::Commission(row) = effect {
                let key = (row.payment.clone(), row.n);
                let stored = self.rows.entry(key).or_insert_with(|| (**row).clone());
                assert_eq!(stored, &**row, "two rows have one key");
            } else if let Effect::ReferralStatus(row) = effect {
                let stored = self
                    .status_rows
                    .entry(row.n)
                    .or_insert_with(|| (**row).clone());
                assert_eq!(stored, &**row, "two rows have one key");
            }
        }
        let announced = self.record.pending.iter().find_map(|effect| match effect {
            Effect::FirstPayment(announced) => Some((**announced).clone()),
            Effect::Alias(_)
            | Effect::Letter(_)
            | Effect::HandOver(_)
            | Effect::Commission(_)
            | Effect::ReferralStatus(_) => None,
        });
        self.record = self.record.cleared();
        if let Some(announced) = announced {
            self.hear(announced);
        }
    }

    /// The person has no other customer, so what this one announced is the earliest.
    fn hear(&mut self, announced: FirstPaymentAnnouncement) {
        let earliest = announced.paid_at.map(|paid_at| FirstPayment {
            paid_at,
            customer: customer(),
        });
        self.record = self.record.with_person_earliest(earliest);
        self.rebuild(&[], announced.at);
        self.put();
    }

    pub(crate) fn rows(&self) -> Vec<CommissionRow> {
        self.rows.values().cloned().collect()
    }

    /// The sum of the rows of each account, where it is not zero.
    pub(crate) fn sums(&self) -> BTreeMap<LedgerAccount, i64> {
        let balances = Ledger::from_rows(&self.rows()).balances.into_iter();
        balances
            .map(|(account, balance)| (account, balance.total()))
            .filter(|(_, total)| *total != 0)
            .collect()
    }

    /// The sums as text: `acme/eur/due/pi_1 200`.
    pub(crate) fn summary(&self) -> Vec<String> {
        self.sums()
            .into_iter()
            .map(|(account, total)| format!("{} {total}", String::from(account)))
            .collect()
    }

    pub(crate) fn after(events: &[NormalizedEvent]) -> Self {
        let mut table = Self::new();
        for event in events {
            table.deliver(event, event.occurred_at);
        }
        table
    }
}

pub(crate) fn customer() -> CustomerKey {
    CustomerKey::parse("stripe/test/cus_1").unwrap()
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
        duration: CommissionDuration::Months(12),
        hold_days: 30,
        window_days: 60,
        attribution_model: AttributionModel::First,
    }
}

pub(crate) fn new_event(name: &str, at: Timestamp, facts: Vec<Fact>) -> NormalizedEvent {
    NormalizedEvent {
        id: EventId::parse(name).unwrap(),
        kind: "made.up".into(),
        occurred_at: at,
        rank: 1,
        about: About::Customer(customer()),
        facts,
        references: Vec::new(),
    }
}

pub(crate) fn report(partner: &str, at: Timestamp, program: &Program) -> NormalizedEvent {
    report_of(partner, at, at, program, PartnerIdentity::default())
}

pub(crate) fn report_of(
    partner: &str,
    sent: Timestamp,
    reported_at: Timestamp,
    program: &Program,
    identity: PartnerIdentity,
) -> NormalizedEvent {
    let referral: Arc<str> = format!("r-{partner}").into();
    let snapshot = ReferralSnapshot {
        partner: PartnerId::parse(partner).unwrap(),
        referral: referral.clone(),
        referred_at: sent,
        reported_at: Some(reported_at),
        names: Vec::new(),
        sub_ids: Default::default(),
    };
    let terms = AttributionTerms {
        partner: PartnerId::parse(partner).unwrap(),
        referral,
        reported_at,
        program: program.clone(),
        identity,
    };
    let facts = vec![
        Fact::Referral(snapshot),
        Fact::AttributionTerms(Box::new(terms)),
    ];
    new_event(&format!("partner/{partner}/msg"), sent, facts)
}

pub(crate) fn paid(id: &str, at: Timestamp, paid: Money) -> NormalizedEvent {
    taxed(id, at, paid, Some(0))
}

pub(crate) fn taxed(
    id: &str,
    at: Timestamp,
    paid: Money,
    tax_minor: Option<i64>,
) -> NormalizedEvent {
    let snapshot = PaymentSnapshot {
        ids: vec![ObjectId::parse(id).unwrap()],
        source_kind: SourceKind::Intent,
        paid,
        tax_minor,
        paid_at: at,
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    };
    new_event(&format!("paid {id}"), at, vec![Fact::Payment(snapshot)])
}

pub(crate) fn refunded(id: &str, of: &str, at: Timestamp, minor: i64) -> NormalizedEvent {
    refund(id, of, at, minor, RefundState::Succeeded)
}

pub(crate) fn refund(
    id: &str,
    of: &str,
    at: Timestamp,
    minor: i64,
    state: RefundState,
) -> NormalizedEvent {
    let snapshot = RefundSnapshot {
        id: ObjectId::parse(id).unwrap(),
        payment: vec![ObjectId::parse(of).unwrap()],
        amount: StatedAmount::in_currency_of_payment(minor),
        tax_minor: None,
        state,
        created_at: at,
    };
    new_event(&format!("{state:?} {id}"), at, vec![Fact::Refund(snapshot)])
}

pub(crate) fn disputed(
    of: &str,
    at: Timestamp,
    minor: i64,
    state: DisputeState,
) -> NormalizedEvent {
    let snapshot = DisputeSnapshot {
        id: ObjectId::parse(format!("dp_{of}")).unwrap(),
        payment: vec![ObjectId::parse(of).unwrap()],
        amount: StatedAmount::in_currency_of_payment(minor),
        state,
    };
    new_event(
        &format!("{state:?} {of}"),
        at,
        vec![Fact::Dispute(snapshot)],
    )
}

pub(crate) fn profile(email: &str, at: Timestamp) -> NormalizedEvent {
    let profile = Profile {
        complete: true,
        email: Some(email.into()),
        ..Profile::default()
    };
    new_event(
        &format!("profile {email}"),
        at,
        vec![Fact::Profile(profile)],
    )
}
