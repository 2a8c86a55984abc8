//! A table in memory that keeps one customer's journal, record and status rows, and functions that
//! make events for it.

use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId, ReferralCode};
use domain::money::{Currency, Money};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::referral::AttributionTerms;
use domain::partner::referral::CodeGranted;
use domain::partner::referral::Decision;
use domain::partner::referral::ReferralSnapshot;
use domain::partner::referral_status::ReferralStatusRow;
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use domain::person::Profile;
use domain::record::{AdvanceOutcome, Effect, Entry, Record};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One customer's items.
pub(super) struct StatusTable {
    pub(super) record: Record,
    pub(super) journal: Vec<Arc<Entry>>,
    pub(super) rows: BTreeMap<u64, ReferralStatusRow>,
}

impl Default for StatusTable {
    fn default() -> Self {
        Self {
            record: Record::new(customer()),
            journal: Vec::new(),
            rows: BTreeMap::new(),
        }
    }
}

impl StatusTable {
    pub(super) fn after(events: &[NormalizedEvent]) -> Self {
        let mut table = Self::default();
        for event in events {
            table.fold(std::slice::from_ref(event));
            table.put();
        }
        table
    }

    pub(super) fn fold(&mut self, events: &[NormalizedEvent]) {
        let entry = |event: &NormalizedEvent| {
            let raw: Arc<[u8]> = event.id.as_str().as_bytes().into();
            Arc::new(Entry::new(event.clone(), raw, 1, NOW, "".into()))
        };
        let new: Vec<Arc<Entry>> = events.iter().map(entry).collect();
        for entry in &new {
            if !self.journal.contains(entry) {
                self.journal.push(entry.clone());
            }
        }
        match self.record.advance(&new, NOW) {
            AdvanceOutcome::AlreadyFolded => {}
            AdvanceOutcome::Next(next) => self.record = *next,
            AdvanceOutcome::ReadJournal => self.rebuild(&new),
        }
    }

    pub(super) fn rebuild(&mut self, new: &[Arc<Entry>]) {
        let rows: Vec<ReferralStatusRow> = self.rows.values().cloned().collect();
        let record = match self.record.version {
            0 => self.record.with_statuses_from_rows(&rows),
            _ => self.record.clone(),
        };
        if let Some(next) = record.rebuild(&self.journal, new, NOW) {
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
            if let Effect::ReferralStatus(row) = effect {
                let stored = self.rows.entry(row.n).or_insert_with(|| (**row).clone());
                assert_eq!(stored, &**row, "two rows have one key");
            }
        }
        !self.record.pending.is_empty()
    }

    pub(super) fn summary(&self) -> Vec<String> {
        let lines = self.rows.values().map(|row| {
            let reason = row.status.reason().map(|reason| format!(" {reason}"));
            let status = row.status.as_str();
            format!("{} {status}{}", row.referral, reason.unwrap_or_default())
        });
        lines.collect()
    }
}

pub(super) fn sorted(events: &[NormalizedEvent]) -> Vec<NormalizedEvent> {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(NormalizedEvent::position);
    sorted
}

pub(super) fn customer() -> CustomerKey {
    CustomerKey::parse("stripe/test/cus_1").unwrap()
}

pub(super) fn day(n: i64) -> Timestamp {
    NOW.checked_add(SignedDuration::from_hours(24 * n)).unwrap()
}

pub(super) fn program() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        duration: CommissionDuration::Life,
        hold_days: 30,
        window_days: 60,
        attribution_model: AttributionModel::First,
    }
}

pub(super) fn new_event(id: &str, at: i64, facts: Vec<Fact>) -> NormalizedEvent {
    NormalizedEvent {
        id: EventId::parse(id).unwrap(),
        kind: "made.up".into(),
        occurred_at: day(at),
        rank: 1,
        about: About::Customer(customer()),
        facts,
        references: Vec::new(),
    }
}

pub(super) fn granted(partner: &str, at: i64) -> NormalizedEvent {
    let granted = CodeGranted {
        code: ReferralCode::parse("spring").unwrap(),
        partner: PartnerId::parse(partner).unwrap(),
        program: program(),
        identity: PartnerIdentity::default(),
    };
    let facts = vec![Fact::CodeGranted(Box::new(granted))];
    new_event(&format!("code-{partner}"), at, facts)
}

pub(super) fn shows_the_code(at: i64) -> NormalizedEvent {
    let code = ReferralCode::parse("spring").unwrap();
    new_event("shown", at, vec![Fact::ReferralCode { code }])
}

pub(super) fn report(partner: &str, referral: &str, at: i64) -> NormalizedEvent {
    report_of(partner, referral, at, PartnerIdentity::default())
}

pub(super) fn report_of(
    partner: &str,
    referral: &str,
    at: i64,
    identity: PartnerIdentity,
) -> NormalizedEvent {
    let partner = PartnerId::parse(partner).unwrap();
    let snapshot = ReferralSnapshot {
        partner: partner.clone(),
        referral: referral.into(),
        referred_at: day(at),
        reported_at: Some(day(at)),
        names: Vec::new(),
        sub_ids: Default::default(),
    };
    let terms = AttributionTerms {
        partner,
        referral: referral.into(),
        reported_at: day(at),
        program: program(),
        identity,
    };
    let facts = vec![
        Fact::Referral(snapshot),
        Fact::AttributionTerms(Box::new(terms)),
    ];
    new_event(&format!("report {referral}"), at, facts)
}

pub(super) fn canceled(partner: &str, referral: &str, at: i64) -> NormalizedEvent {
    let fact = Fact::ReferralCanceled {
        partner: PartnerId::parse(partner).unwrap(),
        referral: referral.into(),
    };
    new_event(&format!("cancel {referral}"), at, vec![fact])
}

pub(super) fn reviewed(
    partner: &str,
    referral: &str,
    decision: Decision,
    at: i64,
) -> NormalizedEvent {
    let fact = Fact::Reviewed {
        partner: PartnerId::parse(partner).unwrap(),
        referral: referral.into(),
        decision,
    };
    new_event(&format!("{decision:?} {referral}"), at, vec![fact])
}

pub(super) fn mail(email: &str, at: i64) -> NormalizedEvent {
    let profile = Profile {
        complete: true,
        email: Some(email.into()),
        ..Profile::default()
    };
    new_event(&format!("mail {email}"), at, vec![Fact::Profile(profile)])
}

pub(super) fn paid(at: i64) -> NormalizedEvent {
    let snapshot = PaymentSnapshot {
        ids: vec![ObjectId::parse(format!("pi_{at}")).unwrap()],
        source_kind: SourceKind::Intent,
        paid: Money {
            minor: 1_000,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        tax_minor: None,
        paid_at: day(at),
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    };
    new_event(&format!("paid {at}"), at, vec![Fact::Payment(snapshot)])
}

pub(super) const NOW: Timestamp = Timestamp::constant(1_772_366_400, 0);
