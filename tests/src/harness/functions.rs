//! The functions in this process: each made when it is first called, over what they share.

use super::clock::TestClock;
use super::queues::{MemoryMailer, MemoryQueue, PostponedMessages, RECEIPT};
use super::scripted_api::ScriptedApi;
use calendar::{ApiReader, Calendar, Enrichment};
use dispatch::Dispatch;
use domain::catalog::Catalog;
use domain::ids::Mode;
use engagement_email::EngagementEmail;
use journal_fold::JournalFold;
use local_shop::shop::{LOCAL_STAGE, Shop};
use partner_notice::PartnerNotice;
use partner_referral::PartnerReferral;
use providers::{ApiResponses, PROVIDERS, StageName};
use runtime::Function;
use runtime::post::Poster;
use runtime::secrets::{SecretCache, SecretSource, person_key, roots};
use serde_json::{Value, json};
use shop_api::ShopApi;
use std::convert::Infallible;
use std::sync::OnceLock;
use store::memory::MemoryTable;

/// The functions and what they share.
pub(super) struct Functions {
    pub(super) fold: JournalFold<MemoryTable>,
    pub(super) dispatch: Dispatch<MemoryQueue>,
    pub(super) email: EngagementEmail<MemoryTable, MemoryMailer>,
    pub(super) api: ScriptedApi,
    pub(super) postponed: PostponedMessages,
    started: Started,
    table: MemoryTable,
    clock: TestClock,
    catalog: Catalog,
    master: SecretSource,
}

/// Those that keep something in memory, or take long to make.
#[derive(Default)]
struct Started {
    notice: OnceLock<PartnerNotice<MemoryTable, PostponedMessages, Poster>>,
    referral: OnceLock<PartnerReferral<MemoryTable>>,
    shop_api: OnceLock<ShopApi<MemoryTable>>,
    calendar: OnceLock<Calendar<MemoryTable, MemoryQueue, ApiReader<ScriptedApi>>>,
}

impl Functions {
    pub(super) fn new(
        shop: &Shop,
        table: &MemoryTable,
        clock: &TestClock,
        (letters, notices): (&MemoryQueue, &MemoryQueue),
        mailer: &MemoryMailer,
        api: ApiResponses,
    ) -> Self {
        Self {
            fold: JournalFold {
                table: table.clone(),
                clock: clock.for_functions(),
            },
            dispatch: Dispatch {
                letters: letters.clone(),
                notices: notices.clone(),
            },
            email: EngagementEmail {
                table: table.clone(),
                mailer: mailer.clone(),
                catalog: shop.catalog.clone(),
                sender: shop.sender.clone(),
                clock: clock.for_functions(),
            },
            api: ScriptedApi::new(api),
            postponed: PostponedMessages::default(),
            started: Started::default(),
            table: table.clone(),
            clock: clock.clone(),
            catalog: shop.catalog.clone(),
            master: SecretSource::Given(vec![shop.master.as_str().into()]),
        }
    }

    /// Ends all processes: what they kept in memory is gone.
    pub(super) fn restart(&mut self) {
        self.started = Started::default();
    }

    /// The notices' function, to this machine alone.
    pub(super) fn notice(&self) -> &PartnerNotice<MemoryTable, PostponedMessages, Poster> {
        let made = || self.notice_through(Poster::loopback().unwrap());
        self.started.notice.get_or_init(made)
    }

    /// Another one that posts otherwise.
    pub(super) fn notice_through<P>(
        &self,
        poster: P,
    ) -> PartnerNotice<MemoryTable, PostponedMessages, P> {
        let clock = self.clock.for_functions();
        PartnerNotice {
            table: self.table.clone(),
            notices: self.postponed.clone(),
            poster,
            roots: SecretCache::new(self.master.clone(), roots, clock.clone()),
            clock,
        }
    }

    pub(super) fn referral(&self) -> &PartnerReferral<MemoryTable> {
        self.started.referral.get_or_init(|| {
            let clock = self.clock.for_functions();
            PartnerReferral::new(|_| self.master.clone(), self.table.clone(), clock)
        })
    }

    pub(super) fn shop_api(&self) -> &ShopApi<MemoryTable> {
        self.started.shop_api.get_or_init(|| {
            let stage = StageName::parse(LOCAL_STAGE).unwrap();
            let accounts = PROVIDERS.iter().map(|known| known.account(Mode::Test));
            let known = (accounts.collect(), self.catalog.clone());
            let (table, clock) = (self.table.clone(), self.clock.for_functions());
            ShopApi::new(&stage, |_| self.master.clone(), known, table, clock)
        })
    }

    pub(super) fn calendar(&self) -> &Calendar<MemoryTable, MemoryQueue, ApiReader<ScriptedApi>> {
        self.started.calendar.get_or_init(|| {
            let api = |_| Ok::<_, Infallible>(self.api.clone());
            let clock = self.clock.for_functions();
            Calendar {
                table: self.table.clone(),
                letters: self.dispatch.letters.clone(),
                notices: self.dispatch.notices.clone(),
                enrichments: Enrichment::of_all(Mode::Test, api).unwrap(),
                person_key: SecretCache::new(self.master.clone(), person_key, clock.clone()),
                clock,
            }
        })
    }
}

/// One message of a queue; whether the queue may forget it.
pub async fn deliver(function: &impl Function, body: &str, receives: u32) -> bool {
    let message = json!({
        "messageId": "m-1",
        "receiptHandle": RECEIPT,
        "body": body,
        "attributes": { "ApproximateReceiveCount": receives.to_string() },
    });
    let event = json!({ "Records": [message] }).to_string();
    let answer = function.invoke(event.as_bytes()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    answer["batchItemFailures"].as_array().unwrap().is_empty()
}
