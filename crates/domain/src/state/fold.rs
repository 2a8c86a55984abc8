//! The fold: readings in, state out. Time, then life-cycle rank, then id decide the order,
//! never arrival.

use crate::event::{Fact, NormalizedEvent, Profile, ReferralSnapshot};
use crate::ids::ObjectId;
use crate::partner::attribution;
use crate::payment::snapshot::{InvoiceSnapshot, InvoiceState, SourceKind};
use crate::state::{CustomerState, Invoice, Referral, Subscription};
use crate::subscription::snapshot_order;
use crate::subscription::terms::SubscriptionSnapshot;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// Sees each reading just before it is folded. Tests let it panic on some, since we know of no
/// reading that makes the fold itself panic; never set outside of them.
#[doc(hidden)]
pub static WITNESS: OnceLock<fn(&NormalizedEvent)> = OnceLock::new();

/// Troubled invoices that stay in the record.
const MAX_INVOICES: usize = 8;

/// The state that a set of readings makes. Order and repetition in `readings` do not matter.
pub fn fold<'a>(readings: impl IntoIterator<Item = &'a NormalizedEvent>) -> CustomerState {
    let mut state = fold_with_all_payments(readings);
    state.close_old();
    state
}

/// The same with every payment there ever was: for people who ask, not for the record.
/// A reading on which the fold panics, which is a bug of ours, counts as unclear and is
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
        let digestible = |reading: &&&NormalizedEvent| state.with_events(&[**reading]).is_some();
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
    /// Folds one more reading that stands after all folded ones and does not
    /// [contend](Self::must_refold) with them, and lets no payment leave. None when that panics:
    /// [`fold`] steps over it.
    pub(crate) fn fold_next(mut self, reading: &NormalizedEvent) -> Option<Self> {
        let apply = || {
            self.apply_instant(&[reading]);
            self
        };
        catch_unwind(AssertUnwindSafe(apply)).ok()
    }

    /// Whether this reading, though it stands last, can't be folded on its own: it ties with
    /// the statement a subscription rests on, or may touch a payment that left the record.
    pub fn must_refold(&self, reading: &NormalizedEvent) -> bool {
        reading.facts.iter().any(|fact| match fact {
            Fact::Subscription(seen) => {
                let known = self.subscriptions.get(&seen.id);
                known.is_some_and(|known| known.as_of == reading.occurred_at)
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
            | Fact::Profile(_) => self.payments.closed > 0 && self.partners_may_earn(reading),
            Fact::CustomerDeleted | Fact::Waiting { .. } | Fact::Unclear { .. } => false,
        })
    }

    /// Whether partners earn on this customer, or may with this reading.
    fn partners_may_earn(&self, reading: &NormalizedEvent) -> bool {
        let pins = |fact: &Fact| matches!(fact, Fact::AttributionTerms(_) | Fact::CodeGranted(_));
        let known = !self.partners.attribution_terms.is_empty() || !self.partners.codes.is_empty();
        known || reading.facts.iter().any(pins)
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
        let mut statements: Vec<&SubscriptionSnapshot> = Vec::new();
        for reading in instant {
            if let Some(witness) = WITNESS.get() {
                witness(reading);
            }
            for fact in &reading.facts {
                if let Fact::Subscription(seen) = fact {
                    statements.push(seen);
                } else {
                    self.apply(fact, reading.occurred_at);
                }
            }
        }
        if let Some(first) = instant.first() {
            self.apply_snapshots(&statements, first.occurred_at);
        }
    }

    fn apply(&mut self, fact: &Fact, at: Timestamp) {
        match fact {
            Fact::Profile(profile) => {
                self.apply_profile(profile);
                self.detect_self_referral();
            }
            Fact::CustomerDeleted => self.person.deleted_at = Some(at),
            Fact::Subscription(seen) => self.apply_snapshots(&[seen], at),
            Fact::Invoice(seen) => self.apply_invoice(seen, at),
            Fact::Payment(seen) => self.payments.apply_payment(seen, at),
            Fact::SamePayment { ids } => self.payments.apply_same_payment(ids, at),
            Fact::CumulativeRefund { ids, minor } => {
                self.payments.apply_cumulative_refund(ids, *minor, at)
            }
            Fact::Refund(seen) => self.payments.apply_refund(seen, at),
            Fact::Dispute(seen) => self.payments.apply_dispute(seen, at),
            Fact::Referral(seen) => self.apply_referral(seen),
            Fact::ReferralCanceled { partner, referral } => {
                // A cancellation before its report waits as a canceled report.
                let canceled = || Referral {
                    partner: partner.clone(),
                    referral: referral.clone(),
                    referred_at: at,
                    canceled: true,
                };
                let key = attribution::referral_key(partner, referral);
                self.referrals.entry(key).or_insert_with(canceled).canceled = true;
            }
            Fact::AttributionTerms(pinned) => self.apply_attribution_terms(pinned),
            Fact::Reviewed {
                partner,
                referral,
                decision,
            } => self.apply_review(partner, referral, *decision),
            Fact::CodeGranted(granted) => self.apply_code_granted(granted),
            Fact::Fingerprint { fingerprint } => self.apply_fingerprint(fingerprint),
            Fact::ReferralCode { code } => self.apply_code(code, at),
            // It says nothing yet; what it will say stands under the same id.
            Fact::Waiting { .. } => {}
            Fact::Unclear { .. } => self.unclear = self.unclear.saturating_add(1),
        }
    }

    fn apply_profile(&mut self, profile: &Profile) {
        if profile.complete {
            self.person.provider_profile = Some(profile.clone());
            return;
        }
        let seen = &mut self.person.fallback_profile;
        let fill = |field: &mut Option<_>, new: &Option<_>| {
            if new.is_some() {
                field.clone_from(new);
            }
        };
        fill(&mut seen.email, &profile.email);
        fill(&mut seen.name, &profile.name);
        fill(&mut seen.locale, &profile.locale);
        fill(&mut seen.country, &profile.country);
    }

    fn apply_snapshots(&mut self, statements: &[&SubscriptionSnapshot], at: Timestamp) {
        let mut ids: Vec<&ObjectId> = statements.iter().map(|seen| &seen.id).collect();
        ids.sort();
        ids.dedup();
        for id in ids {
            let of_one: Vec<_> = statements
                .iter()
                .copied()
                .filter(|seen| seen.id == *id)
                .collect();
            let before = self.subscriptions.get(id).map(|known| &known.terms);
            let (ordered, ambiguous) = snapshot_order::infer_order(before, of_one);
            for seen in ordered {
                self.apply_snapshot(seen, at, ambiguous);
            }
        }
    }

    fn apply_snapshot(&mut self, seen: &SubscriptionSnapshot, at: Timestamp, ambiguous: bool) {
        let known = self.subscriptions.remove(&seen.id);
        if let Some(ended) = known.as_ref().filter(|known| known.terms.status.is_final()) {
            self.subscriptions.insert(seen.id.clone(), ended.clone());
            return;
        }
        let activated_before = known.as_ref().and_then(|known| known.activated_at);
        let running = seen.terms.status.is_running().then_some(at);
        let next = Subscription {
            started_at: seen.started_at,
            currency: seen
                .currency
                .or(known.as_ref().and_then(|known| known.currency)),
            terms: seen.terms.clone(),
            canceled_at: end_requested_at(known.as_ref(), seen, at),
            ended_at: seen.ended_at,
            activated_at: activated_before.or(running),
            as_of: at,
            ambiguous,
        };
        self.subscriptions.insert(seen.id.clone(), next);
    }

    fn apply_invoice(&mut self, seen: &InvoiceSnapshot, at: Timestamp) {
        let paid = self.payments.open.iter().any(|payment| {
            payment
                .sources
                .iter()
                .any(|told| told.source_kind == SourceKind::Invoice && told.id == seen.id)
        });
        let trouble = match seen.state {
            InvoiceState::Failed | InvoiceState::ActionRequired => !paid,
            InvoiceState::Paid | InvoiceState::Voided | InvoiceState::Uncollectible => false,
        };
        if !trouble {
            for (id, invoice) in &mut self.invoices {
                let of_all = seen.covers_whole_subscription()
                    && invoice.subscription == seen.subscription
                    && invoice.settled_at.is_none();
                if *id == seen.id || of_all {
                    invoice.state = if paid { InvoiceState::Paid } else { seen.state };
                    invoice.next_attempt_at = None;
                    invoice.settled_at = invoice.settled_at.or(Some(at));
                }
            }
            return;
        }
        let failed_at = self
            .invoices
            .get(&seen.id)
            .map_or(at, |known| known.failed_at);
        let invoice = Invoice {
            state: seen.state,
            subscription: seen.subscription.clone(),
            due: seen.due,
            failed_at,
            attempts: seen.attempts,
            next_attempt_at: seen.next_attempt_at,
            settled_at: None,
        };
        self.invoices.insert(seen.id.clone(), invoice);
        self.forget_old_invoices();
    }

    fn apply_referral(&mut self, seen: &ReferralSnapshot) {
        let key = attribution::referral_key(&seen.partner, &seen.referral);
        let canceled = self.referrals.get(&key).is_some_and(|known| known.canceled);
        let referral = Referral {
            partner: seen.partner.clone(),
            referral: seen.referral.clone(),
            referred_at: seen.referred_at,
            canceled,
        };
        self.referrals.insert(key, referral);
    }

    fn forget_old_invoices(&mut self) {
        while self.invoices.len() > MAX_INVOICES {
            let oldest = self
                .invoices
                .iter()
                .min_by_key(|(id, i)| (i.failed_at, *id));
            let Some(oldest) = oldest.map(|(id, _)| id.clone()) else {
                return;
            };
            self.invoices.remove(&oldest);
        }
    }
}

/// When the end of a subscription was asked for. Where nobody says, it is when a running one is
/// first seen to end; of one that was never seen otherwise nobody knows.
fn end_requested_at(
    known: Option<&Subscription>,
    seen: &SubscriptionSnapshot,
    at: Timestamp,
) -> Option<Timestamp> {
    if seen.canceled_at.is_some() || !seen.end_requested {
        return seen.canceled_at;
    }
    let known = known?;
    if known.terms.is_ending() {
        known.canceled_at
    } else {
        Some(at)
    }
}
