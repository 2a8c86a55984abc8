//! What we say to it.

use crate::draft::Draft;
use domain::ids::Mode;
use jiff::Timestamp;
use providers::{
    ApiResponses, EndpointConfig, Headers, InboundRequest, PersonKey, Request, Secret,
    VerificationError,
};

/// `accepted`, or the reason of the refusal.
pub(crate) fn ours(draft: &Draft) -> &'static str {
    match receive(draft) {
        Ok(()) => "accepted",
        Err(refused) => refused.reason(),
    }
}

fn receive(draft: &Draft) -> Result<(), VerificationError> {
    let provider = providers::provider(draft.scheme.provider).expect("is known");
    let headers = Headers::new(draft.headers.iter().map(|(name, value)| (name, value)))?;
    let secrets = provider.secrets(draft.secrets.iter().map(String::as_str))?;
    let tolerance = draft.scheme.tolerance.to_string();
    let endpoint = EndpointConfig::new(Mode::Test).with_tolerance(&tolerance);
    let master = Secret::new("the-master-secret-of-the-tests").expect("is strong");
    let inbound = InboundRequest {
        request: Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: &draft.body,
        },
        endpoint: endpoint.expect("is a number"),
        secrets: &secrets,
        fetched: &ApiResponses::closed(),
        now: Timestamp::from_millisecond(draft.now_milliseconds).expect("is a time"),
    };
    let person = PersonKey::derive(&master).expect("follows");
    providers::receive(provider, &inbound, &person).map(|_| ())
}
