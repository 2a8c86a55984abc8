//! What an endpoint makes of a request.

use crate::address;
use crate::delivery_format::ProofKind;
use crate::types::{EndpointOwner, EndpointRequest, EndpointVerdict, T, Tenant, TestEndpoint, at};
use domain::ids::Mode;
use domain::record::Entry;
use providers::partner::ReportError;
use providers::{
    ApiCall, ApiResponse, ApiResponses, EndpointConfig, FetchStep, InboundRequest, ItemOutcome,
    ReceivedItem, Request, VerificationError, partner, read_again,
};
use std::sync::Arc;

impl TestEndpoint {
    /// What the endpoint says, where its provider's API answers what is in `known`; whatever else
    /// is asked, `answer` says.
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
                        address::received(reported),
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
        let items = self.genuine.iter().flat_map(|genuine| &genuine.received);
        let entry = |received: &ReceivedItem| match &received.outcome {
            ItemOutcome::Event(reading) => {
                let (reading, raw) = (reading.clone(), Arc::clone(&received.raw));
                let version = provider.normalizer();
                Some(Entry::new(reading, raw, version, at(T), "receipt".into()))
            }
            ItemOutcome::Ignored { .. }
            | ItemOutcome::WrongMode { .. }
            | ItemOutcome::OtherAccount { .. } => None,
        };
        items.filter_map(entry).collect()
    }

    /// Reads one of these once more, without asking anybody.
    ///
    /// # Panics
    /// At a partner's endpoint.
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

/// More than anybody needs to understand one delivery.
const ROUNDS: usize = 8;
