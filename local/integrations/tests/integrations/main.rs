//! Integrations against real servers on this machine: endpoints, and a control plane that says what a test wants.

mod aws_service;
mod faults;
mod http_endpoint;
mod mock;
mod server;
mod template;
mod world;
