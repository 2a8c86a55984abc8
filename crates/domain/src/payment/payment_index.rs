//! Which payment has an id: a map beside the list of payments, so that a fold looks at the payments
//! that an event names and at no others.

use crate::ids::ObjectId;
use std::collections::BTreeMap;

/// What a list of payments consists of, as its index sees it.
pub(crate) trait Indexed {
    /// The ids of its invoice, intent, charge and session.
    fn ids(&self) -> impl ExactSizeIterator<Item = &ObjectId>;

    /// The ids of its refunds and disputes.
    fn parts(&self) -> impl Iterator<Item = &ObjectId>;

    /// Takes in what another one holds, because both are one.
    fn merge(&mut self, other: Self);
}

/// The places of a list of payments, by the ids that lead to them. It is made from the list when it
/// is first needed. It is never stored, and says nothing that the list does not say: so all indexes
/// are equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct PaymentIndex {
    ids: BTreeMap<ObjectId, usize>,
    parts: BTreeMap<ObjectId, usize>,
    /// How many payments it covers.
    length: usize,
}

impl PartialEq for PaymentIndex {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for PaymentIndex {}

impl PaymentIndex {
    /// Whether it covers this list.
    pub(crate) fn covers<T: Indexed>(&self, list: &[T]) -> bool {
        self.length == list.len()
    }

    /// Makes it anew if it does not cover this list.
    pub(crate) fn refresh<T: Indexed>(&mut self, list: &[T]) {
        if !self.covers(list) {
            *self = Self::default();
            for (place, payment) in list.iter().enumerate() {
                self.insert(place, payment);
            }
            self.length = list.len();
        }
    }

    /// The place of the payment that has this id.
    pub(crate) fn place_of(&self, id: &ObjectId) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// The place of the payment that has one of these ids, or the refund or dispute `part`. Where
    /// several have, they become one; where none has, `new` is added to the list.
    pub(crate) fn unite<T: Indexed>(
        &mut self,
        list: &mut Vec<T>,
        ids: &[ObjectId],
        part: Option<&ObjectId>,
        new: impl FnOnce() -> T,
    ) -> usize {
        self.refresh(list);
        let named = ids.iter().filter_map(|id| self.ids.get(id));
        let whole = part.and_then(|part| self.parts.get(part));
        let mut places: Vec<usize> = named.chain(whole).copied().collect();
        places.sort_unstable();
        places.dedup();
        let place = if let Some((first, others)) = places.split_first() {
            self.merge(list, *first, others);
            *first
        } else {
            list.push(new());
            self.length = list.len();
            list.len().saturating_sub(1)
        };
        self.ids.extend(ids.iter().map(|id| (id.clone(), place)));
        self.parts.extend(part.map(|id| (id.clone(), place)));
        place
    }

    /// Merges the payments at `others`, which rise, into the one at `first`, which is before them.
    fn merge<T: Indexed>(&mut self, list: &mut Vec<T>, first: usize, others: &[usize]) {
        // From the end of the list: the places that are still to come stay as they are.
        for place in others.iter().rev() {
            let mut other = list.swap_remove(*place);
            if let Some(moved) = list.get(*place) {
                self.insert(*place, moved);
            }
            if let Some(whole) = list.get_mut(first) {
                // The smaller one moves, so that no id moves often.
                if whole.ids().len() < other.ids().len() {
                    std::mem::swap(whole, &mut other);
                    self.insert(first, whole);
                }
                self.insert(first, &other);
                whole.merge(other);
            }
        }
        self.length = list.len();
    }

    fn insert<T: Indexed>(&mut self, place: usize, payment: &T) {
        let ids = payment.ids().map(|id| (id.clone(), place));
        self.ids.extend(ids);
        let parts = payment.parts().map(|id| (id.clone(), place));
        self.parts.extend(parts);
    }
}

#[cfg(test)]
mod tests;
