//! Writes down what the fuzzer begins from, and prints the names of its targets:
//! `seeds FOLDER [WORD]`.

#![allow(clippy::print_stdout, reason = "a command's answer is what it prints")]

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments
        .next()
        .unwrap_or_else(|| "target/fuzz/seeds".to_owned());
    let word = arguments.next().unwrap_or_default();
    let targets = forgery::fuzz::targets();
    for target in targets.iter().filter(|target| target.name.contains(&word)) {
        let own = Path::new(&folder).join(&target.name);
        fs::create_dir_all(&own)?;
        for (number, seed) in target.seeds.iter().enumerate() {
            fs::write(own.join(number.to_string()), seed)?;
        }
        println!("{}", target.name);
    }
    Ok(())
}
