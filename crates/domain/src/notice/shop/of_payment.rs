//! What the changes of payments and of failed invoices tell.

use crate::ids::ObjectId;
use crate::money::Money;
use crate::notice::shop::content::{
    DisputeContent, InvoiceContent, PaymentContent, ShopNoticeContent,
};
use crate::notice::shop::draft::{Events, NoticeDraft};
use crate::notice::shop::row::{ShopNoticeKind, cause};
use crate::payment::invoice::{Invoice, Invoices};
use crate::payment::payments::{Payment, Payments};
use crate::payment::snapshot::InvoiceState;
use crate::payment::unlinked::SettledPayment;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What payments tell that were changed. `after` must still have all payments that `before` has.
pub(super) fn drafts(before: &Payments, after: &Payments, events: Events<'_>) -> Vec<NoticeDraft> {
    let known: Vec<Payment> = before.settled().map(SettledPayment::into_payment).collect();
    let by_any_id = known.iter().enumerate();
    let by_any_id = by_any_id.flat_map(|(n, known)| known.ids.iter().map(move |id| (id, n)));
    let by_any_id: BTreeMap<&ObjectId, usize> = by_any_id.collect();
    let now: Vec<SettledPayment<'_>> = after.settled().collect();
    let places_of = |payment: &Payment| -> BTreeSet<usize> {
        let places = payment.ids.iter().filter_map(|id| by_any_id.get(id));
        places.copied().collect()
    };
    let mut shares = vec![0_u32; known.len()];
    for place in now.iter().flat_map(|payment| places_of(payment)) {
        if let Some(share) = shares.get_mut(place) {
            *share = share.saturating_add(1);
        }
    }
    let mut drafts = Vec::new();
    for payment in &now {
        let places = places_of(payment);
        let known = || places.iter().filter_map(|place| known.get(*place));
        let is_mine = |known: &&Payment| known.id().is_some_and(|id| payment.ids.contains(id));
        let change = PaymentChange {
            now: payment,
            before: known().filter(is_mine).collect(),
            is_split: places.iter().any(|place| shares.get(*place) > Some(&1)),
            events,
        };
        drafts.extend(change.drafts());
    }
    let gone = known.iter().zip(shares).filter(|(_, share)| *share == 0);
    drafts.extend(gone.filter_map(|(payment, _)| taken_back(payment, events)));
    drafts
}

/// One payment, and the payments that were told of before under its ids.
struct PaymentChange<'a> {
    now: &'a Payment,
    before: Vec<&'a Payment>,
    /// Whether it was told of as one with another, and is not.
    is_split: bool,
    events: Events<'a>,
}

impl PaymentChange<'_> {
    fn drafts(&self) -> Vec<NoticeDraft> {
        let Some(content) = PaymentContent::new(self.now) else {
            return Vec::new();
        };
        let mut drafts = Vec::new();
        drafts.extend(self.received(&content));
        let refunded = self.before.iter().map(|before| before.refunded_minor());
        if content.refunded_minor != refunded.fold(0, i64::saturating_add) {
            let sum = content.refunded_minor.to_string();
            drafts.push(NoticeDraft {
                kind: ShopNoticeKind::PaymentRefunded,
                cause: cause(content.id.as_str(), &[&sum]),
                at: refunded_at(self.now).unwrap_or_else(|| self.events.latest()),
                content: ShopNoticeContent::Payment(Box::new(content.clone())),
            });
        }
        for (id, dispute) in &self.now.disputes {
            let mut known = self.before.iter();
            if known.any(|before| before.disputes.get(id).map(|d| d.state) == Some(dispute.state)) {
                continue;
            }
            let state = dispute.state;
            let dispute = Some(DisputeContent {
                id: id.clone(),
                state,
            });
            drafts.push(NoticeDraft {
                kind: ShopNoticeKind::PaymentDisputed,
                cause: cause(id.as_str(), &[&format!("{state:?}")]),
                at: self.events.of_dispute(id),
                content: ShopNoticeContent::Payment(Box::new(PaymentContent {
                    dispute,
                    ..content.clone()
                })),
            });
        }
        drafts
    }

    /// That the money arrived, or that it is another amount than was told, or that what was told of
    /// as several payments is one, or the other way round.
    fn received(&self, content: &PaymentContent) -> Option<NoticeDraft> {
        let told: Vec<Money> = self
            .before
            .iter()
            .filter_map(|known| known.paid())
            .collect();
        if told == [content.paid] && !self.is_split {
            return None;
        }
        let (amount, merged) = (content.paid.minor.to_string(), told.len().to_string());
        let parts = match told.len() {
            0 | 1 => vec![amount.as_str()],
            _ => vec![amount.as_str(), merged.as_str()],
        };
        Some(NoticeDraft {
            kind: ShopNoticeKind::PaymentReceived,
            cause: cause(content.id.as_str(), &parts),
            at: content.paid_at.unwrap_or(self.now.first_seen_at),
            content: ShopNoticeContent::Payment(Box::new(content.clone())),
        })
    }
}

/// When the latest refund of a payment was made, came to its state, or was added up.
fn refunded_at(payment: &Payment) -> Option<Timestamp> {
    let single = payment.refunds.values().map(|refund| refund.as_of);
    let sums = payment.cumulative_refunds.values().map(|sum| sum.at);
    single.chain(sums).max()
}

/// That money which had arrived did not, after all, as happens with direct debits.
fn taken_back(payment: &Payment, events: Events<'_>) -> Option<NoticeDraft> {
    let content = PaymentContent::new(payment)?;
    let paid = Money {
        minor: 0,
        ..content.paid
    };
    Some(NoticeDraft {
        kind: ShopNoticeKind::PaymentFailed,
        cause: cause(content.id.as_str(), &["taken back"]),
        at: events.latest(),
        content: ShopNoticeContent::Payment(Box::new(PaymentContent { paid, ..content })),
    })
}

/// What failed invoices tell that were changed.
pub(super) fn of_invoices(
    before: &Invoices,
    after: &Invoices,
    events: Events<'_>,
) -> Vec<NoticeDraft> {
    let of_one = |(id, now): (&ObjectId, &Invoice)| {
        let known = before.get(id);
        if known.is_some_and(|known| known.state == now.state) {
            return None;
        }
        let (kind, at) = match now.state {
            InvoiceState::Paid => (ShopNoticeKind::PaymentRecovered, now.settled_at),
            InvoiceState::Uncollectible | InvoiceState::Voided => {
                (ShopNoticeKind::PaymentFailed, now.settled_at)
            }
            InvoiceState::Failed | InvoiceState::ActionRequired => {
                let first = known.is_none().then_some(now.failed_at);
                (ShopNoticeKind::PaymentFailed, first)
            }
        };
        let content = InvoiceContent {
            id: id.clone(),
            state: now.state,
            due: now.due,
            failed_at: now.failed_at,
            attempts: now.attempts,
            next_attempt_at: now.next_attempt.time(),
            settled_at: now.settled_at,
            subscription: now.subscription.clone(),
        };
        Some(NoticeDraft {
            kind,
            cause: cause(id.as_str(), &[&format!("{:?}", now.state)]),
            at: at.unwrap_or_else(|| events.latest()),
            content: ShopNoticeContent::Invoice(Box::new(content)),
        })
    };
    after.iter().filter_map(of_one).collect()
}
