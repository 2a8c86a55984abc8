//! Hands letters and rows that were put to the queues of who tells people of them: the stream's
//! second and last reader.

use runtime::aws::Cloud;
use runtime::batch::failures;
use runtime::queue::{Queue, QueueError, SqsQueue};
use runtime::settings::{BadSetting, Settings};
use runtime::{Failure, Function, Invocation};
use store::Item;
use store::letters::{LetterState, SendTask};
use store::notices;
use store::stream::{ItemChange, changes};

/// From stream to queues.
#[derive(Debug)]
pub struct Dispatch<Q> {
    /// Where letters are sent from.
    pub letters: Q,
    /// The queue of partners' notices.
    pub notices: Q,
}

impl Dispatch<SqsQueue> {
    /// As the template's environment describes it: `LETTERS_QUEUE_URL`, `NOTICES_QUEUE_URL`.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn from_settings(settings: &Settings) -> Result<Self, BadSetting> {
        let sqs = Cloud::from_settings(settings)?.sqs();
        Ok(Self {
            letters: SqsQueue::new(sqs.clone(), settings.required("LETTERS_QUEUE_URL")?),
            notices: SqsQueue::new(sqs, settings.required("NOTICES_QUEUE_URL")?),
        })
    }
}

impl<Q: Queue> Function for Dispatch<Q> {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(async move {
            let changes =
                changes(payload).map_err(|error| Failure::new("NotAStream", error.to_string()))?;
            Ok(failures(&self.enqueue(changes).await))
        })
    }
}

impl<Q: Queue> Dispatch<Q> {
    /// Hands over what is owed; gives the sequence numbers of what was not taken.
    pub async fn enqueue(&self, changes: Vec<ItemChange>) -> Vec<String> {
        let mut failed = Vec::new();
        for change in changes {
            // What can't be read is the first reader's to report.
            let Ok(Some(item)) = change.item else {
                continue;
            };
            if let Err(error) = self.enqueue_item(&item).await {
                tracing::warn!(what = "dispatch", %error);
                failed.push(change.sequence);
            }
        }
        failed
    }

    async fn enqueue_item(&self, item: &Item) -> Result<(), QueueError> {
        if let Item::Letter(row) = item
            && row.state == LetterState::Due
        {
            return self.letters.send(SendTask::of(row).to_text()).await;
        }
        match notices::NoticeTask::of(item) {
            Some(task) => self.notices.send(task.to_text()).await,
            None => Ok(()),
        }
    }
}
