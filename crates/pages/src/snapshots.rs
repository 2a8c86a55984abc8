//! A journal folded once, moment by moment, with what each moment could touch kept as it was
//! before: so any part of a long life is told without folding the rest again.

use domain::event::{Fact, NormalizedEvent};
use domain::ids::ObjectId;
use domain::payment::payments::{Payment, Payments};
use domain::record::Entry;
use domain::state::CustomerState;
use domain::subscription::state::Subscription;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// The events of one moment, and the part of the state before it that they may touch.
pub(crate) struct StateSnapshot {
    /// Which, counted in the order of the fold.
    pub(crate) events: Range<usize>,
    /// Only the payments and subscriptions that these events name, and all else. Where an
    /// address becomes known every subscription, since letters may fall due for each.
    pub(crate) before: CustomerState,
}

/// Folds a journal in the order of the fold. The state has every payment there ever was.
pub(crate) fn snapshots(sorted: &[Arc<Entry>]) -> (Vec<StateSnapshot>, CustomerState) {
    let mut whole = PartitionedState::default();
    let mut moments = Vec::new();
    let mut begin = 0_usize;
    for instant in sorted.chunk_by(|a, b| a.event.occurred_at == b.event.occurred_at) {
        let end = begin.saturating_add(instant.len());
        let readings: Vec<&NormalizedEvent> = instant.iter().map(|entry| &entry.event).collect();
        let mut before = whole.take_touched(&readings);
        let next = fold_events(&before, &readings);
        if before.person.email().is_none() && next.person.email().is_some() {
            before.subscriptions.extend(whole.subscriptions.clone());
        }
        whole.put_back(next);
        moments.push(StateSnapshot {
            events: begin..end,
            before,
        });
        begin = end;
    }
    (moments, whole.into_state())
}

/// A state with these readings of one moment; those on which the fold panics are stepped over.
pub(crate) fn fold_events(state: &CustomerState, readings: &[&NormalizedEvent]) -> CustomerState {
    state.with_events(readings).unwrap_or_else(|| {
        readings.iter().fold(state.clone(), |state, reading| {
            state.with_events(&[reading]).unwrap_or(state)
        })
    })
}

/// A state in parts, each found by the ids that lead to it.
#[derive(Default)]
struct PartitionedState {
    /// Without subscriptions and payments.
    rest: CustomerState,
    subscriptions: BTreeMap<ObjectId, Subscription>,
    /// In the order in which they were last touched; none where one has moved on.
    payments: Vec<Option<Payment>>,
    payment_indexes: HashMap<ObjectId, usize>,
}

impl PartitionedState {
    /// Takes out what these readings may touch.
    fn take_touched(&mut self, readings: &[&NormalizedEvent]) -> CustomerState {
        let mut places: BTreeSet<usize> = BTreeSet::new();
        let mut subscriptions = BTreeSet::new();
        for fact in readings.iter().flat_map(|reading| &reading.facts) {
            let named = touched_ids(fact);
            let known = named
                .payments
                .iter()
                .filter_map(|id| self.payment_indexes.get(*id));
            places.extend(known);
            subscriptions.extend(named.subscription);
        }
        let invoices = self.rest.invoices.values();
        subscriptions.extend(invoices.filter_map(|invoice| invoice.subscription.as_ref()));
        let subscriptions = subscriptions
            .into_iter()
            .filter_map(|id| self.subscriptions.remove_entry(id))
            .collect();
        let open = places
            .into_iter()
            .filter_map(|place| self.payments.get_mut(place)?.take())
            .collect();
        let payments = Payments::new(open);
        CustomerState {
            subscriptions,
            payments,
            ..self.rest.clone()
        }
    }

    /// Puts it back.
    fn put_back(&mut self, mut touched: CustomerState) {
        // Not `append`, which would build the whole map anew for each moment.
        self.subscriptions
            .extend(std::mem::take(&mut touched.subscriptions));
        for payment in std::mem::take(&mut touched.payments.open) {
            let place = self.payments.len();
            let own = payment.refunds.keys().chain(payment.disputes.keys());
            for id in payment.ids.iter().chain(own) {
                self.payment_indexes.insert(id.clone(), place);
            }
            self.payments.push(Some(payment));
        }
        self.rest = touched;
    }

    fn into_state(self) -> CustomerState {
        let mut open: Vec<Payment> = self.payments.into_iter().flatten().collect();
        open.sort_by(|a, b| {
            let at = |payment: &Payment| payment.paid_at().unwrap_or(payment.first_seen_at);
            (at(a), &a.ids).cmp(&(at(b), &b.ids))
        });
        CustomerState {
            subscriptions: self.subscriptions,
            payments: Payments::new(open),
            ..self.rest
        }
    }
}

/// The ids by which a fact may name a payment, and the subscription it names.
#[derive(Default)]
struct TouchedIds<'a> {
    payments: Vec<&'a ObjectId>,
    subscription: Option<&'a ObjectId>,
}

fn touched_ids(fact: &Fact) -> TouchedIds<'_> {
    let payments = |ids: Vec<_>| TouchedIds {
        payments: ids,
        subscription: None,
    };
    match fact {
        Fact::Payment(seen) => payments(seen.ids.iter().collect()),
        Fact::SamePayment { ids } | Fact::CumulativeRefund { ids, .. } => {
            payments(ids.iter().collect())
        }
        Fact::Refund(seen) => payments(seen.payment.iter().chain([&seen.id]).collect()),
        Fact::Dispute(seen) => payments(seen.payment.iter().chain([&seen.id]).collect()),
        Fact::Invoice(seen) => TouchedIds {
            payments: vec![&seen.id],
            subscription: seen.subscription.as_ref(),
        },
        Fact::Subscription(seen) => TouchedIds {
            payments: vec![],
            subscription: Some(&seen.id),
        },
        Fact::Profile(_)
        | Fact::CustomerDeleted
        | Fact::GuestIdentified { .. }
        | Fact::Referral(_)
        | Fact::ReferralCanceled { .. }
        | Fact::ReferralCode { .. }
        | Fact::AttributionTerms(_)
        | Fact::Reviewed { .. }
        | Fact::CodeGranted(_)
        | Fact::Fingerprint { .. }
        | Fact::Waiting { .. }
        | Fact::Unclear { .. } => TouchedIds::default(),
    }
}
