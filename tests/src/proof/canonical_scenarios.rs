//! Canonical scenarios, short enough that everything can be tried on them.

use super::checkers::ledger_checks::{self, ExpectedRows};
use super::reference_model::expected_letters;
use super::reference_model::oracle;
use super::simulation::random::Rng;
use super::simulation::script::{NORMALIZER_VERSION, Script, ScriptedEvent, at};
use super::workload::provider_scripts::PROVIDER_SCRIPTS;
use crate::proof::reference_model::facts::JournaledEvent;
use crate::proof::workload::scenario_builder::ScenarioBuilder;
use domain::digest::Digest;
use domain::ids::{CustomerKey, Reference};
use domain::record::Entry;
use domain::state::CustomerState;
use domain::subscription::terms::SubscriptionStatus;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Item, Key};

use store::memory::TableState;

/// Events that a scenario is cut to.
const MAX_SCENARIO_EVENTS: usize = 8;

/// Events that are taken of a provider's telling.
const PROVIDER_EVENTS: usize = 7;

/// A scenario and what must come of it.
pub(crate) struct CanonicalScenario {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its events in the order in which they happened.
    pub(crate) entries: Vec<Arc<Entry>>,
    /// The moment at which all is told.
    pub(crate) now: Timestamp,
    records: BTreeMap<CustomerKey, (CustomerState, u64, Digest)>,
    aliases: BTreeSet<(Reference, CustomerKey)>,
    parked: BTreeSet<(Reference, String)>,
    letters: BTreeSet<Key>,
    expected_rows: ExpectedRows,
}

type ScenarioSteps = fn(&mut ScenarioBuilder<'_>);

/// The scenarios.
const SCENARIOS: [(&str, u64, ScenarioSteps); 18] = [
    ("a first month", 1, |scenario| scenario.check_out()),
    ("a first month, told otherwise", 4, |scenario| {
        scenario.check_out()
    }),
    ("a trial that is paid", 2, |scenario| {
        scenario.start();
        scenario.renew();
    }),
    ("a card that fails and recovers", 3, |scenario| {
        scenario.start();
        scenario.fail_and_recover();
    }),
    ("three changes in one second", 5, |scenario| {
        scenario.start();
        scenario.change_plan();
        scenario.change_plan();
        scenario.pause();
        scenario.set_to_end();
    }),
    ("set to end, and ended", 6, |scenario| {
        scenario.start();
        scenario.set_to_end();
        scenario.end();
    }),
    ("a guest", 7, |scenario| {
        scenario.make_guest();
        scenario.buy_once();
    }),
    ("two purchases", 8, |scenario| {
        scenario.buy_once();
        scenario.advance();
        scenario.buy_once();
    }),
    ("refunds one by one", 9, |scenario| {
        scenario.buy_and_refund(true)
    }),
    ("refunds as a sum", 10, |scenario| {
        scenario.buy_and_refund(false)
    }),
    ("a dispute", 11, |scenario| scenario.buy_and_dispute()),
    ("a part goes back in another currency", 21, |scenario| {
        scenario.buy_and_reverse_in_another_currency();
    }),
    ("the partner reported first", 12, |scenario| {
        scenario.report();
        scenario.check_out();
    }),
    ("the partner reported last", 13, |scenario| {
        scenario.add_customer_object();
        scenario.start();
        scenario.report();
    }),
    ("an unclear event", 14, |scenario| {
        scenario.add_unclear_event();
        scenario.add_customer_object();
        scenario.start();
    }),
    ("a refund that is unclear in part", 23, |scenario| {
        scenario.buy_and_refund(true);
        for item in &mut scenario.script.events {
            item.add_unclear_part();
        }
    }),
    ("a poison event", 15, |scenario| {
        scenario.start();
        scenario.add_poison_event();
        scenario.pause();
        scenario.end();
    }),
    ("ended in the second it began", 16, |scenario| {
        scenario.start();
        scenario.change(|terms| terms.status = SubscriptionStatus::Active);
        scenario.end();
        scenario.add_ignored_event();
    }),
];

/// Scenarios on which a partner earns: each by the first seed from there on by which it does.
const EARNING_SCENARIOS: [(&str, u64, ScenarioSteps); 5] = [
    ("a sale that earns and goes back", 17, |scenario| {
        scenario.report_by("acme");
        scenario.add_checkout_session();
        scenario.buy_and_refund(true);
    }),
    ("two partners, and one takes back", 18, |scenario| {
        scenario.report_by("acme");
        scenario.report_by("zest");
        scenario.add_checkout_session();
        scenario.buy_and_refund(false);
        scenario.cancel_report_by("acme");
    }),
    ("a code that was given first", 19, |scenario| {
        scenario.grant_code();
        scenario.add_checkout_session();
        scenario.buy_and_dispute();
    }),
    (
        "a sale that goes back in another currency",
        22,
        |scenario| {
            scenario.report_by("acme");
            scenario.add_checkout_session();
            scenario.buy_and_reverse_in_another_currency();
        },
    ),
    ("a partner who buys", 20, |scenario| {
        scenario.report_by("peel");
        scenario.add_checkout_session();
        scenario.show_card();
        scenario.buy_and_refund(false);
        scenario.review();
    }),
];

/// All canonical scenarios: ours, and of what each provider tells some events from its first to its
/// last.
pub(crate) fn canonical_scenarios() -> Vec<CanonicalScenario> {
    let scenario = |name: &'static str, seed: u64, steps: ScenarioSteps| {
        let mut script = Script::default();
        let mut rng = Rng::fork(seed, 9);
        steps(&mut ScenarioBuilder::new(&mut script, &mut rng, 0));
        script.events.truncate(MAX_SCENARIO_EVENTS);
        CanonicalScenario::new(name, &script)
    };
    let ours = SCENARIOS.iter();
    let ours = ours.map(|(name, seed, steps)| scenario(name, *seed, *steps));
    let earning = EARNING_SCENARIOS.iter().map(|(name, seed, steps)| {
        let mut scenarios = (*seed..seed + 1_000).map(|seed| scenario(name, seed, *steps));
        let earns = scenarios.find(|scenario| scenario.expected_rows.has_commissions());
        earns.expect("one in a thousand earns")
    });
    let item = PROVIDER_SCRIPTS.iter().map(|telling| {
        let last = telling.events.len() - 1;
        let spread = (0..PROVIDER_EVENTS).map(|place| ScriptedEvent {
            true_order: place as u32,
            ..telling.events[place * last / (PROVIDER_EVENTS - 1)].clone()
        });
        let script = Script {
            events: spread.collect(),
            ..Script::default()
        };
        CanonicalScenario::new(telling.account.provider, &script)
    });
    ours.chain(earning).chain(item).collect()
}

impl CanonicalScenario {
    fn new(name: &'static str, script: &Script) -> Self {
        let last = script
            .events
            .iter()
            .map(|item| item.normalized[0].occurred_at);
        let last = last.max().map_or(0, |last| last.as_second());
        let now = at(last + 60);
        let entry = |item: &ScriptedEvent| {
            item.entry(
                NORMALIZER_VERSION,
                now,
                Arc::from(format!("once {}", item.id())),
            )
        };
        let entries = script.events.iter().map(entry).collect();
        let mut canon = Self {
            name,
            entries,
            now,
            records: BTreeMap::new(),
            aliases: BTreeSet::new(),
            parked: BTreeSet::new(),
            letters: BTreeSet::new(),
            expected_rows: ExpectedRows::default(),
        };
        let known = |item| JournaledEvent {
            scripted: item,
            normalized: &item.normalized[0],
        };
        let known: Vec<JournaledEvent<'_>> = script.events.iter().map(known).collect();
        let routes = oracle::routes(&known);
        let firsts = ledger_checks::first_payments(&routes.journals);
        for (customer, known) in &routes.journals {
            let state = oracle::state(known);
            let digests = known.iter().map(|k| k.scripted.digest(NORMALIZER_VERSION));
            let digest = digests.fold(Digest::default(), Digest::plus);
            canon.letters.extend(expected_letters::expected_letters(
                customer,
                &state,
                now,
                SignedDuration::ZERO,
            ));
            canon.expected_rows.add_customer(customer, known, &firsts);
            let expected = (state, known.len() as u64, digest);
            canon.records.insert((*customer).clone(), expected);
        }
        let owned = |(name, customer): &(&Reference, &CustomerKey)| {
            (Reference::clone(name), CustomerKey::clone(customer))
        };
        canon.aliases = routes.aliases.iter().map(owned).collect();
        let owned = |(name, id): &(&Reference, &str)| (Reference::clone(name), (*id).to_owned());
        canon.parked = routes.parked.iter().map(owned).collect();
        canon
    }

    /// Whether a partner earns on it.
    pub(crate) fn has_commissions(&self) -> bool {
        self.expected_rows.has_commissions()
    }

    /// Whether this table is what must come of the scenario.
    pub(crate) fn check(&self, table: &TableState) -> Result<(), String> {
        let mut aliases = BTreeSet::new();
        let mut parked = BTreeSet::new();
        let mut records = 0;
        for item in table.items() {
            match item {
                Item::Record(record) => {
                    records += 1;
                    let expected = self.records.get(&record.customer);
                    let (state, count, digest) = expected.ok_or("a record of nobody")?;
                    if record.folded.state != *state {
                        let is = &record.folded.state;
                        return Err(format!(
                            "{} is\n{is:#?}\nand not\n{state:#?}",
                            record.customer
                        ));
                    }
                    if (record.folded.count, record.folded.digest) != (*count, *digest) {
                        return Err(format!("{} counts otherwise", record.customer));
                    }
                    if !record.pending.is_empty() {
                        return Err(format!("{} still owes", record.customer));
                    }
                }
                Item::Alias(name, customer) => {
                    aliases.insert((name.clone(), customer.clone()));
                }
                Item::Parked(name, entry) => {
                    parked.insert((name.clone(), entry.event.id.as_str().to_owned()));
                }
                _ => {}
            }
        }
        if records != self.records.len() || aliases != self.aliases || parked != self.parked {
            return Err(format!(
                "{records} records, aliases {aliases:?}, parked {parked:?}"
            ));
        }
        self.expected_rows.check(table)?;
        match self.letters.iter().find(|key| table.peek(key).is_none()) {
            Some(letter) => Err(format!("{letter} is due and nobody wrote it")),
            None => Ok(()),
        }
    }
}
