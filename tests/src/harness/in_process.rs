//! The real functions in this process over a table in memory: every stream record and every
//! message twice.

use super::clock::TestClock;
use super::functions::{Functions, deliver};
use super::notice_receiver::NoticeReceiver;
use super::queues::{MemoryMailer, MemoryQueue};
use super::scripted_api::ApiMode;
use super::{Platform, TestHarness, shop, start_time};
use calendar::DueScanSummary;
use domain::record::Entry;
use jiff::{SignedDuration, Timestamp};
use local_shop::shop::Shop;
use providers::ApiResponses;
use runtime::Failure;
use std::sync::{Arc, Mutex, OnceLock};
use store::ingest::{AppendOutcome, ingest_entries};
use store::memory::{MemoryTable, Paging, TableState};

/// Functions without ports, over a table in memory.
pub struct InProcess {
    pub(super) functions: Functions,
    pub(super) clock: TestClock,
    pub(super) letters: MemoryQueue,
    pub(super) notices: MemoryQueue,
    pub(super) read_changes: Mutex<usize>,
    process_table: MemoryTable,
    mailer: MemoryMailer,
    receiver: OnceLock<NoticeReceiver>,
}

impl Platform for InProcess {
    type Table = MemoryTable;

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What may differ among harnesses of functions.
pub struct InProcessOptions {
    shop: Shop,
    attributes: bool,
    paging: Paging,
    api: ApiResponses,
}

impl InProcessOptions {
    /// Of another shop than the one with the sample catalog.
    pub fn shop(self, shop: Shop) -> Self {
        Self { shop, ..self }
    }

    /// Over a table that keeps items as they are: faster, where no stored format is tested.
    pub fn without_attributes(self) -> Self {
        Self {
            attributes: false,
            ..self
        }
    }

    /// Over a table whose pages hold all there is, where it matters how much one of them brings.
    pub fn whole_pages(self) -> Self {
        Self {
            paging: Paging::Whole,
            ..self
        }
    }

    /// With providers' APIs that know this.
    pub fn api(self, api: ApiResponses) -> Self {
        Self { api, ..self }
    }

    /// Opens it.
    pub fn open(self) -> TestHarness<InProcess> {
        let table = match self.attributes {
            true => MemoryTable::with_paging(self.paging),
            false => MemoryTable::new(TableState::with_paging(self.paging)),
        };
        let process_table = table.process();
        let clock = TestClock::new();
        let (letters, notices) = (MemoryQueue::default(), MemoryQueue::default());
        let mailer = MemoryMailer::default();
        let functions = Functions::new(
            &self.shop,
            &process_table,
            &clock,
            (&letters, &notices),
            &mailer,
            self.api,
        );
        TestHarness {
            shop: self.shop,
            table,
            platform: InProcess {
                functions,
                clock,
                letters,
                notices,
                read_changes: Mutex::default(),
                process_table,
                mailer,
                receiver: OnceLock::new(),
            },
        }
    }
}

impl TestHarness<InProcess> {
    /// The functions in this process, of the shop with the sample catalog unless told otherwise.
    pub fn in_process() -> InProcessOptions {
        InProcessOptions {
            shop: shop(),
            attributes: true,
            paging: Paging::default(),
            api: ApiResponses::closed(),
        }
    }

    /// The table as the functions reach it: where faults are set, and requests counted.
    pub fn process_table(&self) -> &MemoryTable {
        &self.platform.process_table
    }

    /// Who sends the letters.
    pub fn mailer(&self) -> &MemoryMailer {
        &self.platform.mailer
    }

    /// A partner's notice endpoint, open from the first time it is asked for.
    pub fn receiver(&self) -> &NoticeReceiver {
        self.platform.receiver.get_or_init(NoticeReceiver::open)
    }

    /// Sets the clock to so many seconds after the start.
    pub fn set_time(&self, seconds: i64) {
        let since = SignedDuration::from_secs(seconds);
        self.platform.clock.set(start_time() + since);
    }

    /// Moves the clock; nothing is called.
    pub fn advance(&self, by: SignedDuration) {
        self.platform.clock.advance(by);
    }

    /// What an endpoint does once a request is verified and normalized.
    pub async fn ingest(&self, entry: &Arc<Entry>) -> AppendOutcome {
        self.ingest_all(std::slice::from_ref(entry)).await[0]
    }

    /// The same, for a request of several events.
    pub async fn ingest_all(&self, entries: &[Arc<Entry>]) -> Vec<AppendOutcome> {
        let outcomes = ingest_entries(&self.table, entries, self.now()).await;
        outcomes.unwrap()
    }

    /// One run of the calendar, while providers' APIs answer so.
    ///
    /// # Errors
    /// When the table did not answer.
    pub async fn scan_with_api(&self, mode: ApiMode) -> Result<DueScanSummary, Failure> {
        self.functions().api.set_mode(mode);
        self.functions().calendar().due_scan().await
    }

    /// Ends all processes: what they kept in memory is gone.
    pub fn restart(&mut self) {
        self.platform.functions.restart();
    }

    /// Lets stream and letters' queue deliver everything twice, until nothing more follows.
    pub async fn settle(&self) {
        loop {
            let from = self.skip_changes();
            let upto = self.table.changes(0).len();
            if from == upto {
                return;
            }
            for _ in 0..2 {
                let failed = self
                    .functions()
                    .fold
                    .process(self.table.changes(from))
                    .await;
                assert!(failed.is_empty(), "{failed:?}");
                self.dispatch_changes(from).await;
            }
            for task in &self.platform.letters.take() {
                for receives in 1..=2 {
                    assert!(deliver(&self.functions().email, task, receives).await);
                }
            }
        }
    }

    /// Up to where the stream was read; it is taken as read to its end from now on.
    pub(super) fn skip_changes(&self) -> usize {
        let mut read = self.platform.read_changes.lock().unwrap();
        std::mem::replace(&mut *read, self.table.changes(0).len())
    }

    /// Has the stream's second reader see all changes from here.
    pub(super) async fn dispatch_changes(&self, from: usize) {
        let dispatch = &self.functions().dispatch;
        let failed = dispatch.enqueue(self.table.changes(from)).await;
        assert!(failed.is_empty(), "{failed:?}");
    }

    pub(super) fn functions(&self) -> &Functions {
        &self.platform.functions
    }
}
