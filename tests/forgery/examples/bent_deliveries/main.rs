//! Writes seeded bent deliveries, each with our verdict, one JSON object a line, so that official
//! libraries can be asked about the same: `bent_deliveries FOLDER COUNT SEED`, one file a scheme.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

mod before_signing;
mod draft;
mod in_headers;
mod in_items;
mod schemes;
mod verdict;

use draft::Draft;
use fastrand::Rng;
use schemes::{SCHEMES, Scheme};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::{env, fs};

/// Bends one delivery; says how, or nothing where it means nothing in that scheme.
type Bend = fn(&mut Draft, &mut Rng) -> Option<String>;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, count, seed] = arguments.as_slice() else {
        return Err(io::Error::other("usage: bent_deliveries FOLDER COUNT SEED"));
    };
    let count: u64 = count.parse().map_err(io::Error::other)?;
    let seed: u64 = seed.parse().map_err(io::Error::other)?;
    fs::create_dir_all(folder)?;
    for scheme in SCHEMES {
        let path = Path::new(folder).join(format!("{}.jsonl", scheme.name));
        let mut file = BufWriter::new(fs::File::create(path)?);
        let mut rng = Rng::with_seed(seed);
        for number in 0..count {
            let line = one(scheme, number, &mut rng).line(number);
            writeln!(file, "{line}")?;
        }
        file.flush()?;
        println!("{}: {count} deliveries", scheme.name);
    }
    Ok(())
}

/// One delivery, bent in one way or in two; every fiftieth as it was sent.
fn one(scheme: &'static Scheme, number: u64, rng: &mut Rng) -> Draft {
    let tables: [&[Bend]; 3] = [before_signing::BENDS, in_items::BENDS, in_headers::BENDS];
    loop {
        let mut draft = Draft::new(scheme, rng);
        if number.is_multiple_of(50) {
            draft.ways.push("as it was sent".to_owned());
        }
        let all: usize = tables.iter().map(|table| table.len()).sum();
        let wanted: [usize; 2] = [rng.usize(..all), rng.usize(..all)];
        let wanted = match (number.is_multiple_of(50), rng.u8(..4)) {
            (true, _) => &[],
            (false, 0) => &wanted[..],
            (false, _) => &wanted[..1],
        };
        let mut first = 0;
        let mut applied = true;
        for (stage, table) in tables.into_iter().enumerate() {
            for chosen in wanted.iter().filter_map(|at| at.checked_sub(first)) {
                if let Some(bend) = table.get(chosen) {
                    let way = bend(&mut draft, rng);
                    applied &= way.is_some();
                    draft.ways.extend(way);
                }
            }
            first += table.len();
            match stage {
                0 => draft.sign(),
                1 => draft.write_headers(),
                _ => {}
            }
        }
        if applied && draft.is_http() {
            return draft;
        }
    }
}
