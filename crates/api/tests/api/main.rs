//! The router, driven in process.

mod docs;
mod errors;
mod receipts;
mod replace;
mod seeds;
mod status;
mod stream;
mod support;
