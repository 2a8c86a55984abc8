//! The scenarios of the providers in their own payloads, as their endpoints read them: with their
//! API answering at once, silent, and telling of a later moment than it is asked about.

use crate::endpoints;
use crate::proof::simulation::random::Rng;
use crate::proof::simulation::script::{Script, ScriptedEvent, SilentApiOutcome};
use domain::event::NormalizedEvent;
use domain::ids::{Mode, ProviderAccount};
use jiff::Timestamp;
use providers::{ApiResponses, ItemOutcome, PROVIDERS, Provider, ReceivedItem, VerificationError};
use std::sync::{Arc, LazyLock};

/// Providers that tell a scenario.
pub(crate) static PROVIDER_SCRIPTS: LazyLock<Vec<ProviderScript>> = LazyLock::new(|| {
    let tells = |provider: &&&Provider| !provider.scenario().is_empty();
    let all = PROVIDERS.iter().filter(tells).copied();
    all.map(ProviderScript::of).collect()
});

/// One provider's telling.
pub(crate) struct ProviderScript {
    /// Whose.
    pub(crate) account: ProviderAccount,
    /// The events, in the order in which they happened.
    pub(crate) events: Vec<ScriptedEvent>,
}

/// Adds one telling or two to a simulation, each by a provider of its own.
pub(crate) fn add_provider_scripts(script: &mut Script, rng: &mut Rng) {
    if !rng.one_in(6) {
        return;
    }
    let first = rng.index(PROVIDER_SCRIPTS.len());
    PROVIDER_SCRIPTS[first].add_to(script);
    if rng.one_in(4) {
        let second = (first + 1 + rng.index(PROVIDER_SCRIPTS.len() - 1)) % PROVIDER_SCRIPTS.len();
        PROVIDER_SCRIPTS[second].add_to(script);
    }
}

impl ProviderScript {
    fn of(provider: &'static Provider) -> Self {
        let scenario = provider.scenario();
        let scripted = scenario
            .iter()
            .enumerate()
            .flat_map(|(place, (name, body))| {
                let at = |name: &str| read(provider, body, &answers(provider, name));
                let now =
                    at(name).unwrap_or_else(|refused| panic!("{provider:?}, {name}: {refused}"));
                let silent = read(provider, body, &ApiResponses::closed());
                let later: Vec<_> = scenario[place + 1..]
                    .iter()
                    .map(|(name, _)| at(name))
                    .collect();
                let items = now.iter().enumerate();
                let scripted = items.filter_map(|(item, received)| {
                    let of = |all: &Vec<ReceivedItem>| all.get(item).and_then(normalized);
                    let silent = silent.as_ref().map(of);
                    let later = later.iter().flatten().filter_map(of);
                    Some(scripted_event(normalized(received)?, silent, later))
                });
                scripted.collect::<Vec<_>>()
            });
        Self {
            account: provider.account(Mode::Test),
            events: scripted.collect(),
        }
    }

    /// Tells it in a story, a request an event.
    pub(crate) fn add_to(&self, script: &mut Script) {
        for scripted in &self.events {
            let place = script.events.len();
            script.requests.push(vec![place]);
            script.events.push(ScriptedEvent {
                true_order: u32::try_from(place).expect("few events"),
                ..scripted.clone()
            });
        }
    }
}

/// One event, read while its API tells of that moment, is silent, or tells of later moments.
fn scripted_event(
    right: NormalizedEvent,
    silent: Result<Option<NormalizedEvent>, &VerificationError>,
    later: impl Iterator<Item = NormalizedEvent>,
) -> ScriptedEvent {
    let silent = match silent {
        Err(_) => SilentApiOutcome::Refused,
        Ok(Some(silent)) if silent.is_waiting() => SilentApiOutcome::Waits(Box::new(silent)),
        Ok(_) => SilentApiOutcome::Unasked,
    };
    let mut readings = vec![right.clone(), right];
    for other in later {
        // What is told under another id is another event.
        let same = other.id == readings[0].id && !other.is_waiting();
        if same && !readings.contains(&other) {
            readings.push(other);
        }
    }
    ScriptedEvent {
        raw: Arc::from(readings[0].id.as_str().as_bytes()),
        normalized: readings,
        when_api_silent: silent,
        true_order: 0,
    }
}

fn answers(provider: &Provider, name: &str) -> ApiResponses {
    let name = format!("scenario/{name}");
    ApiResponses::recorded(provider.recorded_responses(&name))
        .expect("recorded answers are objects")
}

fn normalized(received: &ReceivedItem) -> Option<NormalizedEvent> {
    match &received.outcome {
        ItemOutcome::Event(reading) => Some(reading.clone()),
        ItemOutcome::Ignored { .. }
        | ItemOutcome::WrongMode { .. }
        | ItemOutcome::OtherAccount { .. } => None,
    }
}

/// What a body says at its provider's endpoint while the API says this and no more.
fn read(
    provider: &'static Provider,
    body: &str,
    fetched: &ApiResponses,
) -> Result<Vec<ReceivedItem>, VerificationError> {
    let secret = orangery::wiring::local_secret(provider.name());
    let secrets = provider
        .secrets([secret.as_str()])
        .expect("a secret of its kind");
    let secret = secrets.first().expect("one was given");
    endpoints::receive_signed(
        provider,
        secret,
        body.as_bytes(),
        fetched,
        Timestamp::UNIX_EPOCH,
    )
}
