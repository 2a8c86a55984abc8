//! Hands letters that were put to their queue: the stream's second and last reader.

use runtime::aws::Cloud;
use runtime::queue::{Queue, SqsQueue};
use runtime::settings::{BadSetting, Settings};
use runtime::{Failure, Function, Invocation};
use store::Item;
use store::letters::{LetterState, Order};
use store::stream::{Change, changes, failures};

/// From stream to queue.
#[derive(Debug)]
pub struct Dispatch<Q> {
    /// Where letters are sent from.
    pub letters: Q,
}

impl Dispatch<SqsQueue> {
    /// As the template's environment describes it: `LETTERS_QUEUE_URL`.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let sqs = Cloud::from_settings(settings)?.sqs();
        Ok(Self {
            letters: SqsQueue::new(sqs, settings.required("LETTERS_QUEUE_URL")?),
        })
    }
}

impl<Q: Queue> Function for Dispatch<Q> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let changes =
                changes(payload).map_err(|error| Failure::new("NotAStream", error.to_string()))?;
            Ok(failures(&self.hand_over(changes).await))
        })
    }
}

impl<Q: Queue> Dispatch<Q> {
    /// Hands over what is owed; gives the sequence numbers of what was not taken.
    pub async fn hand_over(&self, changes: Vec<Change>) -> Vec<String> {
        let mut failed = Vec::new();
        for change in changes {
            // What can't be read is the first reader's to report.
            let Ok(Some(Item::Letter(row))) = change.item else {
                continue;
            };
            if row.state != LetterState::Owed {
                continue;
            }
            if let Err(error) = self.letters.send(Order::of(&row).to_text()).await {
                tracing::warn!(what = "letter", %error);
                failed.push(change.sequence);
            }
        }
        failed
    }
}
