//! Tells partners of their rows: a signed POST for each state that a row comes to, until it is
//! taken or three days are over.

use domain::notice::{Notice, wait};
use futures_util::future::join_all;
use jiff::SignedDuration;
use providers::{Secret, WeakSecret, notice_secret, standard};
use runtime::aws::Cloud;
use runtime::batch::{Attributes, Batch, failures};
use runtime::post::{Post, Posted, Poster};
use runtime::queue::{Later, SqsQueue};
use runtime::secrets::{NoSecrets, SecretCache, Source, master};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Failure, Function, Invocation, Warming};
use serde::Deserialize;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::endpoints::{Endpoint, failed, gone, took};
use store::misread::Misread;
use store::notices::{Order, TakenUp, Told, Work, take_up, write_down};
use store::{Key, StoreError, Table};

/// From queue to partner.
#[derive(Debug)]
pub struct PartnerNotice<T, Q, P> {
    /// The table.
    pub table: T,
    /// Where orders come from, and wait between two attempts.
    pub notices: Q,
    /// What posts.
    pub poster: P,
    /// From which partners' secrets are derived.
    pub master: SecretCache<Secret>,
    /// The clock.
    pub clock: Clock,
}

impl PartnerNotice<DynamoTable, SqsQueue, Poster> {
    /// As the template's environment describes it: `TABLE`, `NOTICES_QUEUE_URL` and `STAGE`.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let cloud = Cloud::from_settings(settings)?;
        let source = Source::Parameter {
            client: cloud.ssm(),
            name: format!("/orangery/{}/master-key", settings.required("STAGE")?),
        };
        let clock = Clock::system();
        Ok(Self {
            table: DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?),
            notices: SqsQueue::new(cloud.sqs(), settings.required("NOTICES_QUEUE_URL")?),
            poster: Poster::public().map_err(|error| BadSetting {
                name: "the root certificates",
                what: format!("can't be read ({error})"),
            })?,
            master: SecretCache::new(source, master, clock.clone()),
            clock,
        })
    }
}

impl<T: Table, Q: Later, P: Post> Function for PartnerNotice<T, Q, P> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let batch: Batch<Message> = serde_json::from_slice(payload)
                .map_err(|error| Failure::new("NotAQueue", Misread::from(error).to_string()))?;
            // At once: one partner that is slow holds up no other.
            let delivered = batch.records.iter().map(|message| self.deliver(message));
            let delivered = join_all(delivered).await;
            let records = batch.records.iter().zip(delivered);
            let failed = records.filter_map(|(message, delivered)| {
                let why = delivered.err()?;
                tracing::warn!(what = "notice", why = %why, "left to the queue");
                Some(message.message_id.clone())
            });
            Ok(failures(&failed.collect::<Vec<_>>()))
        })
    }

    fn warm(&self) -> Warming<'_> {
        Box::pin(async move {
            let _ = self.master.in_force().await;
            let _ = self.table.get(Key::new("endpoint#warm", "endpoint")).await;
        })
    }
}

/// Why a message goes back to its queue.
#[derive(Debug, thiserror::Error)]
pub enum NotTold {
    /// The message is none of ours.
    #[error("a message that orders no notice: {0}")]
    Unreadable(String),
    /// The partner did not take it.
    #[error("the partner did not take a notice ({0}); it is sent again after a while")]
    Partner(String),
    /// Another delivery wrote first.
    #[error("somebody else wrote of this row or its partner's endpoint just now")]
    Raced,
    /// No secret to sign with.
    #[error(transparent)]
    Secrets(#[from] NoSecrets),
    /// No secret follows for this partner.
    #[error("no secret follows for this partner: {0}")]
    Weak(#[from] WeakSecret),
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<T: Table, Q: Later, P: Post> PartnerNotice<T, Q, P> {
    async fn deliver(&self, message: &Message) -> Result<(), NotTold> {
        let order: Order = serde_json::from_str(&message.body)
            .map_err(|error| NotTold::Unreadable(Misread::from(error).to_string()))?;
        let nothing = match take_up(&self.table, &order, self.clock.now()).await? {
            TakenUp::Work(work) => return self.tell_all(message, &order, &work).await,
            TakenUp::Done => "told_before",
            TakenUp::Nobody => "nobody",
            TakenUp::Off => "off",
        };
        say(&order, nothing, None, None);
        Ok(())
    }

    async fn tell_all(&self, message: &Message, order: &Order, work: &Work) -> Result<(), NotTold> {
        let mut told = work.told.clone();
        let mut outcome = Outcome::Taken;
        for notice in &work.due {
            outcome = self.tell(order, &work.endpoint, notice).await?;
            if !matches!(outcome, Outcome::Taken) {
                break;
            }
            told.notices.insert(notice.kind.into(), self.clock.now());
        }
        if matches!(outcome, Outcome::Taken) {
            told.look_at = work.look_at;
        }
        self.remember(work, told).await?;
        match outcome {
            Outcome::Taken | Outcome::Off => Ok(()),
            Outcome::Failed { why, retry_after } => {
                if let Some(wait) = wait(message.attempt(), retry_after) {
                    self.leave(message, wait).await;
                }
                Err(NotTold::Partner(why))
            }
        }
    }

    /// Sends one notice, and notes how its endpoint goes.
    async fn tell(
        &self,
        order: &Order,
        endpoint: &Endpoint,
        notice: &Notice,
    ) -> Result<Outcome, NotTold> {
        let now = self.clock.now();
        let id = notice.id(&order.partner, &order.row);
        let body = notice.body(&order.partner, &order.row);
        let body =
            serde_json::to_vec(&body).map_err(|error| NotTold::Unreadable(error.to_string()))?;
        let master = self.master.in_force().await?;
        let secret = |key| notice_secret(&master, &order.partner, key);
        let secrets = endpoint.keys(now).map(secret);
        let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
        let headers = standard::sign_under(&id, &body, &secrets, now);
        let posted = self.poster.post(&endpoint.url, &headers, body, now).await;
        let (verdict, off, outcome) = match posted {
            Posted::Taken => ("told", false, Outcome::Taken),
            Posted::Gone => match gone(&self.table, endpoint, now).await? {
                true => ("gone", true, Outcome::Off),
                // It is another by now, or another attempt's word stands: whether this notice is
                // still wanted there says the next look.
                false => return Err(NotTold::Raced),
            },
            Posted::Failed { why, retry_after } => {
                match failed(&self.table, endpoint, now).await? {
                    true => ("failed", true, Outcome::Off),
                    false => ("failed", false, Outcome::Failed { why, retry_after }),
                }
            }
        };
        let id = Some((&*id, notice.kind));
        say(order, verdict, id, off.then_some(OFF));
        Ok(outcome)
    }

    /// Writes down what was told, where it is more than before.
    async fn remember(&self, work: &Work, told: Told) -> Result<(), NotTold> {
        if told.notices != work.told.notices {
            took(&self.table, &work.endpoint).await?;
        }
        if told != work.told && !write_down(&self.table, told).await? {
            return Err(NotTold::Raced);
        }
        Ok(())
    }

    /// Should this fail, the queue's own time counts.
    async fn leave(&self, message: &Message, wait: SignedDuration) {
        if let Err(error) = self.notices.later(&message.receipt_handle, wait).await {
            tracing::warn!(what = "notice", %error);
        }
    }
}

/// What became of a notice.
enum Outcome {
    /// The partner has it.
    Taken,
    /// Nothing is sent there any more.
    Off,
    /// It is sent again.
    Failed {
        why: String,
        retry_after: Option<SignedDuration>,
    },
}

/// The decision line. Neither the address, which may hold a secret, nor the row's key, which
/// names a customer.
fn say(order: &Order, verdict: &str, notice: Option<(&str, &str)>, metrics: Option<&str>) {
    let partner = order.partner.as_str();
    let (id, kind) = notice.unzip();
    tracing::info!(what = "notice", partner, id, kind, verdict, metrics);
}

/// The metric of endpoints that were put off.
const OFF: &str = "endpoints_off";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: Arc<str>,
    receipt_handle: String,
    body: String,
    attributes: Attributes,
}

impl Message {
    /// Which attempt this is; the first is 1.
    fn attempt(&self) -> u32 {
        self.attributes.receives.parse().unwrap_or(1)
    }
}
