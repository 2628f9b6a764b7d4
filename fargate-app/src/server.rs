//! The server: accepts until it is told to stop, then finishes what it has taken on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use api::{Api, ApiKey, Metrics};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mapping::Mapping;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::config::{Config, Limits};
use crate::connections::Connections;
use crate::front::{Client, Front, OwnLine};
use crate::log::Log;
use crate::workers::Workers;

const METRICS_EVERY: Duration = Duration::from_secs(60);

/// How long the first map is waited for before the port is opened. A source that is up answers in time, and nobody sees
/// a service without a map; one that is down must not keep health checks from being answered.
const FIRST_MAP: Duration = Duration::from_secs(3);

/// How long a connection without a request is kept while draining: a request may be on its way.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT.
pub async fn run(config: Config, mapping: Arc<Mapping>, log: Log) -> anyhow::Result<()> {
    let address = SocketAddr::new(config.host, config.port);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    };
    let first = tokio::spawn({
        let mapping = Arc::clone(&mapping);
        async move {
            mapping.refresh().await;
            mapping.keep_fresh();
        }
    });
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    _ = tokio::time::timeout(FIRST_MAP, first).await;

    let metrics = Arc::new(Metrics::default());
    let tell = {
        let (metrics, log) = (Arc::clone(&metrics), log.clone());
        let (mapping, service) = (Arc::clone(&mapping), config.metrics_service);
        move || log.line(format!("{}\n", metrics.take_line(&service, &mapping, SystemTime::now())).as_bytes())
    };
    let front = Arc::new(Front {
        api: Api::new(mapping, Arc::clone(&metrics), config.api),
        key: config.api_key.map_or_else(make_key, Ok)?,
        metrics,
        log,
        trusted_proxies: config.trusted_proxies,
        cors: config.cors,
        concurrent_requests: config.limits.concurrent_requests,
        under_way: OwnLine::default(),
        draining: AtomicBool::new(false),
    });
    let telling = tokio::spawn({
        let tell = tell.clone();
        async move {
            let mut minutes = tokio::time::interval(METRICS_EVERY);
            minutes.tick().await; // the first is at once
            loop {
                minutes.tick().await;
                tell();
            }
        }
    });
    serve(listener, front, config.limits, stop).await?;
    telling.abort();
    tell();
    Ok(())
}

/// Serves what comes in on `listener` until `stop`, then drains.
async fn serve(
    listener: TcpListener,
    front: Arc<Front>,
    limits: Limits,
    stop: impl Future<Output = &'static str>,
) -> anyhow::Result<()> {
    info!(address = %listener.local_addr()?, "listening");
    let drain = limits.drain;
    let connections = Connections::new(limits);
    let workers = Workers::start().context("cannot start a thread for each processor")?;
    let watcher = tokio::spawn({
        let connections = Arc::clone(&connections);
        async move { connections.watch().await }
    });
    let mut id = 0;
    let mut take = |(stream, peer): (TcpStream, SocketAddr)| {
        id += 1;
        take_on(stream, peer, id, &front, &connections, &workers);
    };
    let accept = async || {
        connections.room().await;
        listener.accept().await
    };
    let mut stop = std::pin::pin!(stop);
    let reason = loop {
        tokio::select! {
            reason = &mut stop => break reason,
            accepted = accept() => match accepted {
                Ok(accepted) => take(accepted),
                Err(error) => {
                    // Out of file handles, mostly: there is nothing to do but to wait until some connections end.
                    warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    };

    front.draining.store(true, Relaxed);
    info!(reason, connections = connections.count(), "draining");
    // The kernel has accepted these already: closing the listener would reset them. Clients that go on dialling must not
    // keep it open.
    let last_call = tokio::time::Instant::now() + GRACE;
    while tokio::time::Instant::now() < last_call
        && let Ok(Ok(accepted)) = tokio::time::timeout(Duration::ZERO, listener.accept()).await
    {
        take(accepted);
    }
    drop(listener);
    if tokio::time::timeout(drain, connections.drain(GRACE)).await.is_err() {
        warn!(connections = connections.count(), "closed with requests under way: DRAIN_SECONDS are over");
    } else {
        info!("drained");
    }
    watcher.abort();
    Ok(())
}

/// Has a worker serve a connection.
fn take_on(
    stream: TcpStream,
    peer: SocketAddr,
    id: u64,
    front: &Arc<Front>,
    connections: &Arc<Connections>,
    workers: &Workers,
) {
    // Answers are written in one piece; waiting for more to send with them would only delay them.
    _ = stream.set_nodelay(true);
    let place = connections.place(id);
    // A peer over IPv4 on a socket for both is logged as what it is.
    let ip = peer.ip().to_canonical();
    let client = Arc::new(Client { front: Arc::clone(front), connection: place.connection(), ip });
    let moved = stream.into_std();
    workers.spawn(async move {
        // From here on it is the worker's runtime that hears of what comes in.
        let stream = match moved.and_then(TcpStream::from_std) {
            Ok(stream) => stream,
            Err(error) => return warn!("cannot serve a connection: {error}"),
        };
        let served = http1::Builder::new()
            // Time limits are the watcher's.
            .header_read_timeout(None)
            .half_close(true)
            .serve_connection(
                TokioIo::new(place.watched(stream)),
                service_fn(move |request| Arc::clone(&client).answer(request)),
            );
        place.serve(served).await;
    });
}

/// A key for a service that was given none: printed once, for whoever started it by hand.
fn make_key() -> anyhow::Result<ApiKey> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).context("no random numbers for an API key")?;
    let key = random.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    eprintln!("fargate-app: API_KEY is not set; for this run it is {key}");
    Ok(ApiKey::new("API_KEY", &key)?)
}
