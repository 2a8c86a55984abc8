//! Any bytes, wherever bytes of others are parsed. A fuzzer drives these (`tests/fuzz`), and so
//! does chance in a bounded test.

mod proofs;
mod words;

use crate::doors::{Door, doors};
use crate::shape::Proof;
use fastrand::Rng;
use providers::PROVIDERS;

/// One place where bytes of others are parsed.
pub struct Target {
    /// Its name.
    pub name: String,
    /// What to begin from.
    pub seeds: Vec<Vec<u8>>,
    hear: Hear,
}

type Hear = Box<dyn Fn(&[u8]) + Send + Sync>;

impl Target {
    /// Takes these bytes.
    ///
    /// # Panics
    /// Where what it promises does not hold, or the code behind it panics.
    pub fn hear(&self, bytes: &[u8]) {
        (self.hear)(bytes);
    }

    /// Takes its seeds, then as often what chance makes of them.
    ///
    /// # Panics
    /// As [`Self::hear`].
    pub fn exercise(&self, seed: u64, times: u64) {
        for seed in &self.seeds {
            self.hear(seed);
        }
        let mut rng = Rng::with_seed(seed);
        for _ in 0..times {
            let mut bytes = rng.choice(&self.seeds).cloned().unwrap_or_default();
            for _ in 0..rng.usize(1..5) {
                self.mangle(&mut bytes, &mut rng);
            }
            self.hear(&bytes);
        }
    }

    fn mangle(&self, bytes: &mut Vec<u8>, rng: &mut Rng) {
        let mut cuts: [usize; 2] = std::array::from_fn(|_| rng.usize(..=bytes.len()));
        cuts.sort_unstable();
        let part = bytes[cuts[0]..cuts[1]].to_vec();
        match rng.u8(..6) {
            0 => bytes.truncate(cuts[1]),
            1 => drop(bytes.drain(cuts[0]..cuts[1])),
            2 => drop(bytes.splice(cuts[1]..cuts[1], part)),
            3 => drop(bytes.splice(
                cuts[0]..cuts[0],
                words::WORDS[rng.usize(..words::WORDS.len())].bytes(),
            )),
            4 => {
                if let Some(byte) = bytes.get_mut(cuts[0]) {
                    *byte = rng.u8(..);
                }
            }
            _ => {
                let other = rng.choice(&self.seeds).map_or(&[][..], Vec::as_slice);
                let from = rng.usize(..=other.len());
                bytes.splice(cuts[0].., other[from..].iter().copied());
            }
        }
    }
}

/// All of them: headers, certificates and secrets; bodies, answers and what the journal kept.
pub fn targets() -> Vec<Target> {
    let doors: &'static [Door] = Vec::leak(doors());
    let of = |proof: Proof| move |door: &&Door| door.shape.proof == proof;
    let said = |door: &&Door| {
        door.genuine
            .iter()
            .any(|genuine| !genuine.documents.is_empty())
    };
    let in_query = |door: &&Door| door.is_postback();
    let by_header = |door: &&Door| !door.is_postback();
    let headers = doors
        .iter()
        .filter(by_header)
        .map(|door| proofs::headers(doors, door));
    headers
        .chain(
            doors
                .iter()
                .filter(of(Proof::Asked))
                .map(|door| proofs::forms(doors, door)),
        )
        .chain(
            doors
                .iter()
                .filter(of(Proof::Rsa))
                .map(proofs::certificates),
        )
        .chain(PROVIDERS.iter().map(|provider| proofs::secrets(provider)))
        .chain(doors.iter().filter(by_header).map(words::bodies))
        .chain(
            doors
                .iter()
                .filter(in_query)
                .map(|door| proofs::queries(doors, door)),
        )
        .chain(doors.iter().filter(said).map(words::answers))
        .chain(doors.iter().filter_map(words::kept))
        .collect()
}
