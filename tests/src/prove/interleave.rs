//! Every interleaving of several processes' requests, each reachable state looked at once.
//!
//! Two schedules that order the requests on every item alike leave the same table and the same
//! processes behind, so only one of them goes on; the others are counted. The order in which the
//! stream tells of different items is the only thing that is taken from one of them for all.

use super::port::{Ask, Port, Reply};
use super::twin::{Answer, Op, Twin};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use store::{Key, Put, Write};

/// What a search came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Explored {
    /// Interleavings there are.
    pub(super) interleavings: u64,
    /// Different ends they have.
    pub(super) ends: u64,
    /// Whether all of them were run; if not, the ones that were are counted.
    pub(super) whole: bool,
}

struct Choice {
    state: u64,
    taken: usize,
    of: usize,
    interleavings: u64,
}

/// Runs processes that begin on `base` in every interleaving, and looks at each end; gives up
/// after so many runs.
pub(super) fn explore<F: Future>(
    port: &Port,
    base: &Twin,
    begin: impl Fn() -> Vec<Pin<Box<F>>>,
    most_runs: u64,
    mut at_end: impl FnMut(Twin) -> Result<(), String>,
) -> Result<Explored, String> {
    let mut known: HashMap<u64, u64> = HashMap::new();
    let mut choices: Vec<Choice> = Vec::new();
    let mut ends = 0;
    for runs in 0_u64.. {
        if runs == most_runs {
            let begun = choices.iter().map(|choice| choice.interleavings);
            return Ok(Explored {
                interleavings: begun.fold(0, u64::saturating_add),
                ends,
                whole: false,
            });
        }
        let mut run = Run::begin(port, base.clone(), begin());
        for choice in &choices {
            run.go_on(choice.taken);
        }
        let mut below = loop {
            let state = run.state();
            if let Some(interleavings) = known.get(&state) {
                break *interleavings;
            }
            if run.running.is_empty() {
                let taken: Vec<usize> = choices.iter().map(|choice| choice.taken).collect();
                at_end(run.twin).map_err(|law| format!("schedule {taken:?}: {law}"))?;
                ends += 1;
                known.insert(state, 1);
                break 1;
            }
            choices.push(Choice {
                state,
                taken: 0,
                of: run.running.len(),
                interleavings: 0,
            });
            run.go_on(0);
        };
        loop {
            let Some(mut choice) = choices.pop() else {
                return Ok(Explored {
                    interleavings: below,
                    ends,
                    whole: true,
                });
            };
            choice.interleavings = choice.interleavings.saturating_add(below);
            choice.taken += 1;
            if choice.taken < choice.of {
                choices.push(choice);
                break;
            }
            known.insert(choice.state, choice.interleavings);
            below = choice.interleavings;
        }
    }
    Err("more runs than can be counted".into())
}

struct Running<F> {
    process: Pin<Box<F>>,
    ask: Op,
    number: usize,
}

/// Processes part of the way.
struct Run<'a, F> {
    port: &'a Port,
    twin: Twin,
    running: Vec<Running<F>>,
    /// What each process has asked and been answered.
    seen: Vec<u64>,
    /// What was written to each item, by whom, having seen what.
    written: BTreeMap<Key, u64>,
}

impl<'a, F: Future> Run<'a, F> {
    fn begin(port: &'a Port, twin: Twin, processes: Vec<Pin<Box<F>>>) -> Self {
        let mut run = Self {
            port,
            twin,
            running: Vec::new(),
            seen: (0..processes.len())
                .map(|number| mix(&[1, number as u64]))
                .collect(),
            written: BTreeMap::new(),
        };
        for (number, mut process) in processes.into_iter().enumerate() {
            if process.as_mut().poll(&mut nobody()).is_pending()
                && let Some(Ask::Table(ask)) = port.take_ask()
            {
                run.running.push(Running {
                    process,
                    ask,
                    number,
                });
            }
        }
        run
    }

    /// One of those still running has its request done and asks the next.
    fn go_on(&mut self, which: usize) {
        let running = &self.running[which];
        let (op, number) = (running.ask.clone(), running.number);
        let answer = self.apply(number, op);
        self.port.answer(Reply::Table(answer));
        let running = &mut self.running[which];
        match (
            running.process.as_mut().poll(&mut nobody()),
            self.port.take_ask(),
        ) {
            (Poll::Pending, Some(Ask::Table(next))) => running.ask = next,
            _ => {
                self.running.remove(which);
            }
        }
    }

    fn apply(&mut self, number: usize, op: Op) -> Answer {
        let (reads, writes) = touched(&op);
        let mut seen = vec![self.seen[number]];
        seen.extend(reads.iter().map(|key| self.written_to(key)));
        if let Op::Query(partition, ..) = &op {
            let there = self
                .written
                .iter()
                .filter(|(key, _)| key.partition == *partition);
            seen.extend(there.flat_map(|(key, written)| [hash(key), *written]));
        }
        let seen = mix(&seen);
        self.seen[number] = seen;
        let answer = self.twin.apply(op);
        let refused = matches!(
            answer,
            Answer::Put(Put::Refused(_)) | Answer::Transacted(false)
        );
        if !refused {
            for key in writes {
                let written = mix(&[self.written_to(&key), seen]);
                self.written.insert(key, written);
            }
        }
        answer
    }

    fn written_to(&self, key: &Key) -> u64 {
        self.written.get(key).copied().unwrap_or_default()
    }

    /// Equal for two runs whose tables and processes are equal.
    fn state(&self) -> u64 {
        let mut state = self.seen.clone();
        state.extend(
            self.written
                .iter()
                .flat_map(|(key, written)| [hash(key), *written]),
        );
        mix(&state)
    }
}

/// Items a request reads, and items it writes if it is not refused.
fn touched(op: &Op) -> (Vec<Key>, Vec<Key>) {
    match op {
        Op::Get(key) => (vec![key.clone()], Vec::new()),
        Op::Put(item, _) => (vec![item.key()], vec![item.key()]),
        Op::Delete(key) => (vec![key.clone()], vec![key.clone()]),
        Op::Query(..) => (Vec::new(), Vec::new()),
        Op::Scan(..) | Op::Due(..) => panic!("a fold neither scans nor sweeps"),
        Op::Transact(writes) => {
            let key = |write: &Write| match write {
                Write::Put(item, _) => (item.key(), true),
                Write::Check(key, _) => (key.clone(), false),
            };
            let keys: Vec<(Key, bool)> = writes.iter().map(key).collect();
            let written = keys.iter().filter(|(_, put)| *put);
            let written = written.map(|(key, _)| key.clone()).collect();
            (keys.into_iter().map(|(key, _)| key).collect(), written)
        }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn mix(parts: &[u64]) -> u64 {
    hash(&parts)
}

fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
