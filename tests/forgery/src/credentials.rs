//! Keys and tokens of the shop's own code, and whatever a forger makes of them. What is believed is
//! one that was given out, letter for letter, by the stage that is asked, within its time.

use domain::ids::CustomerKey;
use domain::shop_key::KeyScope;
use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use providers::{
    Bearer, CredentialError, KeyRoots, OfferedBearer, Secret, StageName, customer_token, shop_key,
};
use sha2::Sha256;
use std::collections::BTreeMap;

use crate::types::{T, at};

/// How often each way was tried, and how often it was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialTotal {
    /// By the way's name.
    pub by_way: BTreeMap<&'static str, u64>,
    /// By the refusal's word.
    pub by_refusal: BTreeMap<&'static str, u64>,
    /// What was tried and left the text as it was.
    pub unchanged: u64,
}

/// Everything that was given out, and by whom.
pub struct GivenOut {
    stage: StageName,
    roots: KeyRoots,
    ours: Vec<String>,
    /// By the same root for another stage; by another root for this one; once in time.
    others: Vec<String>,
}

impl GivenOut {
    /// Keys and tokens of each kind.
    ///
    /// # Panics
    /// Where one can't be made.
    pub fn new() -> Self {
        let (ours, theirs) = (secret(ROOT), secret(OTHER_ROOT));
        let mut others = all_of(&ours, &stage("test"), T + 600);
        others.extend(all_of(&theirs, &stage("live"), T + 600));
        others.extend(tokens(&ours, &stage("live"), T));
        Self {
            stage: stage("live"),
            roots: KeyRoots::new([ROOT, "a-second-root-that-is-in-force-too"]).expect("are strong"),
            ours: all_of(&ours, &stage("live"), T + 600),
            others,
        }
    }

    /// What a text is believed to be.
    ///
    /// # Errors
    /// Why it is not.
    pub fn receive(&self, text: &str) -> Result<Bearer, CredentialError> {
        OfferedBearer::read(text, &self.stage)?.verify(&self.roots, at(T))
    }

    /// Each of ours is believed, and none of the others'.
    ///
    /// # Panics
    /// Where that does not hold.
    pub fn check_genuine(&self) {
        for text in &self.ours {
            assert!(self.receive(text).is_ok(), "{text} was given out here");
        }
        for text in &self.others {
            assert!(self.receive(text).is_err(), "{text} is another's");
        }
    }

    /// What a fuzzer begins with.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let all = self.ours.iter().chain(&self.others);
        all.map(|text| text.as_bytes().to_vec()).collect()
    }

    /// Any text: it does not panic, and is believed only if it was given out.
    ///
    /// # Panics
    /// Where a forgery is believed.
    pub fn try_text(&self, text: &str) -> Option<CredentialError> {
        match self.receive(text) {
            Err(refused) => Some(refused),
            Ok(bearer) => {
                let given_out = self.ours.iter().any(|known| known == text);
                assert!(given_out, "believed: {text} as {bearer:?}");
                None
            }
        }
    }

    /// So many tries, each in one way or in two.
    ///
    /// # Panics
    /// Where a forgery is believed; the text is printed.
    pub fn run(&self, seed: u64, tries: u64) -> CredentialTotal {
        let mut rng = Rng::with_seed(seed);
        let mut total = CredentialTotal::default();
        for _ in 0..tries {
            let mut text = rng.choice(&self.ours).cloned().unwrap_or_default();
            for _ in 0..rng.usize(1..=2) {
                let Some((name, way)) = rng.choice(WAYS) else {
                    continue;
                };
                *total.by_way.entry(name).or_default() += 1;
                text = way(&text, self, &mut rng);
            }
            match self.try_text(&text) {
                Some(refused) => *total.by_refusal.entry(refused.code()).or_default() += 1,
                None => total.unchanged += 1,
            }
        }
        total
    }
}

impl Default for GivenOut {
    fn default() -> Self {
        Self::new()
    }
}

type Way = fn(&str, &GivenOut, &mut Rng) -> String;

#[rustfmt::skip] // a table
const WAYS: &[(&str, Way)] = &[
    ("cut short", |text, _, rng| text.chars().take(rng.usize(..text.len().max(1))).collect()),
    ("made longer", |text, _, rng| format!("{text}{}", rng.alphanumeric())),
    ("a letter changed", |text, _, rng| changed(text, rng)),
    ("a letter changed, the checksum made anew", |text, _, rng| summed(&changed(text, rng))),
    ("a bit flipped, the checksum made anew", |text, _, rng| summed(&flipped(text, rng))),
    ("in capitals", |text, _, _| text.to_uppercase()),
    ("the other scope", |text, _, _| {
        let bent = match text.contains("_read_") {
            true => text.replace("_read_", "_write_"),
            false => text.replace("_write_", "_read_"),
        };
        summed(&bent)
    }),
    ("another stage", |text, _, rng| {
        let other = rng.choice(&["test", "live-2", "live_", ""]).copied().unwrap_or_default();
        summed(&text.replacen("_live_", &format!("_{other}_"), 1))
    }),
    ("another customer", |text, _, rng| {
        let other = rng.choice(CUSTOMERS).copied().unwrap_or_default();
        let own = CUSTOMERS.iter().find(|own| text.contains(&hex::encode(own)));
        summed(&own.map_or(text.to_owned(), |own| {
            text.replace(&hex::encode(own), &hex::encode(other))
        }))
    }),
    ("a later end", |text, _, rng| {
        let own = (T + 600).to_string();
        summed(&text.replace(&own, &(T + rng.i64(601..100_000)).to_string()))
    }),
    ("another version", |text, _, rng| {
        summed(&text.replace("_1_", &format!("_{}_", rng.u32(2..20))))
    }),
    ("another name", |text, _, _| summed(&text.replace("_backend_", "_admin_"))),
    ("a key's text as a token's", |text, _, _| {
        let bent = match text.starts_with("orangery_key_") {
            true => text.replacen("orangery_key_", "orangery_token_", 1),
            false => text.replacen("orangery_token_", "orangery_key_", 1),
        };
        summed(&bent)
    }),
    ("the proof of another", |text, ground, rng| {
        let all: Vec<&String> = ground.ours.iter().chain(&ground.others).collect();
        let other = rng.choice(all).map_or("", |other| other.as_str());
        let (claim, _) = text.rsplit_once('_').unwrap_or((text, ""));
        let (_, proof) = other.rsplit_once('_').unwrap_or(("", other));
        summed(&format!("{claim}_{proof}"))
    }),
    ("a proof of zeros", |text, _, _| {
        let (claim, _) = text.rsplit_once('_').unwrap_or((text, ""));
        summed(&format!("{claim}_{}", "0".repeat(48)))
    }),
    ("a proof under what everybody knows", |text, _, rng| {
        let known = [&b""[..], b"orangery", b"shop key\0", b"customer token\0", b"secret"];
        let key = rng.choice(known).unwrap_or_default();
        let (claim, _) = text.rsplit_once('_').unwrap_or((text, ""));
        let mac = Hmac::<Sha256>::new_from_slice(key).expect("takes any key");
        let mac = mac.chain_update(format!("{claim}_")).finalize().into_bytes();
        let digits: String = hex::encode(mac).chars().take(40).collect();
        summed(&format!("{claim}_{digits}00000000"))
    }),
    ("one of others", |_, ground, rng| {
        rng.choice(&ground.others).cloned().unwrap_or_default()
    }),
    ("a line end behind it", |text, _, _| format!("{text}\n")),
];

/// With the checksum that fits: whoever reads the source can compute it.
fn summed(text: &str) -> String {
    let kept = text.chars().count().saturating_sub(8);
    let text: String = text.chars().take(kept).collect();
    format!("{text}{:08x}", crc32fast::hash(text.as_bytes()))
}

fn changed(text: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if !letters.is_empty() {
        let at = rng.usize(..letters.len());
        letters[at] = *rng
            .choice(&['0', 'a', 'f', '_', '-', 'Z', 'é'])
            .expect("are some");
    }
    letters.into_iter().collect()
}

fn flipped(text: &str, rng: &mut Rng) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if !bytes.is_empty() {
        let at = rng.usize(..bytes.len());
        bytes[at] ^= 1 << rng.u8(..7);
    }
    String::from_utf8(bytes).unwrap_or_default()
}

fn all_of(root: &Secret, stage: &StageName, expires: i64) -> Vec<String> {
    let mut all = tokens(root, stage, expires);
    for scope in [KeyScope::Read, KeyScope::Write] {
        for (name, version) in [("backend", 1), ("web", 1), ("web", 2)] {
            let name = name.parse().expect("is a name");
            all.push(shop_key(root, stage, &name, scope, version).expect("follows"));
        }
    }
    all
}

fn tokens(root: &Secret, stage: &StageName, expires: i64) -> Vec<String> {
    let tokens = CUSTOMERS.iter().map(|customer| {
        let customer = CustomerKey::parse(*customer).expect("is a key");
        let expires: Timestamp = at(expires);
        customer_token(root, stage, &customer, expires).expect("follows")
    });
    tokens.collect()
}

fn stage(name: &str) -> StageName {
    StageName::parse(name).expect("is a stage")
}

fn secret(text: &str) -> Secret {
    Secret::new(text).expect("is strong")
}

const CUSTOMERS: &[&str] = &[
    "stripe/live/cus_1",
    "stripe/live/cus_11",
    "polar/live/0f1e2d",
];
const ROOT: &str = "the-root-of-the-forged-credentials";
const OTHER_ROOT: &str = "a-root-of-somebody-elses-credentials";
