//! What an endpoint under test is, and what comes to it.

use crate::delivery_format::DeliveryFormat;
use domain::ids::Mode;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use providers::{
    ApiResponses, Headers, PersonKey, Provider, ReceivedItem, Secret, Secrets, VerificationError,
};
use sha2::Sha256;

/// One endpoint of the test mode.
pub struct TestEndpoint {
    /// Its name, in reports.
    pub name: String,
    pub(crate) owner: EndpointOwner,
    pub(crate) delivery_format: DeliveryFormat,
    /// What each tenant's endpoint believes: the first is ours.
    pub(crate) tenants: Vec<Tenant>,
    /// Two tenants' at once, as while a secret rolls: the first is ours.
    pub(crate) rolling: Secrets,
    /// What was really sent to ours.
    pub(crate) genuine: Vec<GenuineDelivery>,
    pub(crate) person: PersonKey,
    /// An API that is not there.
    pub(crate) silent: ApiResponses,
}

/// Whose endpoint it is.
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

/// One tenant of an endpoint.
pub(crate) struct Tenant {
    /// The secret, as its text says it.
    pub(crate) text: String,
    /// The key of its MACs, or its public key.
    pub(crate) key: Vec<u8>,
    /// What is in force.
    pub(crate) secrets: Secrets,
}

/// What comes to an endpoint.
pub(crate) struct EndpointRequest<'a> {
    pub(crate) headers: &'a Headers,
    pub(crate) body: &'a [u8],
    pub(crate) mode: Mode,
    pub(crate) secrets: &'a Secrets,
    pub(crate) now: i64,
}

/// What an endpoint says to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndpointVerdict {
    /// Nobody vouches for it.
    Refused(VerificationError),
    /// It is believed, and this is what it says.
    Accepted(Vec<ReceivedItem>),
    /// It is believed, and can't be read.
    Unreadable,
}

/// One delivery, as its sender made it.
pub(crate) struct GenuineDelivery {
    pub(crate) headers: HeaderList,
    pub(crate) body: Vec<u8>,
    /// The same for the next tenant's endpoint.
    pub(crate) other_tenant_headers: HeaderList,
    /// What its sender's API says behind it.
    pub(crate) answers: ApiResponses,
    /// The same without what it was asked for.
    pub(crate) documents: Vec<&'static str>,
    /// What it tells.
    pub(crate) received: Vec<ReceivedItem>,
}

/// Names and values, in the order they are sent.
pub(crate) type HeaderList = Vec<(String, String)>;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("is a time")
}

/// The key behind the references to persons.
pub(crate) fn person() -> PersonKey {
    let master = Secret::new("the-master-secret-of-the-tests").expect("is strong");
    PersonKey::derive(&master).expect("follows")
}

/// HMAC-SHA256, done apart from the endpoints.
pub(crate) fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("takes any key");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// When everything genuine was signed: the start of 2026.
pub(crate) const T: i64 = 1_767_225_600;
