//! Laws of notices broken on purpose: what these mutants tell.

use super::mutants::Mutant;
use crate::proof::checkers::notice_checks::notice_message;
use crate::proof::simulation::port::Port;
use crate::proof::simulation::scheduler::{ProcessEnd, SimulatedProcess};
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use runtime::post::{Post, PostOutcome};
use std::sync::Arc;
use store::notice_endpoints::{NoticeEndpoint, read_endpoint};
use store::notices::{DeliveryPlan, NoticeTask, plan_delivery, save_delivered};
use store::{Item, StoreError, Table, WriteCondition};

/// [`enable`](store::endpoints::enable) without a look at what was missed.
pub(crate) async fn enable_without_missed(
    port: &Port,
    partner: &PartnerId,
) -> Result<Option<NoticeEndpoint>, StoreError> {
    let Some(there) = read_endpoint(port, partner).await? else {
        return Ok(None);
    };
    let version = there.version;
    let next = NoticeEndpoint {
        version: version + 1,
        failing_since: None,
        disabled: None,
        ..NoticeEndpoint::clone(&there)
    };
    let item = Item::NoticeEndpoint(Arc::new(next.clone()));
    port.put(item, WriteCondition::Version(version)).await?;
    Ok(Some(next))
}

impl Mutant {
    /// Whether it breaks a law of notices while it tells them.
    pub(crate) fn breaks_notices(self) -> bool {
        matches!(
            self,
            Self::NotifyTwice | Self::NotifyEarly | Self::RecordUndelivered
        )
    }
}

/// What `partner-notice` does, with a law broken.
pub(crate) fn notify_mutated(
    port: Port,
    order: NoticeTask,
    now: Timestamp,
    mutant: Mutant,
) -> SimulatedProcess {
    Box::pin(async move {
        let told = deliver_notices_mutated(&port, &order, now, mutant).await;
        ProcessEnd::NoticeHandled(told.unwrap_or(false))
    })
}

async fn deliver_notices_mutated(
    port: &Port,
    order: &NoticeTask,
    now: Timestamp,
    mutant: Mutant,
) -> Result<bool, StoreError> {
    let at = match mutant {
        Mutant::NotifyEarly => now + SignedDuration::from_hours(24 * 400),
        _ => now,
    };
    let work = match plan_delivery(port, order, at).await? {
        DeliveryPlan::Deliver(work) => work,
        DeliveryPlan::AllDelivered if mutant == Mutant::NotifyTwice => {
            return deliver_notices_again(port, order, now).await;
        }
        DeliveryPlan::AllDelivered | DeliveryPlan::NoRecipient | DeliveryPlan::Disabled => {
            return Ok(true);
        }
    };
    let mut told = work.state.clone();
    told.next_due_at = work.next_due_at;
    let kinds = work.due.iter().map(|notice| (notice.kind.into(), now));
    told.delivered.extend(kinds);
    if mutant == Mutant::RecordUndelivered && !save_delivered(port, told.clone()).await? {
        return Ok(false);
    }
    for notice in &work.due {
        let (id, body) = notice_message(order, notice);
        let headers = [("webhook-id", id)];
        if port.post(&work.endpoint.url, &headers, body, now).await != PostOutcome::Accepted {
            return Ok(false);
        }
    }
    Ok(mutant == Mutant::RecordUndelivered || save_delivered(port, told).await?)
}

/// Tells all of a row once more.
async fn deliver_notices_again(
    port: &Port,
    order: &NoticeTask,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(endpoint) = read_endpoint(port, &order.partner).await? else {
        return Ok(true);
    };
    let notices = port.get(order.key()).await?.map(|row| row.notices());
    for notice in notices.iter().flatten().filter(|notice| notice.at <= now) {
        let (id, body) = notice_message(order, notice);
        let headers = [("webhook-id", id)];
        port.post(&endpoint.url, &headers, body, now).await;
    }
    Ok(true)
}
