//! Everything that is printed: lines of JSON on stdout, written by a thread of its own.
//!
//! Whoever has a line appends it to a buffer and goes on; the thread writes what has gathered every 50 ms. So a request
//! costs no system call, and a reader of stdout that stops reading stops nothing: when the buffer is full, lines are
//! dropped and counted, and the count is the first line once there is room again.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Lines wait at most this long.
const BATCH_EVERY: Duration = Duration::from_millis(50);
/// Written at once when so much has gathered: half of what a pipe holds, so that no write waits for its reader half-way.
const BATCH_BYTES: usize = 32 * 1024;
/// Lines are dropped when so much waits: some 4,000 requests.
const MOST_BYTES: usize = 1024 * 1024;
/// How long the end of the process waits for a reader that does not read.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Where lines go. Cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

struct Shared {
    gathered: Mutex<Gathered>,
    /// Something for the writer to do.
    work: Condvar,
    /// The writer has written all there was and ended.
    ended: Condvar,
}

#[derive(Default)]
struct Gathered {
    lines: Vec<u8>,
    dropped: u64,
    closing: bool,
    ended: bool,
}

impl Log {
    /// A log to stdout.
    pub fn to_stdout() -> Self {
        Self::new(std::io::stdout())
    }

    fn new(out: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared { gathered: Mutex::default(), work: Condvar::new(), ended: Condvar::new() });
        let writer = Arc::clone(&shared);
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.write_all(out)).expect("one thread starts");
        Self(shared)
    }

    /// Appends a line, which ends in a line feed; or drops it, when too much waits.
    pub fn line(&self, line: &[u8]) {
        let mut gathered = self.0.lock();
        let before = gathered.lines.len();
        if before + line.len() > MOST_BYTES {
            gathered.dropped += 1;
            return;
        }
        gathered.lines.extend_from_slice(line);
        // Woken for the first line and for the one that fills a batch, not for each.
        if before == 0 || (before < BATCH_BYTES && before + line.len() >= BATCH_BYTES) {
            drop(gathered);
            self.0.work.notify_one();
        }
    }

    /// Sends `tracing`'s events here, as lines of JSON.
    pub fn install_as_tracing_subscriber(&self) {
        let events = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(self.clone());
        let subscriber = tracing_subscriber::registry().with(tracing::level_filters::LevelFilter::INFO).with(events);
        tracing::subscriber::set_global_default(subscriber).expect("it is set once, at start");
    }

    /// Writes what has gathered and ends the writer; a reader that does not read is waited for, but not for ever.
    pub fn close(&self) {
        let until = Instant::now() + LAST_WAIT;
        let mut gathered = self.0.lock();
        gathered.closing = true;
        self.0.work.notify_one();
        while let (false, Some(left)) = (gathered.ended, until.checked_duration_since(Instant::now())) {
            gathered = self.0.ended.wait_timeout(gathered, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    /// A panic while the lock was held leaves whole lines, so the lock is as good as before.
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        loop {
            let closing;
            {
                let mut gathered = self.lock();
                while gathered.lines.is_empty() && !gathered.closing {
                    gathered = self.work.wait(gathered).unwrap_or_else(PoisonError::into_inner);
                }
                let until = Instant::now() + BATCH_EVERY;
                while let (false, true, Some(left)) =
                    (gathered.closing, gathered.lines.len() < BATCH_BYTES, until.checked_duration_since(Instant::now()))
                {
                    gathered = self.work.wait_timeout(gathered, left).unwrap_or_else(PoisonError::into_inner).0;
                }
                closing = gathered.closing;
                if gathered.dropped > 0 {
                    let dropped = std::mem::take(&mut gathered.dropped);
                    let line = format!(r#"{{"level":"WARN","message":"log lines dropped","lines":{dropped}}}"#);
                    batch.extend_from_slice(line.as_bytes());
                    batch.push(b'\n');
                }
                if batch.is_empty() {
                    std::mem::swap(&mut batch, &mut gathered.lines);
                } else {
                    batch.append(&mut gathered.lines);
                }
            }
            // A closed stdout is no reason to stop serving, and there is nowhere left to say so.
            _ = out.write_all(&batch).and_then(|()| out.flush());
            batch.clear();
            batch.shrink_to(BATCH_BYTES);
            if closing {
                self.lock().ended = true;
                self.ended.notify_all();
                return;
            }
        }
    }
}

/// One event on its way into the log: `tracing` may write it in parts.
pub struct Event {
    log: Log,
    line: Vec<u8>,
}

impl Write for Event {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        self.line.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        self.log.line(&self.line);
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Event;

    fn make_writer(&'a self) -> Event {
        Event { log: self.clone(), line: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Hands over each write, and waits until it was taken.
    struct Reader(SyncSender<Vec<u8>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn log() -> (Log, Receiver<Vec<u8>>) {
        let (sender, receiver) = sync_channel(0);
        (Log::new(Reader(sender)), receiver)
    }

    #[test]
    fn lines_are_written_in_order_and_none_is_left_behind() {
        let (log, written) = log();
        let reader = thread::spawn(move || written.iter().flatten().collect::<Vec<u8>>());
        let expected: String = (0..10_000).map(|n| format!("{n}\n")).collect();
        for line in expected.split_inclusive('\n') {
            log.line(line.as_bytes());
        }
        log.close();
        assert_eq!(String::from_utf8(reader.join().unwrap()).unwrap(), expected);
    }

    #[test]
    fn a_reader_that_stops_costs_lines_and_is_told_how_many() {
        let (log, written) = log();
        let line = [&b"x".repeat(1023)[..], b"\n"].concat();
        log.line(&line);
        thread::sleep(BATCH_EVERY * 4); // the writer has taken the first line and is stuck with it
        for _ in 0..MOST_BYTES / line.len() + 7 {
            log.line(&line);
        }
        assert_eq!(written.recv().unwrap(), line);
        let rest = written.recv().unwrap();
        let told: &[u8] = b"{\"level\":\"WARN\",\"message\":\"log lines dropped\",\"lines\":7}\n";
        assert_eq!(String::from_utf8_lossy(&rest[..told.len()]), String::from_utf8_lossy(told));
        assert_eq!(rest.len() - told.len(), MOST_BYTES);
    }

    #[test]
    fn a_reader_that_stops_does_not_hold_up_the_end() {
        let (log, _written) = log();
        log.line(b"x\n");
        let start = Instant::now();
        log.close();
        assert!(start.elapsed() < LAST_WAIT * 3);
    }
}
