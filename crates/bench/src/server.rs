//! The servers of the HTTP benchmark, as processes of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use crate::connection::{self, Connection};
use crate::process::{self, Process};

const API_KEY: &str = "the-key-of-the-benchmark";
const PATH: &str = "/string/replace";

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    process: Process,
    address: SocketAddr,
}

impl Server {
    /// The container's binary, with everything on.
    pub(crate) fn fargate_app() -> anyhow::Result<Self> {
        // Its log goes through a pipe, as it does in a container.
        let command = Command::new(built("fargate-app")?);
        Self::start(command, |line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            line["address"].as_str()?.parse().ok()
        })
    }

    /// A raw hyper server that sends back what it gets.
    pub(crate) fn echo() -> anyhow::Result<Self> {
        Self::start(Command::new(built("echo")?), |line| line.parse().ok())
    }

    fn start(mut command: Command, address: impl Fn(&str) -> Option<SocketAddr>) -> anyhow::Result<Self> {
        command.env_clear().envs([("PORT", "0"), ("API_KEY", API_KEY)]);
        let (process, address) = Process::start(command, address)?;
        Ok(Self { process, address })
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        process::cpu(self.process.id())
    }

    /// The most memory that it ever had resident, in bytes.
    pub(crate) fn peak_rss(&self) -> anyhow::Result<u64> {
        process::peak_rss(self.process.id())
    }

    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address)
    }
}

/// The head of a request with a body of this type and length.
pub(crate) fn head(content_type: &str, length: usize) -> String {
    connection::head(PATH, &[("x-api-key", API_KEY), ("content-type", content_type)], length)
}

/// A request with a JSON body of `length` bytes.
pub(crate) fn request(length: usize) -> Vec<u8> {
    let body = connection::prose(length);
    [head("application/json", body.len()), body].concat().into_bytes()
}

/// A program of this workspace, built in the same profile as this one.
pub(crate) fn built(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is not built: `make bench` builds it", path.display());
    Ok(path)
}
