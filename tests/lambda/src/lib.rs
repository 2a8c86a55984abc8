//! Lambda as a function's process meets it: an environment, the Runtime API that hands it
//! events, and AWS's services behind TLS. For the bench and for the tests of built functions;
//! nothing here is Amazon's, and everything listens on loopback alone.

mod authority;
mod payloads;
mod process;
mod runtime_api;
mod services;

pub use authority::TestAuthority;
pub use payloads::{ClientRequest, HttpEventFormat, RecordBatch, schedule};
pub use process::{FunctionProcess, FunctionProgram, RunFolder};
pub use runtime_api::{InvocationOutcome, InvocationResult, RuntimeApi};
pub use services::{AwsServers, ReservedPort, ServiceRequest, ServiceResponder, json};
