//! A webhook endpoint, and a request that arrived at it.

use crate::fetch::ApiResponses;
use crate::request::Request;
use crate::secret::Secrets;
use domain::ids::Mode;
use jiff::Timestamp;

/// A request at a webhook endpoint, with all that is needed to verify it.
#[derive(Clone, Copy, Debug)]
pub struct InboundRequest<'a> {
    /// The request.
    pub request: Request<'a>,
    /// The endpoint at which it arrived.
    pub endpoint: EndpointConfig,
    /// The secrets in force.
    pub secrets: &'a Secrets,
    /// The provider's API responses so far.
    pub fetched: &'a ApiResponses,
    /// The current time.
    pub now: Timestamp,
}

/// The configuration of one webhook endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// Whether it takes live or test money.
    pub mode: Mode,
    /// Whether events of accounts that are connected to ours are ours too, as for a platform whose
    /// customers are its accounts' customers.
    pub connected_accounts: bool,
    /// How far the signed time may be from the current time, in seconds, in both directions. Its
    /// type keeps it below a day, so that no setting can switch the check off.
    pub tolerance_seconds: u16,
}

impl EndpointConfig {
    /// An endpoint with the tolerance that providers advise, five minutes.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            connected_accounts: false,
            tolerance_seconds: TOLERANCE_SECONDS,
        }
    }

    /// The same, and events of connected accounts are ours too.
    pub fn with_connected_accounts(self) -> Self {
        Self {
            connected_accounts: true,
            ..self
        }
    }

    /// The same with another tolerance, from the text of a setting: whole seconds from 1 to 65535.
    pub fn with_tolerance(self, seconds: &str) -> Option<Self> {
        match seconds.parse() {
            Ok(tolerance_seconds @ 1..) => Some(Self {
                tolerance_seconds,
                ..self
            }),
            Ok(_) | Err(_) => None,
        }
    }
}

const TOLERANCE_SECONDS: u16 = 300;
