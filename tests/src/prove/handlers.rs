//! The functions' loops over the store, as the world runs them: the same store functions in
//! the same order, without the wire around them.

use super::misfolding;
use super::mutants::Mutant;
use super::pipes::outcome;
use super::port::{Port, Posted, Wanted};
use super::world::{End, Process};
use domain::ids::{CustomerKey, Reference};
use domain::record::Entry;
use jiff::Timestamp;
use journal_fold::JournalFold;
use orangery::wiring::LOCAL_MASTER;
use partner_notice::PartnerNotice;
use runtime::batch::failures;
use runtime::queue::Queue;
use runtime::secrets::{SecretCache, Source, master};
use runtime::{Clock, Function};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::folding::{Outcome, look_again};
use store::letters::{Claim, LetterRow, Order, claim, finish};
use store::notices::handed_over;
use store::stream::Change;
use store::waiting::{settle, waiting};
use store::{Item, StoreError, Table};

/// How often the outcome of a send is written down again.
const ATTEMPTS: u32 = 3;

/// `payment-webhook` and `partner-referral`, behind verify and normalize.
pub(super) fn receive(
    port: Port,
    entries: Vec<Arc<Entry>>,
    now: Timestamp,
    mutant: Option<Mutant>,
) -> Process {
    Box::pin(async move {
        let verdicts = match mutant.filter(|mutant| mutant.misfolds()) {
            None => store::accept::receive(&port, &entries, now).await,
            Some(mutant) => misfolding::receive(&port, &entries, now, mutant).await,
        };
        End::Received(verdicts.map(|verdicts| entries.into_iter().zip(verdicts).collect()))
    })
}

/// The same where a provider's API must be asked first.
pub(super) fn ask_and_receive(
    port: Port,
    wanted: Wanted,
    now: Timestamp,
    mutant: Option<Mutant>,
) -> Process {
    Box::pin(async move {
        match port.enrich(wanted).await {
            Some(entries) => receive(port, entries, now, mutant).await,
            // 503: what the API does not confirm is not taken in.
            None => End::Received(Err(StoreError::NoAnswer("the API is silent".into()))),
        }
    })
}

/// `calendar`, where it asks again for what waits.
pub(super) fn complete(
    port: Port,
    references: Vec<Reference>,
    most: usize,
    now: Timestamp,
) -> Process {
    Box::pin(async move {
        for reference in &references {
            // What it could not do is the next one's.
            let _ = complete_under(&port, reference, most, now).await;
        }
        End::Completed
    })
}

async fn complete_under(
    port: &Port,
    reference: &Reference,
    most: usize,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let batch = waiting(port, reference, after, most).await?;
        for entry in &batch.entries {
            let said = port.enrich(Wanted::Waiting(entry.clone())).await;
            let Some(entries) = said.filter(|entries| !entries.is_empty()) else {
                continue;
            };
            store::accept::receive(port, &entries, now).await?;
            settle(port, reference, &entry.reading.id).await?;
        }
        after = batch.last;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// `journal-fold`. Gives the place of the first record that must be handed over again.
pub(super) fn journal_fold(
    port: Port,
    items: Vec<Item>,
    now: Timestamp,
    mutant: Option<Mutant>,
) -> Process {
    Box::pin(async move {
        End::Batched(match mutant.filter(|mutant| mutant.misfolds()) {
            None => take_up_for_real(port, items, now).await,
            Some(mutant) => take_up(&port, items, now, mutant).await,
        })
    })
}

/// The function itself, behind the wire: what it names as failed begins the next batch.
pub(super) async fn take_up_for_real(
    port: Port,
    items: Vec<Item>,
    now: Timestamp,
) -> Option<usize> {
    let place = |(place, item): (usize, Item)| Change {
        sequence: place.to_string(),
        partition: item.key().partition,
        item: Ok(Some(item)),
    };
    let changes = items.into_iter().enumerate().map(place).collect();
    let clock = Clock::new(move || now);
    let function = JournalFold { table: port, clock };
    let failed = function.take_up(changes).await;
    failed.iter().filter_map(|place| place.parse().ok()).min()
}

#[derive(Default)]
struct Asked {
    entries: Vec<Arc<Entry>>,
    first: usize,
}

/// The same with a law broken.
async fn take_up<T: Table>(
    table: &T,
    items: Vec<Item>,
    now: Timestamp,
    mutant: Mutant,
) -> Option<usize> {
    let mut asked: BTreeMap<CustomerKey, Asked> = BTreeMap::new();
    let mut failed: Option<usize> = None;
    let mut fails = |place: usize| failed = Some(failed.map_or(place, |f| f.min(place)));
    for (place, item) in items.into_iter().enumerate() {
        match item {
            Item::Entry(customer, entry) => {
                let first = Asked {
                    entries: Vec::new(),
                    first: place,
                };
                asked.entry(customer).or_insert(first).entries.push(entry);
            }
            Item::Record(record) => {
                let first = Asked {
                    entries: Vec::new(),
                    first: place,
                };
                asked.entry(record.customer.clone()).or_insert(first);
            }
            Item::Parked(_, entry) => {
                if look_for(table, &entry, now, mutant).await.is_err() {
                    fails(place);
                }
            }
            Item::Alias(..)
            | Item::Letter(_)
            | Item::Partner(_)
            | Item::Commission(_)
            | Item::Payout(_)
            | Item::Bank(_)
            | Item::Transfers(_)
            | Item::Standing(_)
            | Item::Report(..)
            | Item::Endpoint(_)
            | Item::Told(_)
            | Item::Cursor(_) => {}
        }
    }
    for (customer, asked) in asked {
        let first = asked.first;
        let outcome = if asked.entries.is_empty() {
            look_again(table, &customer, now).await
        } else {
            misfolding::fold(table, &customer, asked.entries, now, mutant).await
        };
        match outcome {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Contended | Outcome::Panicked) | Err(_) => fails(first),
        }
    }
    failed
}

async fn look_for<T: Table>(
    table: &T,
    entry: &Arc<Entry>,
    now: Timestamp,
    mutant: Mutant,
) -> Result<(), StoreError> {
    for customer in store::accept::retry_parked(table, entry).await? {
        misfolding::fold(table, &customer, vec![entry.clone()], now, mutant).await?;
    }
    Ok(())
}

/// `engagement-email`: claim, send, write down what came of it.
pub(super) fn engagement_email(
    port: Port,
    row: Arc<LetterRow>,
    owner: String,
    now: Timestamp,
    mutant: Option<Mutant>,
) -> Process {
    Box::pin(async move {
        End::Mailed(
            deliver(&port, &row, &owner, now, mutant)
                .await
                .unwrap_or(false),
        )
    })
}

async fn deliver(
    port: &Port,
    order: &LetterRow,
    owner: &str,
    now: Timestamp,
    mutant: Option<Mutant>,
) -> Result<bool, StoreError> {
    let row = if mutant == Some(Mutant::ActOnOldCause) {
        misfolding::claim_as_it_stands(port, order, owner, now).await?
    } else {
        match claim(port, &Order::of(order), owner, now).await? {
            Claim::Done(_) => return Ok(true),
            Claim::Busy => return Ok(false),
            Claim::Ours { row, .. } => Some(row),
        }
    };
    let Some(row) = row else {
        return Ok(true);
    };
    let key = Item::Letter(row.clone()).key();
    let mut posted = port.send_letter(key.clone()).await;
    if mutant == Some(Mutant::RetryMail) && posted == Posted::Unknown {
        posted = port.send_letter(key).await;
    }
    for _ in 0..ATTEMPTS {
        if finish(port, &row, outcome(posted, now)).await.is_ok() {
            break;
        }
    }
    Ok(posted != Posted::Throttled)
}

/// The daily audit; the letters it found are handed over when it ended.
pub(super) fn audit(port: Port, pages: u32, now: Timestamp, mutant: Option<Mutant>) -> Process {
    Box::pin(async move {
        let report = store::audit::walk(&port, pages, now).await;
        for order in report.iter().flat_map(|report| &report.untold) {
            let unheard = mutant == Some(Mutant::AuditUnheard);
            if unheard || port.send(order.to_text()).await.is_err() {
                break;
            }
        }
        End::Audited(report)
    })
}

/// The sweep of every minute.
pub(super) fn sweep(port: Port, most: u32, now: Timestamp, mutant: Option<Mutant>) -> Process {
    Box::pin(async move {
        // What it could not do is the next one's.
        let swept = store::sweep::sweep(&port, most, now).await;
        for told in swept.iter().flat_map(|swept| &swept.told) {
            let sent = match mutant {
                Some(Mutant::UnmarkUnordered) => Ok(()),
                _ => port.send(told.order().to_text()).await,
            };
            if sent.is_err() || handed_over(&port, told).await.is_err() {
                break;
            }
        }
        End::Swept
    })
}

/// `partner-notice`, the function itself: its one message, and whether the queue may forget it.
pub(super) fn partner_notice(port: Port, message: String, now: Timestamp) -> Process {
    Box::pin(async move {
        let clock = Clock::new(move || now);
        let source = Source::Given(vec![LOCAL_MASTER.into()]);
        let function = PartnerNotice {
            table: port.clone(),
            notices: port.clone(),
            poster: port,
            master: SecretCache::new(source, master, clock.clone()),
            clock,
        };
        let answer = function.invoke(message.as_bytes()).await;
        End::Notified(answer.is_ok_and(|answer| answer == failures::<&str>(&[])))
    })
}
