//! Which payment has an id: a map beside the list of payments, so that a fold looks at the payments
//! that an event names and at no others.

use crate::ids::ObjectId;
use std::collections::{BTreeMap, BTreeSet};

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
///
/// An id leads to a number, and the number to a place: where a payment moves within the list, only
/// its number is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct PaymentIndex {
    ids: BTreeMap<ObjectId, usize>,
    parts: BTreeMap<ObjectId, usize>,
    /// By number.
    places: Vec<usize>,
    /// By place: so many payments does it cover.
    numbers: Vec<usize>,
}

impl PartialEq for PaymentIndex {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for PaymentIndex {}

impl PaymentIndex {
    /// Makes it anew if it does not cover this list.
    pub(crate) fn refresh<T: Indexed>(&mut self, list: &[T]) {
        if self.numbers.len() != list.len() {
            *self = Self::default();
            for payment in list {
                let number = self.append();
                self.insert(number, payment);
            }
        }
    }

    /// The place of the payment that has this id.
    pub(crate) fn place_of(&self, id: &ObjectId) -> Option<usize> {
        self.places.get(*self.ids.get(id)?).copied()
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
        let numbers: BTreeSet<usize> = named.chain(whole).copied().collect();
        let length = |number: &usize| {
            let place = self.places.get(*number);
            place
                .and_then(|at| list.get(*at))
                .map(|payment| payment.ids().len())
        };
        // The smaller ones move to the largest, so that no id moves often.
        let largest = numbers.iter().copied().max_by_key(length);
        let number = largest.unwrap_or_else(|| {
            list.push(new());
            self.append()
        });
        for other in numbers.into_iter().filter(|other| *other != number) {
            self.merge(list, number, other);
        }
        self.ids.extend(ids.iter().map(|id| (id.clone(), number)));
        self.parts.extend(part.map(|id| (id.clone(), number)));
        self.places.get(number).copied().unwrap_or(list.len())
    }

    /// The number of a payment that was added to the end of the list.
    fn append(&mut self) -> usize {
        let number = self.places.len();
        self.places.push(self.numbers.len());
        self.numbers.push(number);
        number
    }

    /// Merges one payment into another, and removes it from the list.
    fn merge<T: Indexed>(&mut self, list: &mut Vec<T>, whole: usize, other: usize) {
        let Some(place) = self
            .places
            .get(other)
            .copied()
            .filter(|at| *at < list.len())
        else {
            return;
        };
        let part = list.swap_remove(place);
        self.numbers.swap_remove(place);
        if let Some(moved) = self.numbers.get(place)
            && let Some(at) = self.places.get_mut(*moved)
        {
            *at = place;
        }
        self.insert(whole, &part);
        let place = self.places.get(whole);
        if let Some(payment) = place.and_then(|at| list.get_mut(*at)) {
            payment.merge(part);
        }
    }

    fn insert<T: Indexed>(&mut self, number: usize, payment: &T) {
        let ids = payment.ids().map(|id| (id.clone(), number));
        self.ids.extend(ids);
        let parts = payment.parts().map(|id| (id.clone(), number));
        self.parts.extend(parts);
    }
}

#[cfg(test)]
mod tests;
