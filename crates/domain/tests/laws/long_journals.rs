//! A long journal is seldom read, and the record is what it says all the same.

use crate::scenarios::{at, customer, dispute, entry, eur, ids, new_event, paid, refund};
use crate::scenarios::{subscription_fact, subscription_snapshot, terms};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::ObjectId;
use domain::payment::snapshot::{DisputeState, RefundState, SourceKind};
use domain::record::checkpoint::MAX_RECENT;
use domain::record::{AdvanceOutcome, Entry, Folded, Record};
use domain::subscription::terms::SubscriptionStatus;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::slice::from_ref;
use std::sync::Arc;

/// A customer as `store` keeps one with a long journal.
struct LongJournal {
    record: Record,
    journal: Vec<Arc<Entry>>,
    closed: BTreeSet<ObjectId>,
    checkpoint: Option<Folded>,
    /// How often the whole journal was read, and how often its last entries.
    read: (usize, usize),
}

impl LongJournal {
    fn of(events: impl IntoIterator<Item = NormalizedEvent>) -> Self {
        let mut kept = Self {
            record: Record::new(customer()),
            journal: Vec::new(),
            closed: BTreeSet::new(),
            checkpoint: None,
            read: (0, 0),
        };
        kept.record.closed_index = true;
        for event in events {
            let new = entry(event);
            kept.journal.push(new.clone());
            let next = kept.fold(&new);
            kept.closed
                .extend(next.objects_left(&kept.record, from_ref(&new)));
            kept.record = next;
        }
        kept
    }

    fn fold(&mut self, new: &Arc<Entry>) -> Record {
        let outcome = match self.record.advance(from_ref(new), at(0)) {
            AdvanceOutcome::ReadJournal => self.on_top(new),
            outcome @ (AdvanceOutcome::AlreadyFolded | AdvanceOutcome::Next(_)) => outcome,
        };
        match outcome {
            AdvanceOutcome::AlreadyFolded => self.record.clone(),
            AdvanceOutcome::Next(next) if next.recent.len() <= MAX_RECENT => *next,
            AdvanceOutcome::Next(_) | AdvanceOutcome::ReadJournal => {
                let next = self.after_checkpoint(new);
                next.unwrap_or_else(|| self.whole(new))
            }
        }
    }

    fn on_top(&self, new: &Arc<Entry>) -> AdvanceOutcome {
        let missing = self.record.missing_objects(from_ref(new));
        if self.closed.is_disjoint(&missing) {
            self.record.advance_on_top(from_ref(new), at(0))
        } else {
            AdvanceOutcome::ReadJournal
        }
    }

    fn after_checkpoint(&mut self, new: &Arc<Entry>) -> Option<Record> {
        let recent = |entry: &&Arc<Entry>| self.record.recent.contains(&entry.event.id);
        let recent: Vec<_> = self.journal.iter().filter(recent).cloned().collect();
        let checkpoint = self.checkpoint.as_ref()?;
        let tail = self
            .record
            .fold_tail(checkpoint, &recent, from_ref(new), at(0))?;
        if !self.closed.is_disjoint(&tail.missing) {
            return None;
        }
        self.checkpoint = tail.checkpoint.or(self.checkpoint.take());
        self.read.1 += 1;
        Some(tail.next)
    }

    fn whole(&mut self, new: &Arc<Entry>) -> Record {
        self.read.0 += 1;
        let next = self.record.rebuild(&self.journal, from_ref(new), at(0));
        let mut next = next.unwrap_or_else(|| self.record.clone());
        if let Some((folded, recent)) = Record::checkpoint(&self.journal) {
            self.checkpoint = Some(folded);
            next.recent = recent;
        }
        next
    }

    fn is_what_the_journal_says(&self) -> bool {
        let whole = Record::new(customer())
            .rebuild(&self.journal, &[], at(0))
            .unwrap();
        self.record.folded == whole.folded
    }
}

fn payment_event(n: i64, second: i64, kind: SourceKind) -> NormalizedEvent {
    let names = [format!("in_{n}"), format!("pi_{n}")];
    let fact = paid(kind, &[&names[0], &names[1]], 100, second);
    new_event(&format!("evt_{n}_{second}_{kind:?}"), second, 1, vec![fact])
}

#[test]
fn payments_in_order_never_read_the_whole_journal() {
    let events = (0..500).map(|n| payment_event(n, n, SourceKind::Invoice));
    let kept = LongJournal::of(events);
    assert_eq!(kept.record.folded.state.payments.closed, 488);
    assert!(
        kept.read.0 <= 1,
        "once, for the first checkpoint: {:?}",
        kept.read
    );
    assert!(kept.is_what_the_journal_says());
}

#[test]
fn payments_told_by_several_events_in_disorder_seldom_read_the_whole_journal() {
    let of_one = |n: i64| {
        let at = |kind, late| payment_event(n, 10 * n + late, kind);
        let kinds = [
            (SourceKind::Invoice, 2),
            (SourceKind::Charge, 0),
            (SourceKind::Intent, 1),
        ];
        kinds.map(|(kind, late)| at(kind, late))
    };
    let kept = LongJournal::of((0..200).flat_map(of_one));
    let (whole, tail) = kept.read;
    assert!(whole <= 12, "while there is no checkpoint: {whole} times");
    assert!(tail >= 180, "{tail}");
    assert!(kept.is_what_the_journal_says());
}

#[test]
fn an_event_about_what_left_the_record_reads_the_whole_journal() {
    let mut events: Vec<_> = (0..100)
        .map(|n| payment_event(n, n, SourceKind::Invoice))
        .collect();
    let before = LongJournal::of(events.clone()).read.0;
    let refunded = |n: i64, of: &str| {
        let fact = refund(&format!("re_{n}"), &[of], 10, RefundState::Succeeded, n);
        new_event(&format!("evt_re_{n}"), n, 1, vec![fact])
    };
    events.extend([
        refunded(200, "pi_99"),
        refunded(201, "pi_3"),
        refunded(202, "pi_98"),
    ]);
    // By its own id alone a refund leads to what left, too.
    let again = refund("re_201", &["pi_500"], 10, RefundState::Failed, 201);
    events.push(new_event("evt_again", 203, 1, vec![again]));
    let kept = LongJournal::of(events);
    assert_eq!(kept.read.0 - before, 2);
    assert!(kept.is_what_the_journal_says());
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(60)
    })]

    /// Payments that become one, are taken back, refunded and disputed, and subscriptions, in some
    /// disorder: most of them leave the record, and some come back.
    #[test]
    fn a_record_that_seldom_reads_its_journal_is_what_the_journal_says(
        steps in prop::collection::vec((0..40_i64, 0..40_i64, 0..16_u8, 0..12_i64), 30..140)
    ) {
        let events = steps.into_iter().enumerate().map(|(at, (n, other, kind, late))| {
            let place = i64::try_from(at).unwrap();
            // Often on top, often a little late.
            let second = 3 * place - if late < 6 { 0 } else { 2 * (late - 5) };
            let fresh = format!("pi_{}", 100 + place / 2);
            let (of, others) = (format!("pi_{n}"), format!("pi_{other}"));
            let near = format!("pi_{}", 100 + place / 2 - n % 8);
            let status = [SubscriptionStatus::Active, SubscriptionStatus::Canceled];
            let fact = match kind {
                0 => refund(&format!("re_{n}"), &[&near], 10, RefundState::Succeeded, second),
                1 if n % 4 == 0 => Fact::SamePayment { ids: ids(&[&of, &others]) },
                1 => Fact::SamePayment { ids: ids(&[&near, &fresh]) },
                2 => paid(SourceKind::Intent, &[&near], 0, second),
                3 if n % 8 == 0 => paid(SourceKind::Charge, &[&of, &others], 100, n),
                4 => dispute(&[&near], 10, DisputeState::Open),
                5 => Fact::CumulativeRefund {
                    ids: ids(&[&near]),
                    amount: eur(second).into(),
                    released_minor: 0,
                },
                6 | 7 => subscription_fact(subscription_snapshot(
                    &format!("sub_{}", place / 2 - n % 3),
                    terms(status[usize::from(kind == 7)], "price_1"),
                    None,
                )),
                _ => paid(SourceKind::Intent, &[&fresh], 100, second),
            };
            new_event(&format!("evt_{at}"), second, 1, vec![fact])
        });
        let kept = LongJournal::of(events);
        prop_assert!(kept.record.recent.len() <= MAX_RECENT);
        prop_assert!(kept.is_what_the_journal_says(), "{:?}", kept.read);
    }
}
