//! How long a line, a function and a file may be.

use crate::tree::{assert_tidy, exceptions, sources};

#[test]
fn no_line_file_or_function_is_too_long() {
    let mut faults = Vec::new();
    let borne = exceptions("oversized");
    for file in sources().filter(|file| !borne.covers(file)) {
        let lines: Vec<&str> = file.text.lines().collect();
        if lines.len() > 400 {
            faults.push(format!("{}: {} lines, at most 400", file.path, lines.len()));
        }
        for (number, line) in lines.iter().enumerate() {
            let columns = line.chars().count();
            if columns > 100 {
                faults.push(format!(
                    "{}:{}: {columns} columns, at most 100",
                    file.path,
                    number + 1
                ));
            }
        }
        for (number, name, length) in functions(&lines) {
            if length > 70 {
                faults.push(format!(
                    "{}:{number}: `{name}` has {length} lines, at most 70",
                    file.path
                ));
            }
        }
    }
    assert_tidy(&faults);
}

/// Line, name and length of each function, as rustfmt lays them out: its last line is a brace
/// as deep as its first.
fn functions<'a>(lines: &[&'a str]) -> Vec<(usize, &'a str, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let depth = line.len() - code.len();
        let Some(at) = code.find("fn ") else { continue };
        let words = ["pub", "pub(crate)", "pub(super)", "async", "const", ""];
        if !code[..at].split(' ').all(|word| words.contains(&word)) {
            continue;
        }
        let end = format!("{}}}", " ".repeat(depth));
        let rest = &lines[start..];
        let last = rest.iter().position(|line| *line == end);
        let Some(last) = last else { continue };
        let head = rest
            .iter()
            .find(|line| line.ends_with(['{', ';', '}']))
            .unwrap();
        if !head.ends_with('{') {
            continue;
        }
        let name = code[at + 3..].split(['(', '<']).next().unwrap();
        found.push((start + 1, name, last + 1));
    }
    found
}
