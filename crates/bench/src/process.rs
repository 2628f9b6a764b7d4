//! Processes that are measured: their start, their end, and what Linux says of them in `/proc`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a program may take to end its own children before it is killed.
const END: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(10);

/// A running program. It is asked to end when this is dropped, and waited for.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program and waits for the line on its standard output that `ready` makes something of. What it prints
    /// later goes through a pipe and is thrown away.
    pub(crate) fn start<T>(mut command: Command, ready: impl Fn(&str) -> Option<T>) -> anyhow::Result<(Self, T)> {
        let name = command.get_program().display().to_string();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut process = Self(child.with_context(|| format!("cannot start {name}"))?);
        let mut lines = BufReader::new(process.0.stdout.take().context("stdout is piped")?);
        let mut line = String::new();
        loop {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                bail!("{name} ended before it was ready: {}", process.0.wait()?);
            }
            if let Some(result) = ready(line.trim_end()) {
                thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Ok((process, result));
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to be done.
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            _ = kill_process(pid, Signal::TERM);
        }
        let asked = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) && asked.elapsed() < END {
            thread::sleep(GLANCE);
        }
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// CPU time of all threads of a process so far.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end meanwhile.
        let Ok(statistics) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let running = statistics.split(' ').next().context("schedstat has three numbers")?;
        nanoseconds += running.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The most memory that a process ever had resident, in bytes.
pub(crate) fn peak_rss(pid: u32) -> anyhow::Result<u64> {
    status(pid, "VmHWM:")
}

/// The memory that a process has resident, in bytes.
pub(crate) fn rss(pid: u32) -> anyhow::Result<u64> {
    status(pid, "VmRSS:")
}

fn status(pid: u32, name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a process has memory")?;
    let kib = line.trim().strip_suffix(" kB").context("it is in kB")?;
    Ok(kib.parse::<u64>()? * 1024)
}

/// How many files, pipes and sockets a process has open.
pub(crate) fn handles(pid: u32) -> anyhow::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// The processes that a process has started and that have not ended.
pub(crate) fn children(pid: u32) -> anyhow::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may end meanwhile.
        let Ok(stat) = fs::read_to_string(format!("/proc/{child}/stat")) else { continue };
        // A name in parentheses, which may hold anything; then the state, and the parent.
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1));
        if parent.and_then(|parent| parent.parse().ok()) == Some(pid) {
            children.push(child);
        }
    }
    Ok(children)
}
