//! A client that costs as little as a client can.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
const BUFFER: usize = 64 * 1024;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, answer: Vec::new(), buffer: vec![0; BUFFER] })
    }

    /// Sends a request that was made by [`request`] and reads the answer; returns its body.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request)?;
        self.answer.clear();
        let mut searched: usize = 0;
        let body = loop {
            let from = searched.saturating_sub(3);
            if let Some(end) = self.answer[from..].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break from + end + 4;
            }
            searched = self.answer.len();
            self.read()?;
        };
        let head = str::from_utf8(&self.answer[..body])?;
        ensure!(head.starts_with("HTTP/1.1 200 "), "not answered: {}", String::from_utf8_lossy(&self.answer));
        let length = head.split("\r\n").filter_map(|line| line.split_once(": "));
        let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value);
        let length: usize = length.last().context("a length")?.parse()?;
        while self.answer.len() < body + length {
            self.read()?;
        }
        ensure!(self.answer.len() == body + length, "one answer at a time");
        Ok(&self.answer[body..])
    }

    fn read(&mut self) -> anyhow::Result<()> {
        let read = self.stream.read(&mut self.buffer)?;
        ensure!(read > 0, "the server closed a connection");
        self.answer.extend_from_slice(&self.buffer[..read]);
        Ok(())
    }

    /// Sends `head` and `pieces` times `piece`, and reads the answer meanwhile; returns how many bytes came back.
    pub(crate) fn stream(&mut self, head: &str, piece: &[u8], pieces: usize) -> anyhow::Result<usize> {
        let mut sending = self.stream.try_clone()?;
        thread::scope(|scope| {
            let sender = scope.spawn(move || {
                sending.write_all(head.as_bytes())?;
                (0..pieces).try_for_each(|_| sending.write_all(piece))
            });
            let (mut received, mut tail) = (0, Vec::new());
            // The answer is in chunks, of which the last one is empty.
            while tail != b"0\r\n\r\n" {
                let read = self.stream.read(&mut self.buffer)?;
                ensure!(read > 0, "the server closed a connection after {received} bytes");
                received += read;
                tail.extend_from_slice(&self.buffer[..read]);
                tail.drain(..tail.len().saturating_sub(5));
            }
            sender.join().expect("it does not panic")?;
            Ok(received)
        })
    }
}

/// A request's head.
pub(crate) fn head(path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {length}\r\n\r\n")
}

/// A whole request.
pub(crate) fn request(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    format!("{}{body}", head(path, headers, body.len())).into_bytes()
}

/// A JSON body of `length` bytes: prose in which every hundredth word is a bank.
pub(crate) fn prose(length: usize) -> String {
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
    format!("{before}{content}{after}")
}
