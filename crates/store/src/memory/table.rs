//! The table in memory as many tasks share it, each handle with faults of its own.

use crate::error::StoreError;
use crate::items::item::Item;
use crate::memory::fault::Fault;
use crate::memory::paging::Paging;
use crate::memory::request::{RequestTable, TableAnswer, TableRequest};
use crate::memory::state::TableState;
use crate::stream::ItemChange;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// A handle to a table in memory. Clones share table, faults and the list of requests;
/// [`MemoryTable::process`] gives a handle to the same table with its own.
#[derive(Clone)]
pub struct MemoryTable {
    shared: Arc<Mutex<SharedState>>,
    process: Arc<Mutex<ProcessState>>,
    yields: bool,
}

type Faults = Box<dyn FnMut(&TableRequest) -> Fault + Send>;

#[derive(Default)]
struct SharedState {
    state: TableState,
    /// Requests that are done late, and after how many more.
    delayed: Vec<(usize, TableRequest)>,
}

#[derive(Default)]
struct ProcessState {
    faults: Option<Faults>,
    requests: Vec<&'static str>,
}

impl Default for MemoryTable {
    /// An empty table that keeps what DynamoDB would keep, with [drawn](Paging::Drawn) pages.
    fn default() -> Self {
        Self::with_paging(Paging::default())
    }
}

impl MemoryTable {
    /// A table that begins as this one is.
    pub fn new(state: TableState) -> Self {
        Self {
            shared: Arc::new(Mutex::new(SharedState {
                state,
                delayed: Vec::new(),
            })),
            process: Arc::default(),
            yields: false,
        }
    }

    /// An empty table that keeps what DynamoDB would keep and has such pages.
    pub fn with_paging(paging: Paging) -> Self {
        let mut state = TableState::with_paging(paging);
        state.through_attributes = true;
        Self::new(state)
    }

    /// An empty table that keeps what DynamoDB would keep and whose pages hold at most so many
    /// items; 0 means no limit.
    pub fn with_page(page: usize) -> Self {
        Self::with_paging(match page {
            0 => Paging::Whole,
            page => Paging::AtMost(page),
        })
    }

    /// An empty table that keeps items as they are given: ten times as fast, for tests that try
    /// many orders of many events.
    pub fn without_attributes() -> Self {
        Self::new(TableState::default())
    }

    /// A handle for another process: the same table, faults and a list of requests of its own.
    pub fn process(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            process: Arc::default(),
            yields: self.yields,
        }
    }

    /// A handle that lets other tasks go first before each request.
    pub fn yielding(&self) -> Self {
        Self {
            yields: true,
            ..self.clone()
        }
    }

    /// What happens to this process's requests from now on.
    pub fn set_faults(&self, faults: impl FnMut(&TableRequest) -> Fault + Send + 'static) {
        lock(&self.process).faults = Some(Box::new(faults));
    }

    /// From now on nothing goes wrong.
    pub fn clear_faults(&self) {
        lock(&self.process).faults = None;
    }

    /// The names of this process's requests since this was last asked.
    pub fn take_requests(&self) -> Vec<&'static str> {
        std::mem::take(&mut lock(&self.process).requests)
    }

    /// The stream's records from this place on; asking twice gives them twice.
    pub fn changes(&self, from: usize) -> Vec<ItemChange> {
        let shared = lock(&self.shared);
        let changes = shared.state.changes.iter().enumerate().skip(from);
        let changes = changes.map(|(place, change)| ItemChange {
            sequence: format!("{place:021}"),
            partition: change.key.partition.clone(),
            item: Ok(change.new.clone()),
        });
        changes.collect()
    }

    /// Everything in it, partition by partition.
    pub fn items(&self) -> Vec<Item> {
        lock(&self.shared).state.items().cloned().collect()
    }

    /// Puts an item past the protocol, over whatever is there: what somebody else wrote.
    pub fn plant(&self, item: Item) {
        lock(&self.shared).state.plant(item);
    }

    /// The table as it is now.
    pub fn state(&self) -> TableState {
        lock(&self.shared).state.clone()
    }

    /// Does what was delayed, now.
    pub fn apply_delayed(&self) {
        let mut shared = lock(&self.shared);
        for (_, request) in std::mem::take(&mut shared.delayed) {
            shared.state.apply(request);
        }
    }

    fn answer(&self, request: TableRequest) -> TableAnswer {
        let fault = {
            let mut process = lock(&self.process);
            process.requests.push(request.name());
            let faults = process.faults.as_mut();
            faults.map_or(Fault::None, |faults| faults(&request))
        };
        let mut shared = lock(&self.shared);
        let answer = match fault {
            Fault::None => shared.state.apply(request),
            Fault::Fail(error) => TableAnswer::Error(error),
            Fault::LoseAnswer => {
                shared.state.apply(request);
                TableAnswer::Error(lost())
            }
            Fault::Delay(requests) => {
                // This request is no later one: counted below.
                shared.delayed.push((requests.saturating_add(1), request));
                TableAnswer::Error(lost())
            }
        };
        shared.count_request();
        answer
    }
}

impl SharedState {
    /// Does what was delayed until now.
    fn count_request(&mut self) {
        for (left, request) in std::mem::take(&mut self.delayed) {
            match left.saturating_sub(1) {
                0 => drop(self.state.apply(request)),
                left => self.delayed.push((left, request)),
            }
        }
    }
}

impl RequestTable for MemoryTable {
    async fn request(&self, request: TableRequest) -> TableAnswer {
        if self.yields {
            yield_once().await;
        }
        self.answer(request)
    }
}

impl fmt::Debug for MemoryTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTable").finish_non_exhaustive()
    }
}

fn lost() -> StoreError {
    StoreError::NoAnswer("the answer was lost".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the executor run others once.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
