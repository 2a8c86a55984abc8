//! The local stack's e-mails, written as the shop's file says at that moment.

use domain::catalog::Catalog;
use engagement_email::mailer::SesMailer;
use engagement_email::{EngagementEmail, Sender};
use local_shop::shop::Shop;
use runtime::{Clock, Function, Invocation};
use std::sync::{Mutex, PoisonError};
use store::dynamo::DynamoTable;

/// `engagement-email`, made anew for each batch.
pub(crate) struct LiveEmail {
    /// The table.
    pub(crate) table: DynamoTable,
    /// What sends.
    pub(crate) mailer: SesMailer,
    /// Whose e-mails they are.
    pub(crate) shop: Shop,
    /// The clock.
    pub(crate) clock: Clock,
    /// As the file said when it could last be used.
    pub(crate) last: Mutex<Sender>,
}

impl LiveEmail {
    fn current(&self) -> EngagementEmail<DynamoTable, SesMailer> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // What is wrong with the file, the gallery and `orangery check` say.
        if let Ok(now) = self.shop.sender_now() {
            *last = now;
        }
        let catalog: Catalog = self.shop.catalog.clone();
        EngagementEmail {
            table: self.table.clone(),
            mailer: self.mailer.clone(),
            catalog,
            sender: last.clone(),
            clock: self.clock.clone(),
        }
    }
}

impl Function for LiveEmail {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        let current = self.current();
        Box::pin(async move { current.invoke(payload).await })
    }
}
