//! Serves what is deployed in the local control plane.
fn main() {}
