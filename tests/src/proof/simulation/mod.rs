//! The simulated machine: chance, clock, table, port, faults and the processes between them.

pub(crate) mod random;
pub(crate) mod faults;
pub(crate) mod script;
pub(crate) mod mutant;
pub(crate) mod immediate;
pub(crate) mod port;
pub(crate) mod activity;
pub(crate) mod records;
pub(crate) mod state;
pub(crate) mod fault_injector;
pub(crate) mod due_index;
pub(crate) mod scheduler;
pub(crate) mod process_stepper;
