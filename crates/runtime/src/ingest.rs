//! From a provider's items to what became of them: journaled with the normalizer's version, folded
//! and logged. The webhook endpoint's way, and `calendar`'s for what had to wait.

use domain::event::About;
use domain::record::Entry;
use jiff::Timestamp;
use providers::{ItemOutcome, Provider, ReceivedItem};
use std::sync::Arc;
use store::ingest::{AppendOutcome, ingest_entries};
use store::{StoreError, Table};

/// An item that is read, and how it came to us.
#[derive(Clone, Debug)]
pub struct IngestItem {
    /// What it says.
    pub received: ReceivedItem,
    /// When it came, by our clock.
    pub received_at: Timestamp,
    /// Which request brought it.
    pub receipt: Arc<str>,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// In its customer's journal, for the first time.
    Applied,
    /// It was in the journal already.
    Repeated,
    /// It waits for its customer to become known.
    Parked,
    /// Kept and not understood.
    Quarantined,
    /// It waits for its provider's API.
    Waiting,
    /// Nothing that we act on.
    Ignored,
    /// Money of the other mode.
    WrongMode,
    /// Of an account connected to ours, whose customers are not ours.
    OtherAccount,
}

impl Disposition {
    /// As it stands in answers, log lines and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeated => "repeated",
            Self::Parked => "parked",
            Self::Quarantined => "quarantined",
            Self::Waiting => "waiting",
            Self::Ignored => "ignored",
            Self::WrongMode => "wrong_mode",
            Self::OtherAccount => "other_account",
        }
    }

    /// Whether the table has it.
    pub fn is_kept(self) -> bool {
        match self {
            Self::Applied | Self::Repeated | Self::Parked | Self::Quarantined | Self::Waiting => {
                true
            }
            Self::Ignored | Self::WrongMode | Self::OtherAccount => false,
        }
    }

    fn of(entry: &Entry, verdict: AppendOutcome) -> Self {
        match verdict {
            AppendOutcome::Repeated => Self::Repeated,
            AppendOutcome::Appended | AppendOutcome::Parked if entry.event.is_waiting() => {
                Self::Waiting
            }
            AppendOutcome::Appended | AppendOutcome::Parked if entry.event.is_unclear() => {
                Self::Quarantined
            }
            AppendOutcome::Appended => Self::Applied,
            AppendOutcome::Parked => Self::Parked,
        }
    }

    /// Whether somebody should look at it: it counts as a metric of its name.
    fn is_metric(self) -> bool {
        match self {
            Self::Quarantined | Self::WrongMode | Self::OtherAccount => true,
            Self::Applied | Self::Repeated | Self::Parked | Self::Waiting | Self::Ignored => false,
        }
    }
}

/// Ingests one provider's items, each for itself: what concerns us is durable when this returns,
/// and every item has its decision line. Returns what became of each, in order.
///
/// # Errors
/// When an item may not be durable.
pub async fn ingest<T: Table>(
    table: &T,
    provider: &Provider,
    items: Vec<IngestItem>,
    now: Timestamp,
) -> Result<Vec<Disposition>, StoreError> {
    let mut decided = Vec::with_capacity(items.len());
    let mut entries = Vec::new();
    for item in items {
        match item.received.outcome {
            ItemOutcome::Event(event) => {
                let raw = item.received.raw;
                let normalizer = provider.normalizer();
                let entry = Entry::new(event, raw, normalizer, item.received_at, item.receipt);
                entries.push(Arc::new(entry));
                decided.push(None);
            }
            ItemOutcome::Ignored { kind, .. } => {
                log_disposition(provider, None, &kind, Disposition::Ignored);
                decided.push(Some(Disposition::Ignored));
            }
            ItemOutcome::WrongMode { kind } => {
                log_disposition(provider, None, &kind, Disposition::WrongMode);
                decided.push(Some(Disposition::WrongMode));
            }
            ItemOutcome::OtherAccount { kind } => {
                log_disposition(provider, None, &kind, Disposition::OtherAccount);
                decided.push(Some(Disposition::OtherAccount));
            }
        }
    }
    let verdicts = ingest_entries(table, &entries, now).await?;
    let mut kept = entries.iter().zip(verdicts).map(|(entry, verdict)| {
        let became = Disposition::of(entry, verdict);
        let id = entry.event.id.as_str();
        log_disposition(provider, Some(id), &entry.event.kind, became);
        // For who looks at a stack of this machine: no function writes lines of this level.
        if let About::Customer(customer) = &entry.event.about {
            tracing::debug!(%customer, id);
        }
        became
    });
    let decided = decided
        .into_iter()
        .map(|known| known.or_else(|| kept.next()));
    Ok(decided.flatten().collect())
}

/// The decision line: one an event.
fn log_disposition(provider: &Provider, id: Option<&str>, kind: &str, became: Disposition) {
    let (provider, verdict) = (provider.name(), became.as_str());
    let metrics = became.is_metric().then_some(verdict);
    tracing::info!(provider, id, kind, verdict, metrics);
}
