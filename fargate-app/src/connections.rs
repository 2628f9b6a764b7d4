//! The connections there are, and the clock that none of them carries.
//!
//! A timer per request, or per connection and read, costs more than a small request itself. So reads and writes only
//! count ([`Connection::progress`]), and one task looks four times a second at all connections and closes those that
//! have waited too long for their client. Whoever waits is closed within a quarter of a second of its limit.

use std::collections::HashMap;
use std::io::IoSlice;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use hyper::server::conn::http1;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::config::Limits;

const TICK: Duration = Duration::from_millis(250);

/// How long a client that was answered before it had sent everything may go on sending. Closing at once would reset the
/// connection, and the answer would be lost with it.
const LINGER: Duration = Duration::from_secs(5);

/// What a connection waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// The first byte of all.
    New = 0,
    /// The rest of a request's head.
    Head = 1,
    /// A request is under way.
    Busy = 2,
    /// The next request.
    Idle = 3,
    /// The end of a body that nobody wants.
    Lingering = 4,
}

/// What is to become of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Verdict {
    Continue = 0,
    /// Close it unless a request is under way.
    CloseIfIdle = 1,
    /// Close it.
    Close = 2,
}

/// One connection: written by the task that serves it, read by the one that watches all of them.
pub struct Connection {
    phase: AtomicU8,
    /// Moves with every byte that shows that the client is there.
    progress: AtomicU32,
    verdict: AtomicU8,
    waker: OnceLock<Waker>,
    /// The request's body has not been read to its end.
    unread: AtomicBool,
    /// Bytes of the request's body. HTTP/1 has one request at a time.
    body_bytes: AtomicU64,
    /// The watcher's own: the progress that it last saw, and for how long it has been seeing that.
    seen: AtomicU32,
    waited_ticks: AtomicU32,
}

impl Connection {
    fn new() -> Self {
        Self {
            phase: AtomicU8::new(Phase::New as u8),
            progress: AtomicU32::new(0),
            verdict: AtomicU8::new(Verdict::Continue as u8),
            waker: OnceLock::new(),
            unread: AtomicBool::new(false),
            body_bytes: AtomicU64::new(0),
            seen: AtomicU32::new(0),
            waited_ticks: AtomicU32::new(0),
        }
    }

    /// A request's head has been read; `has_body` says whether more of it is to come.
    pub fn request_starts(&self, has_body: bool) {
        self.body_bytes.store(0, Relaxed);
        self.unread.store(has_body, Relaxed);
        self.enter(Phase::Busy);
    }

    /// Its response has been handed over.
    pub fn request_ends(&self) {
        self.enter(Phase::Idle);
    }

    /// Part of a request's body was read; `is_last` if nothing follows.
    pub fn body_read(&self, bytes: usize, is_last: bool) {
        // No read-modify-write: only the task that serves the connection writes this.
        self.body_bytes.store(self.body_bytes.load(Relaxed) + bytes as u64, Relaxed);
        if is_last {
            self.unread.store(false, Relaxed);
        }
    }

    /// How much of the request's body was read.
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes.load(Relaxed)
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
        self.progresses();
    }

    fn progresses(&self) {
        self.progress.store(self.progress.load(Relaxed).wrapping_add(1), Relaxed);
    }

    fn phase(&self) -> Phase {
        [Phase::New, Phase::Head, Phase::Busy, Phase::Idle, Phase::Lingering][usize::from(self.phase.load(Relaxed))]
    }

    fn received(&self) {
        match self.phase() {
            Phase::Idle => self.enter(Phase::Head),
            // The time for the first head starts with the connection, not with its first byte.
            Phase::New => self.phase.store(Phase::Head as u8, Relaxed),
            Phase::Busy => self.progresses(),
            // A head, or the end of a body, has a time limit as a whole: a byte now and then does not extend it.
            Phase::Head | Phase::Lingering => {}
        }
    }

    fn decide(&self, verdict: Verdict) {
        self.verdict.store(verdict as u8, Relaxed);
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    fn waited(&self) -> Duration {
        TICK * self.waited_ticks.load(Relaxed)
    }
}

/// All connections.
pub struct Connections {
    limits: Limits,
    all: Mutex<HashMap<u64, Arc<Connection>>>,
    /// One has ended.
    ended: Notify,
}

/// A connection's place among all; given up when dropped.
pub struct Place {
    connections: Arc<Connections>,
    id: u64,
    connection: Arc<Connection>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.all().remove(&self.id);
        self.connections.ended.notify_waiters();
    }
}

impl Connections {
    /// None yet.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, all: Mutex::default(), ended: Notify::new() })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    /// Waits until there is room for one more. When there is none, the connection that has waited longest for its
    /// client has to go: clients that connect and say nothing must not keep out those that have something to say.
    pub async fn room(&self) {
        loop {
            let ended = self.ended.notified();
            {
                let all = self.all();
                if all.len() < self.limits.connections {
                    return;
                }
                let waiting = all.values().filter(|c| c.phase() != Phase::Busy && !c.waited().is_zero());
                if let Some(longest) = waiting.max_by_key(|c| c.waited()) {
                    longest.decide(Verdict::Close);
                }
            }
            // Looked again after a tick: by then another may have waited.
            _ = tokio::time::timeout(TICK, ended).await;
        }
    }

    /// Gives a new connection its place.
    pub fn place(self: &Arc<Self>, id: u64) -> Place {
        let connection = Arc::new(Connection::new());
        self.all().insert(id, Arc::clone(&connection));
        Place { connections: Arc::clone(self), id, connection }
    }

    /// Closes connections that have waited too long, for ever.
    pub async fn watch(&self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for connection in self.all().values() {
                let progress = connection.progress.load(Relaxed);
                if connection.seen.swap(progress, Relaxed) != progress {
                    connection.waited_ticks.store(0, Relaxed);
                    continue;
                }
                connection.waited_ticks.fetch_add(1, Relaxed);
                let limit = match connection.phase() {
                    Phase::New | Phase::Head => self.limits.header_read,
                    Phase::Busy => self.limits.body_stall,
                    Phase::Idle => self.limits.idle,
                    Phase::Lingering => LINGER,
                };
                if connection.waited() >= limit {
                    connection.decide(Verdict::Close);
                }
            }
        }
    }

    /// Closes all connections as soon as no request is under way on them, and returns when none is left. Each is
    /// allowed `grace` first, to send a request that is already on its way.
    pub async fn drain(&self, grace: Duration) {
        let start = tokio::time::Instant::now();
        loop {
            let ended = self.ended.notified();
            {
                let all = self.all();
                if all.is_empty() {
                    return;
                }
                if start.elapsed() >= grace {
                    for connection in all.values().filter(|c| matches!(c.phase(), Phase::New | Phase::Idle)) {
                        connection.decide(Verdict::CloseIfIdle);
                    }
                }
            }
            _ = tokio::time::timeout(TICK, ended).await;
        }
    }
}

impl Place {
    /// The connection, for whoever serves it.
    pub fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }

    /// The stream with its reads and writes counted.
    pub fn watched(&self, stream: TcpStream) -> Watched {
        Watched { stream, connection: self.connection() }
    }

    /// Serves the connection to its end, or to the verdict that ends it.
    pub async fn serve<S, B>(self, served: http1::Connection<hyper_util::rt::TokioIo<Watched>, S>)
    where
        S: hyper::service::HttpService<hyper::body::Incoming, ResBody = B>,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        B: http_body::Body + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let connection = &self.connection;
        let mut served = pin!(served);
        let mut told = false;
        std::future::poll_fn(|context| {
            connection.waker.get_or_init(|| context.waker().clone());
            match connection.verdict.load(Relaxed) {
                verdict if verdict == Verdict::Close as u8 => return Poll::Ready(()),
                verdict if verdict == Verdict::CloseIfIdle as u8 && !told => {
                    told = true;
                    served.as_mut().graceful_shutdown();
                }
                _ => {}
            }
            // An error here is the client's: it went away or sent no HTTP. Requests that it cut short are in the log.
            served.as_mut().poll(context).map(|_| ())
        })
        .await;
    }
}

/// A stream whose reads and writes are counted, and which is not closed under a client that is still sending.
pub struct Watched {
    stream: TcpStream,
    connection: Arc<Connection>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.connection.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.connection.progresses();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices))?;
        self.connection.progresses();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        if !self.connection.unread.load(Relaxed) {
            return Poll::Ready(Ok(()));
        }
        if self.connection.phase() != Phase::Lingering {
            self.connection.enter(Phase::Lingering);
        }
        discard(&mut self.stream, context)
    }
}

/// Reads to the end. A function of its own: its buffer would be room on the stack for every poll of a connection.
#[inline(never)]
fn discard(stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
    let mut nowhere = [0; 16 * 1024];
    loop {
        let mut buffer = ReadBuf::new(&mut nowhere);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
        if buffer.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
    }
}
