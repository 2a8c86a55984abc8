//! The fold: normalized events in, state out. The order of events is by time, then life-cycle
//! rank, then id. Their order of arrival never matters.

use crate::event::{Fact, NormalizedEvent};
use crate::payment::invoice;
use crate::payment::payments::CumulativeRefund;
use crate::state::CustomerState;
use crate::subscription::closing;
use crate::subscription::state::apply_snapshots;
use crate::subscription::terms::SubscriptionSnapshot;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The edition of the fold, which every record carries. Whoever changes what the fold makes of the
/// same events raises it: the audit then folds again what an older edition folded, and an older
/// version leaves the record alone.
pub const FOLD_VERSION: u16 = 2;

/// The state that a set of events makes. Order and repetition in `events` do not matter.
pub fn fold<'a>(events: impl IntoIterator<Item = &'a NormalizedEvent>) -> CustomerState {
    let mut state = fold_with_all_payments(events);
    state.close_old();
    state
}

/// Like [`fold`], but the state keeps every payment. It is for people who ask, not for the record.
///
/// An event on which the fold panics, which is a bug of ours, counts as unclear and is skipped. It
/// never stops the other events.
pub fn fold_with_all_payments<'a>(
    events: impl IntoIterator<Item = &'a NormalizedEvent>,
) -> CustomerState {
    let mut sorted: Vec<&NormalizedEvent> = events.into_iter().collect();
    sorted.sort_by(|a, b| (a.occurred_at, a.rank, &a.id).cmp(&(b.occurred_at, b.rank, &b.id)));
    sorted.dedup_by(|a, b| a.id == b.id);
    let mut state = fold_sorted(&sorted);
    state.payments.sort();
    state
}

/// Folds until an event panics, then goes on behind it.
fn fold_sorted(sorted: &[&NormalizedEvent]) -> CustomerState {
    let same_instant = |a: &&NormalizedEvent, b: &&NormalizedEvent| a.occurred_at == b.occurred_at;
    let instants: Vec<&[&NormalizedEvent]> = sorted.chunk_by(same_instant).collect();
    let (mut state, mut rest) = (CustomerState::default(), instants.as_slice());
    loop {
        let folded = Cell::new(0_usize);
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            let mut next = state.clone();
            for instant in rest {
                next.apply_instant(instant);
                folded.set(folded.get().saturating_add(1));
            }
            next
        }));
        if let Ok(next) = attempt {
            return next;
        }
        let (before, from) = rest.split_at(folded.get());
        for instant in before {
            state.apply_instant(instant);
        }
        let Some((panicking, after)) = from.split_first() else {
            return state;
        };
        state = fold_skipping_panics(state, panicking);
        rest = after;
    }
}

/// Folds those events of an instant that do not panic. The others count as unclear.
fn fold_skipping_panics(state: CustomerState, instant: &[&NormalizedEvent]) -> CustomerState {
    let folds_alone = |event: &&&NormalizedEvent| state.with_events(&[**event]).is_some();
    let foldable: Vec<&NormalizedEvent> = instant.iter().filter(folds_alone).copied().collect();
    // Events that fold one by one but not together are all skipped.
    let (mut next, folded) = match state.with_events(&foldable) {
        Some(next) => (next, foldable.len()),
        None => (state, 0),
    };
    let skipped = u32::try_from(instant.len().saturating_sub(folded)).unwrap_or(u32::MAX);
    next.unclear = next.unclear.saturating_add(skipped);
    next
}

impl CustomerState {
    /// Folds one more event. It must come after all folded events, not
    /// [tie](Self::ties_with) with one, and change nothing that left the record. Every payment
    /// stays in the state.
    /// `None` when it panics; [`fold`] skips such an event.
    pub(crate) fn fold_next(mut self, event: &NormalizedEvent) -> Option<Self> {
        let apply = || {
            self.apply_instant(&[event]);
            self
        };
        catch_unwind(AssertUnwindSafe(apply)).ok()
    }

    /// Whether an event needs a fold of the whole journal, even if it comes last in order: its
    /// snapshot has the same time as the one in the state.
    pub fn ties_with(&self, event: &NormalizedEvent) -> bool {
        event.facts.iter().any(|fact| {
            let Fact::Subscription(snapshot) = fact else {
                return false;
            };
            let current = self.subscriptions.get(&snapshot.id);
            current.is_some_and(|current| current.as_of == event.occurred_at)
        })
    }

    /// Whether an event may change a payment or a subscription that left the record, as far as the
    /// state alone can tell.
    pub(crate) fn may_reach_closed(&self, event: &NormalizedEvent) -> bool {
        event.facts.iter().any(|fact| match fact {
            Fact::Subscription(snapshot) => {
                self.closed_subscriptions > 0 && !self.subscriptions.contains_key(&snapshot.id)
            }
            Fact::Payment(_)
            | Fact::SamePayment { .. }
            | Fact::CumulativeRefund { .. }
            | Fact::Refund(_)
            | Fact::Invoice(_)
            | Fact::Dispute(_) => self.payments.closed > 0,
            // These may change which partner earns on payments that left the record.
            Fact::AttributionTerms(_)
            | Fact::Reviewed { .. }
            | Fact::CodeGranted(_)
            | Fact::Fingerprint { .. }
            | Fact::Referral(_)
            | Fact::ReferralCanceled { .. }
            | Fact::ReferralCode { .. }
            | Fact::Profile(_) => self.payments.closed > 0 && self.partners_may_earn(event),
            Fact::CustomerDeleted
            | Fact::GuestIdentified { .. }
            | Fact::Waiting { .. }
            | Fact::Unclear { .. } => false,
        })
    }

    /// Whether what partners earn on payments that left the record is as it was `before`. Both
    /// states have the same of those payments.
    pub(crate) fn earns_as(&self, before: &Self) -> bool {
        let first = |state: &Self| state.partners.first_paid_at(&state.payments);
        let nobody_earns = self.partners.is_without_terms() && before.partners.is_without_terms();
        let same = self.partners == before.partners && first(self) == first(before);
        self.payments.closed == 0 || nobody_earns || same
    }

    /// Whether a partner earns on this customer, or may do so with this event.
    fn partners_may_earn(&self, event: &NormalizedEvent) -> bool {
        let has_terms =
            |fact: &Fact| matches!(fact, Fact::AttributionTerms(_) | Fact::CodeGranted(_));
        !self.partners.is_without_terms() || event.facts.iter().any(has_terms)
    }

    /// Removes old payments and subscriptions from the state. It keeps what commissions need of
    /// them: when the first payment of those that left was made.
    pub(crate) fn close_old(&mut self) {
        let (closed, crowded) = closing::close_old(&mut self.subscriptions);
        self.closed_subscriptions = self.closed_subscriptions.saturating_add(closed);
        self.crowded |= crowded;
        let left = self.payments.close_old();
        if !self.partners.attribution_terms.is_empty() {
            let earlier = self.partners.first_closed_at;
            self.partners.first_closed_at = earlier.into_iter().chain(left).min();
        }
    }

    /// This state with more events, all of one instant and after all folded ones. Every payment
    /// stays in it. `None` when it panics; [`fold`] skips such events.
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
            self.partners.apply_names(&event.references);
            for fact in &event.facts {
                if let Fact::Subscription(snapshot) = fact {
                    snapshots.push(snapshot);
                } else {
                    self.apply(fact, event);
                }
            }
            self.partners.forget_excess_referrals();
        }
        if let Some(first) = instant.first() {
            apply_snapshots(&mut self.subscriptions, &snapshots, first.occurred_at);
        }
        if !self.identified_as.is_empty() {
            *self = Self {
                identified_as: std::mem::take(&mut self.identified_as),
                ..Self::default()
            };
        }
    }

    fn apply(&mut self, fact: &Fact, event: &NormalizedEvent) {
        let at = event.occurred_at;
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
                invoice::apply_snapshot(&mut self.invoices, &mut self.payments, snapshot, at);
            }
            Fact::Payment(snapshot) => self.payments.apply_payment(snapshot, at),
            Fact::SamePayment { ids } => self.payments.apply_same_payment(ids, at),
            Fact::CumulativeRefund {
                ids,
                amount,
                released_minor,
            } => {
                let sum = CumulativeRefund {
                    at,
                    amount: *amount,
                    released_minor: *released_minor,
                };
                self.payments.apply_cumulative_refund(ids, sum);
            }
            Fact::Refund(snapshot) => self.payments.apply_refund(snapshot, at),
            Fact::Dispute(snapshot) => self.payments.apply_dispute(snapshot, at),
            Fact::Referral(_)
            | Fact::ReferralCanceled { .. }
            | Fact::AttributionTerms(_)
            | Fact::Reviewed { .. }
            | Fact::CodeGranted(_)
            | Fact::Fingerprint { .. }
            | Fact::ReferralCode { .. } => self.apply_to_partners(fact, event),
            Fact::GuestIdentified { customer } => {
                self.identified_as.insert(customer.clone());
            }
            // It says nothing yet. Once its content is there, that replaces it under the same id.
            Fact::Waiting { .. } => {}
            Fact::Unclear { .. } => self.unclear = self.unclear.saturating_add(1),
        }
    }

    fn apply_to_partners(&mut self, fact: &Fact, event: &NormalizedEvent) {
        let (partners, person, at) = (&mut self.partners, &self.person, event.occurred_at);
        match fact {
            Fact::Referral(snapshot) => partners.apply_referral(snapshot, &event.about),
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
            | Fact::GuestIdentified { .. }
            | Fact::Waiting { .. }
            | Fact::Unclear { .. } => {}
        }
    }
}

/// Stands for a bug in the fold, for tests: we know of no event on which the fold panics.
#[cfg(feature = "poison")]
fn panic_on_poison(event: &NormalizedEvent) {
    if &*event.kind == "poison" {
        std::panic::resume_unwind(Box::new("injected"));
    }
}
