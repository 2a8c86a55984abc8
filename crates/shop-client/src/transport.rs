//! How a question reaches the stage.

use crate::answer::FeatureAnswer;
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

/// Why there is no answer. It never holds the key or what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Nobody answered in time.
    #[error("no answer came ({0}); is the stage there, and its address right?")]
    NoAnswer(String),
    /// The stage could not answer at the moment.
    #[error("the stage could not answer at the moment ({status}); it is asked again later")]
    Unavailable {
        /// The status.
        status: u16,
    },
    /// The question was refused: the key, or what was asked, is to be mended.
    #[error("the question was refused ({status} {code}): {error}")]
    Refused {
        /// The status.
        status: u16,
        /// The word for programs, as `revoked_key`.
        code: String,
        /// The words for people.
        error: String,
    },
    /// What came is no answer of a stage.
    #[error("what answered is no stage of Orangery ({status}); is the address right?")]
    Unreadable {
        /// The status.
        status: u16,
    },
}

impl CheckError {
    /// Whether whoever asks has to mend it.
    pub(crate) fn is_ours(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::NoAnswer(_) | Self::Unavailable { .. } | Self::Unreadable { .. } => false,
        }
    }
}

/// A way of asking.
pub trait CheckTransport: Send + Sync {
    /// Sends the body of a question and gives the answer.
    ///
    /// # Errors
    /// [`CheckError`].
    fn ask(&self, body: &[u8]) -> Result<FeatureAnswer, CheckError>;
}

/// Over HTTP, with a key of the shop's.
pub struct HttpTransport {
    agent: ureq::Agent,
    url: String,
    authorization: String,
}

impl HttpTransport {
    /// To the stage at this address.
    pub fn new(url: &str, key: &str, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self {
            agent: config.into(),
            url: format!("{}/v1/check", url.trim_end_matches('/')),
            authorization: format!("Bearer {key}"),
        }
    }
}

impl CheckTransport for HttpTransport {
    fn ask(&self, body: &[u8]) -> Result<FeatureAnswer, CheckError> {
        let request = self
            .agent
            .post(&self.url)
            .header("authorization", &self.authorization)
            .header("content-type", "application/json");
        let no_answer = |error: ureq::Error| CheckError::NoAnswer(error.to_string());
        let mut response = request.send(body).map_err(no_answer)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_ANSWER);
        let body = body.read_to_vec().map_err(no_answer)?;
        read_answer(status, &body)
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpTransport(redacted)")
    }
}

#[derive(Deserialize)]
struct RefusalWords {
    code: String,
    error: String,
}

/// What a status and a body say.
pub(crate) fn read_answer(status: u16, body: &[u8]) -> Result<FeatureAnswer, CheckError> {
    let unreadable = |_| CheckError::Unreadable { status };
    match status {
        200 => serde_json::from_slice(body).map_err(unreadable),
        429 | 500.. => Err(CheckError::Unavailable { status }),
        _ => {
            let words: RefusalWords = serde_json::from_slice(body).map_err(unreadable)?;
            Err(CheckError::Refused {
                status,
                code: words.code,
                error: words.error,
            })
        }
    }
}

const MAX_ANSWER: u64 = 256 * 1024;
