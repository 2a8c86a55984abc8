//! Canonical lives, short enough that everything can be tried on them.

use super::due;
use super::lives::Life;
use super::oracle::{self, Known};
use super::random::Rng;
use super::rows::Expected;
use super::tellings::TELLINGS;
use super::told::{NORMALIZER, Story, Told, at};
use domain::digest::Digest;
use domain::ids::{CustomerKey, Reference};
use domain::record::Entry;
use domain::state::State;
use domain::terms::SubscriptionStatus;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Item, Key};

use super::twin::Twin;

/// Events that a life is cut to.
const MOST: usize = 8;

/// Events that are taken of a provider's telling.
const TOLD: usize = 7;

/// A life and what must come of it.
pub(super) struct Canon {
    /// Its name.
    pub(super) name: &'static str,
    /// Its events in the order in which they happened.
    pub(super) entries: Vec<Arc<Entry>>,
    /// The moment at which all is told.
    pub(super) now: Timestamp,
    records: BTreeMap<CustomerKey, (State, u64, Digest)>,
    aliases: BTreeSet<(Reference, CustomerKey)>,
    parked: BTreeSet<(Reference, String)>,
    letters: BTreeSet<Key>,
    partners: Expected,
}

type Script = fn(&mut Life<'_>);

/// The lives.
const LIVES: [(&str, u64, Script); 16] = [
    ("a first month", 1, |life| life.check_out()),
    ("a first month, told otherwise", 4, |life| life.check_out()),
    ("a trial that is paid", 2, |life| {
        life.start();
        life.renew();
    }),
    ("a card that fails and recovers", 3, |life| {
        life.start();
        life.fail_and_recover();
    }),
    ("three changes in one second", 5, |life| {
        life.start();
        life.change_plan();
        life.change_plan();
        life.pause();
        life.set_to_end();
    }),
    ("set to end, and ended", 6, |life| {
        life.start();
        life.set_to_end();
        life.end();
    }),
    ("a guest", 7, |life| {
        life.make_guest();
        life.buy_once();
    }),
    ("two purchases", 8, |life| {
        life.buy_once();
        life.pass();
        life.buy_once();
    }),
    ("refunds one by one", 9, |life| life.buy_and_refund(true)),
    ("refunds as a sum", 10, |life| life.buy_and_refund(false)),
    ("a dispute", 11, |life| life.buy_and_dispute()),
    ("the partner reported first", 12, |life| {
        life.report();
        life.check_out();
    }),
    ("the partner reported last", 13, |life| {
        life.say_who();
        life.start();
        life.report();
    }),
    ("an unclear event", 14, |life| {
        life.unclear();
        life.say_who();
        life.start();
    }),
    ("a poison event", 15, |life| {
        life.start();
        life.poison();
        life.pause();
        life.end();
    }),
    ("ended in the second it began", 16, |life| {
        life.start();
        life.change(|terms| terms.status = SubscriptionStatus::Active);
        life.end();
        life.ignored();
    }),
];

/// Lives on which a partner earns: each by the first seed from there on by which it does.
const EARNING: [(&str, u64, Script); 4] = [
    ("a sale that earns and goes back", 17, |life| {
        life.report_by("acme");
        life.show_up();
        life.buy_and_refund(true);
    }),
    ("two partners, and one takes back", 18, |life| {
        life.report_by("acme");
        life.report_by("zest");
        life.show_up();
        life.buy_and_refund(false);
        life.take_back_by("acme");
    }),
    ("a code that was given first", 19, |life| {
        life.grant();
        life.show_up();
        life.buy_and_dispute();
    }),
    ("a partner who buys", 20, |life| {
        life.report_by("peel");
        life.show_up();
        life.show_card();
        life.buy_and_refund(false);
        life.review();
    }),
];

/// All canonical lives: ours, and of what each provider tells some events from its first to its
/// last.
pub(super) fn lives() -> Vec<Canon> {
    let life = |name: &'static str, seed: u64, script: Script| {
        let mut story = Story::default();
        let mut rng = Rng::fork(seed, 9);
        script(&mut Life::new(&mut story, &mut rng, 0));
        story.told.truncate(MOST);
        Canon::new(name, &story)
    };
    let ours = LIVES.iter();
    let ours = ours.map(|(name, seed, script)| life(name, *seed, *script));
    let earning = EARNING.iter().map(|(name, seed, script)| {
        let mut lives = (*seed..seed + 1_000).map(|seed| life(name, seed, *script));
        let earns = lives.find(|life| life.partners.earns());
        earns.expect("one in a thousand earns")
    });
    let told = TELLINGS.iter().map(|telling| {
        let last = telling.told.len() - 1;
        let spread = (0..TOLD).map(|place| Told {
            truth: place as u32,
            ..telling.told[place * last / (TOLD - 1)].clone()
        });
        let story = Story {
            told: spread.collect(),
            ..Story::default()
        };
        Canon::new(telling.account.provider, &story)
    });
    ours.chain(earning).chain(told).collect()
}

impl Canon {
    fn new(name: &'static str, story: &Story) -> Self {
        let last = story.told.iter().map(|told| told.readings[0].occurred_at);
        let last = last.max().map_or(0, |last| last.as_second());
        let now = at(last + 60);
        let entry =
            |told: &Told| told.entry(NORMALIZER, now, Arc::from(format!("once {}", told.id())));
        let entries = story.told.iter().map(entry).collect();
        let mut canon = Self {
            name,
            entries,
            now,
            records: BTreeMap::new(),
            aliases: BTreeSet::new(),
            parked: BTreeSet::new(),
            letters: BTreeSet::new(),
            partners: Expected::default(),
        };
        let known = |told| Known {
            told,
            reading: &told.readings[0],
        };
        let known: Vec<Known<'_>> = story.told.iter().map(known).collect();
        let routes = oracle::routes(&known);
        for (customer, known) in &routes.journals {
            let state = oracle::state(known);
            let digests = known.iter().map(|k| k.told.digest(NORMALIZER));
            let digest = digests.fold(Digest::default(), Digest::plus);
            canon
                .letters
                .extend(due::due(customer, &state, now, SignedDuration::ZERO));
            canon.partners.of(customer, known);
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
    pub(super) fn earns(&self) -> bool {
        self.partners.earns()
    }

    /// Whether this table is what must come of the life.
    pub(super) fn holds(&self, twin: &Twin) -> Result<(), String> {
        let mut aliases = BTreeSet::new();
        let mut parked = BTreeSet::new();
        let mut records = 0;
        for item in twin.items() {
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
                    parked.insert((name.clone(), entry.reading.id.as_str().to_owned()));
                }
                _ => {}
            }
        }
        if records != self.records.len() || aliases != self.aliases || parked != self.parked {
            return Err(format!(
                "{records} records, aliases {aliases:?}, parked {parked:?}"
            ));
        }
        self.partners.holds(twin)?;
        match self.letters.iter().find(|key| twin.look(key).is_none()) {
            Some(letter) => Err(format!("{letter} is due and nobody wrote it")),
            None => Ok(()),
        }
    }
}
