//! Every door there is, who may knock there, and what it makes of it.

use crate::address;
use crate::genuine::{self, Genuine};
use crate::shape::{ASKED, BRANDED, BY_MAC, BY_PUBLIC_KEY, BY_TOKEN, Proof, Shape, shape};
use domain::ids::Mode;
use domain::record::Entry;
use jiff::Timestamp;
use providers::partner::NotReceived;
use providers::{
    Answer, Arrival, Call, Endpoint, Fetched, Headers, Outcome, PROVIDERS, PersonKey, Provider,
    Received, Refused, Request, Secret, Secrets, Step, partner, read_again,
};
use std::sync::Arc;

/// One door of the test mode.
pub struct Door {
    /// Its name, in reports.
    pub name: String,
    pub(crate) whose: Whose,
    pub(crate) shape: Shape,
    /// What each tenant's door believes: the first is ours.
    pub(crate) tenants: Vec<Tenant>,
    /// Two tenants' at once, as while a secret rolls: the first is ours.
    pub(crate) rolling: Secrets,
    /// What was really sent to ours.
    pub(crate) genuine: Vec<Genuine>,
    pub(crate) person: PersonKey,
    /// An API that is not there.
    pub(crate) silent: Fetched,
}

/// Whose door it is.
#[derive(Clone, Copy)]
pub(crate) enum Whose {
    Provider(&'static Provider),
    /// Its reports.
    Partner,
    /// Its questions.
    Question,
    /// Its reports in a query.
    Postback,
}

/// One tenant of a door.
pub(crate) struct Tenant {
    /// The secret, as its text says it.
    pub(crate) text: String,
    /// The key of its MACs, or its public key.
    pub(crate) key: Vec<u8>,
    /// What is in force.
    pub(crate) secrets: Secrets,
}

/// What comes to a door.
pub(crate) struct Knock<'a> {
    pub(crate) headers: &'a Headers,
    pub(crate) body: &'a [u8],
    pub(crate) mode: Mode,
    pub(crate) secrets: &'a Secrets,
    pub(crate) now: i64,
}

/// What a door says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nobody vouches for it.
    Refused(Refused),
    /// It is believed, and this is what it says.
    Told(Vec<Received>),
    /// It is believed, and can't be read.
    Unreadable,
}

/// Every door: that of each provider, of each way to sign that one of them takes, and the
/// partners'.
pub fn doors() -> Vec<Door> {
    let mut doors = Vec::new();
    for provider in PROVIDERS.iter().copied() {
        let whose = Whose::Provider(provider);
        let shape = shape(provider.name());
        doors.push(genuine::door(provider.name(), whose, shape));
        if provider.name() == "standard" {
            doors.push(genuine::door("standard, branded", whose, BRANDED));
            doors.push(genuine::door(
                "standard, by public key",
                whose,
                BY_PUBLIC_KEY,
            ));
        }
        let asked = genuine::door(&format!("{}, asked", provider.name()), whose, ASKED);
        if !asked.genuine.is_empty() {
            doors.push(asked);
        }
    }
    let partners = [
        ("partner", Whose::Partner, shape("partner")),
        ("partner, by public key", Whose::Partner, BY_PUBLIC_KEY),
        ("partner, asking", Whose::Question, shape("partner")),
        ("partner, postback by token", Whose::Postback, BY_TOKEN),
        ("partner, postback by MAC", Whose::Postback, BY_MAC),
    ];
    doors.extend(partners.map(|(name, whose, shape)| genuine::door(name, whose, shape)));
    doors
}

impl Door {
    /// What the door says, where its provider's API answers what is in `known`; whatever else is
    /// asked, `answer` says.
    pub(crate) fn hear(
        &self,
        knock: &Knock<'_>,
        known: &Fetched,
        mut answer: impl FnMut(&Call) -> Option<Answer>,
    ) -> Heard {
        let mut more = None;
        for _ in 0..ROUNDS {
            let fetched = more.as_ref().unwrap_or(known);
            match self.step(knock, fetched) {
                Ok(Step::Done(heard)) => return heard,
                Ok(Step::Ask(questions)) => {
                    let fetched = more.get_or_insert_with(|| known.clone());
                    for call in questions.calls() {
                        fetched.insert(call.clone(), answer(call));
                    }
                }
                Err(refused) => return Heard::Refused(refused),
            }
        }
        panic!("{} asks for ever", self.name)
    }

    fn step(&self, knock: &Knock<'_>, fetched: &Fetched) -> Result<Step<Heard>, Refused> {
        let request = Request {
            method: "POST",
            path: "/",
            url: None,
            query: "",
            headers: knock.headers,
            body: knock.body,
        };
        let now = at(knock.now);
        match self.whose {
            Whose::Provider(provider) => {
                let arrival = Arrival {
                    request,
                    endpoint: Endpoint::new(knock.mode),
                    secrets: knock.secrets,
                    fetched,
                    now,
                };
                let step = providers::receive(provider, &arrival, &self.person)?;
                Ok(step.map(Heard::Told))
            }
            Whose::Partner => {
                let name = address::ours();
                match partner::receive(&name, &request, knock.secrets, &self.person, now) {
                    Ok(reported) => Ok(Step::Done(Heard::Told(vec![reported.received]))),
                    Err(NotReceived::Refused(refused)) => Err(refused),
                    Err(NotReceived::Unreadable(_)) => Ok(Step::Done(Heard::Unreadable)),
                }
            }
            Whose::Question => {
                address::hear_question(&request, knock.secrets, knock.now).map(Step::Done)
            }
            Whose::Postback => address::hear_postback(self, knock).map(Step::Done),
        }
    }

    /// The bodies of what was really sent here.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        let bodies = self.genuine.iter().map(|genuine| genuine.body.clone());
        bodies.collect()
    }

    /// How many genuine deliveries are known here.
    pub fn deliveries(&self) -> usize {
        self.genuine.len()
    }

    /// Hears each of them; how many events they tell.
    ///
    /// # Panics
    /// Where one is not believed.
    pub fn hear_all(&self) -> usize {
        self.genuine
            .iter()
            .map(|genuine| genuine.hear(self).len())
            .sum()
    }

    /// What the journal keeps of them; nothing of partners' reports, which are not read again.
    pub fn entries(&self) -> Vec<Entry> {
        let Whose::Provider(provider) = self.whose else {
            return Vec::new();
        };
        let told = self.genuine.iter().flat_map(|genuine| &genuine.told);
        let entry = |received: &Received| match &received.outcome {
            Outcome::Reading(reading) => {
                let (reading, raw) = (reading.clone(), Arc::clone(&received.raw));
                let version = provider.normalizer();
                Some(Entry::new(reading, raw, version, at(T), "receipt".into()))
            }
            Outcome::Ignored { .. } | Outcome::WrongMode { .. } => None,
        };
        told.filter_map(entry).collect()
    }

    /// Reads one of these once more, without asking anybody.
    ///
    /// # Panics
    /// At a partner's door.
    pub fn read_again(&self, entry: &Entry) -> Received {
        let Whose::Provider(provider) = self.whose else {
            panic!("partners' reports are not read again");
        };
        match read_again(provider, Mode::Test, entry, &self.silent, &self.person) {
            Step::Done(received) => received,
            Step::Ask(questions) => panic!("{} asks for ever: {questions:?}", self.name),
        }
    }

    /// Ours.
    pub(crate) fn own(&self) -> &Tenant {
        &self.tenants[0]
    }

    /// Whether it hears postbacks.
    pub(crate) fn is_postback(&self) -> bool {
        self.shape.proof == Proof::Query
    }

    /// Whether the API alone can vouch for what comes.
    pub(crate) fn is_asked(&self) -> bool {
        self.shape.proof == Proof::Asked
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("is a time")
}

/// The key behind the references to persons.
pub(crate) fn person() -> PersonKey {
    let master = Secret::new("the-master-secret-of-the-tests").expect("is strong");
    PersonKey::derive(&master).expect("follows")
}

/// When everything genuine was signed: the start of 2026.
pub(crate) const T: i64 = 1_767_225_600;
/// More than anybody needs to understand one delivery.
const ROUNDS: usize = 8;
