//! Many requests at once, counted and timed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rustix::time::{ClockId, clock_gettime};

use crate::connection::Connection;

/// What came of a load.
pub(crate) struct Load {
    pub(crate) requests: usize,
    pub(crate) elapsed: Duration,
    /// CPU time of the clients.
    pub(crate) cpu: Duration,
    /// From a request's first byte to its answer's last one, shortest first.
    latencies: Vec<Duration>,
}

impl Load {
    /// Sends `requests` of one kind, as fast as the connections are answered: one thread for each. Every answer has to
    /// hold `expected`.
    pub(crate) fn send(
        connections: &mut [Connection],
        request: &[u8],
        requests: usize,
        expected: &[u8],
    ) -> anyhow::Result<Self> {
        let sent = AtomicUsize::new(0);
        let client = |connection: &mut Connection| -> anyhow::Result<(Vec<Duration>, Duration)> {
            let mut latencies = Vec::with_capacity(requests);
            while sent.fetch_add(1, Ordering::Relaxed) < requests {
                let began = Instant::now();
                let body = connection.exchange(request)?;
                latencies.push(began.elapsed());
                let is_expected = body.windows(expected.len()).any(|bytes| bytes == expected);
                ensure!(is_expected, "an answer is {}", String::from_utf8_lossy(body));
            }
            Ok((latencies, thread_cpu()))
        };
        let began = Instant::now();
        let clients = thread::scope(|scope| {
            let threads: Vec<_> = connections.iter_mut().map(|connection| scope.spawn(|| client(connection))).collect();
            let joined = threads.into_iter().map(|thread| thread.join().expect("it does not panic"));
            joined.collect::<anyhow::Result<Vec<_>>>()
        })?;
        let elapsed = began.elapsed();
        let cpu = clients.iter().map(|(_, cpu)| *cpu).sum();
        let mut latencies: Vec<_> = clients.into_iter().flat_map(|(latencies, _)| latencies).collect();
        latencies.sort_unstable();
        Ok(Self { requests: latencies.len(), elapsed, cpu, latencies })
    }

    /// So long took the given share of requests at most; `0.5` is the median.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies[index.min(self.latencies.len() - 1)]
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// CPU time that this thread has had.
fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
