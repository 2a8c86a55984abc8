//! Random requests of the kinds that the protocol makes, for the table in memory and engines alike.

use super::simulation::random::Rng;
use super::simulation::script::euro;
use super::simulation::script::{ACCOUNT, NORMALIZER_VERSION, START_SECOND, at, object};
use domain::ids::{CustomerKey, PartnerId, Reference};
use domain::letter::Letter;
use domain::letter::plan::DueLetter;
use domain::partner::identity::SelfReferralSignal;
use domain::partner::ledger::{CommissionRow, RowKind};
use domain::partner::program::Reward;
use domain::record::{AdvanceOutcome as Folding, Entry, Record};
use std::sync::Arc;
use store::items::{
    ALIAS, COMMISSION, JOURNAL, LETTER, PARKED, customer_partition, customer_rows,
    ledger_partition, reference_partition,
};
use store::letters::{LetterRow, LetterState};
use store::memory::TableRequest;
use store::{Item, Key, Page, StoreError, Table, TransactWrite, WriteCondition};

/// A sequence of requests over few keys, so that conditions meet.
pub(crate) fn random_requests(seed: u64, count: usize) -> Vec<TableRequest> {
    let mut rng = Rng::fork(seed, 5);
    let entries: Vec<Arc<Entry>> = (0..6)
        .flat_map(|number| super::workload::scenarios::random_script(seed ^ number).events)
        .map(|scripted| scripted.entry(NORMALIZER_VERSION, at(START_SECOND), Arc::from("r")))
        .take(40)
        .collect();
    let customers: Vec<CustomerKey> = ["cusa", "cusb"]
        .map(|id| ACCOUNT.customer(&object(id)))
        .into();
    let mut simulation = RequestGenerator {
        rng: &mut rng,
        entries,
        customers,
    };
    (0..count).map(|_| simulation.request()).collect()
}

struct RequestGenerator<'a> {
    rng: &'a mut Rng,
    entries: Vec<Arc<Entry>>,
    customers: Vec<CustomerKey>,
}

impl RequestGenerator<'_> {
    fn request(&mut self) -> TableRequest {
        match self.rng.index(40) {
            0..=17 => {
                let item = self.item();
                let when = self.when(&item);
                TableRequest::Put(item, when)
            }
            18..=25 => TableRequest::Get(self.item().key()),
            26..=28 => TableRequest::Delete(self.item().key()),
            29..=34 => {
                let customer = customer_partition(&self.customer());
                let reference = reference_partition(&self.reference());
                let rows = customer_rows(&self.customer());
                let (partition, prefix) = match self.rng.index(6) {
                    0 => (customer, JOURNAL),
                    1 => (customer, LETTER),
                    2 => (reference, ALIAS),
                    3 => (reference, PARKED),
                    4 => (ledger_partition(&self.partner()), COMMISSION),
                    _ => (ledger_partition(&self.partner()), &*rows),
                };
                TableRequest::Query(partition.into(), prefix.into(), None)
            }
            35 => TableRequest::Scan(None, 1 + self.rng.below(30) as u32),
            _ => {
                let (letter, record) = (self.letter(), self.record());
                let when = self.when(&letter);
                let check = self.when(&record);
                TableRequest::Transact(vec![
                    TransactWrite::Put(letter, when),
                    TransactWrite::Check(record.key(), check),
                ])
            }
        }
    }

    fn when(&mut self, item: &Item) -> WriteCondition {
        match item.version() {
            None => WriteCondition::Absent,
            Some(_) if self.rng.one_in(4) => WriteCondition::Absent,
            Some(version) => WriteCondition::Version(version - 1),
        }
    }

    fn customer(&mut self) -> CustomerKey {
        self.customers[self.rng.index(self.customers.len())].clone()
    }

    fn entry(&mut self) -> Arc<Entry> {
        self.entries[self.rng.index(self.entries.len())].clone()
    }

    fn reference(&mut self) -> Reference {
        ACCOUNT.reference(&object(["suba", "pia", "cha"][self.rng.index(3)]))
    }

    fn item(&mut self) -> Item {
        match self.rng.index(7) {
            0 | 1 => Item::Entry(self.customer(), self.entry()),
            2 => Item::Alias(self.reference(), self.customer()),
            3 => Item::Parked(self.reference(), self.entry()),
            4 => self.record(),
            5 => self.row(),
            _ => self.letter(),
        }
    }

    fn partner(&mut self) -> PartnerId {
        PartnerId::parse(["acme", "zest"][self.rng.index(2)]).expect("is an id")
    }

    fn row(&mut self) -> Item {
        let held = self.rng.one_in(4);
        Item::Commission(Arc::new(CommissionRow {
            partner: self.partner(),
            customer: self.customer(),
            payment: object(["pia", "pib"][self.rng.index(2)]),
            n: self.rng.below(12),
            kind: RowKind::ALL[self.rng.index(4)],
            amount: euro(200),
            referral: None,
            sub_ids: Default::default(),
            is_tax_unknown: false,
            self_referral_signal: held.then_some(SelfReferralSignal::SameDomain),
            reward: (!held).then_some(Reward::BasisPoints(2_000)),
            base_minor: held.then_some(1_000),
            paid_at: (!held).then_some(at(START_SECOND)),
            at: at(START_SECOND),
            releases_at: at(START_SECOND + 30 * 86_400),
        }))
    }

    fn record(&mut self) -> Item {
        let mut record = Record::new(self.customer());
        let mut entries = vec![self.entry(), self.entry()];
        entries.sort_by_key(|entry| entry.event.position());
        if let Folding::Next(next) = record.advance(&entries, at(START_SECOND)) {
            record = *next;
        }
        record.version = 1 + self.rng.below(3);
        Item::Record(Arc::new(record))
    }

    fn letter(&mut self) -> Item {
        let due = DueLetter {
            letter: Letter::Welcome,
            cause: ["suba", "subb"][self.rng.index(2)].into(),
            caused_at: at(START_SECOND),
        };
        let mut row = LetterRow::due(self.customer(), &due, at(START_SECOND));
        row.version = 1 + self.rng.below(3);
        if row.version > 1 {
            row.state = LetterState::Claimed {
                owner: "me".into(),
                claimed_at: at(START_SECOND + 60),
            };
        }
        Item::Letter(Arc::new(row))
    }
}

/// What a table answers to each, as text.
pub(crate) async fn answers<T: Table>(table: &T, steps: &[TableRequest]) -> Vec<String> {
    let mut answers = Vec::with_capacity(steps.len());
    for step in steps {
        let answer = match step.clone() {
            TableRequest::Get(key) => format!("{:?}", table.get(key).await),
            TableRequest::Put(item, when) => format!("{:?}", table.put(item, when).await),
            TableRequest::Delete(key) => format!("{:?}", table.delete(key).await),
            TableRequest::Query(partition, prefix, mut after) => {
                let mut items = Vec::new();
                loop {
                    let page = table.query(&partition, &prefix, after).await;
                    after = match append_page(page, &mut items) {
                        Ok(Some(next)) => Some(next),
                        Ok(None) => break format!("{items:?}"),
                        Err(error) => break format!("{error:?}"),
                    };
                }
            }
            TableRequest::Scan(mut after, limit) => {
                let mut items = Vec::new();
                loop {
                    let page = table.scan(after, limit).await;
                    after = match append_page(page, &mut items) {
                        Ok(Some(next)) => Some(next),
                        Ok(None) => {
                            // No order of partitions is promised; each is in one piece.
                            let whole = partitions_are_contiguous(&items);
                            items.sort_by_key(Item::key);
                            break format!("{whole} {items:?}");
                        }
                        Err(error) => break format!("{error:?}"),
                    };
                }
            }
            TableRequest::Due(shard, until, most) => {
                format!("{:?}", table.query_due(shard, until, most).await)
            }
            TableRequest::Transact(writes) => format!("{:?}", table.transact(writes).await),
        };
        answers.push(format!("{step:?} => {answer}"));
    }
    answers
}

fn append_page(
    page: Result<Page, StoreError>,
    items: &mut Vec<Item>,
) -> Result<Option<Key>, StoreError> {
    let page = page?;
    items.extend(page.items);
    Ok(page.next)
}

fn partitions_are_contiguous(items: &[Item]) -> bool {
    let names: Vec<_> = items.iter().map(|item| item.key().partition).collect();
    let mut changes = names.clone();
    changes.dedup();
    let pieces = changes.len();
    changes.sort();
    changes.dedup();
    pieces == changes.len()
}
