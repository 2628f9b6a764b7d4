//! The servers that are measured, as processes of their own, and clients for them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};

const API_KEY: &str = "the-key-of-the-benchmark";

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
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
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let mut lines = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let mut line = String::new();
        let address = loop {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                child.wait()?;
                anyhow::bail!("a server ended before it listened");
            }
            if let Some(address) = address(line.trim_end()) {
                break address;
            }
        };
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(Self { child, address })
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu(self.child.id())
    }

    /// The most memory that it ever had resident, in bytes.
    pub(crate) fn peak_rss(&self) -> anyhow::Result<u64> {
        peak_rss(self.child.id())
    }

    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, answer: Vec::new() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nothing to do about either outcome.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    /// Sends a request that was made by [`request`] and reads the answer; returns the length of its body.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> anyhow::Result<usize> {
        self.stream.write_all(request)?;
        self.answer.clear();
        let mut buffer = [0; 64 * 1024];
        let body = loop {
            if let Some(end) = self.answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            let read = self.stream.read(&mut buffer)?;
            ensure!(read > 0, "the server closed a connection");
            self.answer.extend_from_slice(&buffer[..read]);
        };
        let head = str::from_utf8(&self.answer[..body])?.to_ascii_lowercase();
        ensure!(head.starts_with("http/1.1 200 "), "not answered: {head}");
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")).context("a length")?;
        let length: usize = length.parse()?;
        let mut left = (body + length).checked_sub(self.answer.len()).context("one answer at a time")?;
        while left > 0 {
            let read = self.stream.read(&mut buffer)?;
            ensure!(read > 0, "the server closed a connection");
            left = left.checked_sub(read).context("one answer at a time")?;
        }
        Ok(length)
    }

    /// Sends `pieces` times `piece` as a text and reads the answer meanwhile; returns how many bytes came back.
    pub(crate) fn stream(&mut self, piece: &[u8], pieces: usize) -> anyhow::Result<usize> {
        let mut sending = self.stream.try_clone()?;
        let mut buffer = vec![0; 64 * 1024];
        thread::scope(|scope| {
            let length = piece.len() * pieces;
            let sender = scope.spawn(move || {
                sending.write_all(head("text/plain", length).as_bytes())?;
                (0..pieces).try_for_each(|_| sending.write_all(piece))
            });
            let (mut received, mut tail) = (0, Vec::new());
            // The answer is in chunks, of which the last one is empty.
            while tail != b"0\r\n\r\n" {
                let read = self.stream.read(&mut buffer)?;
                ensure!(read > 0, "the server closed a connection after {received} bytes");
                received += read;
                tail.extend_from_slice(&buffer[..read]);
                tail.drain(..tail.len().saturating_sub(5));
            }
            sender.join().expect("it does not panic")?;
            Ok(received)
        })
    }
}

fn head(content_type: &str, length: usize) -> String {
    format!(
        "POST /string/replace HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {API_KEY}\r\n\
         content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// A request with a JSON body of `length` bytes: prose in which every hundredth word is a bank.
pub(crate) fn request(length: usize) -> Vec<u8> {
    let (before, after) = (r#"{"content":""#, r#""}"#);
    let words = ["some", "text", "of", "ordinary", "words,", "as", "people", "write", "them", "every", "day."];
    let mut content = String::new();
    for number in 0.. {
        if content.len() >= length {
            break;
        }
        content.push_str(if number % 100 == 1 { "ING" } else { words[number % words.len()] });
        content.push(' ');
    }
    content.truncate(length - before.len() - after.len());
    format!("{}{before}{content}{after}", head("application/json", length)).into_bytes()
}

/// CPU time of all threads of a process so far.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let statistics = fs::read_to_string(task?.path().join("schedstat"))?;
        let running = statistics.split(' ').next().context("schedstat has three numbers")?;
        nanoseconds += running.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The most memory that a process ever had resident, in bytes.
pub(crate) fn peak_rss(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a process has a peak")?;
    let kib = line.trim().strip_suffix(" kB").context("it is in kB")?;
    Ok(kib.parse::<u64>()? * 1024)
}

/// A program of this workspace, built in the same profile as this one.
pub(crate) fn built(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is not built: `make bench` builds it", path.display());
    Ok(path)
}
