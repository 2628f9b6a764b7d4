//! The binary as a process, driven over sockets.

mod drain;
mod limits;
mod requests;
mod start;
mod support;
