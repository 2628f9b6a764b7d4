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
/// One reading of the account, which may be on its way when handles are counted.
const HANDLE_MARGIN: usize = 4;

const MB: f64 = 1e6;

/// Sends `requests`, and fails when anything has grown.
pub(crate) fn run(requests: usize) -> anyhow::Result<()> {
    ensure!(requests >= PARTS, "{requests} requests are too few: {PARTS} at least");
    let mut report =
        Report::new("soak", &format!("Local API Gateway: {requests} requests through {CONNECTIONS} connections"));
    let deployed = Deployed::start()?;
    let request = deployed.through_gateway();
    let mut connections = (0..CONNECTIONS).map(|_| deployed.connect()).collect::<Result<Vec<_>, _>>()?;
    let show = |share: usize, held: &Held, load: Option<&Load>| {
        let Held { memory, handles, processes, process_memory } = held;
        let [memory, process_memory] = [memory, process_memory].map(|bytes| *bytes as f64 / MB);
        let speed = load.map(|load| {
            let p99 = load.percentile(0.99).as_secs_f64() * 1e3;
            format!(", {:.0} requests/s, p99 {p99:.1} ms", load.per_second())
        });
        println!(
            "  {share:>3} %: {memory:.1} MB, {handles} handles, {processes} processes of {process_memory:.1} MB at most{}",
            speed.unwrap_or_default()
        );
    };
    show(0, &deployed.held()?, None);
    let mut held = Vec::new();
    for part in 1..=PARTS {
        let load = Load::send(&mut connections, &request, requests / PARTS, REPLACED)?;
        let now = deployed.held()?;
        show(part * 100 / PARTS, &now, Some(&load));
        held.push(now);
    }
    let (warm, after) = (held[WARM - 1], held[PARTS - 1]);
    let growth = |before: f64, after: f64| after / before;
    let memory = growth(warm.memory as f64, after.memory as f64);
    let process_memory = growth(warm.process_memory as f64, after.process_memory as f64);
    let more = |before: usize, after: usize| after as f64 - before as f64;
    let (handles, processes) = (more(warm.handles, after.handles), more(warm.processes, after.processes));
    let share = WARM * 100 / PARTS;
    report.figure(&format!("memory, at 100 % / at {share} %"), memory, "x", Target::AtMost(MEMORY_MARGIN));
    report.figure("the same of a function's process", process_memory, "x", Target::AtMost(MEMORY_MARGIN));
    report.figure(&format!("handles since {share} %"), handles, "more", Target::AtMost(HANDLE_MARGIN as f64));
    report.figure(&format!("processes since {share} %"), processes, "more", Target::AtMost(0.0));
    report.write()?;
    let is_steady = memory.max(process_memory) <= MEMORY_MARGIN && handles <= HANDLE_MARGIN as f64 && processes <= 0.0;
    ensure!(is_steady, "something grows");
    Ok(())
}
