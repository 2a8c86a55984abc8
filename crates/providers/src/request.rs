//! A request as it arrived: bytes, and headers that may repeat.

use crate::verification_error::VerificationError;

/// One HTTP request. Some senders sign more than the body: the method, the path and the query.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The path, as routed.
    pub path: &'a str,
    /// The query as sent, without its question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a Headers,
    /// The exact bytes that were sent.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// Refuses a body that is empty or larger than `limit` bytes, before any computation.
    pub(crate) fn check_body(&self, limit: usize) -> Result<(), VerificationError> {
        match self.body.len() {
            0 => Err(VerificationError::BodyEmpty),
            bytes if bytes > limit => Err(VerificationError::BodyTooLarge { bytes, limit }),
            _ => Ok(()),
        }
    }
}

/// Headers by lower-case name, in their order, with repetitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub(crate) Vec<(String, String)>);

impl Headers {
    /// From the pairs in their order.
    ///
    /// # Errors
    /// [`VerificationError::HeadersTooLarge`] beyond 128 headers or 32 KiB of them.
    pub fn new<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, VerificationError>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut headers = Vec::new();
        let mut bytes: usize = 0;
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
            if headers.len() >= MAX_HEADERS || bytes > MAX_HEADER_BYTES {
                return Err(VerificationError::HeadersTooLarge);
            }
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        Ok(Self(headers))
    }

    /// Every value under that name, in any case of letters.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The only value under that name; equal values count as one.
    pub(crate) fn only<'a>(&'a self, name: &'static str) -> Result<&'a str, VerificationError> {
        let mut values = self.all(name);
        let first = values
            .next()
            .ok_or(VerificationError::HeaderMissing { header: name })?;
        if values.all(|value| value == first) {
            Ok(first)
        } else {
            Err(VerificationError::HeaderGarbled {
                header: name,
                what: "it is there several times with different values",
            })
        }
    }
}

const MAX_HEADERS: usize = 128;
const MAX_HEADER_BYTES: usize = 32 * 1024;
