//! Sends letters: claims, plans once more on a consistent read, renders, sends, records.

pub mod mailer;
pub mod reader;
pub mod render;
pub mod templates;
mod amounts;
mod letter_context;
mod salutation;

use crate::mailer::{Mailer, SendError, SesMailer};
use domain::catalog::Catalog;
use domain::ids::CustomerKey;
use domain::record::Record;
use runtime::aws::{AwsService, Cloud};
use runtime::batch::{LambdaBatch, MessageAttributes, failures};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Failure, Function, Invocation, Warming};
use serde::Deserialize;
use std::sync::Arc;
use store::dynamo::DynamoTable;
use store::letters::{ClaimOutcome, LetterRow, LetterState, SendTask, claim, transition};
use store::redacted_json_error::RedactedJsonError;
use store::{Key, StoreError, Table};

/// How often the outcome of a send is written down again when the table does not answer.
const ATTEMPTS: u32 = 3;

/// From queue to mail.
#[derive(Debug)]
pub struct EngagementEmail<T, M> {
    /// The table.
    pub table: T,
    /// What sends.
    pub mailer: M,
    /// What the shop calls its prices.
    pub catalog: Catalog,
    /// Who writes: the shop's name and sender address.
    pub sender: Sender,
    /// The clock.
    pub clock: Clock,
}

/// Who writes.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// The shop's name in letters.
    pub shop: String,
    /// The address letters come from.
    pub from: String,
    /// Where replies go, if not to the sender.
    pub reply_to: Option<String>,
    /// Where customers see and change what they have; letters without it ask for an answer.
    pub account_url: Option<String>,
    /// Where somebody says what they do not want to be written; named in letters that may be
    /// refused.
    pub preferences_url: Option<String>,
}

impl EngagementEmail<DynamoTable, SesMailer> {
    /// As the template's environment describes it: `TABLE`, `SHOP_NAME`, `MAIL_FROM`, and where
    /// wanted `MAIL_REPLY_TO`, `ACCOUNT_URL`, `PREFERENCES_URL`, `CONFIGURATION_SET` and
    /// `CATALOG` (the path of a catalog file).
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let cloud = Cloud::from_settings(settings)?;
        let ses = cloud.config(AwsService::Ses);
        let set = settings.optional("CONFIGURATION_SET").map(str::to_owned);
        let catalog = match settings.optional("CATALOG") {
            None => Catalog::default(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| error.to_string())
                .and_then(|text| Catalog::parse(&text).map_err(|error| error.to_string()))
                .map_err(|what| BadSetting {
                    name: "CATALOG",
                    what,
                })?,
        };
        Ok(Self {
            table: DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?),
            mailer: SesMailer::new(&ses, set),
            catalog,
            sender: Sender {
                shop: settings.required("SHOP_NAME")?.to_owned(),
                from: settings.required("MAIL_FROM")?.to_owned(),
                reply_to: settings.optional("MAIL_REPLY_TO").map(str::to_owned),
                account_url: web_address(settings, "ACCOUNT_URL")?,
                preferences_url: web_address(settings, "PREFERENCES_URL")?,
            },
            clock: Clock::system(),
        })
    }
}

/// An address that may stand in a letter's link and header.
fn web_address(settings: &Settings, name: &'static str) -> Result<Option<String>, BadSetting> {
    let Some(url) = settings.optional(name) else {
        return Ok(None);
    };
    let graphic = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"');
    if url.starts_with("https://") && url.chars().all(graphic) {
        Ok(Some(url.to_owned()))
    } else {
        let what = "it must be an https:// address".into();
        Err(BadSetting { name, what })
    }
}

impl<T: Table, M: Mailer> Function for EngagementEmail<T, M> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let batch: LambdaBatch<LetterQueueMessage> =
                serde_json::from_slice(payload).map_err(|error| {
                    Failure::new("NotAQueue", RedactedJsonError::from(error).to_string())
                })?;
            let mut failed = Vec::new();
            for message in batch.records {
                if let Err(why) = self.deliver(&message).await {
                    tracing::warn!(what = "letter", why = %why, "left to the queue");
                    failed.push(message.message_id);
                }
            }
            Ok(failures(&failed))
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

/// Why a message goes back to its queue.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The message is none of ours.
    #[error("a message that is not a letter to send: {0}")]
    Unreadable(#[from] RedactedJsonError),
    /// Somebody else is on the letter.
    #[error("somebody else is sending this letter")]
    Busy,
    /// The mail service accepts nothing at the moment.
    #[error("the mail service accepts nothing at the moment: {0}")]
    Mail(String),
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<T: Table, M: Mailer> EngagementEmail<T, M> {
    async fn deliver(&self, message: &LetterQueueMessage) -> Result<(), LetterError> {
        let task: SendTask =
            serde_json::from_str(&message.body).map_err(RedactedJsonError::from)?;
        // A delivery is an owner of its own: one that follows a crash must not pass for it.
        let owner = format!("{}#{}", message.message_id, message.attributes.receives);
        match claim(&self.table, &task, &owner, self.clock.now()).await? {
            ClaimOutcome::Done(state) => {
                tracing::info!(letter = task.letter.as_str(), verdict = state.name());
                Ok(())
            }
            ClaimOutcome::Busy => Err(LetterError::Busy),
            ClaimOutcome::Claimed { row, record } => self.send(&row, &record).await,
        }
    }

    async fn send(&self, row: &LetterRow, record: &Record) -> Result<(), LetterError> {
        let now = self.clock.now();
        let mail = render::render_letter(row, record, &self.catalog, &self.sender, now);
        let sent = match &mail {
            Ok(mail) => self.mailer.send(mail).await,
            Err(error) => Err(SendError::Refused(error.to_string())),
        };
        let at = self.clock.now();
        let (state, again) = match sent {
            Ok(message_id) => (LetterState::Sent { at, message_id }, None),
            Err(SendError::Busy(why)) => (LetterState::Due, Some(why)),
            Err(SendError::Refused(why)) => (
                LetterState::Failed {
                    at,
                    reason: why.as_str().into(),
                },
                None,
            ),
            Err(SendError::Unknown(_)) => (LetterState::Unknown { at }, None),
        };
        let unknown = matches!(state, LetterState::Unknown { .. });
        let metrics = unknown.then_some("unknown_letters");
        tracing::info!(
            letter = row.letter.as_str(),
            verdict = state.name(),
            metrics
        );
        self.save_outcome(row, state).await;
        again.map_or(Ok(()), |why| Err(LetterError::Mail(why)))
    }

    /// If this can't be written, the claim runs out and the outcome counts as unknown: the
    /// letter is not sent again.
    async fn save_outcome(&self, row: &LetterRow, state: LetterState) {
        for _ in 0..ATTEMPTS {
            match transition(&self.table, row, state.clone()).await {
                Ok(_) => return,
                Err(error) => tracing::warn!(what = "letter outcome", %error),
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LetterQueueMessage {
    message_id: Arc<str>,
    body: String,
    attributes: MessageAttributes,
}
