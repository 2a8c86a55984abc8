//! What has to be asked before something can be believed or understood: calls as values, and
//! what was answered so far. Nothing here speaks to anybody; whoever drives the door does.

use serde_json::value::RawValue;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One question to a provider.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiCall {
    /// How it is asked.
    pub method: Method,
    /// Where.
    pub target: CallTarget,
    /// What is sent along: JSON, or nothing.
    pub body: Arc<[u8]>,
}

/// How a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Nothing but the address says what is asked for.
    Get,
    /// The body does. Only for questions that change nothing.
    Post,
}

/// Where a question goes. Never to an address that a request names by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallTarget {
    /// A path under the base of the provider's API, `/payments/PM1`, and what is asked of it,
    /// `?embed=refunds`.
    Api(Arc<str>),
    /// The address of a certificate, on a host that the provider's module holds to be its own.
    /// It is fetched without a key.
    Certificate(Arc<str>),
}

impl ApiCall {
    /// Asks for the object at this path, one segment after the other. None where a segment is
    /// not plain: it came with a request, and could lead elsewhere.
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

    /// The same with what is asked of it. None where a value is not plain; commas may stand
    /// between several.
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
    /// As it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The body may tell of a person.
impl fmt::Debug for ApiCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.method.as_str(), self.target)
    }
}

/// What a provider's API said.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// HTTP status; never one that says "later" (429, 5xx): that is no answer.
    pub status: u16,
    /// The bytes.
    pub body: Arc<[u8]>,
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiResponse({}, redacted)", self.status)
    }
}

/// What was answered so far.
#[derive(Clone, Debug, Default)]
pub struct ApiResponses {
    responses: BTreeMap<ApiCall, Option<ApiResponse>>,
    closed: bool,
}

impl ApiResponses {
    /// Nothing was asked, and nothing will be: whatever needs an answer goes without.
    pub fn closed() -> Self {
        Self {
            closed: true,
            ..Self::default()
        }
    }

    /// Recorded answers and no others: JSON objects of paths and documents, of which
    /// the later ones win; null is 404.
    ///
    /// # Errors
    /// When a text is no such object.
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

    /// Takes an answer in; none means that there was none to be had.
    pub fn insert(&mut self, call: ApiCall, answer: Option<ApiResponse>) {
        self.responses.insert(call, answer);
    }

    /// No further question is asked: whatever is not answered by now goes without.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The answer to this question.
    ///
    /// # Errors
    /// [`Missing`] when there is none, yet or at all.
    pub fn response(&self, call: &ApiCall) -> Result<&ApiResponse, MissingResponse> {
        match self.responses.get(call) {
            Some(Some(answer)) => Ok(answer),
            Some(None) => Err(MissingResponse::Unavailable),
            None if self.closed => Err(MissingResponse::Unavailable),
            None => Err(MissingResponse::NotFetched(PendingCalls(vec![
                call.clone(),
            ]))),
        }
    }

    /// These answers where there are any, else the others.
    pub(crate) fn with_fallback(mut self, others: &Self) -> Self {
        for (call, answer) in &others.responses {
            let entry = self.responses.entry(call.clone());
            entry.or_insert_with(|| answer.clone());
        }
        self.closed = others.closed;
        self
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MissingResponse {
    /// Nobody asked yet.
    NotFetched(PendingCalls),
    /// The API was asked and did not answer, or nobody may ask any more.
    Unavailable,
}

/// Questions that nobody has asked yet. Only [`Fetched::answer`] makes them, and not once it is
/// closed: so there is an end to asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCalls(Vec<ApiCall>);

impl PendingCalls {
    /// What to ask.
    pub fn calls(&self) -> &[ApiCall] {
        &self.0
    }

    /// These and the others, each once.
    pub fn merge(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self.0.sort();
        self.0.dedup();
        self
    }
}

/// Something that is known, or for which something must be asked first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchStep<T> {
    /// Here it is.
    Done(T),
    /// Ask these, then try again.
    Fetch(PendingCalls),
}

impl<T> FetchStep<T> {
    /// All of them where each is known, else everything that must be asked for any of them.
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

    /// Changes what is known.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> FetchStep<U> {
        match self {
            Self::Done(done) => FetchStep::Done(change(done)),
            Self::Fetch(questions) => FetchStep::Fetch(questions),
        }
    }
}

/// What was answered, to one item that reads it: it remembers which answers were used.
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

    /// The answer to this question.
    pub(crate) fn response(&self, call: ApiCall) -> Result<&'a ApiResponse, MissingResponse> {
        let answer = self.fetched.response(&call)?;
        self.used.borrow_mut().insert(call, answer);
        Ok(answer)
    }

    /// What was used, in the order of the calls.
    pub(crate) fn into_used(self) -> BTreeMap<ApiCall, &'a ApiResponse> {
        self.used.into_inner()
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

const MAX_SEGMENT: usize = 128;
