//! What the changes of subscriptions tell.

use crate::ids::ObjectId;
use crate::notice::shop::content::{ShopNoticeContent, SubscriptionContent};
use crate::notice::shop::draft::NoticeDraft;
use crate::notice::shop::row::{ShopNoticeKind, cause};
use crate::subscription::state::{Subscription, Subscriptions};
use crate::subscription::terms::SubscriptionStatus;
use jiff::Timestamp;

/// What subscriptions tell that were changed. Those that left the record tell nothing.
pub(super) fn drafts(before: &Subscriptions, after: &Subscriptions) -> Vec<NoticeDraft> {
    let of_one = |(id, now): (&ObjectId, &Subscription)| {
        let change = Change {
            id,
            now,
            before: before.get(id),
        };
        change.drafts()
    };
    after.iter().flat_map(of_one).collect()
}

/// One subscription, before and after.
struct Change<'a> {
    id: &'a ObjectId,
    now: &'a Subscription,
    before: Option<&'a Subscription>,
}

impl Change<'_> {
    fn drafts(&self) -> Vec<NoticeDraft> {
        let (now, before) = (self.now, self.before);
        if before == Some(now) {
            return Vec::new();
        }
        let had_begun = before.is_some_and(has_begun);
        let was_paused = had_begun && before.is_some_and(|before| before.terms.is_paused());
        let had_ended = before.is_some_and(has_ended);
        let ends = has_ended(now);
        let same_end = |before: &Subscription| {
            before.ends_at() == now.ends_at() && items(before) == items(now)
        };
        let as_told = had_ended && ends && before.is_some_and(same_end);
        if as_told || !had_begun && !has_begun(now) {
            return Vec::new();
        }
        let pauses = !was_paused && now.terms.is_paused();
        let resumes = was_paused && !now.terms.is_paused() && has_begun(now) && !ends;
        let mut kinds = Vec::new();
        // Of one that was first heard of when it had ended nobody knows whether it ever ran.
        if !had_begun && (!ends || now.activated_at.is_some()) {
            kinds.push((ShopNoticeKind::SubscriptionStarted, self.began_at()));
        }
        if had_begun && !ends && self.is_changed(pauses || resumes) {
            kinds.push((ShopNoticeKind::SubscriptionChanged, now.as_of));
        }
        if let Some(asked_at) = self.end_asked_at().filter(|_| !ends) {
            kinds.push((ShopNoticeKind::SubscriptionEnding, asked_at));
        }
        if pauses {
            let since = now.interrupted_at.unwrap_or(now.as_of);
            kinds.push((ShopNoticeKind::SubscriptionPaused, since));
        }
        if resumes {
            kinds.push((ShopNoticeKind::SubscriptionResumed, now.as_of));
        }
        if ends {
            let ended_at = now.ended_at.unwrap_or(now.as_of);
            kinds.push((ShopNoticeKind::SubscriptionEnded, ended_at));
        }
        kinds
            .into_iter()
            .map(|(kind, at)| self.draft(kind, at))
            .collect()
    }

    /// When it first ran. The start that it names counts where no snapshot showed it before: of a
    /// subscription of years ago the first event that we hear is no start.
    fn began_at(&self) -> Timestamp {
        let now = self.now;
        let first_run = now.activated_at.filter(|_| now.began_incomplete);
        first_run.unwrap_or(now.started_at)
    }

    /// Whether something is otherwise than before that no other kind of notice tells.
    fn is_changed(&self, pause_changed: bool) -> bool {
        let Some(before) = self.before else {
            return false;
        };
        let now = self.now;
        let status = now.terms.status != before.terms.status && !pause_changed;
        let withdrawn = before.terms.is_ending() && !now.terms.is_ending();
        let trial = |of: &Subscription| of.terms.trial.map(|trial| trial.end);
        let resumes_at = |of: &Subscription| of.terms.pause.as_ref().and_then(|p| p.resumes_at);
        let pause = !pause_changed && resumes_at(now) != resumes_at(before);
        status || withdrawn || pause || trial(now) != trial(before) || items(now) != items(before)
    }

    /// When its end was asked for, if that is news. An end that was agreed at the start is none.
    fn end_asked_at(&self) -> Option<Timestamp> {
        let now = self.now;
        if !now.terms.is_ending() {
            return None;
        }
        let Some(before) = self.before.filter(|before| has_begun(before)) else {
            return now.canceled_at.filter(|at| *at > now.started_at);
        };
        let same = before.terms.is_ending()
            && before.ends_at() == now.ends_at()
            && before.end_requests == now.end_requests;
        let asked_anew = before.end_requests != now.end_requests;
        let asked_at = now.canceled_at.filter(|_| asked_anew);
        (!same).then_some(asked_at.unwrap_or(now.as_of))
    }

    fn draft(&self, kind: ShopNoticeKind, at: Timestamp) -> NoticeDraft {
        let previous = self.before.filter(|before| has_begun(before));
        let content = SubscriptionContent::new(self.id, self.now, previous);
        // It begins once, whatever else is told of it.
        let told = match kind == ShopNoticeKind::SubscriptionStarted {
            true => Vec::new(),
            false => parts(self.now),
        };
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        NoticeDraft {
            kind,
            cause: cause(self.id.as_str(), &told),
            at,
            content: ShopNoticeContent::Subscription(Box::new(content)),
        }
    }
}

/// What tells two changes of one moment apart.
fn parts(now: &Subscription) -> Vec<String> {
    let mut parts = vec![
        now.terms.status.as_str().to_owned(),
        now.end_requests.to_string(),
        now.terms.is_paused().to_string(),
    ];
    parts.extend(now.ends_at().map(|at| at.to_string()));
    parts.extend(items(now).into_iter().map(|(price, quantity)| {
        let quantity = quantity.map(|quantity| quantity.to_string());
        format!("{price} {}", quantity.unwrap_or_default())
    }));
    parts
}

fn items(of: &Subscription) -> Vec<(&str, Option<u64>)> {
    let items = of.terms.items.iter();
    let mut items: Vec<_> = items
        .map(|item| (item.price.as_str(), item.quantity))
        .collect();
    items.sort_unstable();
    items
}

fn has_begun(subscription: &Subscription) -> bool {
    subscription.terms.status.has_begun()
}

fn has_ended(subscription: &Subscription) -> bool {
    subscription.terms.status == SubscriptionStatus::Canceled
}
