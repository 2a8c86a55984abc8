//! A webhook endpoint, and a request that arrived at it.

use crate::fetch::ApiResponses;
use crate::request::Request;
use crate::secret::Secrets;
use domain::ids::Mode;
use jiff::Timestamp;

/// A request at a door, with what the door knows.
#[derive(Clone, Copy, Debug)]
pub struct InboundRequest<'a> {
    /// The request.
    pub request: Request<'a>,
    /// The door.
    pub endpoint: EndpointConfig,
    /// What may be believed.
    pub secrets: &'a Secrets,
    /// What the provider's API answered so far.
    pub fetched: &'a ApiResponses,
    /// Our time.
    pub now: Timestamp,
}

/// One door as it is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// Which money may come in.
    pub mode: Mode,
    /// How far the signed time may lie from ours, in seconds, both ways. Its type keeps it
    /// below a day: a clock check that can be configured away is none.
    pub tolerance_seconds: u16,
}

impl EndpointConfig {
    /// A door with the providers' own tolerance of five minutes.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            tolerance_seconds: TOLERANCE_SECONDS,
        }
    }

    /// The same with another tolerance, as a setting says it: whole seconds from 1 to 65535.
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
