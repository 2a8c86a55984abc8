//! One customer's items as the fold and whoever puts what follows from it leave them, and the
//! events that happen to it.

use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId};
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
        let entry = |reading: &NormalizedEvent| {
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
            AdvanceOutcome::AlreadyFolded => {}
            AdvanceOutcome::Next(next) => self.record = *next,
            AdvanceOutcome::ReadJournal => self.rebuild(&new),
        }
    }

    pub(super) fn rebuild(&mut self, new: &[Arc<Entry>]) {
        let rows: Vec<ReferralStatusRow> = self.rows.values().cloned().collect();
        let recalled = match self.record.version {
            0 => self.record.with_statuses_from_rows(&rows),
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
            if let Effect::ReferralStatus(row) = effect {
                let there = self.rows.entry(row.n).or_insert_with(|| (**row).clone());
                assert_eq!(there, &**row, "two rows claim one key");
            }
        }
        !self.record.pending.is_empty()
    }

    pub(super) fn summary(&self) -> Vec<String> {
        let told = self.rows.values().map(|row| {
            let reason = row.status.reason().map(|reason| format!(" {reason}"));
            let standing = row.status.as_str();
            format!("{} {standing}{}", row.referral, reason.unwrap_or_default())
        });
        told.collect()
    }
}

pub(super) fn sorted(events: &[NormalizedEvent]) -> Vec<NormalizedEvent> {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(NormalizedEvent::position);
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
        duration: CommissionDuration::Life,
        hold_days: 30,
        window_days: 60,
        attribution_model: AttributionModel::First,
    }
}

pub(super) fn new_event(id: &str, at: i64, facts: Vec<Fact>) -> NormalizedEvent {
    NormalizedEvent {
        id: EventId::new(id),
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
        code: "spring".into(),
        partner: PartnerId::new(partner),
        program: program(),
        identity: PartnerIdentity::default(),
    };
    let facts = vec![Fact::CodeGranted(Box::new(granted))];
    new_event(&format!("code-{partner}"), at, facts)
}

pub(super) fn shows_the_code(at: i64) -> NormalizedEvent {
    let code = "spring".into();
    new_event("shown", at, vec![Fact::ReferralCode { code }])
}

pub(super) fn report(partner: &str, referral: &str, at: i64) -> NormalizedEvent {
    report_of(partner, referral, at, PartnerIdentity::default())
}

pub(super) fn report_of(
    partner: &str,
    referral: &str,
    at: i64,
    own: PartnerIdentity,
) -> NormalizedEvent {
    let partner = PartnerId::new(partner);
    let seen = ReferralSnapshot {
        partner: partner.clone(),
        referral: referral.into(),
        referred_at: day(at),
    };
    let pinned = AttributionTerms {
        partner,
        referral: referral.into(),
        reported_at: day(at),
        program: program(),
        identity: own,
    };
    let facts = vec![
        Fact::Referral(seen),
        Fact::AttributionTerms(Box::new(pinned)),
    ];
    new_event(&format!("report {referral}"), at, facts)
}

pub(super) fn canceled(partner: &str, referral: &str, at: i64) -> NormalizedEvent {
    let fact = Fact::ReferralCanceled {
        partner: PartnerId::new(partner),
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
        partner: PartnerId::new(partner),
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
    let seen = PaymentSnapshot {
        ids: vec![ObjectId::new(format!("pi_{at}"))],
        source_kind: SourceKind::Intent,
        paid: Money {
            minor: 1_000,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        tax_minor: None,
        paid_at: day(at),
        subscription: None,
    };
    new_event(&format!("paid {at}"), at, vec![Fact::Payment(seen)])
}

pub(super) const NOW: Timestamp = Timestamp::constant(1_772_366_400, 0);
