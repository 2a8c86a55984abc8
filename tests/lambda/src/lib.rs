//! Lambda as a function's process meets it: an environment, the Runtime API that hands it
//! events, and AWS's services behind TLS. For the bench and for the tests of built functions;
//! nothing here is Amazon's, and everything listens on loopback alone.

mod authority;
mod payloads;
mod process;
mod runtime_api;
mod services;

pub use authority::Authority;
pub use payloads::{Batch, Http, Shape, schedule};
pub use process::{Folder, Process, Program};
pub use runtime_api::{Answer, Outcome, RuntimeApi};
pub use services::{Answering, Call, Reserved, Services, json};
