//! Genuine deliveries, bent in every way there is, as often as asked: none is believed.

use crate::address::{QUESTIONS, in_force, parse_query};
use crate::genuine::certificate_call;
use crate::tampered::{ApiBehavior, TamperedDelivery, TamperingContext};
use crate::tamperings::{TAMPERINGS, Tampering};
use crate::types::{EndpointVerdict, T, TestEndpoint};
use fastrand::Rng;
use providers::{Headers, ItemOutcome, ReceivedItem};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What became of tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgeryTotal {
    /// By way, in the order of the table.
    pub tamperings: Vec<ForgeryCount>,
    /// By endpoint, in the order of the list.
    pub endpoints: Vec<ForgeryCount>,
    /// The first that was believed and is nobody's, and its number.
    pub first: Option<(u64, String)>,
}

/// What became of the tries of one way, or at one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForgeryCount {
    /// Nobody vouches for them.
    pub refused: u64,
    /// Not bent after all: every signed part is there as it was sent, and it tells the same.
    pub same: u64,
    /// Told in an API's own words: what it shows under the id that is named, or that there is no
    /// such thing. Or by whoever holds a token, which vouches for all that is said with it.
    pub vouched: u64,
}

impl ForgeryCount {
    /// All of them.
    pub fn tries(&self) -> u64 {
        self.refused + self.same + self.vouched
    }

    fn add(&mut self, other: &Self) {
        self.refused += other.refused;
        self.same += other.same;
        self.vouched += other.vouched;
    }
}

/// What became of one try.
pub(crate) enum TryOutcome {
    Refused,
    Same,
    Vouched,
}

impl ForgeryTotal {
    fn new(endpoints: usize) -> Self {
        Self {
            tamperings: vec![ForgeryCount::default(); TAMPERINGS.len()],
            endpoints: vec![ForgeryCount::default(); endpoints],
            first: None,
        }
    }

    /// Name and count of each way.
    pub fn by_tampering(&self) -> impl Iterator<Item = (&str, &ForgeryCount)> {
        TAMPERINGS.iter().map(|way| way.name).zip(&self.tamperings)
    }

    /// Name and count of each endpoint.
    pub fn by_endpoint<'a>(
        &'a self,
        endpoints: &'a [TestEndpoint],
    ) -> impl Iterator<Item = (&'a str, &'a ForgeryCount)> {
        endpoints
            .iter()
            .map(|endpoint| endpoint.name.as_str())
            .zip(&self.endpoints)
    }

    /// Over all ways.
    pub fn sum(&self) -> ForgeryCount {
        let mut sum = ForgeryCount::default();
        for count in &self.tamperings {
            sum.add(count);
        }
        sum
    }

    fn count(&mut self, way: usize, endpoint: usize, fate: &TryOutcome) {
        for count in [&mut self.tamperings[way], &mut self.endpoints[endpoint]] {
            match fate {
                TryOutcome::Refused => count.refused += 1,
                TryOutcome::Same => count.same += 1,
                TryOutcome::Vouched => count.vouched += 1,
            }
        }
    }

    fn add(&mut self, other: Self) {
        let mine = self.tamperings.iter_mut().chain(&mut self.endpoints);
        for (mine, other) in mine.zip(other.tamperings.iter().chain(&other.endpoints)) {
            mine.add(other);
        }
        let first = [self.first.take(), other.first];
        self.first = first.into_iter().flatten().min();
    }
}

/// How many were tried, refused, found the same, vouched, and believed.
impl fmt::Display for ForgeryTotal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = self.sum();
        write!(
            f,
            "{} forgeries in {} ways at {} endpoints: {} refused, {} the same after all, \
             {} an API's own word, {} believed",
            sum.tries() + u64::from(self.first.is_some()),
            self.tamperings.len(),
            self.endpoints.len(),
            sum.refused,
            sum.same,
            sum.vouched,
            u8::from(self.first.is_some()),
        )
    }
}

/// Tries that often. The same seed gives the same tries on any number of threads.
pub fn run_tries(
    endpoints: &[TestEndpoint],
    seed: u64,
    tries: u64,
    threads: usize,
) -> ForgeryTotal {
    let (next, total) = (
        AtomicU64::new(0),
        Mutex::new(ForgeryTotal::new(endpoints.len())),
    );
    let work = || loop {
        let chunk = next.fetch_add(1, Ordering::Relaxed);
        let begin = chunk.saturating_mul(CHUNK);
        if begin >= tries {
            return;
        }
        let done = chunk_of(endpoints, seed, begin..tries.min(begin + CHUNK));
        let stop = done.first.is_some();
        total
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(done);
        if stop {
            // Chunks before this one are taken already; those behind say nothing new.
            next.store(u64::MAX / CHUNK, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    total.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn chunk_of(endpoints: &[TestEndpoint], seed: u64, numbers: std::ops::Range<u64>) -> ForgeryTotal {
    let mut total = ForgeryTotal::new(endpoints.len());
    for number in numbers {
        let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(SPREAD));
        // A few draws apart, neighbors are strangers.
        rng.u64(..);
        let which = rng.usize(..endpoints.len());
        let (way, tried) = loop {
            let way = rng.usize(..TAMPERINGS.len());
            if let Some(tried) = try_once(endpoints, &endpoints[which], TAMPERINGS[way], &mut rng) {
                break (way, tried);
            }
        };
        match tried {
            Ok(fate) => total.count(way, which, &fate),
            Err(believed) => {
                total.first = Some((number, believed));
                return total;
            }
        }
    }
    total
}

/// One try; none where that way means nothing at that endpoint.
fn try_once(
    endpoints: &[TestEndpoint],
    endpoint: &TestEndpoint,
    way: &Tampering,
    rng: &mut Rng,
) -> Option<Result<TryOutcome, String>> {
    let which = rng.usize(..endpoint.genuine.len());
    let apart = rng.usize(1..endpoint.genuine.len());
    let ground = TamperingContext {
        endpoints,
        endpoint,
        genuine: &endpoint.genuine[which],
        other: &endpoint.genuine[(which + apart) % endpoint.genuine.len()],
    };
    let mut bent = TamperedDelivery::new(&ground);
    bent.api = *rng.choice(&[
        ApiBehavior::Silent,
        ApiBehavior::Denies,
        ApiBehavior::Confuses,
    ])?;
    (way.apply)(&mut bent, &ground, rng)?;
    let judged = judge(&bent, &ground, rng);
    Some(match judged {
        Ok(TryOutcome::Refused) if way.keeps_meaning => Err(format!(
            "{} at {}: a delivery that says the same is refused",
            way.name, endpoint.name
        )),
        Ok(fate) => Ok(fate),
        Err(complaint) => Err(format!(
            "{} at {}: {complaint}",
            way.name, bent.endpoint.name
        )),
    })
}

/// What the endpoint makes of it; what it believed, where nobody sent it.
pub(crate) fn judge(
    bent: &TamperedDelivery<'_>,
    ground: &TamperingContext<'_>,
    rng: &mut Rng,
) -> Result<TryOutcome, String> {
    let Ok(headers) = Headers::new(bent.headers.iter().map(|(name, value)| (name, value))) else {
        return Ok(TryOutcome::Refused);
    };
    let knock = bent.request(&headers);
    let mut known = Cow::Borrowed(&ground.genuine.answers);
    if let Some(pem) = &bent.certificate {
        let shown = crate::genuine::answer(200, pem);
        known.to_mut().insert(certificate_call(), Some(shown));
    }
    let mut asked = ground.endpoint.is_api_confirmed();
    let heard = bent.endpoint.receive(&knock, &known, |_| {
        asked = true;
        bent.answer(ground, rng)
    });
    let accepted = match heard {
        EndpointVerdict::Refused(_) => return Ok(TryOutcome::Refused),
        EndpointVerdict::Accepted(accepted) => accepted,
        // A question is no JSON, so that nobody makes a report of it.
        EndpointVerdict::Unreadable
            if bent.endpoint.name == "partner" && is_question(&bent.body) =>
        {
            return Ok(TryOutcome::Refused);
        }
        EndpointVerdict::Unreadable if is_from_token_holder(bent) => {
            return Ok(TryOutcome::Vouched);
        }
        EndpointVerdict::Unreadable => return Err("it is believed and can't be read".to_owned()),
    };
    for genuine in [ground.genuine, ground.other] {
        if bent.carries(genuine, ground.endpoint) && bent.certificate.is_none() {
            let again = bent.endpoint.receive(&knock, &genuine.answers, |_| None);
            if again == EndpointVerdict::Accepted(genuine.received.clone()) {
                return Ok(TryOutcome::Same);
            }
        }
    }
    if is_from_token_holder(bent) {
        return Ok(TryOutcome::Vouched);
    }
    // A checksum is signed, so the body may name another event: then that one is told.
    let signed = bent.carries(ground.genuine, ground.endpoint);
    if asked && signed && accepted == ground.other.received {
        return Ok(TryOutcome::Vouched);
    }
    if asked
        && accepted
            .iter()
            .all(|received| is_api_response(received, bent, ground))
    {
        return Ok(TryOutcome::Vouched);
    }
    let kinds = accepted
        .iter()
        .map(|received| format!("{:?}", received.outcome));
    Err(format!(
        "believed, and nobody sent it: {}\nheaders {:?}\nbody {}\n{} seconds after it was signed",
        kinds.collect::<Vec<_>>().join("; "),
        bent.headers,
        String::from_utf8_lossy(&bent.body),
        bent.now.saturating_sub(T),
    ))
}

/// Whether nothing of it is written, or only what the API shows under the id that came.
fn is_api_response(
    received: &ReceivedItem,
    bent: &TamperedDelivery<'_>,
    ground: &TamperingContext<'_>,
) -> bool {
    match received.outcome {
        ItemOutcome::Ignored { .. }
        | ItemOutcome::WrongMode { .. }
        | ItemOutcome::OtherAccount { .. } => true,
        ItemOutcome::Event(_) if !ground.endpoint.is_api_confirmed() => false,
        ItemOutcome::Event(_) => ground.genuine.documents.iter().any(|document| {
            let id = serde_json::from_str::<Value>(document).ok();
            let id = id.and_then(|document| Some(document.get("id")?.as_str()?.to_owned()));
            let named = id.map(|id| format!("id={id}").into_bytes());
            let named = named.is_some_and(|id| bent.body.split(|b| *b == b'&').any(|f| f == id));
            named && contains(&received.raw, document.as_bytes())
        }),
    }
}

fn is_question(body: &[u8]) -> bool {
    let mut asked = QUESTIONS.iter();
    asked.any(|(_, text)| text.as_bytes() == body)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// How many tries one thread takes at a time.
const CHUNK: u64 = 1024;
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Whether all that is said here stands on a token that is in force: who holds it may say
/// anything, at any time, since a token is bound to nothing but its partner.
fn is_from_token_holder(bent: &TamperedDelivery<'_>) -> bool {
    let endpoint = bent.endpoint;
    let by_token = endpoint.is_postback() && endpoint.delivery_format.tolerances.is_none();
    let offered = parse_query(&bent.body).and_then(|mut said| said.remove("token"));
    let mut in_force = in_force(endpoint, bent.secrets).into_iter();
    by_token && in_force.any(|number| Some(&endpoint.tenants[number].text) == offered.as_ref())
}
