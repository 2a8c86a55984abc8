//! The laws, looked at when a simulation has come to rest.

use super::ledger_checks;
use crate::proof::reference_model::expected_commissions;
use crate::proof::reference_model::facts::JournaledEvent;
use crate::proof::reference_model::oracle::{self, ExpectedRoutes};
use crate::proof::simulation::immediate::run_immediately;
use crate::proof::simulation::mutant::Mutant;
use crate::proof::simulation::records::Violation;
use crate::proof::simulation::script::NORMALIZER_VERSION;
use crate::proof::simulation::state::Simulation;
use domain::digest::Digest;
use domain::ids::CustomerKey;
use domain::partner::ledger::CommissionRow;
use domain::record::{Entry, Record};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::memory::MemoryTable;
use store::{Item, Key};

/// Entries that a replay puts back in one go.
const REPLAY_BATCH: usize = 16;

impl Simulation<'_> {
    /// Before any audit: what the stream has not lost is folded, and nothing is owed.
    pub(crate) fn check_before_audit(&self) -> Result<(), Violation> {
        if self.stream_lost {
            return Ok(());
        }
        let mut journals: BTreeMap<&CustomerKey, (u64, Digest)> = BTreeMap::new();
        for item in self.table.items() {
            if let Item::Entry(customer, entry) = item {
                let (count, digest) = journals.entry(customer).or_default();
                *count += 1;
                *digest = digest.plus(entry.digest);
            }
        }
        for (customer, (count, digest)) in journals {
            let record = self.record(customer)?;
            if (record.folded.count, record.folded.digest) != (count, digest) {
                return Err(format!(
                    "{customer} is not what its journal says before the audit"
                ));
            }
            if record.owes() {
                return Err(format!("{customer} still owes {:?}", record.pending));
            }
        }
        self.check_notices_before_audit()
    }

    /// After the audit: everything.
    pub(crate) fn check_everything(&self) -> Result<(), Violation> {
        if self
            .request_deliveries
            .iter()
            .any(|sending| !sending.answered)
        {
            let all = self.script.requests.iter().zip(&self.request_deliveries);
            let mut open = all.filter(|(events, sending)| !events.is_empty() && !sending.answered);
            if let Some((events, _)) = open.next() {
                return Err(format!("request of events {events:?} never got 2xx"));
            }
        }
        if let Some(entry) = self.entry_waiting_for_api() {
            let id = &entry.event.id;
            return Err(format!(
                "{id} still waits for its provider's API, which answers"
            ));
        }
        let known = self.journaled_events()?;
        let mut routes = oracle::routes(&known);
        for (customer, known) in &mut routes.journals {
            *known = self.as_journaled(customer, known)?;
        }
        self.check_records(&routes)?;
        self.check_ledger(&routes.journals)?;
        self.check_payouts()?;
        self.check_all_notices()?;
        self.check_effects(&routes)?;
        self.check_letters(&routes)?;
        self.check_nothing_waits()?;
        self.check_replay()
    }

    /// Whether the last audit that ended had nothing to do.
    pub(crate) fn audit_found_nothing(&self) -> bool {
        self.last_audit.as_ref().is_some_and(|report| {
            let requeued = report.letters_requeued + report.notices_requeued;
            report.complete && report.repaired == 0 && requeued == 0
        })
    }

    fn record(&self, customer: &CustomerKey) -> Result<&Arc<Record>, Violation> {
        match self.table.peek(&Key::record(customer)) {
            Some(Item::Record(record)) => Ok(record),
            _ => Err(format!("{customer} has a journal and no record")),
        }
    }

    /// Every event as the table has it; each event told must be there.
    fn journaled_events(&self) -> Result<Vec<JournaledEvent<'_>>, Violation> {
        let mut versions: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
        for item in self.table.items() {
            if let Item::Entry(_, entry) | Item::Parked(_, entry) = item {
                let versions = versions.entry(entry.event.id.as_str()).or_default();
                versions.insert(entry.normalizer);
            }
        }
        let mut known = Vec::new();
        for event in self.script.requests.iter().flatten() {
            let delivered = &self.script.events[*event];
            let id = delivered.id().as_str();
            let Some(versions) = versions.remove(id) else {
                return Err(format!("{id} got 2xx and is nowhere"));
            };
            let version = versions.first().copied().unwrap_or(NORMALIZER_VERSION);
            let reading = delivered.normalized_by(version);
            known.push(JournaledEvent {
                scripted: delivered,
                normalized: reading,
            });
        }
        match versions.keys().next() {
            Some(id) => Err(format!("{id} stands in the table and was never told")),
            None => Ok(known),
        }
    }

    fn check_records(&self, routes: &ExpectedRoutes<'_>) -> Result<(), Violation> {
        let records = self.records().count();
        if records != routes.journals.len() {
            let expected = routes.journals.len();
            return Err(format!(
                "{records} records where {expected} customers are known"
            ));
        }
        for (customer, known) in &routes.journals {
            let record = self.record(customer)?;
            let count = known.len() as u64;
            if record.folded.count != count {
                let folded = record.folded.count;
                return Err(format!("{customer} has {folded} of {count} events"));
            }
            let last = known.iter().map(|k| k.normalized.position()).max();
            // That mutant changes ranks, which is the means and not the harm.
            let ranks = self.mutant != Some(Mutant::TieByArrival);
            if ranks && record.folded.last != last {
                return Err(format!(
                    "{customer}: last is {:?}, not {last:?}",
                    record.folded.last
                ));
            }
            let expected = oracle::state(known);
            if record.folded.state != expected {
                let state = &record.folded.state;
                return Err(format!("{customer} is\n{state:#?}\nand not\n{expected:#?}"));
            }
        }
        self.check_sales()
    }

    /// An event behind something shared may be journaled in two versions, one a customer.
    fn as_journaled<'b>(
        &self,
        customer: &CustomerKey,
        known: &[JournaledEvent<'b>],
    ) -> Result<Vec<JournaledEvent<'b>>, Violation> {
        let mut digest = Digest::default();
        let mut journaled = Vec::with_capacity(known.len());
        for event in known {
            let id = event.scripted.id();
            let Some(Item::Entry(_, entry)) = self.table.peek(&Key::entry(customer, id)) else {
                return Err(format!("{id} is not in the journal of {customer}"));
            };
            digest = digest.plus(event.scripted.digest(entry.normalizer));
            let reading = event.scripted.normalized_by(entry.normalizer);
            let delivered = event.scripted;
            journaled.push(JournaledEvent {
                scripted: delivered,
                normalized: reading,
            });
        }
        if self.record(customer)?.folded.digest != digest {
            return Err(format!("{customer}: record and journal disagree"));
        }
        Ok(journaled)
    }

    /// The money of each sale, as the shop's own books have it.
    fn check_sales(&self) -> Result<(), Violation> {
        let kept = self.script.requests.iter().map(Vec::len).sum::<usize>();
        if kept != self.script.events.len() {
            return Ok(());
        }
        for sale in &self.script.sales {
            let Some(Item::Record(record)) = self.table.peek(&Key::record(&sale.customer)) else {
                continue;
            };
            let mut settled = record.folded.state.payments.settled();
            let Some(payment) = settled.find(|payment| payment.ids.contains(&sale.id)) else {
                continue;
            };
            let paid = payment.paid().map_or(0, |paid| paid.minor);
            let is = (paid, payment.refunded_minor(), payment.disputed_minor());
            let was = (sale.paid, sale.refunded, sale.disputed);
            if is != was {
                return Err(format!(
                    "{}: paid, refunded, disputed are {is:?}, not {was:?}: {payment:#?}",
                    sale.id
                ));
            }
        }
        Ok(())
    }

    fn check_effects(&self, routes: &ExpectedRoutes<'_>) -> Result<(), Violation> {
        let mut aliases = BTreeSet::new();
        let mut parked = BTreeSet::new();
        for item in self.table.items() {
            match item {
                Item::Alias(reference, customer) => {
                    aliases.insert((reference, customer));
                }
                Item::Parked(reference, entry) => {
                    parked.insert((reference, entry.event.id.as_str()));
                }
                _ => {}
            }
        }
        let expected = self.aliases_as_journaled();
        if let Some(alias) = expected.symmetric_difference(&aliases).next() {
            return Err(format!("alias {alias:?} stands or is due, and not both"));
        }
        if let Some(entry) = routes.parked.symmetric_difference(&parked).next() {
            return Err(format!(
                "{entry:?} is parked without reason, or is not and should be"
            ));
        }
        Ok(())
    }

    /// Every reference that a journaled event reveals: of a shared event read by two versions, the
    /// ones of the version that each customer's journal holds.
    fn aliases_as_journaled(&self) -> BTreeSet<(&domain::ids::Reference, &CustomerKey)> {
        let mut aliases = BTreeSet::new();
        for item in self.table.items() {
            if let Item::Entry(customer, entry) = item {
                let names = entry.event.references.iter();
                aliases.extend(names.map(|name| (name, customer)));
            }
        }
        aliases
    }

    fn check_nothing_waits(&self) -> Result<(), Violation> {
        for record in self.records() {
            if record.owes() {
                return Err(format!(
                    "{} still owes {:?}",
                    record.customer, record.pending
                ));
            }
        }
        if let Some((key, at)) = self.overdue_item() {
            return Err(format!(
                "{key} asked to be looked at by {at}, and nobody did"
            ));
        }
        if self.audit_found_nothing() {
            return Ok(());
        }
        let report = &self.last_audit;
        Err(format!("the audit finds no rest: {report:?}"))
    }

    /// The journal into an empty table, in another order, long after: the same records, and
    /// not a word to anybody. And once more over the live one.
    fn check_replay(&self) -> Result<(), Violation> {
        let mut seen = BTreeSet::new();
        let mut entries: Vec<Arc<Entry>> = Vec::new();
        for item in self.table.items() {
            if let Item::Entry(_, entry) | Item::Parked(_, entry) = item
                && seen.insert(entry.event.id.as_str())
            {
                entries.push(entry.clone());
            }
        }
        let much_later = self.clock + 400 * 86_400_000;
        let now = Timestamp::from_millisecond(much_later).unwrap_or_default();
        let again = MemoryTable::without_attributes();
        replay(&again, &entries, now)?;
        let again = again.state();
        for record in self.records() {
            let there = again.peek(&Key::record(&record.customer));
            let Some(Item::Record(there)) = there else {
                return Err(format!("replay knows no {}", record.customer));
            };
            if there.folded != record.folded && !self.has_mixed_versions(&record.customer) {
                return Err(format!("replay makes another {}", record.customer));
            }
        }
        let pure = |row: &&CommissionRow| !self.has_mixed_versions(&row.customer);
        let here =
            expected_commissions::sums(ledger_checks::commission_rows(&self.table).filter(pure));
        let there = expected_commissions::sums(ledger_checks::commission_rows(&again).filter(pure));
        // Rows stay under the id of their payment that was known first.
        let [here, there] = [here, there].map(|sums| expected_commissions::without_payments(&sums));
        if here != there {
            return Err(format!("a replay owes {there:?}, and not {here:?}"));
        }
        if again.items().any(|item| matches!(item, Item::Letter(_))) {
            return Err("a replay writes letters".into());
        }
        Ok(())
    }

    /// A shared event journaled in two versions is replayed in one of them.
    fn has_mixed_versions(&self, customer: &CustomerKey) -> bool {
        let mut versions: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
        let mut own: Vec<&str> = Vec::new();
        for item in self.table.items() {
            if let Item::Entry(_, entry) | Item::Parked(_, entry) = item
                && entry.event.is_by_shared_reference()
            {
                let id = entry.event.id.as_str();
                versions.entry(id).or_default().insert(entry.normalizer);
                if matches!(item, Item::Entry(owner, _) if owner == customer) {
                    own.push(id);
                }
            }
        }
        own.iter().any(|id| versions[id].len() > 1)
    }
}

fn replay(table: &MemoryTable, entries: &[Arc<Entry>], now: Timestamp) -> Result<(), Violation> {
    for batch in entries.chunks(REPLAY_BATCH) {
        run_immediately(store::ingest::ingest_entries(table, batch, now))
            .map_err(|error| format!("replay: {error}"))?;
    }
    Ok(())
}
