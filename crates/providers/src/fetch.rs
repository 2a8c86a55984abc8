//! API calls as values, and the responses so far: what has to be fetched before a request can be
//! verified or an item normalized. Nothing here makes a call; the caller of `receive` does.

use serde_json::value::RawValue;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One call to a provider.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiCall {
    /// Its HTTP method.
    pub method: Method,
    /// Its address.
    pub target: CallTarget,
    /// The body: JSON, or empty.
    pub body: Arc<[u8]>,
}

/// The HTTP method of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Without a body.
    Get,
    /// With a body. Only for calls that change nothing.
    Post,
}

/// The address of a call. It is never a host that a request names freely.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallTarget {
    /// A path under the base of the provider's API, `/payments/PM1`, with its query,
    /// `?embed=refunds`.
    Api(Arc<str>),
    /// The URL of a certificate, on a host that the provider's module knows as the provider's.
    /// It is fetched without an API key.
    Certificate(Arc<str>),
}

impl ApiCall {
    /// A GET of this path, given as its segments. `None` where a segment has a character that
    /// could lead elsewhere: segments may come from a request.
    pub fn get(segments: &[&str]) -> Option<Self> {
        let is_valid = |segment: &&str| {
            (1..=MAX_SEGMENT).contains(&segment.len()) && segment.bytes().all(is_allowed)
        };
        let path: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
        segments.iter().all(is_valid).then(|| Self {
            method: Method::Get,
            target: CallTarget::Api(path.into()),
            body: Arc::default(),
        })
    }

    /// The same with a query. `None` where a value has a character that could change the query;
    /// commas may separate several values.
    pub fn with_query(self, query: &[(&str, &str)]) -> Option<Self> {
        let CallTarget::Api(path) = &self.target else {
            return None;
        };
        let listed = |byte: u8| is_allowed(byte) || byte == b',';
        let is_valid = |(_, value): &(&str, &str)| {
            (1..=MAX_SEGMENT).contains(&value.len()) && value.bytes().all(listed)
        };
        let pairs = query.iter().map(|(name, value)| format!("{name}={value}"));
        let pairs: Vec<String> = pairs.collect();
        query.iter().all(is_valid).then(|| Self {
            target: CallTarget::Api(format!("{path}?{}", pairs.join("&")).into()),
            ..self
        })
    }
}

impl Method {
    /// As it is written in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The body may contain personal data.
impl fmt::Debug for ApiCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.method.as_str(), self.target)
    }
}

/// A response of a provider's API.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The HTTP status. 429 and 5xx never occur here: they count as no response.
    pub status: u16,
    /// The body.
    pub body: Arc<[u8]>,
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiResponse({}, redacted)", self.status)
    }
}

/// The responses so far, by call.
#[derive(Clone, Debug, Default)]
pub struct ApiResponses {
    responses: BTreeMap<ApiCall, Option<ApiResponse>>,
    closed: bool,
}

impl ApiResponses {
    /// No responses, and no further calls: whatever needs a response does without.
    pub fn closed() -> Self {
        Self {
            closed: true,
            ..Self::default()
        }
    }

    /// Recorded responses and no others: JSON objects from paths to documents, of which later ones
    /// win; null is 404.
    ///
    /// # Errors
    /// When a text is not such an object.
    pub fn recorded<'a>(texts: impl IntoIterator<Item = &'a str>) -> serde_json::Result<Self> {
        let mut fetched = Self::closed();
        for text in texts {
            let documents: BTreeMap<Arc<str>, Box<RawValue>> = serde_json::from_str(text)?;
            for (path, document) in documents {
                let call = ApiCall {
                    method: Method::Get,
                    target: CallTarget::Api(path),
                    body: Arc::default(),
                };
                let status = if document.get() == "null" { 404 } else { 200 };
                let body = document.get().as_bytes().into();
                fetched.insert(call, Some(ApiResponse { status, body }));
            }
        }
        Ok(fetched)
    }

    /// Adds a response; `None` means that the API did not give one.
    pub fn insert(&mut self, call: ApiCall, answer: Option<ApiResponse>) {
        self.responses.insert(call, answer);
    }

    /// Closes it: no further calls are made, and what has no response by now does without.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The response to this call.
    ///
    /// # Errors
    /// [`MissingResponse`] when there is none, yet or at all.
    pub fn response(&self, call: &ApiCall) -> Result<&ApiResponse, MissingResponse> {
        match self.responses.get(call) {
            Some(Some(answer)) => Ok(answer),
            Some(None) => Err(MissingResponse::Unavailable),
            None if self.closed => Err(MissingResponse::Unavailable),
            None => Err(MissingResponse::NotFetched(PendingCalls {
                calls: vec![call.clone()],
                purpose: CallPurpose::Completion,
            })),
        }
    }

    /// These responses, and the other ones for calls that have none here.
    pub(crate) fn with_fallback(mut self, others: &Self) -> Self {
        for (call, answer) in &others.responses {
            let entry = self.responses.entry(call.clone());
            entry.or_insert_with(|| answer.clone());
        }
        self.closed = others.closed;
        self
    }
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissingResponse {
    /// The call was not made yet.
    NotFetched(PendingCalls),
    /// The call was made without a response, or no further call is made.
    Unavailable,
}

/// Calls that still have to be made. Only [`ApiResponses::response`] makes them, and no longer
/// once it is closed, so the loop ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCalls {
    calls: Vec<ApiCall>,
    purpose: CallPurpose,
}

/// What calls are made for. The order is that of caution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallPurpose {
    /// To complete an item whose sender is verified.
    Completion,
    /// To verify a request: until they are answered anybody may have sent it, so that strangers
    /// decide how many there are.
    Proof,
}

impl PendingCalls {
    /// The calls.
    pub fn calls(&self) -> &[ApiCall] {
        &self.calls
    }

    /// What they are made for.
    pub fn purpose(&self) -> CallPurpose {
        self.purpose
    }

    /// The same, made to verify a request.
    pub(crate) fn for_proof(self) -> Self {
        Self {
            purpose: CallPurpose::Proof,
            ..self
        }
    }

    /// Both sets of calls, each once.
    pub fn merge(mut self, others: Self) -> Self {
        self.calls.extend(others.calls);
        self.calls.sort();
        self.calls.dedup();
        self.purpose = self.purpose.max(others.purpose);
        self
    }
}

/// A result, or the calls that have to be made before there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchStep<T> {
    /// The result.
    Done(T),
    /// Make these calls, then try again.
    Fetch(PendingCalls),
}

impl<T> FetchStep<T> {
    /// All results where each is there, else every call that any of them needs.
    pub fn all(steps: impl IntoIterator<Item = Self>) -> FetchStep<Vec<T>> {
        let mut done = Vec::new();
        let mut unasked: Option<PendingCalls> = None;
        for step in steps {
            match step {
                Self::Done(one) => done.push(one),
                Self::Fetch(more) => {
                    unasked = Some(match unasked {
                        Some(others) => others.merge(more),
                        None => more,
                    });
                }
            }
        }
        unasked.map_or(FetchStep::Done(done), FetchStep::Fetch)
    }

    /// Maps the result.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> FetchStep<U> {
        match self {
            Self::Done(done) => FetchStep::Done(change(done)),
            Self::Fetch(questions) => FetchStep::Fetch(questions),
        }
    }
}

/// The responses as one item uses them: it records which were used.
#[derive(Debug)]
pub(crate) struct ResponseTracker<'a> {
    fetched: &'a ApiResponses,
    used: RefCell<BTreeMap<ApiCall, &'a ApiResponse>>,
}

impl<'a> ResponseTracker<'a> {
    pub(crate) fn new(fetched: &'a ApiResponses) -> Self {
        Self {
            fetched,
            used: RefCell::default(),
        }
    }

    /// The response to this call.
    pub(crate) fn response(&self, call: ApiCall) -> Result<&'a ApiResponse, MissingResponse> {
        let answer = self.fetched.response(&call)?;
        self.used.borrow_mut().insert(call, answer);
        Ok(answer)
    }

    /// The responses that were used, in the order of the calls.
    pub(crate) fn into_used(self) -> BTreeMap<ApiCall, &'a ApiResponse> {
        self.used.into_inner()
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

const MAX_SEGMENT: usize = 128;
