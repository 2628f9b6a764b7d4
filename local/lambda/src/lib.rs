//! Lambda on a laptop.
//!
//! [`Lambda`] runs the functions that it is given, as processes of this machine, by Lambda's own contract: the [Runtime
//! API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) on one side, Invoke on the other. What there is
//! to run is plain data ([`Functions`]), which [`read`] takes from the control plane by the AWS API.
//!
//! ```text
//! Invoke over HTTP (Lambda::handle) ─┐
//! in-process (Lambda::invoke) ───────┼─► catalog ─► pool of a version ─► instance ◄─► process
//! events, with retries ──────────────┤   name,      starts, reuses,      Runtime API,
//! SQS event source mappings ─────────┘   alias      reaps                time-out, log
//! ```
//!
//! | module | what |
//! |---|---|
//! | `configuration` | functions, versions, aliases, mappings, as data |
//! | `reader`, `code` | the same, read through the AWS API; zips fetched and unpacked |
//! | `service` | [`Lambda`] itself: exchanges what is served, ends everything |
//! | `http` | Invoke as an AWS SDK calls it |
//! | `invocation` | one invocation from event to REPORT line |
//! | `events` | invocations nobody waits for: queue, retries, destinations |
//! | `event_source` | queues that are polled |
//! | `catalog`, `name` | which version a name leads to, and whether it may run now |
//! | `pool`, `instance`, `runtime_api`, `environment` | processes |
//! | `warden` | ends the processes when this one is gone |
//! | `logs`, `report`, `failure`, `dates` | what is said about it |
//! | `limits` | every number |
//!
//! # What differs from AWS
//!
//! Functions are processes of the user who runs them: no sandbox, no limit of memory or CPU, no frozen time between
//! invocations, one `/tmp` for all, the machine's own libraries. Runtimes are OS-only (`bootstrap` in the zip); a zip for
//! a managed runtime fails with `Runtime.InvalidEntrypoint`. No layers, extensions, response streaming, container
//! images, provisioned concurrency, SnapStart; nothing checks permissions. Of event sources there is SQS, without
//! filters. Waits between attempts are shorter ([`limits`]), and a version runs no more than
//! [`limits::INSTANCES_PER_VERSION`] processes: invocations beyond that wait.

mod catalog;
mod code;
pub mod configuration;
mod dates;
mod environment;
mod event_source;
mod events;
mod failure;
mod http;
mod instance;
mod invocation;
pub mod limits;
mod logs;
mod name;
mod pool;
mod reader;
mod report;
mod runtime_api;
mod service;
mod warden;

pub use configuration::{
    Alias, EventInvokeConfig, EventSourceMapping, Function, FunctionVersion, Functions, TracingMode,
};
pub use invocation::{Invocation, InvokeRequest, Refusal};
pub use reader::{ReadError, read};
pub use report::{Report, Status};
pub use service::{InstanceSummary, Lambda, Settings};
