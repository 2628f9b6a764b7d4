//! The crate's tests through its public face.

mod keeping_fresh;
mod local;
