//! What is wrong with the shop's file, and where.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

/// Something wrong, with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    /// The line; the first is 1.
    pub line: usize,
    /// The column, in characters; the first is 1.
    pub column: usize,
    /// The key it is about, as `mail.color`; empty where it is about none.
    pub key: String,
    /// What was seen, and what to write.
    pub what: String,
}

/// A file that can't be used: every problem, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct InvalidShopSettings {
    /// The problems; at most twenty.
    pub problems: Vec<SettingsProblem>,
    /// How many more there are.
    pub more: usize,
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

impl fmt::Display for InvalidShopSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            let between = if n == 0 { "" } else { "\n" };
            write!(f, "{between}{problem}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

/// The problems that were found so far in a text.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: RefCell<Vec<(usize, String, String)>>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            found: RefCell::default(),
        }
    }

    /// Notes one at this place of the text.
    pub(super) fn add(&self, place: Range<usize>, key: &str, what: impl Into<String>) {
        let mut found = self.found.borrow_mut();
        found.push((place.start, key.to_owned(), what.into()));
    }

    /// All of them; none where nothing is wrong.
    pub(super) fn into_invalid(self) -> Option<InvalidShopSettings> {
        let mut found = self.found.into_inner();
        found.sort();
        let more = found.len().saturating_sub(MAX_PROBLEMS);
        found.truncate(MAX_PROBLEMS);
        let problem = |(place, key, what): (usize, String, String)| {
            let (line, column) = line_and_column(self.text, place);
            SettingsProblem {
                line,
                column,
                key,
                what,
            }
        };
        let problems: Vec<_> = found.into_iter().map(problem).collect();
        (!problems.is_empty()).then_some(InvalidShopSettings { problems, more })
    }
}

fn line_and_column(text: &str, place: usize) -> (usize, usize) {
    let before: Vec<char> = text
        .char_indices()
        .take_while(|(at, _)| *at < place)
        .map(|(_, c)| c)
        .collect();
    let line = before.iter().filter(|c| **c == '\n').count();
    let column = before.iter().rev().take_while(|c| **c != '\n').count();
    (line.saturating_add(1), column.saturating_add(1))
}

/// Who reads more than these mends them first.
const MAX_PROBLEMS: usize = 20;
