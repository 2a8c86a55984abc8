//! The reference: what a set of readings means, written from the laws, over sets, with no
//! fold, no record and no order but the one things really happened in.

use super::expected_payments;
use super::expected_referrals;
use super::facts;
use super::facts::JournaledEvent;
use super::facts::Positioned;
use crate::proof::simulation::script::is_poison;
use domain::event::{About, Fact, Position};
use domain::ids::{CustomerKey, ObjectId, Reference};
use domain::payment::invoice::Invoice;
use domain::payment::snapshot::{InvoiceState, NextAttempt, SourceKind};
use domain::state::CustomerState;
use domain::subscription::removed_items::RemovedItem;
use domain::subscription::state::Subscription;
use domain::subscription::terms::{SubscriptionSnapshot, SubscriptionStatus as Status};
use std::collections::{BTreeMap, BTreeSet};

/// Whose each event is, who is behind each reference, and what nobody can place.
#[derive(Default)]
pub(crate) struct ExpectedRoutes<'a> {
    /// Each customer's events.
    pub(crate) journals: BTreeMap<&'a CustomerKey, Vec<JournaledEvent<'a>>>,
    /// Which reference leads to whom.
    pub(crate) aliases: BTreeSet<(&'a Reference, &'a CustomerKey)>,
    /// Which event waits under which reference.
    pub(crate) parked: BTreeSet<(&'a Reference, &'a str)>,
}

/// Who is behind what: aliases lead events to customers, and events bring aliases.
pub(crate) fn routes<'a>(known: &[JournaledEvent<'a>]) -> ExpectedRoutes<'a> {
    let mut aliases: BTreeSet<(&Reference, &CustomerKey)> = BTreeSet::new();
    loop {
        let mut routes = ExpectedRoutes::default();
        for event in known {
            let mut owners = BTreeSet::new();
            match &event.normalized.about {
                About::Customer(customer) => {
                    owners.insert(customer);
                }
                About::ByReference(behind) => {
                    let lead = |(name, _): &&(&Reference, _)| behind.contains(name);
                    owners.extend(aliases.iter().filter(lead).map(|(_, customer)| *customer));
                    let shared = behind.iter().any(Reference::is_shared);
                    let waits = |name| (name, event.normalized.id.as_str());
                    if shared || owners.is_empty() {
                        routes.parked.extend(behind.iter().map(waits));
                    }
                }
            }
            for owner in owners {
                let names = event.normalized.references.iter();
                routes.aliases.extend(names.map(|name| (name, owner)));
                routes.journals.entry(owner).or_default().push(*event);
            }
        }
        if routes.aliases == aliases {
            return routes;
        }
        aliases.clone_from(&routes.aliases);
    }
}

/// What a customer's events together say.
pub(crate) fn state(known: &[JournaledEvent<'_>]) -> CustomerState {
    let facts = facts::facts(known);
    let poison = known.iter().filter(|known| is_poison(known.normalized));
    let mut state = CustomerState {
        person: facts::person(&facts),
        subscriptions: subscriptions(known),
        // No world has so many that one leaves.
        closed_subscriptions: 0,
        crowded: false,
        payments: expected_payments::payments(&facts),
        invoices: invoices(&facts),
        partners: expected_referrals::partners(known),
        identified_as: BTreeSet::new(),
        unclear: poison.count() as u32,
    };
    for (_, fact) in &facts {
        match fact {
            Fact::Unclear { .. } => state.unclear += 1,
            // Computed above, each from all facts at once.
            Fact::Profile(_)
            | Fact::CustomerDeleted
            // No simulation has guests.
            | Fact::GuestIdentified { .. }
            | Fact::Subscription(_)
            | Fact::Invoice(_)
            | Fact::Payment(_)
            | Fact::SamePayment { .. }
            | Fact::CumulativeRefund { .. }
            | Fact::Refund(_)
            | Fact::Dispute(_)
            | Fact::Referral(_)
            | Fact::ReferralCanceled { .. }
            | Fact::AttributionTerms(_)
            | Fact::Reviewed { .. }
            | Fact::CodeGranted(_)
            | Fact::ReferralCode { .. }
            | Fact::Fingerprint { .. }
            | Fact::Waiting { .. } => {}
        }
    }
    state
}

/// A statement and when it really was made.
type SubscriptionStatement<'a> = ((jiff::Timestamp, u32), &'a SubscriptionSnapshot);

/// A subscription is what it was last said to be, in the order in which it really changed;
/// nothing follows its end.
fn subscriptions(known: &[JournaledEvent<'_>]) -> BTreeMap<ObjectId, Subscription> {
    let mut of_each: BTreeMap<&ObjectId, Vec<SubscriptionStatement<'_>>> = BTreeMap::new();
    for event in known {
        for fact in &event.normalized.facts {
            if let Fact::Subscription(seen) = fact {
                let when = (event.normalized.occurred_at, event.scripted.true_order);
                of_each.entry(&seen.id).or_default().push((when, seen));
            }
        }
    }
    let one = |(id, mut seen): (&ObjectId, Vec<SubscriptionStatement<'_>>)| {
        seen.sort_by_key(|(when, _)| *when);
        let end = seen.iter().position(|(_, s)| s.terms.status.is_final());
        seen.truncate(end.map_or(seen.len(), |end| end + 1));
        let ((as_of, _), now) = *seen.last()?;
        let of_status = |status| match status {
            Status::Incomplete | Status::IncompleteExpired => Stage::Before,
            Status::Canceled => Stage::After,
            _ => Stage::Begun,
        };
        let at_stage = |stage| {
            let at = |(_, s): &&SubscriptionStatement<'_>| of_status(s.terms.status) == stage;
            seen.iter().find(at).map(|((at, _), _)| *at)
        };
        let (canceled_at, end_requests) = end_request(&seen);
        let subscription = Subscription {
            started_at: seen.iter().map(|(_, s)| s.started_at).min()?,
            currency: seen.iter().rev().find_map(|(_, s)| s.currency),
            terms: now.terms.clone(),
            canceled_at,
            end_requests,
            end_reason: now.end_reason,
            ended_at: now.ended_at,
            activated_at: at_stage(Stage::Begun),
            began_incomplete: at_stage(Stage::Before).is_some(),
            interrupted_at: interrupted_at(&seen),
            removed_items: removed_items(&seen),
            as_of,
            ambiguous: false,
        };
        Some((id.clone(), subscription))
    };
    of_each.into_iter().filter_map(one).collect()
}

/// How far a subscription is.
#[derive(PartialEq)]
enum Stage {
    Before,
    Begun,
    After,
}

/// What keeps a customer from what a subscription gives: its payment, its pause, a pause of what is
/// collected.
fn interruption(seen: &SubscriptionSnapshot) -> u8 {
    match seen.terms.status {
        Status::PastDue | Status::Unpaid => 1,
        Status::Paused => 2,
        Status::Trialing | Status::Active if seen.terms.pause.is_some() => 3,
        _ => 0,
    }
}

/// The first of the last statements that all tell of one interruption.
fn interrupted_at(seen: &[SubscriptionStatement<'_>]) -> Option<jiff::Timestamp> {
    let now = interruption(seen.last()?.1);
    let same = seen
        .iter()
        .rev()
        .take_while(|(_, s)| interruption(s) == now);
    same.filter(|_| now != 0).last().map(|((at, _), _)| *at)
}

/// What a running subscription had, and no later statement has, while its period goes on.
fn removed_items(seen: &[SubscriptionStatement<'_>]) -> Vec<RemovedItem> {
    let Some(((as_of, _), now)) = seen.last() else {
        return Vec::new();
    };
    let mut removed = Vec::new();
    for (place, (_, before)) in seen.iter().enumerate() {
        let later = seen.get(place + 1..).unwrap_or_default();
        let [(_, next), ..] = later else { break };
        let runs = matches!(before.terms.status, Status::Trialing | Status::Active);
        for item in before
            .terms
            .items
            .iter()
            .filter(|item| runs && !item.metered)
        {
            let has =
                |s: &SubscriptionSnapshot| s.terms.items.iter().any(|i| i.price == item.price);
            let renamed = next.terms.items.iter().any(|i| i.id == item.id);
            let ended = now.terms.status.is_final();
            let until = item.period.or(before.terms.period).map(|period| period.end);
            let back = later.iter().any(|(_, s)| has(s));
            let Some(until) = until.filter(|until| until > as_of && !renamed && !back && !ended)
            else {
                continue;
            };
            removed.push(RemovedItem {
                price: item.price.clone(),
                quantity: item.quantity,
                until,
            });
        }
    }
    removed.sort_by(|a, b| (a.until, &a.price).cmp(&(b.until, &b.price)));
    removed
}

/// When its end was asked for last, and how often it was. A request is made where an end appears,
/// and goes on while every statement sees one, whatever time each says. Where nobody says a time it
/// is that of the first of them. What was agreed at the start is no request until it changes.
fn end_request(seen: &[SubscriptionStatement<'_>]) -> (Option<jiff::Timestamp>, u32) {
    let Some((((at, _), now), before)) = seen.split_last() else {
        return (None, 0);
    };
    let (stood, count) = end_request(before);
    let ends = |seen: &SubscriptionSnapshot| {
        let terms = &seen.terms;
        terms.cancel_at.is_some() || terms.cancel_at_period_end || terms.status.is_final()
    };
    let last = before.last().map(|(_, last)| *last);
    let ended_before = last.filter(|last| ends(last));
    let stated = match now.canceled_at {
        None if now.end_requested && last.is_some() => match ended_before {
            Some(_) => stood,
            None => Some(*at),
        },
        stated => stated,
    };
    let Some(stated) = stated else {
        return (None, count);
    };
    let began = before.iter().map(|(_, seen)| seen.started_at).min();
    let as_agreed = |last: &SubscriptionSnapshot| match now.terms.status.is_final() {
        true => last.terms.cancel_at.is_some() && now.ended_at >= last.terms.cancel_at,
        false => {
            last.terms.cancel_at == now.terms.cancel_at
                && last.terms.cancel_at_period_end == now.terms.cancel_at_period_end
        }
    };
    match (ended_before, stood) {
        (Some(last), Some(stood)) if Some(stood) > began || as_agreed(last) => (Some(stood), count),
        _ => (Some(stated), count + u32::from(stated > now.started_at)),
    }
}

/// An invoice is in the record once it failed before it was paid.
fn invoices(facts: &[Positioned<'_, Fact>]) -> BTreeMap<ObjectId, Invoice> {
    let mut of_each: BTreeMap<&ObjectId, Vec<_>> = BTreeMap::new();
    let mut everything = Vec::new();
    for (position, fact) in facts {
        if let Fact::Invoice(seen) = fact {
            of_each.entry(&seen.id).or_default().push((position, seen));
            if seen.subscription.as_ref() == Some(&seen.id) {
                everything.push((position, seen));
            }
        }
    }
    let one = |(id, mut seen): (
        &ObjectId,
        Vec<(&Position, &domain::payment::snapshot::InvoiceSnapshot)>,
    )| {
        seen.sort_by_key(|(position, _)| *position);
        let is_payment = |fact: &Fact| match fact {
            Fact::Payment(paid) => paid.source_kind == SourceKind::Invoice && paid.ids[0] == *id,
            _ => false,
        };
        let payments = facts.iter().filter(|(_, fact)| is_payment(fact));
        let paid = payments.map(|(position, _)| position).min();
        let after_paid = |position: &Position| paid.is_some_and(|paid| paid <= position);
        let trouble =
            |(position, seen): &(&Position, &domain::payment::snapshot::InvoiceSnapshot)| {
                let failed = [InvoiceState::Failed, InvoiceState::ActionRequired];
                failed.contains(&seen.state) && !after_paid(position)
            };
        let first = seen.iter().find(|seen| trouble(seen))?.0.at;
        let latest = seen.iter().rposition(trouble)?;
        let (failed_at, failed) = seen[latest];
        let own = seen[latest + 1..].iter().copied();
        // What settles all that a subscription owes settles this too, if nothing did before.
        let all = everything.iter().filter(|(position, all)| {
            all.subscription == failed.subscription && *position > failed_at && all.id != *id
        });
        let mut since: Vec<_> = own.chain(all.copied()).collect();
        since.sort_by_key(|(position, _)| *position);
        let settling = since.first().copied();
        since.retain(|stated| stated.1.id == *id || Some(*stated) == settling);
        let stated =
            |(position, seen): &(&Position, &domain::payment::snapshot::InvoiceSnapshot)| {
                if after_paid(position) {
                    InvoiceState::Paid
                } else {
                    seen.state
                }
            };
        // Being paid settles what was given up before, and nothing undoes it.
        let best = since.iter().map(stated).max();
        let settled = since.iter().find(|one| Some(stated(one)) == best);
        let invoice = Invoice {
            state: best.unwrap_or(failed.state),
            subscription: failed.subscription.clone(),
            due: failed.due,
            failed_at: first,
            attempts: failed.attempts,
            next_attempt: match since.is_empty() {
                true => failed.next_attempt,
                false => NextAttempt::Unknown,
            },
            paid: since.iter().rev().find_map(|(_, stated)| stated.paid),
            settled_at: settled.map(|(position, _)| position.at),
        };
        Some((id.clone(), invoice))
    };
    of_each.into_iter().filter_map(one).collect()
}
