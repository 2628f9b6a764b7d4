//! Where an endpoint's host really is.

use std::net::SocketAddr;

/// Finds the local address behind a host that AWS would resolve.
pub trait Network: Send + Sync {
    /// The local address that serves `host:port` of an integration's URI, such as a load balancer's DNS name; with
    /// `vpc_link`, as seen through that VPC link. `None`: not ours, DNS decides.
    fn resolve(&self, host: &str, port: u16, vpc_link: Option<&str>) -> Option<SocketAddr>;
}
