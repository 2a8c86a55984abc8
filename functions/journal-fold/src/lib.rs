//! The safety net: whatever was appended and not folded, decided and not written, or parked while
//! its customer became known, is processed from the table's stream.

use domain::ids::CustomerKey;
use domain::record::Entry;
use runtime::aws::Cloud;
use runtime::batch::failures;
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Failure, Function, Invocation, Warming};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::folding::{FoldStatus, fold, replan};
use store::ingest::retry_parked;
use store::parking::hand_over_usage;
use store::stream::{ItemChange, changes};
use store::{Item, Key, StoreError, Table};

/// The stream's first reader.
#[derive(Debug)]
pub struct JournalFold<T> {
    /// The table.
    pub table: T,
    /// The clock.
    pub clock: Clock,
}

impl JournalFold<DynamoTable> {
    /// As the template's environment describes it: `TABLE`.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let cloud = Cloud::from_settings(settings)?;
        let table = DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?);
        Ok(Self {
            table,
            clock: Clock::system(),
        })
    }
}

impl<T: Table> Function for JournalFold<T> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let changes =
                changes(payload).map_err(|error| Failure::new("NotAStream", error.to_string()))?;
            Ok(failures(&self.process(changes).await))
        })
    }

    fn warm(&self) -> Warming<'_> {
        Box::pin(async move {
            if let Ok(nobody) = CustomerKey::parse("warm") {
                let _ = self.table.get(Key::record(&nobody)).await;
            }
        })
    }
}

/// What a batch holds of one customer.
#[derive(Default)]
struct CustomerWork {
    entries: Vec<Arc<Entry>>,
    sequences: Vec<String>,
}

impl<T: Table> JournalFold<T> {
    /// Processes a batch; returns the sequence numbers of what must be delivered again.
    pub async fn process(&self, changes: Vec<ItemChange>) -> Vec<String> {
        let mut asked: BTreeMap<CustomerKey, CustomerWork> = BTreeMap::new();
        let mut failed: BTreeSet<String> = BTreeSet::new();
        for change in changes {
            let customer = change.customer();
            match (change.item, customer) {
                (Ok(Some(Item::Entry(_, entry))), Some(customer)) => {
                    let asked = asked.entry(customer).or_default();
                    asked.entries.push(entry);
                    asked.sequences.push(change.sequence);
                }
                (Ok(Some(Item::Record(record))), Some(customer)) if record.owes() => {
                    let asked = asked.entry(customer).or_default();
                    asked.sequences.push(change.sequence);
                }
                (Ok(Some(Item::Parked(_, entry))), _) => {
                    if let Err(error) = self.unpark(&entry).await {
                        tracing::warn!(what = "parked", %error);
                        failed.insert(change.sequence);
                    }
                }
                (Ok(Some(Item::ParkedUsage(row))), _) => {
                    if let Err(error) = hand_over_usage(&self.table, &row).await {
                        tracing::warn!(what = "parked usage", %error);
                        failed.insert(change.sequence);
                    }
                }
                (Err(error), _) => {
                    tracing::error!(what = "unreadable", %error);
                    failed.insert(change.sequence);
                }
                (Ok(_), _) => {}
            }
        }
        for (customer, asked) in asked {
            if let Err(error) = self.reconcile(&customer, &asked).await {
                tracing::warn!(what = "fold", error);
                failed.extend(asked.sequences);
            }
        }
        failed.into_iter().collect()
    }

    async fn reconcile(&self, customer: &CustomerKey, asked: &CustomerWork) -> Result<(), String> {
        let now = self.clock.now();
        let outcome = if asked.entries.is_empty() {
            replan(&self.table, customer, now).await
        } else {
            fold(&self.table, customer, asked.entries.clone(), now).await
        };
        match outcome {
            Ok(FoldStatus::Done) => Ok(()),
            // Another round of the stream takes it up.
            Ok(FoldStatus::Contended) => Err("the record kept changing".into()),
            Ok(FoldStatus::Panicked) => Err("the fold panicked on this customer".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn unpark(&self, entry: &Arc<Entry>) -> Result<(), StoreError> {
        let now = self.clock.now();
        for customer in retry_parked(&self.table, entry).await? {
            fold(&self.table, &customer, vec![entry.clone()], now).await?;
        }
        Ok(())
    }
}
