//! The crate's tests through its public face: against a scripted server that fails in every way, and against moto.

mod dependencies;
mod moto;
mod parameter;
mod server;
mod table;
mod tls;
