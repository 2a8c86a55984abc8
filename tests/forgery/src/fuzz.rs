//! Any bytes, wherever bytes of others are parsed. A fuzzer drives these (`tests/fuzz`), and so
//! does chance in a bounded test.

mod proofs;
mod contents;

use crate::delivery_format::ProofKind;
use crate::endpoints::endpoints;
use crate::types::TestEndpoint;
use fastrand::Rng;
use providers::PROVIDERS;

/// One place where bytes of others are parsed.
pub struct FuzzTarget {
    /// Its name.
    pub name: String,
    /// What to begin from.
    pub seeds: Vec<Vec<u8>>,
    run: RunFn,
}

type RunFn = Box<dyn Fn(&[u8]) + Send + Sync>;

impl FuzzTarget {
    /// Takes these bytes.
    ///
    /// # Panics
    /// Where what it promises does not hold, or the code behind it panics.
    pub fn run(&self, bytes: &[u8]) {
        (self.run)(bytes);
    }

    /// Takes its seeds, then as often what chance makes of them.
    ///
    /// # Panics
    /// As [`Self::run`].
    pub fn exercise(&self, seed: u64, times: u64) {
        for seed in &self.seeds {
            self.run(seed);
        }
        let mut rng = Rng::with_seed(seed);
        for _ in 0..times {
            let mut bytes = rng.choice(&self.seeds).cloned().unwrap_or_default();
            for _ in 0..rng.usize(1..5) {
                self.mangle(&mut bytes, &mut rng);
            }
            self.run(&bytes);
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
                contents::TOKENS[rng.usize(..contents::TOKENS.len())].bytes(),
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
pub fn targets() -> Vec<FuzzTarget> {
    let endpoints: &'static [TestEndpoint] = Vec::leak(endpoints());
    let of =
        |proof: ProofKind| move |endpoint: &&TestEndpoint| endpoint.delivery_format.proof == proof;
    let has_api = |endpoint: &&TestEndpoint| {
        endpoint
            .genuine
            .iter()
            .any(|genuine| !genuine.documents.is_empty())
    };
    let in_query = |endpoint: &&TestEndpoint| endpoint.is_postback();
    let by_header = |endpoint: &&TestEndpoint| !endpoint.is_postback();
    let headers = endpoints
        .iter()
        .filter(by_header)
        .map(|endpoint| proofs::headers(endpoints, endpoint));
    headers
        .chain(
            endpoints
                .iter()
                .filter(of(ProofKind::ApiConfirmed))
                .map(|endpoint| proofs::forms(endpoints, endpoint)),
        )
        .chain(
            endpoints
                .iter()
                .filter(of(ProofKind::Rsa))
                .map(proofs::certificates),
        )
        .chain(PROVIDERS.iter().map(|provider| proofs::secrets(provider)))
        .chain(endpoints.iter().filter(by_header).map(contents::bodies))
        .chain(
            endpoints
                .iter()
                .filter(in_query)
                .map(|endpoint| proofs::queries(endpoints, endpoint)),
        )
        .chain(endpoints.iter().filter(has_api).map(contents::answers))
        .chain(endpoints.iter().filter_map(contents::journal_entries))
        .chain([proofs::credentials()])
        .collect()
}
