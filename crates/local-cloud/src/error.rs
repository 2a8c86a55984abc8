//! What can keep the local stack from doing as it was told.

use std::path::PathBuf;

use runtime::function::Failure;

/// Why the local stack could not do what was asked, split by what a person does about it.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The port is taken or may not be used: choose another.
    #[error(
        "port {port} on 127.0.0.1 cannot be used ({cause}); is another stack running? \
         --port and --table-port take others, and 0 is any free one"
    )]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The data directory cannot be made or written.
    #[error("{path} cannot be used as the data directory ({cause}); name another with --data")]
    Directory {
        /// The directory that was asked for.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Another process holds the data directory: stop it, or choose another directory.
    #[error(
        "another stack is using this data directory; stop that one, or name another with --data"
    )]
    InUse,
    /// The embedded table engine refused.
    #[error("the table's engine refused: {0}")]
    Engine(String),
    /// The stack's own file could not be read or written.
    #[error("the stack's own file could not be read or written: {0}")]
    State(#[from] rusqlite::Error),
    /// A kept value is not what this version writes.
    #[error("the stack's own file holds what this version cannot read: {0}")]
    Shape(#[from] serde_json::Error),
    /// The stack was shut down.
    #[error("the stack is shut down")]
    Closed,
    /// What was asked for is not a time or an amount of time.
    #[error("`{0}` is neither a time like 2026-03-01T09:00:00Z nor an amount like 3d, 2h or 15m")]
    Time(String),
    /// A date or a time of day that does not exist.
    #[error("`{0}` is no moment: {1}; write one like 2026-03-01T09:00:00Z, in UTC")]
    NoSuchTime(String, jiff::Error),
    /// A moment that is not of this century.
    #[error("that is before the year 2000 or after 2099, which is as far as the clock goes")]
    FarTime,
    /// No schedule has this name.
    #[error("no schedule is called `{0}`")]
    UnknownSchedule(String),
    /// No queue has this name.
    #[error("no queue is called `{0}`")]
    UnknownQueue(String),
    /// The wiring asks for what Lambda or the table would not allow.
    #[error("the wiring is not possible: {0}")]
    Wiring(String),
    /// Something is still undelivered after every bounded try.
    #[error("still not quiet: {0}")]
    Busy(String),
    /// A function that was called for its own sake failed.
    #[error("the function failed: {0}")]
    Function(Failure),
}
