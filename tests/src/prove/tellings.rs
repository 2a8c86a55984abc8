//! The lives that the providers tell in their own words, as their doors read them: with their
//! API answering at once, silent, and telling of a later moment than it is asked about.

use super::random::Rng;
use super::told::{Silent, Story, Told};
use crate::doors;
use domain::ids::{Account, Mode};
use domain::reading::Reading;
use jiff::Timestamp;
use providers::{Fetched, Outcome, PROVIDERS, Provider, Received, Refused};
use std::sync::{Arc, LazyLock};

/// Providers that tell a life.
pub(super) static TELLINGS: LazyLock<Vec<Telling>> = LazyLock::new(|| {
    let tells = |provider: &&&Provider| !provider.life().is_empty();
    let all = PROVIDERS.iter().filter(tells).copied();
    all.map(Telling::of).collect()
});

/// One provider's telling.
pub(super) struct Telling {
    /// Whose.
    pub(super) account: Account,
    /// The events, in the order in which they happened.
    pub(super) told: Vec<Told>,
}

/// Adds one telling or two to a world, each by a provider of its own.
pub(super) fn tell(story: &mut Story, rng: &mut Rng) {
    if !rng.one_in(6) {
        return;
    }
    let first = rng.index(TELLINGS.len());
    TELLINGS[first].add_to(story);
    if rng.one_in(4) {
        let second = (first + 1 + rng.index(TELLINGS.len() - 1)) % TELLINGS.len();
        TELLINGS[second].add_to(story);
    }
}

impl Telling {
    fn of(provider: &'static Provider) -> Self {
        let life = provider.life();
        let told = life.iter().enumerate().flat_map(|(place, (name, body))| {
            let at = |name: &str| read(provider, body, &answers(provider, name));
            let now = at(name).unwrap_or_else(|refused| panic!("{provider:?}, {name}: {refused}"));
            let silent = read(provider, body, &Fetched::closed());
            let later: Vec<_> = life[place + 1..].iter().map(|(name, _)| at(name)).collect();
            let items = now.iter().enumerate();
            let told = items.filter_map(|(item, received)| {
                let of = |all: &Vec<Received>| all.get(item).and_then(reading);
                let silent = silent.as_ref().map(of);
                let later = later.iter().flatten().filter_map(of);
                Some(told(reading(received)?, silent, later))
            });
            told.collect::<Vec<_>>()
        });
        Self {
            account: provider.account(Mode::Test),
            told: told.collect(),
        }
    }

    /// Tells it in a story, a request an event.
    pub(super) fn add_to(&self, story: &mut Story) {
        for told in &self.told {
            let place = story.told.len();
            story.requests.push(vec![place]);
            story.told.push(Told {
                truth: u32::try_from(place).expect("few events"),
                ..told.clone()
            });
        }
    }
}

/// One event, read while its API tells of that moment, is silent, or tells of later moments.
fn told(
    right: Reading,
    silent: Result<Option<Reading>, &Refused>,
    later: impl Iterator<Item = Reading>,
) -> Told {
    let silent = match silent {
        Err(_) => Silent::Refused,
        Ok(Some(silent)) if silent.is_waiting() => Silent::Waits(Box::new(silent)),
        Ok(_) => Silent::Unasked,
    };
    let mut readings = vec![right.clone(), right];
    for other in later {
        // What is told under another id is another event.
        let same = other.id == readings[0].id && !other.is_waiting();
        if same && !readings.contains(&other) {
            readings.push(other);
        }
    }
    Told {
        raw: Arc::from(readings[0].id.as_str().as_bytes()),
        readings,
        silent,
        truth: 0,
    }
}

fn answers(provider: &Provider, name: &str) -> Fetched {
    let name = format!("life/{name}");
    Fetched::recorded(provider.answers(&name)).expect("recorded answers are objects")
}

fn reading(received: &Received) -> Option<Reading> {
    match &received.outcome {
        Outcome::Reading(reading) => Some(reading.clone()),
        Outcome::Ignored { .. } | Outcome::WrongMode { .. } => None,
    }
}

/// What a body says at its provider's door while the API says this and no more.
fn read(
    provider: &'static Provider,
    body: &str,
    fetched: &Fetched,
) -> Result<Vec<Received>, Refused> {
    let secret = orangery::wiring::local_secret(provider.name());
    let secrets = provider
        .secrets([secret.as_str()])
        .expect("a secret of its kind");
    let secret = secrets.first().expect("one was given");
    doors::told(
        provider,
        secret,
        body.as_bytes(),
        fetched,
        Timestamp::UNIX_EPOCH,
    )
}
