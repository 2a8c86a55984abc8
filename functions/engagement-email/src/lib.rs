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
use domain::shop_settings::ShopSettings;
use runtime::aws::{AwsService, Cloud};
use runtime::batch::{LambdaBatch, MessageAttributes, failures};
use runtime::settings::{BadSetting, Settings};
use runtime::{Clock, Failure, Function, Invocation, Warming};
use serde::Deserialize;
use std::fmt::Display;
use std::path::{Path, PathBuf};
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
    /// What the shop's file says besides: looks, the foot, whose days count, wordings.
    pub file: ShopSettings,
}

impl Sender {
    /// As the shop's file says.
    pub fn of_file(file: ShopSettings) -> Self {
        Self {
            shop: file.name.clone(),
            from: file.from.header_text(),
            reply_to: file.reply_to.clone(),
            account_url: file.links.account.clone(),
            preferences_url: file.links.preferences.clone(),
            file,
        }
    }
}

impl EngagementEmail<DynamoTable, SesMailer> {
    /// As the template's environment describes it: `TABLE`, and `SHOP` (the path of the shop's
    /// file) or `SHOP_NAME` and `MAIL_FROM`, with `MAIL_REPLY_TO`, `ACCOUNT_URL` and
    /// `PREFERENCES_URL` where wanted; `CONFIGURATION_SET`; `CATALOG` (the path of a catalog file;
    /// without it the one that the shop's file names).
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let cloud = Cloud::from_settings(settings)?;
        let ses = cloud.config(AwsService::Ses);
        let set = settings.optional("CONFIGURATION_SET").map(str::to_owned);
        let shop = settings.optional("SHOP");
        let sender = match shop {
            Some(path) => Sender::of_file(read_file("SHOP", Path::new(path), |text| {
                ShopSettings::parse(text)
            })?),
            None => sender_of(settings)?,
        };
        let named = sender.file.catalog.as_deref().zip(shop);
        let named = named.map(|(catalog, shop)| Path::new(shop).with_file_name(catalog));
        let catalog = match settings.optional("CATALOG").map(PathBuf::from).or(named) {
            None => Catalog::default(),
            Some(path) => read_file("CATALOG", &path, Catalog::parse)?,
        };
        Ok(Self {
            table: DynamoTable::new(cloud.dynamo(), settings.required("TABLE")?),
            mailer: SesMailer::new(&ses, set),
            catalog,
            sender,
            clock: Clock::system(),
        })
    }
}

/// Who writes, where no file says it.
fn sender_of(settings: &Settings) -> Result<Sender, BadSetting> {
    Ok(Sender {
        shop: settings.required("SHOP_NAME")?.to_owned(),
        from: settings.required("MAIL_FROM")?.to_owned(),
        reply_to: settings.optional("MAIL_REPLY_TO").map(str::to_owned),
        account_url: web_address(settings, "ACCOUNT_URL")?,
        preferences_url: web_address(settings, "PREFERENCES_URL")?,
        ..Sender::default()
    })
}

/// A file that lies beside the program.
fn read_file<T, E: Display>(
    name: &'static str,
    path: &Path,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, BadSetting> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let read = text.and_then(|text| parse(&text).map_err(|error| error.to_string()));
    read.map_err(|what| BadSetting { name, what })
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
