//! Requests through a whole gateway, with functions and templates that are stand-ins.

mod authorizers;
mod explanation;
mod firewall;
mod fixture;
mod functions;
mod keys;
mod reading;
mod refusals;
mod updates;
