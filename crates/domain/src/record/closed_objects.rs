//! Which objects left a record: so that an event about none of them is folded on top, however long
//! the journal is.

use crate::event::{Fact, NormalizedEvent};
use crate::ids::ObjectId;
use crate::record::Record;
use crate::record::entry::Entry;
use crate::record::folded::Folded;
use std::collections::BTreeSet;
use std::sync::Arc;

/// From so many entries on the ids of what left the record are kept in an index of their own. A
/// shorter journal is read with one request.
pub const LONG_JOURNAL: u64 = 128;

impl Record {
    /// The objects that these entries may change and that the record does not hold. If none of them
    /// ever left it, [`advance_on_top`](Self::advance_on_top) may be asked.
    pub fn missing_objects(&self, entries: &[Arc<Entry>]) -> BTreeSet<ObjectId> {
        let mut objects = objects_of(entries, true);
        self.remove_held(&mut objects);
        objects.into_iter().cloned().collect()
    }

    /// What may have left the record with these entries: what `before` held or the entries name,
    /// and this record does not hold.
    pub fn objects_left(&self, before: &Self, entries: &[Arc<Entry>]) -> BTreeSet<ObjectId> {
        let mut objects = objects_of(entries, false);
        objects.extend(before.folded.held());
        self.remove_held(&mut objects);
        objects.into_iter().cloned().collect()
    }

    fn remove_held(&self, objects: &mut BTreeSet<&ObjectId>) {
        for held in self.folded.held() {
            objects.remove(held);
        }
    }
}

impl Folded {
    /// The ids of what is in the record.
    pub(super) fn held(&self) -> impl Iterator<Item = &ObjectId> {
        let state = &self.state;
        let payments = state.payments.open.iter().flat_map(|payment| {
            let parts = payment.refunds.keys().chain(payment.disputes.keys());
            payment.ids.iter().chain(parts)
        });
        payments.chain(state.subscriptions.keys())
    }
}

/// The payments, with their refunds and disputes, and the subscriptions that these entries add to
/// the record or change; those too that they only ask about, where `asked` says so.
pub(super) fn objects_of<'a>(
    entries: impl IntoIterator<Item = &'a Arc<Entry>>,
    asked: bool,
) -> BTreeSet<&'a ObjectId> {
    let mut objects = BTreeSet::new();
    for entry in entries {
        add_objects(&entry.event, asked, &mut objects);
    }
    objects
}

fn add_objects<'a>(event: &'a NormalizedEvent, asked: bool, objects: &mut BTreeSet<&'a ObjectId>) {
    for fact in &event.facts {
        match fact {
            Fact::Payment(snapshot) if asked || snapshot.paid.minor != 0 => {
                objects.extend(&snapshot.ids);
            }
            Fact::SamePayment { ids } | Fact::CumulativeRefund { ids, .. } => objects.extend(ids),
            Fact::Refund(snapshot) => {
                objects.insert(&snapshot.id);
                objects.extend(&snapshot.payment);
            }
            Fact::Dispute(snapshot) => {
                objects.insert(&snapshot.id);
                objects.extend(&snapshot.payment);
            }
            Fact::Invoice(snapshot) if asked => {
                objects.insert(&snapshot.id);
            }
            Fact::Subscription(snapshot) => {
                objects.insert(&snapshot.id);
            }
            Fact::Payment(_)
            | Fact::Invoice(_)
            | Fact::Profile(_)
            | Fact::CustomerDeleted
            | Fact::Referral(_)
            | Fact::ReferralCanceled { .. }
            | Fact::AttributionTerms(_)
            | Fact::Reviewed { .. }
            | Fact::CodeGranted(_)
            | Fact::Fingerprint { .. }
            | Fact::ReferralCode { .. }
            | Fact::Waiting { .. }
            | Fact::GuestIdentified { .. }
            | Fact::Unclear { .. } => {}
        }
    }
}
