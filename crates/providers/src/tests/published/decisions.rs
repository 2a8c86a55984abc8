//! Every published value of an enumeration that we read is decided: acted upon, ignored or
//! quarantined, as `published/<provider>.decisions.json` says.
//!
//! The real readers are asked, in samples of every type where the field's object stands: a value
//! that leaves something unclear is *quarantined*; one of which is said what is said of a word that
//! nobody knows is *ignored*; any other is *acted upon*. A field of which no value makes a
//! difference is not read. What does not fit a type of event is quarantined there, and acted upon
//! where it fits: the snapshots beside the tables show each.

use super::deliveries::{Delivery, Said, samples};
use super::schema::{self, Published};
use super::sites::{Site, sites};
use crate::Provider;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

/// What is decided of one field.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
struct FieldDecisions {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    acted_upon: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    ignored: BTreeSet<String>,
    /// Each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    quarantined: BTreeMap<String, String>,
    /// What becomes of a word that nobody knows yet.
    any_other: Decision,
    /// Why such a word is not quarantined.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    #[default]
    Ignored,
    ActedUpon,
    Quarantined,
}

/// By field.
type Decided = BTreeMap<String, FieldDecisions>;

#[derive(Deserialize)]
struct Decisions {
    fields: Decided,
}

/// What the readers make of the values of the decided fields, and which others they read.
#[derive(Default)]
struct Measured {
    fields: BTreeMap<String, MeasuredField>,
    read_beside: BTreeSet<String>,
}

/// What the readers make of the values of one field.
#[derive(Default)]
struct MeasuredField {
    decisions: BTreeMap<String, Decision>,
    any_other: Decision,
    /// What is said in each, by value.
    summaries: BTreeMap<String, BTreeSet<String>>,
    is_read: bool,
}

#[test]
fn every_published_value_that_is_read_is_decided_and_the_readers_do_as_decided() {
    let (mut faults, mut all) = (String::new(), Vec::new());
    for (provider, published) in schema::all() {
        let decided = decisions(provider);
        let measured = measure(provider, &published, &decided);
        for field in &measured.read_beside {
            let place = format!("{}: `{field}`", provider.name());
            let what = "is an enumeration that we read, and nothing is decided of it";
            writeln!(faults, "{place} {what}").expect("is text");
        }
        for (field, decided) in &decided {
            match measured.fields.get(field).filter(|one| one.is_read) {
                Some(one) => compare(provider, field, decided, one, &mut faults),
                None => {
                    let place = format!("{}: `{field}`", provider.name());
                    let what = "is decided, and no longer read or published";
                    writeln!(faults, "{place} {what}").expect("is text");
                }
            }
        }
        all.push((provider, measured));
    }
    assert!(faults.is_empty(), "\n{faults}\nSee published/README.md.");
    for (provider, measured) in all {
        snapshot(provider, &measured);
    }
}

/// What follows from each value, where that differs, stands beside the table.
fn snapshot(provider: &Provider, measured: &Measured) {
    let mut table = String::new();
    for (field, one) in &measured.fields {
        let distinct: BTreeSet<_> = one.summaries.values().collect();
        if distinct.len() < 2 {
            continue;
        }
        writeln!(table, "{field}").expect("is text");
        for (value, said) in &one.summaries {
            let said: Vec<_> = said.iter().map(String::as_str).collect();
            writeln!(table, "  {value}: {}", said.join(" | ")).expect("is text");
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/published"));
    settings.remove_snapshot_suffix();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(provider.name(), table));
}

/// Compares what is decided of a field with what is published and done.
fn compare(
    provider: &Provider,
    field: &str,
    decided: &FieldDecisions,
    measured: &MeasuredField,
    faults: &mut String,
) {
    let place = format!("{}: `{field}`", provider.name());
    let mut fault = |what: String| writeln!(faults, "{place}: {what}").expect("is text");
    for (value, done) in &measured.decisions {
        let is = match () {
            () if decided.acted_upon.contains(value) => Decision::ActedUpon,
            () if decided.ignored.contains(value) => Decision::Ignored,
            () if decided.quarantined.contains_key(value) => Decision::Quarantined,
            () => {
                fault(format!(
                    "`{value}` is published and not decided; the reader: {done:?}"
                ));
                continue;
            }
        };
        if is != *done {
            fault(format!(
                "`{value}` is decided as {is:?}, and the reader: {done:?}"
            ));
        }
    }
    let all = decided.acted_upon.iter().chain(&decided.ignored);
    for value in all.chain(decided.quarantined.keys()) {
        if !measured.decisions.contains_key(value) {
            fault(format!("`{value}` is decided and not published"));
        }
    }
    for (value, why) in &decided.quarantined {
        if why.is_empty() {
            fault(format!("why is `{value}` quarantined?"));
        }
    }
    if decided.any_other != measured.any_other {
        fault(format!(
            "a word nobody knows: decided as {:?}, and the reader: {:?}",
            decided.any_other, measured.any_other
        ));
    }
    if decided.any_other != Decision::Quarantined && decided.why.is_empty() {
        fault("why is a word that nobody knows not quarantined?".to_owned());
    }
}

/// Asks the readers about every value of every published enumeration, wherever it stands.
fn measure(provider: &'static Provider, published: &Published, decided: &Decided) -> Measured {
    let mut measured = Measured::default();
    let mut asked: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut made = BTreeMap::new();
    let is_new = |made: &mut BTreeMap<String, usize>, site: &Site| {
        let often = made.entry(site.path()).or_default();
        *often += 1;
        *often <= MADE
    };
    for delivery in samples(provider) {
        if delivery.said().iter().any(Said::is_unclear) {
            continue;
        }
        let all = sites(&delivery, published).into_iter();
        let all = all.filter(|site| !site.told.values.is_empty() && !site.told.list);
        let (known, others): (Vec<_>, Vec<_>) = all
            .filter(|site| site.path() != DECIDED_AS_EVENTS)
            .filter(|site| site.stands_there() || is_new(&mut made, site))
            .partition(|site| decided.contains_key(&site.path()));
        for site in known {
            let values = site.told.values.len();
            let often = asked.entry((delivery.kind(), site.path())).or_default();
            *often += values;
            if *often <= OFTEN.max(values) {
                ask(
                    &delivery,
                    &site,
                    measured.fields.entry(site.path()).or_default(),
                );
            }
        }
        measured.read_beside.extend(read_among(&delivery, &others));
    }
    measured
}

/// Which of these fields make a difference. They are changed all at once, since none should.
fn read_among(delivery: &Delivery, sites: &[Site]) -> Vec<String> {
    let said_with = |sites: &[&Site], turn: usize| {
        let parts = sites.iter().fold(delivery.parts.clone(), |parts, site| {
            let value = site.told.values.get(turn).map_or(UNKNOWN, String::as_str);
            site.set(&parts, Some(Value::from(value)))
        });
        delivery.with(parts).said()
    };
    let (there, made): (Vec<_>, Vec<_>) = sites.iter().partition(|site| site.stands_there());
    let longest = there.iter().map(|site| site.told.values.len()).max();
    let turns = longest.map_or(0, |longest| longest.min(TURNS) + 1);
    let own = delivery.said();
    let mut read = Vec::new();
    if (0..turns).any(|turn| said_with(&there, turn) != own) {
        let is_read = |site: &&Site| {
            let mut turns = 0..turns;
            turns.any(|turn| said_with(&[site], turn) != own)
        };
        read.extend(there.into_iter().filter(is_read).map(Site::path));
    }
    // An object that has to be made for it may itself make a difference.
    for site in made {
        let unknown = said_with(&[site], usize::MAX);
        let mut turns = 0..site.told.values.len();
        if turns.any(|turn| said_with(&[site], turn) != unknown) {
            read.push(site.path());
        }
    }
    read
}

fn ask(delivery: &Delivery, site: &Site, field: &mut MeasuredField) {
    let said_with = |word: &str| {
        let parts = site.set(&delivery.parts, Some(Value::from(word)));
        delivery.with(parts).said()
    };
    let unknown = said_with(UNKNOWN);
    let own = site.get(&delivery.parts).map(|_| delivery.said());
    let mut is_read = own.is_some_and(|own| own != unknown);
    let without = delivery.with(site.set(&delivery.parts, None)).said();
    let unclear = |said: &[Said]| said.iter().any(Said::is_unclear);
    let other = if unclear(&unknown) {
        Decision::Quarantined
    } else if unknown != without {
        Decision::ActedUpon
    } else {
        Decision::Ignored
    };
    for value in &site.told.values {
        let said = said_with(value);
        let decision = if unclear(&said) {
            Decision::Quarantined
        } else if said == unknown {
            Decision::Ignored
        } else {
            Decision::ActedUpon
        };
        is_read |= said != unknown;
        let known = field.decisions.entry(value.clone()).or_default();
        *known = match (*known, decision) {
            (Decision::ActedUpon, _) | (_, Decision::ActedUpon) => Decision::ActedUpon,
            (one, other) => one.max(other),
        };
        let summaries = field.summaries.entry(value.clone()).or_default();
        summaries.extend(said.iter().map(Said::summary));
    }
    field.is_read |= is_read || other == Decision::Quarantined;
    field.any_other = field.any_other.max(other);
}

fn decisions(provider: &Provider) -> Decided {
    let path = schema::path(provider, "decisions.json");
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|_| panic!("{} is missing", path.display()));
    let decisions: Decisions = serde_json::from_str(&text).expect("is a table");
    decisions.fields
}

/// How many values of a field are tried in samples of one type: a few samples, one of long lists.
const OFTEN: usize = 16;
/// How many values of a field that should make no difference are tried.
const TURNS: usize = 12;
/// In how many samples an object is made for a field.
const MADE: usize = 3;
/// What it says is the type of the event.
const DECIDED_AS_EVENTS: &str = "event.resource_type";
/// No provider has this word.
const UNKNOWN: &str = "a_word_that_nobody_knows";
