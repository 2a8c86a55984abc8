//! Tells partners of their rows: a signed POST for each state that a row comes to, until it is
//! taken or three days are over.

use domain::ids::PartnerId;
use domain::notice::{Notice, retry_wait};
use futures_util::future::join_all;
use jiff::SignedDuration;
use providers::{KeyRoots, WeakSecret, notice_secret, standard};
use runtime::aws::Cloud;
use runtime::batch::{LambdaBatch, MessageAttributes, failures};
use runtime::post::{Post, PostOutcome, Poster};
use runtime::queue::{DelayableQueue, SqsQueue};
use runtime::secrets::{KeyPurpose, SecretCache, SecretSource, SecretsError, roots};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Failure, Function, Invocation, Warming};
use serde::Deserialize;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::notice_endpoints::{NoticeEndpoint, record_disabled, record_failure, record_success};
use store::notices::{
    DeliveryPlan, DeliveryState, NoticeTask, PendingDelivery, plan_delivery, save_delivered,
};
use store::redacted_json_error::RedactedJsonError;
use store::{Key, StoreError, Table};

/// Sends partners' notices from the queue.
#[derive(Debug)]
pub struct PartnerNotice<T, Q, P> {
    /// The table.
    pub table: T,
    /// The queue that tasks come from, and wait in between two attempts.
    pub notices: Q,
    /// Sends the requests.
    pub poster: P,
    /// From which the secrets of partners' endpoints are derived.
    pub roots: SecretCache<KeyRoots>,
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
        let stage = settings.required("STAGE")?;
        let source = SecretSource::of_keys(&cloud.ssm(), stage, KeyPurpose::Notices);
        let clock = Clock::system();
        Ok(Self {
            table: DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?),
            notices: SqsQueue::new(cloud.sqs(), settings.required("NOTICES_QUEUE_URL")?),
            poster: Poster::public().map_err(|error| BadSetting {
                name: "the root certificates",
                what: format!("can't be read ({error})"),
            })?,
            roots: SecretCache::new(source, roots, clock.clone()),
            clock,
        })
    }
}

impl<T: Table, Q: DelayableQueue, P: Post> Function for PartnerNotice<T, Q, P> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let batch: LambdaBatch<NoticeQueueMessage> =
                serde_json::from_slice(payload).map_err(|error| {
                    Failure::new("NotAQueue", RedactedJsonError::from(error).to_string())
                })?;
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
            let _ = self.roots.in_force().await;
            let _ = self.table.get(Key::new("endpoint#warm", "endpoint")).await;
        })
    }
}

/// Why a message goes back to its queue.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// The message can't be read.
    #[error("a message that is not a notice to send: {0}")]
    Unreadable(String),
    /// The partner did not take it.
    #[error("the partner did not take a notice ({0}); it is sent again after a while")]
    Partner(String),
    /// It is for somebody else.
    #[error("a notice that is for no partner; the queue belongs to something else")]
    NotAPartner,
    /// Another delivery wrote first.
    #[error("another delivery just changed this row's state or its endpoint")]
    Raced,
    /// No secret to sign with.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// No secret can be derived for this partner.
    #[error("no secret can be derived for this partner: {0}")]
    Weak(#[from] WeakSecret),
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<T: Table, Q: DelayableQueue, P: Post> PartnerNotice<T, Q, P> {
    async fn deliver(&self, message: &NoticeQueueMessage) -> Result<(), NoticeError> {
        let task: NoticeTask = serde_json::from_str(&message.body)
            .map_err(|error| NoticeError::Unreadable(RedactedJsonError::from(error).to_string()))?;
        let nothing = match plan_delivery(&self.table, &task, self.clock.now()).await? {
            DeliveryPlan::Deliver(work) => return self.deliver_all(message, &task, &work).await,
            DeliveryPlan::AllDelivered => "already_delivered",
            DeliveryPlan::NoRecipient => "no_recipient",
            DeliveryPlan::Disabled => "disabled",
        };
        log_delivery(&task, nothing, None, None);
        Ok(())
    }

    async fn deliver_all(
        &self,
        message: &NoticeQueueMessage,
        task: &NoticeTask,
        work: &PendingDelivery,
    ) -> Result<(), NoticeError> {
        let mut state = work.state.clone();
        let mut outcome = DeliveryOutcome::Accepted;
        for notice in &work.due {
            outcome = self.deliver_one(task, &work.endpoint, notice).await?;
            if !matches!(outcome, DeliveryOutcome::Accepted) {
                break;
            }
            state.delivered.insert(notice.kind.into(), self.clock.now());
        }
        if matches!(outcome, DeliveryOutcome::Accepted) {
            state.next_due_at = work.next_due_at;
        }
        self.save_progress(work, state).await?;
        match outcome {
            DeliveryOutcome::Accepted | DeliveryOutcome::Disabled => Ok(()),
            DeliveryOutcome::Failed { why, retry_after } => {
                if let Some(wait) = retry_wait(message.attempt(), retry_after) {
                    self.postpone(message, wait).await;
                }
                Err(NoticeError::Partner(why))
            }
        }
    }

    /// Sends one notice, and saves how its endpoint does.
    async fn deliver_one(
        &self,
        task: &NoticeTask,
        endpoint: &NoticeEndpoint,
        notice: &Notice,
    ) -> Result<DeliveryOutcome, NoticeError> {
        let now = self.clock.now();
        let id = notice.id(&task.addressee, &task.row);
        let body = notice.body(&task.addressee, &task.row);
        let body = serde_json::to_vec(&body)
            .map_err(|error| NoticeError::Unreadable(error.to_string()))?;
        // The shop is not told here.
        let partner = task.addressee.partner().ok_or(NoticeError::NotAPartner)?;
        let roots = self.roots.in_force().await?;
        let secrets = endpoint.keys(now).flat_map(|key| {
            let secret = move |root| notice_secret(root, partner, key);
            roots.iter().map(secret)
        });
        let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
        let headers = standard::sign_with_all(&id, &body, &secrets, now);
        let posted = self.poster.post(&endpoint.url, &headers, body, now).await;
        let (verdict, disabled, outcome) = match posted {
            PostOutcome::Accepted => ("delivered", false, DeliveryOutcome::Accepted),
            PostOutcome::Gone => match record_disabled(&self.table, endpoint, now).await? {
                true => ("gone", true, DeliveryOutcome::Disabled),
                // It is another by now, or another attempt's word stands: whether this notice is
                // still wanted there says the next look.
                false => return Err(NoticeError::Raced),
            },
            PostOutcome::Failed { why, retry_after } => {
                match record_failure(&self.table, endpoint, now).await? {
                    true => ("failed", true, DeliveryOutcome::Disabled),
                    false => (
                        "failed",
                        false,
                        DeliveryOutcome::Failed { why, retry_after },
                    ),
                }
            }
        };
        let id = Some((&*id, notice.kind));
        log_delivery(task, verdict, id, disabled.then_some(DISABLED_METRIC));
        Ok(outcome)
    }

    /// Saves what was delivered, where it is more than before.
    async fn save_progress(
        &self,
        work: &PendingDelivery,
        state: DeliveryState,
    ) -> Result<(), NoticeError> {
        if state.delivered != work.state.delivered {
            record_success(&self.table, &work.endpoint).await?;
        }
        if state != work.state && !save_delivered(&self.table, state).await? {
            return Err(NoticeError::Raced);
        }
        Ok(())
    }

    /// If this fails, the queue's own delay counts.
    async fn postpone(&self, message: &NoticeQueueMessage, wait: SignedDuration) {
        if let Err(error) = self.notices.delay(&message.receipt_handle, wait).await {
            tracing::warn!(what = "notice", %error);
        }
    }
}

/// What became of a notice.
enum DeliveryOutcome {
    /// The partner has it.
    Accepted,
    /// The endpoint is disabled: nothing is sent to it.
    Disabled,
    /// It is sent again.
    Failed {
        why: String,
        retry_after: Option<SignedDuration>,
    },
}

/// The decision line. Neither the address, which may hold a secret, nor the row's key, which
/// names a customer.
fn log_delivery(
    task: &NoticeTask,
    verdict: &str,
    notice: Option<(&str, &str)>,
    metrics: Option<&str>,
) {
    let partner = task.addressee.partner().map(PartnerId::as_str);
    let (id, kind) = notice.unzip();
    tracing::info!(what = "notice", partner, id, kind, verdict, metrics);
}

/// The metric of endpoints that were disabled.
const DISABLED_METRIC: &str = "endpoints_disabled";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NoticeQueueMessage {
    message_id: Arc<str>,
    receipt_handle: String,
    body: String,
    attributes: MessageAttributes,
}

impl NoticeQueueMessage {
    /// Which attempt this is; the first is 1.
    fn attempt(&self) -> u32 {
        self.attributes.receives.parse().unwrap_or(1)
    }
}
