//! Every door there is, who may knock there, and what it makes of it.

use crate::address;
use crate::delivery_format::{
    API_CONFIRMED, BRANDED, BY_MAC, BY_PUBLIC_KEY, BY_TOKEN, DeliveryFormat, ProofKind,
    delivery_format,
};
use crate::genuine::{self, GenuineDelivery};
use domain::ids::Mode;
use domain::record::Entry;
use jiff::Timestamp;
use providers::partner::ReportError;
use providers::{
    ApiCall, ApiResponse, ApiResponses, EndpointConfig, FetchStep, Headers, InboundRequest,
    ItemOutcome, PROVIDERS, PersonKey, Provider, ReceivedItem, Request, Secret, Secrets,
    VerificationError, partner, read_again,
};
use std::sync::Arc;

/// One door of the test mode.
pub struct TestEndpoint {
    /// Its name, in reports.
    pub name: String,
    pub(crate) owner: EndpointOwner,
    pub(crate) delivery_format: DeliveryFormat,
    /// What each tenant's door believes: the first is ours.
    pub(crate) tenants: Vec<Tenant>,
    /// Two tenants' at once, as while a secret rolls: the first is ours.
    pub(crate) rolling: Secrets,
    /// What was really sent to ours.
    pub(crate) genuine: Vec<GenuineDelivery>,
    pub(crate) person: PersonKey,
    /// An API that is not there.
    pub(crate) silent: ApiResponses,
}

/// Whose door it is.
#[derive(Clone, Copy)]
pub(crate) enum EndpointOwner {
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
pub(crate) struct EndpointRequest<'a> {
    pub(crate) headers: &'a Headers,
    pub(crate) body: &'a [u8],
    pub(crate) mode: Mode,
    pub(crate) secrets: &'a Secrets,
    pub(crate) now: i64,
}

/// What a door says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndpointVerdict {
    /// Nobody vouches for it.
    Refused(VerificationError),
    /// It is believed, and this is what it says.
    Accepted(Vec<ReceivedItem>),
    /// It is believed, and can't be read.
    Unreadable,
}

/// Every door: that of each provider, of each way to sign that one of them takes, and the
/// partners'.
pub fn endpoints() -> Vec<TestEndpoint> {
    let mut doors = Vec::new();
    for provider in PROVIDERS.iter().copied() {
        let whose = EndpointOwner::Provider(provider);
        let shape = delivery_format(provider.name());
        doors.push(genuine::endpoint(provider.name(), whose, shape));
        if provider.name() == "standard" {
            doors.push(genuine::endpoint("standard, branded", whose, BRANDED));
            doors.push(genuine::endpoint(
                "standard, by public key",
                whose,
                BY_PUBLIC_KEY,
            ));
        }
        let asked = genuine::endpoint(&format!("{}, asked", provider.name()), whose, API_CONFIRMED);
        if !asked.genuine.is_empty() {
            doors.push(asked);
        }
    }
    let partners = [
        (
            "partner",
            EndpointOwner::Partner,
            delivery_format("partner"),
        ),
        (
            "partner, by public key",
            EndpointOwner::Partner,
            BY_PUBLIC_KEY,
        ),
        (
            "partner, asking",
            EndpointOwner::Question,
            delivery_format("partner"),
        ),
        (
            "partner, postback by token",
            EndpointOwner::Postback,
            BY_TOKEN,
        ),
        ("partner, postback by MAC", EndpointOwner::Postback, BY_MAC),
    ];
    doors.extend(partners.map(|(name, whose, shape)| genuine::endpoint(name, whose, shape)));
    doors
}

impl TestEndpoint {
    /// What the door says, where its provider's API answers what is in `known`; whatever else is
    /// asked, `answer` says.
    pub(crate) fn receive(
        &self,
        knock: &EndpointRequest<'_>,
        known: &ApiResponses,
        mut answer: impl FnMut(&ApiCall) -> Option<ApiResponse>,
    ) -> EndpointVerdict {
        let mut more = None;
        for _ in 0..ROUNDS {
            let fetched = more.as_ref().unwrap_or(known);
            match self.step(knock, fetched) {
                Ok(FetchStep::Done(heard)) => return heard,
                Ok(FetchStep::Fetch(questions)) => {
                    let fetched = more.get_or_insert_with(|| known.clone());
                    for call in questions.calls() {
                        fetched.insert(call.clone(), answer(call));
                    }
                }
                Err(refused) => return EndpointVerdict::Refused(refused),
            }
        }
        panic!("{} asks for ever", self.name)
    }

    fn step(
        &self,
        knock: &EndpointRequest<'_>,
        fetched: &ApiResponses,
    ) -> Result<FetchStep<EndpointVerdict>, VerificationError> {
        let request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: knock.headers,
            body: knock.body,
        };
        let now = at(knock.now);
        match self.owner {
            EndpointOwner::Provider(provider) => {
                let arrival = InboundRequest {
                    request,
                    endpoint: EndpointConfig::new(knock.mode),
                    secrets: knock.secrets,
                    fetched,
                    now,
                };
                let step = providers::receive(provider, &arrival, &self.person)?;
                Ok(step.map(EndpointVerdict::Accepted))
            }
            EndpointOwner::Partner => {
                let name = address::own_partner();
                match partner::receive(&name, &request, knock.secrets, &self.person, now) {
                    Ok(reported) => Ok(FetchStep::Done(EndpointVerdict::Accepted(vec![
                        reported.received,
                    ]))),
                    Err(ReportError::Refused(refused)) => Err(refused),
                    Err(ReportError::Unreadable(_)) => {
                        Ok(FetchStep::Done(EndpointVerdict::Unreadable))
                    }
                }
            }
            EndpointOwner::Question => {
                address::receive_question(&request, knock.secrets, knock.now).map(FetchStep::Done)
            }
            EndpointOwner::Postback => address::receive_postback(self, knock).map(FetchStep::Done),
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
    pub fn receive_all(&self) -> usize {
        self.genuine
            .iter()
            .map(|genuine| genuine.receive(self).len())
            .sum()
    }

    /// What the journal keeps of them; nothing of partners' reports, which are not read again.
    pub fn entries(&self) -> Vec<Entry> {
        let EndpointOwner::Provider(provider) = self.owner else {
            return Vec::new();
        };
        let told = self.genuine.iter().flat_map(|genuine| &genuine.received);
        let entry = |received: &ReceivedItem| match &received.outcome {
            ItemOutcome::Event(reading) => {
                let (reading, raw) = (reading.clone(), Arc::clone(&received.raw));
                let version = provider.normalizer();
                Some(Entry::new(reading, raw, version, at(T), "receipt".into()))
            }
            ItemOutcome::Ignored { .. } | ItemOutcome::WrongMode { .. } => None,
        };
        told.filter_map(entry).collect()
    }

    /// Reads one of these once more, without asking anybody.
    ///
    /// # Panics
    /// At a partner's door.
    pub fn read_again(&self, entry: &Entry) -> ReceivedItem {
        let EndpointOwner::Provider(provider) = self.owner else {
            panic!("partners' reports are not read again");
        };
        match read_again(provider, Mode::Test, entry, &self.silent, &self.person) {
            FetchStep::Done(received) => received,
            FetchStep::Fetch(questions) => panic!("{} asks for ever: {questions:?}", self.name),
        }
    }

    /// Ours.
    pub(crate) fn own_tenant(&self) -> &Tenant {
        &self.tenants[0]
    }

    /// Whether it hears postbacks.
    pub(crate) fn is_postback(&self) -> bool {
        self.delivery_format.proof == ProofKind::Query
    }

    /// Whether the API alone can vouch for what comes.
    pub(crate) fn is_api_confirmed(&self) -> bool {
        self.delivery_format.proof == ProofKind::ApiConfirmed
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
