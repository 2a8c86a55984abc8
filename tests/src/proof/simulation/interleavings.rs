//! Every interleaving of several processes' requests, each reachable state looked at once.
//!
//! Two schedules that order the requests on every item alike leave the same table and the same
//! processes behind, so only one of them goes on; the others are counted. The order in which the
//! stream tells of different items is the only thing that is taken from one of them for all.

use super::port::{Port, PortReply, PortRequest};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use store::memory::{TableAnswer, TableRequest, TableState};
use store::{Key, PutOutcome, TransactWrite};

/// What a search came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exploration {
    /// Interleavings there are.
    pub(crate) interleavings: u64,
    /// Different ends they have.
    pub(crate) ends: u64,
    /// Whether all of them were run; if not, the ones that were are counted.
    pub(crate) is_complete: bool,
}

struct ScheduleChoice {
    state: u64,
    index: usize,
    count: usize,
    interleavings: u64,
}

/// Runs processes that begin on `base` in every interleaving, and looks at each end; gives up
/// after so many runs.
pub(crate) fn explore<F: Future>(
    port: &Port,
    base: &TableState,
    begin: impl Fn() -> Vec<Pin<Box<F>>>,
    most_runs: u64,
    mut at_end: impl FnMut(TableState) -> Result<(), String>,
) -> Result<Exploration, String> {
    let mut known: HashMap<u64, u64> = HashMap::new();
    let mut choices: Vec<ScheduleChoice> = Vec::new();
    let mut ends = 0;
    for runs in 0_u64.. {
        if runs == most_runs {
            let begun = choices.iter().map(|choice| choice.interleavings);
            return Ok(Exploration {
                interleavings: begun.fold(0, u64::saturating_add),
                ends,
                is_complete: false,
            });
        }
        let mut run = InterleavedRun::begin(port, base.clone(), begin());
        for choice in &choices {
            run.step(choice.index);
        }
        let mut below = loop {
            let state = run.state();
            if let Some(interleavings) = known.get(&state) {
                break *interleavings;
            }
            if run.running.is_empty() {
                let taken: Vec<usize> = choices.iter().map(|choice| choice.index).collect();
                at_end(run.table).map_err(|law| format!("schedule {taken:?}: {law}"))?;
                ends += 1;
                known.insert(state, 1);
                break 1;
            }
            choices.push(ScheduleChoice {
                state,
                index: 0,
                count: run.running.len(),
                interleavings: 0,
            });
            run.step(0);
        };
        loop {
            let Some(mut choice) = choices.pop() else {
                return Ok(Exploration {
                    interleavings: below,
                    ends,
                    is_complete: true,
                });
            };
            choice.interleavings = choice.interleavings.saturating_add(below);
            choice.index += 1;
            if choice.index < choice.count {
                choices.push(choice);
                break;
            }
            known.insert(choice.state, choice.interleavings);
            below = choice.interleavings;
        }
    }
    Err("more runs than can be counted".into())
}

struct RunningProcess<F> {
    process: Pin<Box<F>>,
    request: TableRequest,
    number: usize,
}

/// Processes part of the way.
struct InterleavedRun<'a, F> {
    port: &'a Port,
    table: TableState,
    running: Vec<RunningProcess<F>>,
    /// What each process has asked and been answered.
    histories: Vec<u64>,
    /// What was written to each item, by whom, having seen what.
    written: BTreeMap<Key, u64>,
}

impl<'a, F: Future> InterleavedRun<'a, F> {
    fn begin(port: &'a Port, table: TableState, processes: Vec<Pin<Box<F>>>) -> Self {
        let mut run = Self {
            port,
            table,
            running: Vec::new(),
            histories: (0..processes.len())
                .map(|number| mix(&[1, number as u64]))
                .collect(),
            written: BTreeMap::new(),
        };
        for (number, mut process) in processes.into_iter().enumerate() {
            if process.as_mut().poll(&mut noop_context()).is_pending()
                && let Some(PortRequest::Table(ask)) = port.take_request()
            {
                run.running.push(RunningProcess {
                    process,
                    request: ask,
                    number,
                });
            }
        }
        run
    }

    /// One of those still running has its request done and asks the next.
    fn step(&mut self, which: usize) {
        let running = &self.running[which];
        let (op, number) = (running.request.clone(), running.number);
        let answer = self.apply(number, op);
        self.port.answer(PortReply::Table(answer));
        let running = &mut self.running[which];
        match (
            running.process.as_mut().poll(&mut noop_context()),
            self.port.take_request(),
        ) {
            (Poll::Pending, Some(PortRequest::Table(next))) => running.request = next,
            _ => {
                self.running.remove(which);
            }
        }
    }

    fn apply(&mut self, number: usize, op: TableRequest) -> TableAnswer {
        let (reads, writes) = touched(&op);
        let mut seen = vec![self.histories[number]];
        seen.extend(reads.iter().map(|key| self.written_to(key)));
        if let TableRequest::Query(partition, ..) = &op {
            let there = self
                .written
                .iter()
                .filter(|(key, _)| key.partition == *partition);
            seen.extend(there.flat_map(|(key, written)| [hash(key), *written]));
        }
        let seen = mix(&seen);
        self.histories[number] = seen;
        let answer = self.table.apply(op);
        let refused = matches!(
            answer,
            TableAnswer::Put(PutOutcome::Refused(_)) | TableAnswer::Transacted(false)
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
        let mut state = self.histories.clone();
        state.extend(
            self.written
                .iter()
                .flat_map(|(key, written)| [hash(key), *written]),
        );
        mix(&state)
    }
}

/// Items a request reads, and items it writes if it is not refused.
fn touched(op: &TableRequest) -> (Vec<Key>, Vec<Key>) {
    match op {
        TableRequest::Get(key) => (vec![key.clone()], Vec::new()),
        TableRequest::Put(item, _) => (vec![item.key()], vec![item.key()]),
        TableRequest::Delete(key) => (vec![key.clone()], vec![key.clone()]),
        TableRequest::Query(..) => (Vec::new(), Vec::new()),
        TableRequest::Scan(..) | TableRequest::Due(..) => panic!("a fold neither scans nor sweeps"),
        TableRequest::Transact(writes) => {
            let key = |write: &TransactWrite| match write {
                TransactWrite::Put(item, _) => (item.key(), true),
                TransactWrite::Check(key, _) => (key.clone(), false),
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

fn noop_context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
