//! Who serves the connections: a thread for each processor, each with a runtime of its own.
//!
//! A connection stays with the worker that it was given to. A runtime that moves tasks between its threads has them wake one
//! another for requests as small as these, and what a request touches is then in another processor's caches: that costs a
//! fifteenth of a request of 10 KB. The price is that a long computation holds up the connections of its worker, where
//! others are idle; 10 MB take a hundredth of a second.

use std::io;
use std::num::NonZero;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The workers. Dropping them drops what they serve, and waits for that.
pub struct Workers(Vec<Worker>);

struct Worker {
    runtime: Handle,
    /// Dropped, it stops the thread.
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Starts one for each processor that the process may use; a container's share of them is what counts.
    pub fn start() -> io::Result<Self> {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        (0..processors).map(|_| Worker::start()).collect::<io::Result<_>>().map(Self)
    }

    /// Has the worker with the fewest tasks, which are its connections, run another. There are no timers: time limits are
    /// the watcher's.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let idlest = self.0.iter().min_by_key(|worker| worker.runtime.metrics().num_alive_tasks());
        idlest.expect("there is a worker for each processor").runtime.spawn(task);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let stopped = |Worker { stop, thread, .. }| {
            drop(stop);
            thread
        };
        // All are stopped before the first is waited for.
        for thread in self.0.drain(..).map(stopped).collect::<Vec<_>>() {
            // A panic of one connection's task is caught with the task.
            thread.join().expect("a worker does not panic");
        }
    }
}

impl Worker {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let work = move || _ = runtime.block_on(stopped);
        let thread = thread::Builder::new().name("worker".to_owned()).spawn(work)?;
        Ok(Self { runtime: handle, stop, thread })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn each_has_as_many_tasks_as_the_others() {
        let workers = Workers((0..3).map(|_| Worker::start().unwrap()).collect());
        let (send, receive) = channel();
        for _ in 0..12 {
            let send = send.clone();
            workers.spawn(async move {
                send.send(thread::current().id()).unwrap();
                std::future::pending().await
            });
        }
        let mut tasks = HashMap::new();
        receive.iter().take(12).for_each(|thread| *tasks.entry(thread).or_insert(0) += 1);
        assert_eq!(tasks.into_values().collect::<Vec<_>>(), [4; 3]);
    }

    #[test]
    fn the_end_drops_what_is_under_way() {
        let workers = Workers::start().unwrap();
        let (send, receive) = channel::<()>();
        workers.spawn(async move {
            let _held = send;
            std::future::pending().await
        });
        drop(workers);
        assert!(receive.try_recv().is_err_and(|error| error == std::sync::mpsc::TryRecvError::Disconnected));
    }
}
