//! Load balancers, services and deployments, with real processes.
//!
//! Most tests give a snapshot by hand and let a stand-in hear what the control plane is told. Deployments, and what is
//! read, go against the real control plane.

mod deployments;
mod load_balancers;
mod nginx;
mod reading;
mod services;
mod support;
