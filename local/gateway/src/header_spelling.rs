//! How clients spell the names of their headers.
//!
//! Names of headers do not care about case, and HTTP libraries make them lower case. A function sees them in its event as
//! the client wrote them, though: `event.headers["X-Color"]` is not `event.headers["x-color"]`. So whoever accepts
//! connections can have them watched: the bytes go through unchanged, and each request gets the spelling of its head.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A longer line is none that a server takes; watching ends there.
const LONGEST_LINE: usize = 64 * 1024;
/// Heads that nobody has asked for yet: pipelined requests, of which a server takes one at a time.
const MOST_HEADS: usize = 64;

/// The names in one request's head, as the client wrote them. An extension of the request that
/// [`Gateway::handle`](crate::Gateway::handle) looks for; without it, names are in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderSpelling(Vec<String>);

impl HeaderSpelling {
    pub(crate) fn of<'a>(&'a self, lower: &'a str) -> &'a str {
        self.0.iter().find(|name| name.eq_ignore_ascii_case(lower)).map_or(lower, String::as_str)
    }
}

/// The spellings of a connection's requests.
#[derive(Debug, Clone)]
pub struct HeaderSpellings(Arc<Mutex<Watcher>>);

impl HeaderSpellings {
    /// Watches what is read from `connection`, which is to be HTTP/1.
    pub fn watch<T>(connection: T) -> (Watched<T>, Self) {
        let watcher = Arc::new(Mutex::new(Watcher::default()));
        (Watched { connection, watcher: Arc::clone(&watcher) }, Self(watcher))
    }

    /// The spelling of the next request. To be called once per request, in their order.
    pub fn next(&self) -> HeaderSpelling {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).heads.pop_front().unwrap_or_default()
    }
}

/// A connection whose requests' heads are watched.
#[derive(Debug)]
pub struct Watched<T> {
    connection: T,
    watcher: Arc<Mutex<Watcher>>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.connection).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = polled {
            self.watcher.lock().unwrap_or_else(PoisonError::into_inner).read(&buffer.filled()[before..]);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}

/// Follows HTTP/1 far enough to tell heads from bodies.
#[derive(Debug, Default)]
struct Watcher {
    heads: VecDeque<HeaderSpelling>,
    part: Part,
    /// The line that has begun.
    line: Vec<u8>,
    names: Vec<String>,
    length: u64,
    is_chunked: bool,
}

#[derive(Debug, Default, PartialEq)]
enum Part {
    #[default]
    RequestLine,
    Headers,
    /// So many bytes of a body are to come.
    Body(u64),
    ChunkSize,
    /// With the line break at the end.
    Chunk(u64),
    Trailers,
    /// This is no HTTP/1: no more spellings.
    Lost,
}

impl Watcher {
    fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.part {
                Part::Lost => return,
                Part::Body(left) | Part::Chunk(left) => {
                    let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    *left -= taken as u64;
                    bytes = &bytes[taken..];
                    if *left == 0 {
                        self.part =
                            if matches!(self.part, Part::Body(_)) { Part::RequestLine } else { Part::ChunkSize };
                    }
                }
                _ => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let (line, rest) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 1..]));
                    self.line.extend_from_slice(line);
                    bytes = rest;
                    if self.line.len() > LONGEST_LINE {
                        self.part = Part::Lost;
                    } else if end.is_some() {
                        let line = std::mem::take(&mut self.line);
                        self.end_line(String::from_utf8_lossy(&line).trim_end_matches('\r'));
                    }
                }
            }
        }
    }

    fn end_line(&mut self, line: &str) {
        match self.part {
            // Empty lines may come before a request.
            Part::RequestLine if line.is_empty() => {}
            Part::RequestLine => self.part = Part::Headers,
            Part::Headers if line.is_empty() => self.end_head(),
            Part::Headers => self.header(line),
            Part::ChunkSize => {
                let size = line.split(';').next().unwrap_or_default().trim();
                self.part = match u64::from_str_radix(size, 16) {
                    Ok(0) => Part::Trailers,
                    Ok(size) => size.checked_add(2).map_or(Part::Lost, Part::Chunk),
                    Err(_) => Part::Lost,
                };
            }
            Part::Trailers if line.is_empty() => self.part = Part::RequestLine,
            Part::Trailers | Part::Body(_) | Part::Chunk(_) | Part::Lost => {}
        }
    }

    fn header(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else { return };
        if name.eq_ignore_ascii_case("content-length") {
            self.length = value.trim().parse().unwrap_or_default();
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.is_chunked = value.to_ascii_lowercase().contains("chunked");
        }
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.names.push(name.to_owned());
        }
    }

    fn end_head(&mut self) {
        self.part = match (self.is_chunked, self.length) {
            (true, _) => Part::ChunkSize,
            (false, 0) => Part::RequestLine,
            (false, length) => Part::Body(length),
        };
        self.heads.push_back(HeaderSpelling(std::mem::take(&mut self.names)));
        (self.length, self.is_chunked) = (0, false);
        if self.heads.len() > MOST_HEADS {
            self.heads.clear();
            self.part = Part::Lost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUESTS: &[u8] = b"GET /a HTTP/1.1\r\nHost: x\r\nX-Color: red\r\naccept: */*\r\n\r\n\
        POST /b HTTP/1.1\r\nX-SECOND: 1\r\nContent-Length: 14\r\n\r\nX-Body: 1\r\n\r\nx\
        \r\nPOST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nX-C: \r\n3;a=b\r\n\r\n\n\r\n0\r\nX-Trailer: 1\r\n\r\n\
        GET /d HTTP/1.1\r\nheaderName: 1\r\n\r\n";

    fn spellings(read: impl FnOnce(&mut Watcher)) -> Vec<Vec<String>> {
        let mut watcher = Watcher::default();
        read(&mut watcher);
        watcher.heads.into_iter().map(|head| head.0).collect()
    }

    #[test]
    fn heads_are_told_from_bodies_wherever_they_are_cut() {
        let expected = [
            vec!["Host", "X-Color"],
            vec!["X-SECOND", "Content-Length"],
            vec!["Transfer-Encoding"],
            vec!["headerName"],
        ];
        assert_eq!(spellings(|watcher| watcher.read(REQUESTS)), expected);
        for size in 1..40 {
            let read = |watcher: &mut Watcher| REQUESTS.chunks(size).for_each(|chunk| watcher.read(chunk));
            assert_eq!(spellings(read), expected, "{size} bytes at a time");
        }
    }

    #[test]
    fn a_name_without_a_spelling_is_in_lower_case() {
        let spelling = HeaderSpelling(vec!["X-Color".into()]);
        assert_eq!((spelling.of("x-color"), spelling.of("accept")), ("X-Color", "accept"));
    }

    #[test]
    fn what_is_no_http_is_not_kept() {
        let long = vec![b'a'; LONGEST_LINE + 1];
        let mut watcher = Watcher::default();
        watcher.read(&long);
        assert_eq!(watcher.part, Part::Lost);
        watcher.read(&long);
        assert!(watcher.line.len() <= LONGEST_LINE + 1);
        let mut watcher = Watcher::default();
        (0..MOST_HEADS * 3).for_each(|_| watcher.read(b"GET / HTTP/1.1\r\nA: 1\r\n\r\n"));
        assert!(watcher.heads.len() <= MOST_HEADS);
    }
}
