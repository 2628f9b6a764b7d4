//! A Network Load Balancer's listener: bytes pass through, both ways.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::listener::{Directory, Route};
use crate::rule::{Action, WeightedTargetGroup};
use crate::target_group::{Address, Lease, TargetGroups};

/// A target that has not answered by then is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves one connection. What cannot be forwarded is closed.
pub async fn serve(
    mut client: TcpStream,
    peer: SocketAddr,
    route: &Arc<Route>,
    groups: &TargetGroups,
    directory: &Directory,
) {
    let name = &route.name;
    let Some(lease) = forwarded_to(&route.listener.default_action, groups) else {
        return tracing::warn!(target: "containers", "{name}: no healthy target for {peer}");
    };
    match connect(&lease, directory).await {
        Ok(mut target) => match tokio::io::copy_bidirectional(&mut client, &mut target).await {
            Ok((sent, received)) => {
                tracing::debug!(target: "containers", "{name}: {peer}: {sent} bytes there, {received} back");
            }
            Err(error) => tracing::debug!(target: "containers", "{name}: {peer}: {error}"),
        },
        Err(error) => {
            let target = lease.target();
            tracing::warn!(target: "containers", "{name}: {}:{}: {error}", target.id, target.port);
        }
    }
}

fn forwarded_to(action: &Action, groups: &TargetGroups) -> Option<Lease> {
    let Action::Forward(weighted) = action else { return None };
    groups.get(&by_weight(weighted)?.arn)?.pick()
}

/// One of the groups, each as often as its weight says.
pub fn by_weight(groups: &[WeightedTargetGroup]) -> Option<&WeightedTargetGroup> {
    let sum: u32 = groups.iter().map(|group| group.weight).sum();
    if sum == 0 {
        return None;
    }
    let mut left = fastrand::u32(..sum);
    groups.iter().find(|group| {
        let is_it = left < group.weight;
        left = left.saturating_sub(group.weight);
        is_it
    })
}

async fn connect(lease: &Lease, directory: &Directory) -> io::Result<TcpStream> {
    let address = match &lease.target().address {
        Address::Socket(address) => Some(*address),
        Address::LoadBalancer { arn, port } => directory.of_load_balancer(arn, *port),
        Address::Nowhere => None,
    };
    let address = address.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the target is nowhere"))?;
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
    let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(weights: &[u32]) -> Vec<WeightedTargetGroup> {
        weights.iter().map(|weight| WeightedTargetGroup { arn: weight.to_string(), weight: *weight }).collect()
    }

    #[test]
    fn a_group_of_weight_zero_gets_nothing() {
        for _ in 0..1000 {
            assert_eq!(by_weight(&groups(&[0, 3, 0])).unwrap().arn, "3");
        }
        assert_eq!(by_weight(&groups(&[0, 0])), None);
        assert_eq!(by_weight(&[]), None);
    }

    #[test]
    fn every_group_with_a_weight_gets_some() {
        let groups = groups(&[90, 10]);
        let mut small = 0;
        for _ in 0..10_000 {
            small += u32::from(by_weight(&groups).unwrap().weight == 10);
        }
        assert!((1..5000).contains(&small), "{small} of 10,000 went to the group of a tenth");
    }
}
