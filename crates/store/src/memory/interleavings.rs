//! Every interleaving of several processes' requests, each reachable state looked at once.
//!
//! Two schedules that order the requests on every item alike leave the same table and the same
//! processes behind, so only one of them goes on; the others are counted. The order in which the
//! stream tells of different items is the only thing that is taken from one of them for all.

use crate::error::StoreError;
use crate::items::key::Key;
use crate::memory::request::{TableAnswer, TableRequest};
use crate::memory::state::TableState;
use crate::memory::stepped::SteppedTable;
use crate::port::{PutOutcome, TransactWrite};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A process over a [`SteppedTable`], and what it ends with.
pub type SteppedProcess<O> = Pin<Box<dyn Future<Output = O> + Send>>;

/// What goes wrong in every schedule of a search: at the request of this number of that process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepFault {
    /// Which process.
    pub process: usize,
    /// Which of its requests, from 0.
    pub request: usize,
    /// Whether it is done and its answer lost, and the process goes on; else the process dies
    /// before it.
    pub answer_lost: bool,
}

/// Processes over one table, to be run in every interleaving.
pub struct Interleavings<'a, O> {
    /// The table that the processes ask.
    pub table: &'a SteppedTable,
    /// What stands in it when they begin.
    pub base: &'a TableState,
    /// Makes the processes anew.
    pub begin: &'a dyn Fn() -> Vec<SteppedProcess<O>>,
    /// What goes wrong.
    pub fault: Option<StepFault>,
    /// Whether two schedules are different that only order the writes of different items
    /// otherwise: for laws over the order of changes.
    pub in_order: bool,
    /// After so many runs the search gives up.
    pub most_runs: u64,
}

impl<O> std::fmt::Debug for Interleavings<'_, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interleavings").finish_non_exhaustive()
    }
}

/// The end of one schedule.
#[derive(Debug)]
pub struct ScheduleEnd<O> {
    /// What stands in the table.
    pub table: TableState,
    /// What each process ended with; none for one that died.
    pub outputs: Vec<Option<O>>,
}

/// What a search came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exploration {
    /// Interleavings there are.
    pub interleavings: u64,
    /// Different ends they have.
    pub ends: u64,
    /// States met.
    pub states: u64,
    /// Whether what is to go wrong went wrong in any of them.
    pub is_met: bool,
    /// Whether all of them were run; if not, the ones that were are counted.
    pub is_complete: bool,
}

struct ScheduleChoice {
    state: u64,
    index: usize,
    count: usize,
    interleavings: u64,
}

impl<O> Interleavings<'_, O> {
    /// Runs them, and looks at each end.
    ///
    /// # Errors
    /// What `at_end` found, with the schedule that led there.
    pub fn explore(
        &self,
        mut at_end: impl FnMut(ScheduleEnd<O>) -> Result<(), String>,
    ) -> Result<Exploration, String> {
        let mut known: HashMap<u64, u64> = HashMap::new();
        let mut choices: Vec<ScheduleChoice> = Vec::new();
        let mut found = Exploration::default();
        for _ in 0..self.most_runs {
            let mut run = InterleavedRun::begin(self);
            for choice in &choices {
                run.step(choice.index);
            }
            let mut below = loop {
                let state = run.state();
                if let Some(interleavings) = known.get(&state) {
                    break *interleavings;
                }
                found.states = found.states.saturating_add(1);
                if run.running.is_empty() {
                    let taken: Vec<usize> = choices.iter().map(|choice| choice.index).collect();
                    found.is_met |= run.is_met;
                    at_end(run.end()).map_err(|law| format!("schedule {taken:?}: {law}"))?;
                    found.ends = found.ends.saturating_add(1);
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
                    found.interleavings = below;
                    found.is_complete = true;
                    return Ok(found);
                };
                choice.interleavings = choice.interleavings.saturating_add(below);
                choice.index = choice.index.saturating_add(1);
                if choice.index < choice.count {
                    choices.push(choice);
                    break;
                }
                known.insert(choice.state, choice.interleavings);
                below = choice.interleavings;
            }
        }
        let begun = choices.iter().map(|choice| choice.interleavings);
        found.interleavings = begun.fold(0, u64::saturating_add);
        Ok(found)
    }
}

struct RunningProcess<O> {
    process: SteppedProcess<O>,
    request: TableRequest,
    number: usize,
    /// How many requests were done before this one.
    done: usize,
}

/// Processes part of the way.
struct InterleavedRun<'a, O> {
    port: &'a SteppedTable,
    table: TableState,
    fault: Option<StepFault>,
    in_order: bool,
    is_met: bool,
    running: Vec<RunningProcess<O>>,
    outputs: Vec<Option<O>>,
    /// What each process has asked and been answered.
    histories: Vec<u64>,
    /// What was written to each item, by whom, having seen what.
    written: BTreeMap<Key, u64>,
    /// All writes, in their order.
    order: u64,
}

impl<'a, O> InterleavedRun<'a, O> {
    fn begin(of: &Interleavings<'a, O>) -> Self {
        let processes = (of.begin)();
        let numbers = 0_u64..;
        let mut run = Self {
            port: of.table,
            table: of.base.clone(),
            fault: of.fault,
            in_order: of.in_order,
            is_met: false,
            running: Vec::new(),
            outputs: processes.iter().map(|_| None).collect(),
            histories: processes
                .iter()
                .zip(numbers)
                .map(|(_, number)| mix(&[1, number]))
                .collect(),
            written: BTreeMap::new(),
            order: 0,
        };
        for (number, process) in processes.into_iter().enumerate() {
            run.go_on(process, number, 0, None);
        }
        run
    }

    /// One of those still running has its request done and asks the next.
    fn step(&mut self, which: usize) {
        let last = self.running.len().saturating_sub(1);
        let running = self.running.remove(which.min(last));
        let RunningProcess {
            process,
            request,
            number,
            done,
        } = running;
        let answer = self.apply(number, request);
        let answer = if self.meets_fault(number, done, true) {
            TableAnswer::Error(StoreError::NoAnswer("the answer was lost".into()))
        } else {
            answer
        };
        self.port.answer(answer);
        self.go_on(process, number, done.saturating_add(1), Some(which));
    }

    /// A process goes on to its next request, which takes this place among those running.
    fn go_on(
        &mut self,
        mut process: SteppedProcess<O>,
        number: usize,
        done: usize,
        place: Option<usize>,
    ) {
        match process.as_mut().poll(&mut noop_context()) {
            Poll::Ready(output) => {
                if let Some(place) = self.outputs.get_mut(number) {
                    *place = Some(output);
                }
            }
            Poll::Pending => {
                let request = self.port.take_request();
                if self.meets_fault(number, done, false) {
                    return;
                }
                if let Some(request) = request {
                    let running = RunningProcess {
                        process,
                        request,
                        number,
                        done,
                    };
                    let place = place.unwrap_or(self.running.len());
                    self.running.insert(place.min(self.running.len()), running);
                }
            }
        }
    }

    fn meets_fault(&mut self, process: usize, request: usize, answer_lost: bool) -> bool {
        let now = StepFault {
            process,
            request,
            answer_lost,
        };
        let meets = self.fault == Some(now);
        self.is_met |= meets;
        meets
    }

    fn apply(&mut self, number: usize, request: TableRequest) -> TableAnswer {
        let (reads, writes) = touched(&request);
        let mut seen = vec![self.histories.get(number).copied().unwrap_or_default()];
        seen.extend(reads.iter().map(|key| self.written_to(key)));
        let is_in_range = |key: &Key| match &request {
            TableRequest::Query(partition, ..) => key.partition == *partition,
            TableRequest::Scan(..) | TableRequest::Due(..) => true,
            TableRequest::Get(_)
            | TableRequest::Put(..)
            | TableRequest::Delete(_)
            | TableRequest::Transact(_) => false,
        };
        let there = self.written.iter().filter(|(key, _)| is_in_range(key));
        seen.extend(there.flat_map(|(key, written)| [hash(key), *written]));
        let seen = mix(&seen);
        if let Some(history) = self.histories.get_mut(number) {
            *history = seen;
        }
        let answer = self.table.apply(request);
        let refused = matches!(
            answer,
            TableAnswer::Put(PutOutcome::Refused(_)) | TableAnswer::Transacted(false)
        );
        if !refused {
            for key in writes {
                let written = mix(&[self.written_to(&key), seen]);
                self.order = mix(&[self.order, hash(&key), written]);
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
        state.extend(self.in_order.then_some(self.order));
        mix(&state)
    }

    fn end(self) -> ScheduleEnd<O> {
        ScheduleEnd {
            table: self.table,
            outputs: self.outputs,
        }
    }
}

/// Items a request reads, and items it writes if it is not refused.
fn touched(request: &TableRequest) -> (Vec<Key>, Vec<Key>) {
    match request {
        TableRequest::Get(key) => (vec![key.clone()], Vec::new()),
        TableRequest::Put(item, _) => (vec![item.key()], vec![item.key()]),
        TableRequest::Delete(key) => (vec![key.clone()], vec![key.clone()]),
        TableRequest::Query(..) | TableRequest::Scan(..) | TableRequest::Due(..) => {
            (Vec::new(), Vec::new())
        }
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
