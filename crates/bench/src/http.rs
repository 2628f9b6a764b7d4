//! A request with everything on (key, limits, time-outs, log line, metrics) against a raw hyper server that sends back
//! what it gets; and the memory that it takes.

use std::thread;

use crate::connection::Connection;
use crate::report::{Report, Target, median};
use crate::server::{Server, head, request};

/// Figures are medians over this many rounds; in each, every size has its turn, with connections of its own.
const ROUNDS: usize = 21;
/// In a round, the servers take turns for some slices, of which the least counts: whatever else the machine does, it costs
/// the one as much as the other, and is not what is measured.
const SLICES: usize = 4;
const CONNECTIONS: usize = 4;

/// Bytes of a body, how many requests each connection sends per slice, and what the ratio should be at most.
const SIZES: [(&str, usize, usize, f64); 3] =
    [("100 B", 100, 500, 1.5), ("10 KB", 10_000, 300, 1.2), ("1 MB", 1_000_000, 10, 1.5)];

/// CPU time per request.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut report = Report::new("http", "HTTP: CPU time per request against a raw hyper echo (same run, in turn)");
    let (service, echo) = (Server::fargate_app()?, Server::echo()?);
    let mut times = vec![(Vec::new(), Vec::new()); SIZES.len()];
    // The first round warms up.
    for round in 0..=ROUNDS {
        for ((_, length, requests, _), (service_times, echo_times)) in SIZES.iter().zip(&mut times) {
            let request = request(*length);
            let (mut of_service, mut of_echo) = (connect(&service)?, connect(&echo)?);
            let mut least = (f64::MAX, f64::MAX);
            for _ in 0..SLICES {
                least.0 = cpu_per_request(&service, &mut of_service, &request, *requests)?.min(least.0);
                least.1 = cpu_per_request(&echo, &mut of_echo, &request, *requests)?.min(least.1);
            }
            if round > 0 {
                service_times.push(least.0);
                echo_times.push(least.1);
            }
        }
    }
    for ((what, _, _, target), (service, echo)) in SIZES.iter().zip(times) {
        let ratios = service.iter().zip(&echo).map(|(service, echo)| service / echo).collect();
        report.figure(&format!("{what}: service"), median(service), "µs", Target::None);
        report.figure(&format!("{what}: echo"), median(echo), "µs", Target::None);
        report.figure(&format!("{what}: service / echo"), median(ratios), "x", Target::AtMost(*target));
    }
    report.write()
}

fn connect(server: &Server) -> anyhow::Result<Vec<Connection>> {
    (0..CONNECTIONS).map(|_| server.connect()).collect()
}

/// Microseconds of the server's CPU time.
fn cpu_per_request(
    server: &Server,
    connections: &mut [Connection],
    request: &[u8],
    requests: usize,
) -> anyhow::Result<f64> {
    let before = server.cpu()?;
    thread::scope(|scope| {
        let clients: Vec<_> = connections
            .iter_mut()
            .map(|connection| {
                scope.spawn(move || (0..requests).try_for_each(|_| connection.exchange(request).map(drop)))
            })
            .collect();
        clients.into_iter().try_for_each(|client| client.join().expect("it does not panic"))
    })?;
    let used = server.cpu()? - before;
    Ok(used.as_secs_f64() * 1e6 / (requests * CONNECTIONS) as f64)
}

/// Peak resident memory.
pub(crate) fn rss() -> anyhow::Result<()> {
    const MEGABYTE: f64 = 1e6;
    let mut report = Report::new("rss", "Container: peak resident memory");

    let service = Server::fargate_app()?;
    report.figure("started", service.peak_rss()? as f64 / MEGABYTE, "MB", Target::None);
    let request = request(10_000);
    let mut connections = (0..64).map(|_| service.connect()).collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        let clients: Vec<_> = connections
            .iter_mut()
            .map(|connection| scope.spawn(|| (0..100).try_for_each(|_| connection.exchange(&request).map(drop))))
            .collect();
        clients.into_iter().try_for_each(|client| client.join().expect("it does not panic"))
    })?;
    let peak = service.peak_rss()? as f64 / MEGABYTE;
    report.figure("64 connections, 10 KB each, 100 times", peak, "MB", Target::AtMost(12.0));

    let service = Server::fargate_app()?;
    let piece = b"some text in which ING is replaced now and then. ".repeat(1000);
    let pieces = 1_000_000_000 / piece.len();
    service.connect()?.stream(&head("text/plain", pieces * piece.len()), &piece, pieces)?;
    let peak = service.peak_rss()? as f64 / MEGABYTE;
    report.figure("one text of 1 GB", peak, "MB", Target::AtMost(16.0));
    report.write()
}
