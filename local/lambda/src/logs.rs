//! What a process writes to its standard output and standard error.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, PipeReader};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::unix::pipe::Receiver;
use tracing::info;

use crate::limits::{LOG_LINE_BYTES, LOG_TAIL_BYTES};

const READ_BYTES: usize = 16 * 1024;

/// The log of one process: line by line to `tracing`, its last lines kept for `X-Amz-Log-Result`.
///
/// Both streams are one pipe, so that lines keep the order in which they were written. Whoever wants to know what has
/// been written so far empties the pipe first ([`Logs::drain`]): a line that was written before an answer was sent is
/// there when the answer is.
#[derive(Debug)]
pub(crate) struct Logs {
    function: Arc<str>,
    pipe: Receiver,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    unfinished: Vec<u8>,
    tail: VecDeque<u8>,
}

impl Logs {
    pub(crate) fn new(function: Arc<str>, pipe: PipeReader) -> io::Result<Self> {
        Ok(Self { function, pipe: Receiver::from_owned_fd(OwnedFd::from(pipe))?, lines: Mutex::default() })
    }

    /// Reads until nobody can write any more.
    pub(crate) async fn follow(&self) {
        while self.pipe.readable().await.is_ok() {
            if self.read(|buffer| self.pipe.try_read(buffer)) == Drained::Ended {
                return;
            }
        }
    }

    /// Reads what is there, without waiting. Asks the pipe itself: tokio learns later that there is something.
    pub(crate) fn drain(&self) -> Drained {
        self.read(|buffer| rustix::io::read(self.pipe.as_fd(), buffer).map_err(io::Error::from))
    }

    fn read(&self, read: impl Fn(&mut [u8]) -> io::Result<usize>) -> Drained {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0; READ_BYTES];
        loop {
            match read(&mut buffer) {
                Ok(0) => {
                    lines.finish(&self.function);
                    return Drained::Ended;
                }
                Ok(length) => lines.append(&buffer[..length], &self.function),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Drained::Empty,
                // A pipe gives no other error; if it does, there is nothing more to be had from it.
                Err(_) => return Drained::Ended,
            }
        }
    }

    /// A line of Lambda's own.
    pub(crate) fn platform(&self, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.line(line.as_bytes(), &self.function);
    }

    /// Forgets the lines of earlier invocations.
    pub(crate) fn begin(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).tail.clear();
    }

    /// The last 4 KB, or less.
    pub(crate) fn tail(&self) -> Vec<u8> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).tail.iter().copied().collect()
    }
}

/// How a pipe was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// There may be more.
    Empty,
    /// All writers are gone.
    Ended,
}

impl Lines {
    fn append(&mut self, bytes: &[u8], function: &str) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(&piece[..piece.len().min(LOG_LINE_BYTES - self.unfinished.len())]);
            if piece.ends_with(b"\n") || self.unfinished.len() == LOG_LINE_BYTES {
                self.finish(function);
            }
        }
    }

    fn finish(&mut self, function: &str) {
        let line = std::mem::take(&mut self.unfinished);
        let text = line.trim_ascii_end();
        if !text.is_empty() {
            self.line(text, function);
        }
    }

    fn line(&mut self, line: &[u8], function: &str) {
        info!(target: "lambda", function, "{}", String::from_utf8_lossy(line));
        self.tail.extend(line);
        self.tail.push_back(b'\n');
        let surplus = self.tail.len().saturating_sub(LOG_TAIL_BYTES);
        self.tail.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text(lines: &Lines) -> String {
        String::from_utf8(lines.tail.iter().copied().collect()).unwrap()
    }

    #[test]
    fn lines_come_whole_however_they_were_written() {
        let mut lines = Lines::default();
        lines.append(b"fir", "f");
        lines.append(b"st\nsecond\nthi", "f");
        assert_eq!(text(&lines), "first\nsecond\n");
        lines.finish("f");
        assert_eq!(text(&lines), "first\nsecond\nthi\n");
    }

    #[test]
    fn the_tail_is_the_last_4_kb() {
        let mut lines = Lines::default();
        for number in 0..1000 {
            lines.append(format!("line {number}\n").as_bytes(), "f");
        }
        assert_eq!(lines.tail.len(), LOG_TAIL_BYTES);
        assert!(text(&lines).ends_with("line 999\n"));
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut lines = Lines::default();
        lines.append(&vec![b'x'; LOG_LINE_BYTES + 10], "f");
        assert!(lines.unfinished.len() <= 10, "{}", lines.unfinished.len());
    }

    #[tokio::test]
    async fn what_was_written_is_there() {
        let (reader, mut writer) = io::pipe().unwrap();
        let logs = Logs::new("f".into(), reader).unwrap();
        assert_eq!(logs.drain(), Drained::Empty);
        writer.write_all(b"hello\n").unwrap();
        assert_eq!(logs.drain(), Drained::Empty);
        assert_eq!(logs.tail(), b"hello\n");
        logs.begin();
        assert_eq!(logs.tail(), b"");
        drop(writer);
        logs.follow().await;
        assert_eq!(logs.drain(), Drained::Ended);
    }
}
