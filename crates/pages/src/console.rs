//! What every page is made from: the stack, the shop, and what is kept in memory of them.

use crate::display_prefs::DisplayPrefs;
use crate::index::Index;
use crate::journals::{FoldedJournal, JournalCache, without_raw};
use crate::page_result::{PageError, PageResult};
use crate::render::{Templates, values};
use axum::response::{Html, IntoResponse};
use domain::ids::CustomerKey;
use local_cloud::StackEndpoints;
use local_shop::chaos::Chaos;
use local_shop::shop::Shop;
use minijinja::context;
use minijinja::value::Value;
use std::sync::{Arc, Mutex};
use store::dynamo::DynamoTable;
use store::folding::read_journal;

/// What every page is made from; clones share it.
#[derive(Clone)]
pub(crate) struct Console(pub(crate) Arc<ConsoleInner>);

pub(crate) struct ConsoleInner {
    pub(crate) endpoints: StackEndpoints,
    pub(crate) shop: Shop,
    pub(crate) table: DynamoTable,
    pub(crate) index: Index,
    pub(crate) templates: Templates,
    pub(crate) chaos: Mutex<Chaos>,
    pub(crate) journals: JournalCache,
}

impl std::ops::Deref for Console {
    type Target = ConsoleInner;

    fn deref(&self) -> &ConsoleInner {
        &self.0
    }
}

impl Console {
    /// A page in the reader's language and light.
    pub(crate) fn page(&self, display: &DisplayPrefs, name: &str, values: Value) -> PageResult {
        let now = self.endpoints.clock.now().to_string();
        let frame = values! {
            t => self.templates.texts(display.language),
            display => display,
            now => now,
            page => name.trim_end_matches(".html"),
        };
        let html = self.templates.render(name, context! { ..values, ..frame });
        Ok(Html(html.map_err(PageError::Internal)?).into_response())
    }

    /// The journal: from memory if nothing was added since, else folded again.
    pub(crate) async fn journal(
        &self,
        customer: &CustomerKey,
    ) -> anyhow::Result<Arc<FoldedJournal>> {
        let (events, arrived) = {
            let index = self.index.current();
            let line = index.customers.get(customer.as_str());
            let events = line.map_or(0, |line| line.events);
            (events, index.entry_cache.all(customer, events))
        };
        if let Some(journal) = self.journals.find(customer, events) {
            return Ok(journal);
        }
        let entries = match arrived {
            Some(entries) => entries,
            None => {
                let read = read_journal(&self.table, customer).await?;
                let entries: Vec<_> = read.into_iter().map(without_raw).collect();
                let mut index = self.index.current();
                index.entry_cache.keep(customer, entries.clone());
                entries
            }
        };
        let journal = Arc::new(FoldedJournal::new(customer, &entries, &self.shop.catalog));
        self.journals.keep(&journal);
        Ok(journal)
    }
}
