//! Genuine deliveries, bent in every way there is, as often as asked: none is believed.

use crate::address::{QUESTIONS, is_word_of_holder};
use crate::bent::{Api, Bent, Ground};
use crate::doors::{Door, Heard, T};
use crate::genuine::certificate_call;
use crate::ways::{WAYS, Way};
use fastrand::Rng;
use providers::{Headers, Outcome, Received};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What became of tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// By way, in the order of the table.
    pub ways: Vec<Count>,
    /// By door, in the order of the list.
    pub doors: Vec<Count>,
    /// The first that was believed and is nobody's, and its number.
    pub first: Option<(u64, String)>,
}

/// What became of the tries of one way, or at one door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Nobody vouches for them.
    pub refused: u64,
    /// Not bent after all: every signed part is there as it was sent, and it tells the same.
    pub same: u64,
    /// Told in an API's own words: what it shows under the id that is named, or that there is no
    /// such thing. Or by whoever holds a token, which vouches for all that is said with it.
    pub vouched: u64,
}

impl Count {
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
pub(crate) enum Fate {
    Refused,
    Same,
    Vouched,
}

impl Total {
    fn new(doors: usize) -> Self {
        Self {
            ways: vec![Count::default(); WAYS.len()],
            doors: vec![Count::default(); doors],
            first: None,
        }
    }

    /// Name and count of each way.
    pub fn by_way(&self) -> impl Iterator<Item = (&str, &Count)> {
        WAYS.iter().map(|way| way.name).zip(&self.ways)
    }

    /// Name and count of each door.
    pub fn by_door<'a>(&'a self, doors: &'a [Door]) -> impl Iterator<Item = (&'a str, &'a Count)> {
        doors.iter().map(|door| door.name.as_str()).zip(&self.doors)
    }

    /// Over all ways.
    pub fn sum(&self) -> Count {
        let mut sum = Count::default();
        for count in &self.ways {
            sum.add(count);
        }
        sum
    }

    fn count(&mut self, way: usize, door: usize, fate: &Fate) {
        for count in [&mut self.ways[way], &mut self.doors[door]] {
            match fate {
                Fate::Refused => count.refused += 1,
                Fate::Same => count.same += 1,
                Fate::Vouched => count.vouched += 1,
            }
        }
    }

    fn add(&mut self, other: Self) {
        let mine = self.ways.iter_mut().chain(&mut self.doors);
        for (mine, other) in mine.zip(other.ways.iter().chain(&other.doors)) {
            mine.add(other);
        }
        let first = [self.first.take(), other.first];
        self.first = first.into_iter().flatten().min();
    }
}

/// How many were tried, refused, found the same, vouched, and believed.
impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = self.sum();
        write!(
            f,
            "{} forgeries in {} ways at {} doors: {} refused, {} the same after all, \
             {} an API's own word, {} believed",
            sum.tries() + u64::from(self.first.is_some()),
            self.ways.len(),
            self.doors.len(),
            sum.refused,
            sum.same,
            sum.vouched,
            u8::from(self.first.is_some()),
        )
    }
}

/// Tries that often. The same seed gives the same tries on any number of threads.
pub fn tried(doors: &[Door], seed: u64, tries: u64, threads: usize) -> Total {
    let (next, total) = (AtomicU64::new(0), Mutex::new(Total::new(doors.len())));
    let work = || loop {
        let chunk = next.fetch_add(1, Ordering::Relaxed);
        let begin = chunk.saturating_mul(CHUNK);
        if begin >= tries {
            return;
        }
        let done = chunk_of(doors, seed, begin..tries.min(begin + CHUNK));
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

fn chunk_of(doors: &[Door], seed: u64, numbers: std::ops::Range<u64>) -> Total {
    let mut total = Total::new(doors.len());
    for number in numbers {
        let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(SPREAD));
        // A few draws apart, neighbors are strangers.
        rng.u64(..);
        let which = rng.usize(..doors.len());
        let (way, tried) = loop {
            let way = rng.usize(..WAYS.len());
            if let Some(tried) = try_once(doors, &doors[which], WAYS[way], &mut rng) {
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

/// One try; none where that way means nothing at that door.
fn try_once(doors: &[Door], door: &Door, way: &Way, rng: &mut Rng) -> Option<Result<Fate, String>> {
    let which = rng.usize(..door.genuine.len());
    let apart = rng.usize(1..door.genuine.len());
    let ground = Ground {
        doors,
        door,
        genuine: &door.genuine[which],
        other: &door.genuine[(which + apart) % door.genuine.len()],
    };
    let mut bent = Bent::new(&ground);
    bent.api = *rng.choice(&[Api::Silent, Api::Denies, Api::Confuses])?;
    (way.bend)(&mut bent, &ground, rng)?;
    let judged = judge(&bent, &ground, rng);
    Some(match judged {
        Ok(Fate::Refused) if way.keeps => Err(format!(
            "{} at {}: a delivery that says the same is refused",
            way.name, door.name
        )),
        Ok(fate) => Ok(fate),
        Err(told) => Err(format!("{} at {}: {told}", way.name, bent.door.name)),
    })
}

/// What the door makes of it; what it believed, where nobody sent it.
pub(crate) fn judge(bent: &Bent<'_>, ground: &Ground<'_>, rng: &mut Rng) -> Result<Fate, String> {
    let Ok(headers) = Headers::new(bent.headers.iter().map(|(name, value)| (name, value))) else {
        return Ok(Fate::Refused);
    };
    let knock = bent.knock(&headers);
    let mut known = Cow::Borrowed(&ground.genuine.answers);
    if let Some(pem) = &bent.certificate {
        let shown = crate::genuine::answer(200, pem);
        known.to_mut().insert(certificate_call(), Some(shown));
    }
    let mut asked = ground.door.is_asked();
    let heard = bent.door.hear(&knock, &known, |_| {
        asked = true;
        bent.answer(ground, rng)
    });
    let told = match heard {
        Heard::Refused(_) => return Ok(Fate::Refused),
        Heard::Told(told) => told,
        // A question is no JSON, so that nobody makes a report of it.
        Heard::Unreadable if bent.door.name == "partner" && is_question(&bent.body) => {
            return Ok(Fate::Refused);
        }
        Heard::Unreadable if is_word_of_holder(bent) => return Ok(Fate::Vouched),
        Heard::Unreadable => return Err("it is believed and can't be read".to_owned()),
    };
    for genuine in [ground.genuine, ground.other] {
        if bent.carries(genuine, ground.door) && bent.certificate.is_none() {
            let again = bent.door.hear(&knock, &genuine.answers, |_| None);
            if again == Heard::Told(genuine.told.clone()) {
                return Ok(Fate::Same);
            }
        }
    }
    if is_word_of_holder(bent) {
        return Ok(Fate::Vouched);
    }
    // A checksum is signed, so the body may name another event: then that one is told.
    let signed = bent.carries(ground.genuine, ground.door);
    if asked && signed && told == ground.other.told {
        return Ok(Fate::Vouched);
    }
    if asked
        && told
            .iter()
            .all(|received| is_word_of_api(received, bent, ground))
    {
        return Ok(Fate::Vouched);
    }
    let kinds = told
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
fn is_word_of_api(received: &Received, bent: &Bent<'_>, ground: &Ground<'_>) -> bool {
    match received.outcome {
        Outcome::Ignored { .. } | Outcome::WrongMode { .. } => true,
        Outcome::Reading(_) if !ground.door.is_asked() => false,
        Outcome::Reading(_) => ground.genuine.documents.iter().any(|document| {
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
