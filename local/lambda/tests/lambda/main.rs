//! Lambda with real processes: `fixtures/bootstrap`, a function that does what its event says.

mod control_plane;
mod event_source;
mod events;
mod faults;
mod harness;
mod http;
mod invocation;
mod pools;
mod reader;
mod shutdown;
mod versions;
