//! The fold: readings in, state out. Time, then life-cycle rank, then id decide the order,
//! never arrival.

use crate::event::{Fact, NormalizedEvent};
use crate::payment::invoice;
use crate::state::CustomerState;
use crate::subscription::state::apply_snapshots;
use crate::subscription::terms::SubscriptionSnapshot;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The state that a set of readings makes. Order and repetition in `readings` do not matter.
pub fn fold<'a>(readings: impl IntoIterator<Item = &'a NormalizedEvent>) -> CustomerState {
    let mut state = fold_with_all_payments(readings);
    state.close_old();
    state
}

/// The same with every payment there ever was: for people who ask, not for the record.
/// An event on which the fold panics, which is a bug of ours, counts as unclear and is
/// stepped over: it never stops the others.
pub fn fold_with_all_payments<'a>(
    readings: impl IntoIterator<Item = &'a NormalizedEvent>,
) -> CustomerState {
    let mut sorted: Vec<&NormalizedEvent> = readings.into_iter().collect();
    sorted.sort_by(|a, b| (a.occurred_at, a.rank, &a.id).cmp(&(b.occurred_at, b.rank, &b.id)));
    sorted.dedup_by(|a, b| a.id == b.id);
    let mut state = catch_unwind(|| {
        let mut state = CustomerState::default();
        for instant in sorted.chunk_by(|a, b| a.occurred_at == b.occurred_at) {
            state.apply_instant(instant);
        }
        state
    })
    .unwrap_or_else(|_| fold_skipping_panics(&sorted));
    state.payments.sort();
    state
}

fn fold_skipping_panics(sorted: &[&NormalizedEvent]) -> CustomerState {
    let mut state = CustomerState::default();
    for instant in sorted.chunk_by(|a, b| a.occurred_at == b.occurred_at) {
        let digestible = |event: &&&NormalizedEvent| state.with_events(&[**event]).is_some();
        let rest: Vec<&NormalizedEvent> = instant.iter().filter(digestible).copied().collect();
        // Readings that are digestible one by one and not together are all stepped over.
        let (mut next, folded) = match state.with_events(&rest) {
            Some(next) => (next, rest.len()),
            None => (state, 0),
        };
        let over = u32::try_from(instant.len().saturating_sub(folded)).unwrap_or(u32::MAX);
        next.unclear = next.unclear.saturating_add(over);
        state = next;
    }
    state
}

impl CustomerState {
    /// Folds one more event that stands after all folded ones and does not
    /// [contend](Self::must_refold) with them, and lets no payment leave. None when that panics:
    /// [`fold`] steps over it.
    pub(crate) fn fold_next(mut self, event: &NormalizedEvent) -> Option<Self> {
        let apply = || {
            self.apply_instant(&[event]);
            self
        };
        catch_unwind(AssertUnwindSafe(apply)).ok()
    }

    /// Whether this event, though it stands last, can't be folded on its own: it ties with
    /// the statement a subscription rests on, or may touch a payment that left the record.
    pub fn must_refold(&self, event: &NormalizedEvent) -> bool {
        event.facts.iter().any(|fact| match fact {
            Fact::Subscription(seen) => {
                let known = self.subscriptions.get(&seen.id);
                known.is_some_and(|known| known.as_of == event.occurred_at)
            }
            Fact::Payment(_)
            | Fact::SamePayment { .. }
            | Fact::CumulativeRefund { .. }
            | Fact::Refund(_)
            | Fact::Invoice(_)
            | Fact::Dispute(_) => self.payments.closed > 0,
            // Whose the commissions of payments are that left the record.
            Fact::AttributionTerms(_)
            | Fact::Reviewed { .. }
            | Fact::CodeGranted(_)
            | Fact::Fingerprint { .. }
            | Fact::Referral(_)
            | Fact::ReferralCanceled { .. }
            | Fact::ReferralCode { .. }
            | Fact::Profile(_) => self.payments.closed > 0 && self.partners_may_earn(event),
            Fact::CustomerDeleted | Fact::Waiting { .. } | Fact::Unclear { .. } => false,
        })
    }

    /// Whether partners earn on this customer, or may with this event.
    fn partners_may_earn(&self, event: &NormalizedEvent) -> bool {
        let pins = |fact: &Fact| matches!(fact, Fact::AttributionTerms(_) | Fact::CodeGranted(_));
        let known = !self.partners.attribution_terms.is_empty() || !self.partners.codes.is_empty();
        known || event.facts.iter().any(pins)
    }

    /// Lets old payments leave. What commissions still need of them stays.
    pub(crate) fn close_old(&mut self) {
        let left = self.payments.close_old();
        if !self.partners.attribution_terms.is_empty() {
            let known = self.partners.first_closed_at;
            self.partners.first_closed_at = known.into_iter().chain(left).min();
        }
    }

    /// This state with readings of one instant that stand after all folded ones, and without
    /// letting old payments leave. None when that panics: [`fold`] steps over it.
    pub fn with_events(&self, instant: &[&NormalizedEvent]) -> Option<Self> {
        let apply = || {
            let mut next = self.clone();
            next.apply_instant(instant);
            next
        };
        catch_unwind(AssertUnwindSafe(apply)).ok()
    }

    fn apply_instant(&mut self, instant: &[&NormalizedEvent]) {
        let mut snapshots: Vec<&SubscriptionSnapshot> = Vec::new();
        for event in instant {
            #[cfg(feature = "poison")]
            panic_on_poison(event);
            for fact in &event.facts {
                if let Fact::Subscription(snapshot) = fact {
                    snapshots.push(snapshot);
                } else {
                    self.apply(fact, event.occurred_at);
                }
            }
        }
        if let Some(first) = instant.first() {
            apply_snapshots(&mut self.subscriptions, &snapshots, first.occurred_at);
        }
    }

    fn apply(&mut self, fact: &Fact, at: Timestamp) {
        match fact {
            Fact::Profile(profile) => {
                self.person.apply(profile);
                self.partners.detect_self_referral(&self.person);
            }
            Fact::CustomerDeleted => self.person.deleted_at = Some(at),
            Fact::Subscription(snapshot) => {
                apply_snapshots(&mut self.subscriptions, &[snapshot], at);
            }
            Fact::Invoice(snapshot) => {
                invoice::apply_snapshot(&mut self.invoices, &self.payments, snapshot, at);
            }
            Fact::Payment(snapshot) => self.payments.apply_payment(snapshot, at),
            Fact::SamePayment { ids } => self.payments.apply_same_payment(ids, at),
            Fact::CumulativeRefund { ids, minor } => {
                self.payments.apply_cumulative_refund(ids, *minor, at);
            }
            Fact::Refund(snapshot) => self.payments.apply_refund(snapshot, at),
            Fact::Dispute(snapshot) => self.payments.apply_dispute(snapshot, at),
            Fact::Referral(_)
            | Fact::ReferralCanceled { .. }
            | Fact::AttributionTerms(_)
            | Fact::Reviewed { .. }
            | Fact::CodeGranted(_)
            | Fact::Fingerprint { .. }
            | Fact::ReferralCode { .. } => self.apply_to_partners(fact, at),
            // It says nothing yet; what it will say stands under the same id.
            Fact::Waiting { .. } => {}
            Fact::Unclear { .. } => self.unclear = self.unclear.saturating_add(1),
        }
    }

    fn apply_to_partners(&mut self, fact: &Fact, at: Timestamp) {
        let (partners, person) = (&mut self.partners, &self.person);
        match fact {
            Fact::Referral(snapshot) => partners.apply_referral(snapshot),
            Fact::ReferralCanceled { partner, referral } => {
                partners.apply_cancellation(partner, referral, at);
            }
            Fact::AttributionTerms(terms) => partners.apply_terms(terms, person),
            Fact::Reviewed {
                partner,
                referral,
                decision,
            } => partners.apply_decision(partner, referral, *decision),
            Fact::CodeGranted(granted) => partners.apply_code_granted(granted),
            Fact::Fingerprint { fingerprint } => partners.apply_fingerprint(fingerprint, person),
            Fact::ReferralCode { code } => partners.apply_code(code, at, person),
            Fact::Profile(_)
            | Fact::CustomerDeleted
            | Fact::Subscription(_)
            | Fact::Invoice(_)
            | Fact::Payment(_)
            | Fact::SamePayment { .. }
            | Fact::CumulativeRefund { .. }
            | Fact::Refund(_)
            | Fact::Dispute(_)
            | Fact::Waiting { .. }
            | Fact::Unclear { .. } => {}
        }
    }
}

/// Stands for a bug in the fold, since we know of no event on which the fold panics by itself.
#[cfg(feature = "poison")]
fn panic_on_poison(event: &NormalizedEvent) {
    if &*event.kind == "poison" {
        std::panic::resume_unwind(Box::new("injected"));
    }
}
