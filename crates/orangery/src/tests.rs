//! Every command that is shown as an example, in help or on a page, is one that can be typed.

use super::Cli;
use crate::examples::{examples, with_examples};
use clap::{Command, CommandFactory};
use std::path::Path;

#[test]
fn every_command_has_examples_and_each_can_be_typed() {
    let command = with_examples(Cli::command());
    let mut paths = Vec::new();
    collect("", &command, &mut paths);
    assert!(paths.len() > 25, "{paths:?}");
    for path in paths {
        let lines = examples(&path);
        assert!(!lines.is_empty(), "`orangery {path}` has no example");
        for line in lines {
            assert!(line.contains(&path), "{line} is no example of `{path}`");
            parse(line);
        }
    }
}

#[test]
fn every_command_on_the_pages_can_be_typed() {
    let mut typed = Vec::new();
    for page in [
        "README.md",
        "infra/README.md",
        "functions/shop-api/README.md",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(page);
        let text = std::fs::read_to_string(path).unwrap();
        let blocks = text.split("```").skip(1).step_by(2);
        for block in blocks.filter(|block| !block.starts_with("toml")) {
            for line in block.replace("\\\n", " ").lines() {
                if let Some(at) = line.find("orangery ").filter(|at| is_typed(line, *at)) {
                    parse(line.split_at(at).1);
                    typed.push(at);
                }
            }
        }
    }
    assert!(typed.len() > 15, "{typed:?}");
}

/// Whether the word at this place is the command, and no part of another word or of a comment.
fn is_typed(line: &str, at: usize) -> bool {
    let before = line.split_at(at).0;
    !before.contains('#') && !before.ends_with(|c: char| c.is_alphanumeric() || "-_/=".contains(c))
        || before.ends_with("target/debug/")
}

/// What stands before a comment, a pipe, a second command or a closing bracket.
fn parse(line: &str) {
    let line = line.split(" #").next().unwrap();
    let line = line.split([')', '|', '>', '&', ';']).next().unwrap();
    let line = line
        .trim_start_matches("source <(")
        .replace(['"', '\''], "");
    let words: Vec<&str> = line.split_whitespace().collect();
    if let Err(error) = with_examples(Cli::command()).try_get_matches_from(words) {
        panic!("{line}: {error}");
    }
}

fn collect(path: &str, command: &Command, paths: &mut Vec<String>) {
    for sub in command.get_subcommands() {
        if sub.get_name() == "help" {
            continue;
        }
        let below = format!("{path} {}", sub.get_name()).trim().to_owned();
        paths.push(below.clone());
        collect(&below, sub, paths);
    }
}
