//! One Lambda function as its caller sees it, so that the Runtime API, the local stack and the
//! tests call the same thing.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// One Lambda function as its caller sees it: bytes of an event in, bytes of an answer out.
pub trait Function: Send + Sync {
    /// Handles one invocation; `payload` and the answer are JSON, as Lambda carries them.
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a>;

    /// Opens what the first invocation will need, while Lambda starts the environment and time
    /// is not paid for by the caller. It may fail in silence: nothing rests on it.
    fn warm(&self) -> Warming<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// One call under way.
pub type Invocation<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send + 'a>>;

/// Connections being opened.
pub type Warming<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What Lambda reports when a function returns an error or panics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind of error, as Lambda's `errorType`.
    pub error_type: String,
    /// The cause for people, as Lambda's `errorMessage`; never personal data or a secret.
    pub message: String,
}

impl Failure {
    /// A failure of this kind with this cause.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)
    }
}

impl std::error::Error for Failure {}
