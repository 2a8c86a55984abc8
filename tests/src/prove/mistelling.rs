//! Laws of notices broken on purpose: what these mutants tell.

use super::mutants::Mutant;
use super::noticed::written;
use super::port::Port;
use super::world::{End, Process};
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use runtime::post::{Post, Posted};
use std::sync::Arc;
use store::endpoints::{Endpoint, endpoint};
use store::notices::{Order, TakenUp, take_up, write_down};
use store::{Item, StoreError, Table, When};

/// [`enable`](store::endpoints::enable) without a look at what was missed.
pub(super) async fn put_on_unreminded(
    port: &Port,
    partner: &PartnerId,
) -> Result<Option<Endpoint>, StoreError> {
    let Some(there) = endpoint(port, partner).await? else {
        return Ok(None);
    };
    let version = there.version;
    let next = Endpoint {
        version: version + 1,
        failing_since: None,
        off: None,
        ..Endpoint::clone(&there)
    };
    let item = Item::Endpoint(Arc::new(next.clone()));
    port.put(item, When::Version(version)).await?;
    Ok(Some(next))
}

impl Mutant {
    /// Whether it breaks a law of notices while it tells them.
    pub(super) fn mistells(self) -> bool {
        matches!(self, Self::TellAgain | Self::TellEarly | Self::ToldUntaken)
    }
}

/// What `partner-notice` does, with a law broken.
pub(super) fn mistell(port: Port, order: Order, now: Timestamp, mutant: Mutant) -> Process {
    Box::pin(async move {
        let told = mistell_all(&port, &order, now, mutant).await;
        End::Notified(told.unwrap_or(false))
    })
}

async fn mistell_all(
    port: &Port,
    order: &Order,
    now: Timestamp,
    mutant: Mutant,
) -> Result<bool, StoreError> {
    let at = match mutant {
        Mutant::TellEarly => now + SignedDuration::from_hours(24 * 400),
        _ => now,
    };
    let work = match take_up(port, order, at).await? {
        TakenUp::Work(work) => work,
        TakenUp::Done if mutant == Mutant::TellAgain => {
            return again(port, order, now).await;
        }
        TakenUp::Done | TakenUp::Nobody | TakenUp::Off => return Ok(true),
    };
    let mut told = work.told.clone();
    told.look_at = work.look_at;
    let kinds = work.due.iter().map(|notice| (notice.kind.into(), now));
    told.notices.extend(kinds);
    if mutant == Mutant::ToldUntaken && !write_down(port, told.clone()).await? {
        return Ok(false);
    }
    for notice in &work.due {
        let (id, body) = written(order, notice);
        let headers = [("webhook-id", id)];
        if port.post(&work.endpoint.url, &headers, body, now).await != Posted::Taken {
            return Ok(false);
        }
    }
    Ok(mutant == Mutant::ToldUntaken || write_down(port, told).await?)
}

/// Tells all of a row once more.
async fn again(port: &Port, order: &Order, now: Timestamp) -> Result<bool, StoreError> {
    let Some(endpoint) = endpoint(port, &order.partner).await? else {
        return Ok(true);
    };
    let notices = port.get(order.key()).await?.map(|row| row.notices());
    for notice in notices.iter().flatten().filter(|notice| notice.at <= now) {
        let (id, body) = written(order, notice);
        let headers = [("webhook-id", id)];
        port.post(&endpoint.url, &headers, body, now).await;
    }
    Ok(true)
}
