//! One actor by itself, and whether an end is one of the right ones.

use crate::seam::{Actor, Answer};
use std::collections::BTreeSet;
use store::memory::{Interleavings, Paging, SteppedTable, TableState};

/// The table with pages of one item, unless a seam has chosen a length.
pub(crate) fn with_short_pages(base: &TableState) -> TableState {
    let mut base = base.clone();
    base.paging = match base.paging {
        Paging::AtMost(most) => Paging::AtMost(most),
        Paging::Whole | Paging::OneBehindEmpty | Paging::Drawn(_) => Paging::AtMost(1),
    };
    base.scan_paging = Paging::AtMost(1);
    base
}

/// Runs an actor to its end, with nothing going wrong.
pub(crate) fn run_alone(actor: &Actor, table: TableState, tried: u32) -> (TableState, Answer) {
    let stepped = SteppedTable::default();
    let begin = || vec![(actor.run)(stepped.clone(), tried)];
    let interleavings = Interleavings {
        table: &stepped,
        base: &table,
        begin: &begin,
        fault: None,
        in_order: false,
        most_runs: 1,
    };
    let mut ended = None;
    let explored = interleavings.explore(|end| {
        ended = Some(end);
        Ok(())
    });
    explored.expect("nothing is looked at");
    let mut end = ended.expect("it comes to an end");
    let answer = end.outputs.remove(0).expect("it did not die");
    (end.table, answer)
}

/// What each was answered, in the order of the actors.
pub(crate) fn answer_lines<'a>(answers: impl Iterator<Item = (usize, &'a Answer)>) -> Vec<String> {
    let mut lines: Vec<String> = answers
        .map(|(member, answer)| format!("{member} is answered {answer:?}"))
        .collect();
    lines.sort();
    lines
}

/// Whether a table ended as one of these does; else where it differs from the nearest.
pub(crate) fn is_right(end: &Vec<String>, right: &BTreeSet<Vec<String>>) -> Result<(), String> {
    if right.contains(end) {
        return Ok(());
    }
    let difference = |other: &Vec<String>| {
        let lacks = other.iter().filter(|line| !end.contains(line));
        let has = end.iter().filter(|line| !other.contains(line));
        let lacks = lacks.map(|line| format!("\n  lacks {line}"));
        lacks
            .chain(has.map(|line| format!("\n  has   {line}")))
            .collect::<Vec<_>>()
    };
    let nearest = right.iter().map(difference).min_by_key(Vec::len);
    Err(format!(
        "no order of its actors ends so ({} do):{}",
        right.len(),
        nearest.unwrap_or_default().concat()
    ))
}
