//! Very many requests through the local API Gateway: memory, open handles and processes stay what they are.

use anyhow::ensure;

use crate::deployed::{Deployed, Held, REPLACED};
use crate::load::Load;
use crate::report::{Report, Target};

const CONNECTIONS: usize = 8;
const PARTS: usize = 10;
/// After so many parts everything is warm, what is kept of the latest requests included: from here on nothing grows.
const WARM: usize = 2;

/// Of memory, what an allocator may do as it likes: a share of what was held when warm.
const MEMORY_MARGIN: f64 = 1.10;
/// As many as a version may have, and the one that ends them should the data plane be killed. A busy machine may keep a
/// process from asking for its next event in time, while it refreshes its map for instance: then another one joins it,
/// until that has been idle for five minutes.
const MOST_PROCESSES: usize = 32 + 1;
/// What each process more may take of the data plane's memory, in bytes, and of its handles: the process itself, its log,
/// its Runtime API's port and connection.
const PROCESS_MEMORY: u64 = 250_000;
const PROCESS_HANDLES: usize = 4;
/// A reading of the account may be on its way when handles are counted.
const HANDLE_MARGIN: usize = 4;
/// Bytes for each invocation, of all that the function's processes hold. `lambda_runtime` puts each trace id into the
/// environment, and glibc's `setenv` keeps every value that it was ever given: 144 bytes, and the same on AWS. They lie
/// between buffers that are freed, so that at first the heap grows by nearly twice as much. With one trace id for all
/// invocations nothing grows.
const INVOCATION_MARGIN: f64 = 320.0;

const MB: f64 = 1e6;

/// Sends `requests`, and fails when anything has grown.
pub(crate) fn run(requests: usize) -> anyhow::Result<()> {
    ensure!(requests >= PARTS, "{requests} requests are too few: {PARTS} at least");
    let title = format!("Local API Gateway: {requests} requests through {CONNECTIONS} connections");
    let mut report = Report::new("soak", &title);
    let deployed = Deployed::start()?;
    let request = deployed.through_gateway();
    let mut connections = (0..CONNECTIONS).map(|_| deployed.connect()).collect::<Result<Vec<_>, _>>()?;
    show(0, &deployed.held()?, None);
    let mut held = Vec::new();
    for part in 1..=PARTS {
        let load = Load::send(&mut connections, &request, requests / PARTS, REPLACED)?;
        let now = deployed.held()?;
        show(part * 100 / PARTS, &now, Some(&load));
        held.push(now);
    }
    let (warm, after) = (&held[WARM - 1], &held[PARTS - 1]);
    let processes = after.processes.len();
    let joined = processes.saturating_sub(warm.processes.len());
    let memory = after.memory.saturating_sub(PROCESS_MEMORY * joined as u64) as f64 / warm.memory as f64;
    let handles = after.handles.saturating_sub(warm.handles + PROCESS_HANDLES * joined);
    // Of those that were there all the time.
    let grown: u64 = after.processes.iter().fold(0, |grown, (process, memory)| {
        grown + warm.processes.get(process).map_or(0, |before| memory.saturating_sub(*before))
    });
    let per_invocation = grown as f64 / (requests / PARTS * (PARTS - WARM)) as f64;

    let since = format!("since {} %", WARM * 100 / PARTS);
    report.figure(&format!("data plane: memory {since}"), memory, "x", Target::AtMost(MEMORY_MARGIN));
    report.figure(&format!("handles {since}"), handles as f64, "more", Target::AtMost(HANDLE_MARGIN as f64));
    report.figure("processes", processes as f64, "", Target::AtMost(MOST_PROCESSES as f64));
    let what = format!("the function's processes: memory {since}, each invocation");
    report.figure(&what, per_invocation, "bytes", Target::AtMost(INVOCATION_MARGIN));
    report.write()?;
    let is_steady = memory <= MEMORY_MARGIN
        && handles <= HANDLE_MARGIN
        && processes <= MOST_PROCESSES
        && per_invocation <= INVOCATION_MARGIN;
    ensure!(is_steady, "something grows");
    Ok(())
}

fn show(share: usize, held: &Held, load: Option<&Load>) {
    let speed = load.map(|load| {
        let p99 = load.percentile(0.99).as_secs_f64() * 1e3;
        format!(", {:.0} requests/s, p99 {p99:.1} ms", load.per_second())
    });
    println!(
        "  {share:>3} %: {:.1} MB, {} handles, {} processes with {:.1} MB{}",
        held.memory as f64 / MB,
        held.handles,
        held.processes.len(),
        held.processes.values().sum::<u64>() as f64 / MB,
        speed.unwrap_or_default()
    );
}
