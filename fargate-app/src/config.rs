//! The server's configuration: from the environment, parsed once.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use api::{ApiKey, Metrics};
use env::{BadVariable, Env};

use crate::client_ip::TrustedProxies;
use crate::cors::Cors;

/// Everything that can be configured.
pub struct Config {
    /// `HOST` (127.0.0.1): the address to listen on. A container says 0.0.0.0, a developer's machine does not.
    pub host: IpAddr,
    /// `PORT` (8080); 0 takes a free one.
    pub port: u16,
    /// `API_KEY`; `None` if one is to be made.
    pub api_key: Option<ApiKey>,
    /// `TRUSTED_PROXIES` (none): which proxies in front of this process append to X-Forwarded-For and can be believed.
    pub trusted_proxies: TrustedProxies,
    /// Which web pages may read the answers.
    pub cors: Cors,
    /// `METRICS_SERVICE` (fargate-app): the dimension of the metrics, which tells deployments in one account apart.
    pub metrics_service: String,
    pub limits: Limits,
    pub api: api::Config,
    pub mapping: mapping::Config,
}

/// What one client may take from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `MAX_CONNECTIONS` (1024). A new one beyond that takes the place of the one that has waited longest for its
    /// client, or waits for one to end.
    pub connections: usize,
    /// `MAX_CONCURRENT_REQUESTS` (256). One more is answered 503 at once: waiting in a queue helps nobody.
    pub concurrent_requests: usize,
    /// `HEADER_READ_TIMEOUT_SECONDS` (10): from the first byte of a request, or from connecting, to the end of its head.
    pub header_read: Duration,
    /// `BODY_STALL_TIMEOUT_SECONDS` (30): how long a request may be under way without a byte going either way.
    pub body_stall: Duration,
    /// `IDLE_TIMEOUT_SECONDS` (75): how long a connection may wait for its next request. Longer than a load balancer's
    /// own 60 seconds, so that it is not closed under a request that the load balancer is just sending.
    pub idle: Duration,
    /// `DRAIN_SECONDS` (20): how long running requests may take after SIGTERM. ECS kills after 30.
    pub drain: Duration,
}

impl Config {
    /// Reads all of it; the first value that does not fit is the error.
    pub fn from_env(env: &Env) -> Result<Self, BadVariable> {
        let api_key = env.get("API_KEY").map(|key| ApiKey::new("API_KEY", key)).transpose()?;
        Ok(Self {
            host: env.parse("HOST", "an IP address to listen on")?.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            port: env.parse("PORT", "a TCP port from 0 to 65535")?.unwrap_or(8080),
            api_key,
            trusted_proxies: env
                .parse("TRUSTED_PROXIES", "ranges of addresses such as 10.0.0.0/16,2001:db8::/56")?
                .unwrap_or_default(),
            cors: Cors::from_env(env)?,
            metrics_service: Metrics::service_from_env(env, env!("CARGO_PKG_NAME"))?,
            limits: Limits::from_env(env)?,
            api: api::Config::from_env(env)?,
            mapping: mapping::Config::from_env(env)?,
        })
    }
}

impl Limits {
    fn from_env(env: &Env) -> Result<Self, BadVariable> {
        let count = |name, default| {
            let parsed = env.parse_if(name, "a number from 1 to 100000", |n| (1..=100_000).contains(n))?;
            Ok(parsed.unwrap_or(default))
        };
        let seconds = |name, default| {
            let parsed = env.parse_if(name, "a number of seconds from 1 to 3600", |n| (1..=3600).contains(n))?;
            Ok(Duration::from_secs(parsed.unwrap_or(default)))
        };
        Ok(Self {
            connections: count("MAX_CONNECTIONS", 1024)?,
            concurrent_requests: count("MAX_CONCURRENT_REQUESTS", 256)?,
            header_read: seconds("HEADER_READ_TIMEOUT_SECONDS", 10)?,
            body_stall: seconds("BODY_STALL_TIMEOUT_SECONDS", 30)?,
            idle: seconds("IDLE_TIMEOUT_SECONDS", 75)?,
            drain: seconds("DRAIN_SECONDS", 20)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::from_env(&Env::from_iter(variables.iter().copied())).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_set_listens_on_this_machine_only() {
        let config = read(&[]).unwrap();
        assert_eq!((config.host.to_string().as_str(), config.port), ("127.0.0.1", 8080));
        assert!(config.api_key.is_none());
        assert_eq!(config.trusted_proxies, TrustedProxies::default());
        assert_eq!(config.metrics_service, "fargate-app");
        assert_eq!(config.limits.drain, Duration::from_secs(20));
    }

    #[test]
    fn each_bad_value_is_named_with_what_it_should_be() {
        for (name, value, expected) in [
            ("HOST", "localhost", "an IP address to listen on"),
            ("PORT", "65536", "a TCP port from 0 to 65535"),
            ("TRUSTED_PROXIES", "10.0.0.1", "ranges of addresses such as 10.0.0.0/16,2001:db8::/56"),
            ("MAX_CONNECTIONS", "0", "a number from 1 to 100000"),
            ("MAX_CONCURRENT_REQUESTS", "many", "a number from 1 to 100000"),
            ("HEADER_READ_TIMEOUT_SECONDS", "0", "a number of seconds from 1 to 3600"),
            ("BODY_STALL_TIMEOUT_SECONDS", "1.5", "a number of seconds from 1 to 3600"),
            ("IDLE_TIMEOUT_SECONDS", "1h", "a number of seconds from 1 to 3600"),
            ("DRAIN_SECONDS", "3601", "a number of seconds from 1 to 3600"),
            ("METRICS_SERVICE", "é", "1 to 1024 printable ASCII characters"),
            ("MAX_BODY_BYTES", "10MB", "a number of bytes from 1 to 1073741824"),
        ] {
            let error = read(&[(name, value)]).err();
            assert_eq!(error, Some(format!("{name}={value:?} cannot be used: it should be {expected}")));
        }
    }

    #[test]
    fn a_bad_key_is_not_repeated() {
        assert!(!read(&[("API_KEY", "too short")]).err().unwrap().contains("too short"));
    }
}
