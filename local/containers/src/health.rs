//! Health checks, by the target group's own settings.
//!
//! One thing differs from AWS: the first check is made at once and repeated every 250 ms until it passes, so that a laptop
//! is not kept waiting for the first interval, which is 5 to 300 seconds. As on AWS, one passed check makes a new target
//! healthy; it is unhealthy when it has not passed any within interval × unhealthy threshold. From then on the group's
//! interval and thresholds count.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>

use std::net::SocketAddr;
use std::sync::Weak;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::snapshot::HealthCheck;
use crate::target_group::{Address, Health, State, Target, TargetGroup};

/// Between the checks of a target that has not passed any yet.
const FIRST_CHECKS: Duration = Duration::from_millis(250);

/// Checks the target for as long as it and its group are there.
pub async fn watch(group: Weak<TargetGroup>, target: Weak<Target>) {
    let begin = Instant::now();
    let (mut passed, mut failed) = (0, 0);
    loop {
        let pause = {
            let (Some(group), Some(target)) = (group.upgrade(), target.upgrade()) else { return };
            let check = group.settings().health_check.clone();
            let pace = group.surroundings().pace;
            let address = match &target.address {
                Address::Socket(address) => Some(*address),
                Address::LoadBalancer { arn, port } => group.surroundings().directory.of_load_balancer(arn, *port),
                Address::Nowhere => None,
            };
            let outcome = match address {
                Some(mut address) => {
                    address.set_port(check.port.unwrap_or(address.port()));
                    probe(&check, address, pace.health(check.timeout)).await
                }
                None => Err(Failure::FailedHealthChecks),
            };
            (passed, failed) = if outcome.is_ok() { (passed + 1, 0) } else { (0, failed + 1) };
            let before = target.health().state;
            let is_new = before == State::Initial;
            let interval = pace.health(check.interval);
            match outcome {
                Ok(()) if is_new || passed >= check.healthy_threshold => group.set_health(&target, Health::healthy()),
                Err(failure) if is_new && begin.elapsed() >= interval * check.unhealthy_threshold => {
                    group.set_health(&target, failure.health());
                }
                Err(failure) if !is_new && failed >= check.unhealthy_threshold => {
                    group.set_health(&target, failure.health());
                }
                _ => {}
            }
            if target.health().state == State::Initial { FIRST_CHECKS.min(interval) } else { interval }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Why a check did not pass.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Timeout,
    ResponseCodeMismatch(StatusCode),
    FailedHealthChecks,
}

impl Failure {
    fn health(&self) -> Health {
        let (reason, description) = match self {
            Self::Timeout => ("Target.Timeout", "Request timed out".to_owned()),
            Self::ResponseCodeMismatch(status) => {
                ("Target.ResponseCodeMismatch", format!("Health checks failed with these codes: [{}]", status.as_str()))
            }
            Self::FailedHealthChecks => ("Target.FailedHealthChecks", "Health checks failed".to_owned()),
        };
        Health::because(State::Unhealthy, reason, description)
    }
}

async fn probe(check: &HealthCheck, address: SocketAddr, timeout: Duration) -> Result<(), Failure> {
    let ask = async {
        let stream = TcpStream::connect(address).await.map_err(|_| Failure::FailedHealthChecks)?;
        if !check.is_http {
            return Ok(());
        }
        let status = status(stream, address, &check.path).await.map_err(|_| Failure::FailedHealthChecks)?;
        let is_expected = check.matcher.iter().any(|(first, last)| (*first..=*last).contains(&status.as_u16()));
        if is_expected { Ok(()) } else { Err(Failure::ResponseCodeMismatch(status)) }
    };
    tokio::time::timeout(timeout, ask).await.unwrap_or(Err(Failure::Timeout))
}

async fn status(stream: TcpStream, address: SocketAddr, path: &str) -> Result<StatusCode, Box<dyn std::error::Error>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, "ELB-HealthChecker/2.0")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let mut response = std::pin::pin!(sender.send_request(request));
    // The connection ends with this future, so that an endless body cannot keep it.
    tokio::select! {
        response = &mut response => return Ok(response?.status()),
        ended = connection => ended?,
    }
    // An answer that was read together with the connection's end is there, and not taken yet.
    Ok(response.await?.status())
}
