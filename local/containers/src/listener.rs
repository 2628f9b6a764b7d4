//! Listeners: each is a port of 127.0.0.1 that stays the same for as long as the listener is there.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::proxy::Proxy;
use crate::snapshot::{self, LoadBalancer, LoadBalancerAttributes, LoadBalancerKind};
use crate::target_group::lock;
use crate::tcp;

/// What a listener does now. It changes under the listener.
#[derive(Debug, Clone)]
pub struct Route {
    /// The load balancer's ARN.
    pub load_balancer: String,
    /// The load balancer's name.
    pub name: String,
    /// The load balancer's.
    pub attributes: LoadBalancerAttributes,
    /// The listener's rules, port and protocol.
    pub listener: snapshot::Listener,
}

/// Where each load balancer's listeners are.
#[derive(Debug, Default)]
pub struct Directory {
    entries: RwLock<Vec<Entry>>,
}

/// A listener that is served here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The load balancer's ARN.
    pub load_balancer: String,
    /// The load balancer's name.
    pub name: String,
    /// The load balancer's DNS name.
    pub dns_name: String,
    /// The listener's ARN.
    pub listener: String,
    /// The listener's protocol.
    pub protocol: String,
    /// The listener's port.
    pub port: u16,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Directory {
    /// By the load balancer's DNS name, in any case, also as `dualstack.` name, and the listener's port.
    pub fn resolve(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let host = host.to_ascii_lowercase();
        let host = host.strip_prefix("dualstack.").unwrap_or(&host);
        self.find(|entry| entry.port == port && entry.dns_name.eq_ignore_ascii_case(host))
    }

    /// By the load balancer's ARN and the listener's port.
    pub fn of_load_balancer(&self, arn: &str, port: u16) -> Option<SocketAddr> {
        self.find(|entry| entry.port == port && entry.load_balancer == arn)
    }

    /// All of them.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn find(&self, is_it: impl Fn(&Entry) -> bool) -> Option<SocketAddr> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.iter().find(|entry| is_it(entry)).map(|entry| entry.address)
    }
}

/// All listeners that are open, by ARN.
#[derive(Debug)]
pub struct Listeners {
    open: Mutex<HashMap<String, Open>>,
    directory: Arc<Directory>,
    /// Load balancer's name and listener's port → the port to listen on.
    fixed_ports: HashMap<(String, u16), u16>,
}

#[derive(Debug)]
struct Open {
    address: SocketAddr,
    kind: LoadBalancerKind,
    route: Arc<ArcSwap<Route>>,
    /// Ends the listener and its connections.
    task: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listeners {
    /// None yet.
    pub fn new(directory: Arc<Directory>, fixed_ports: HashMap<(String, u16), u16>) -> Self {
        Self { open: Mutex::default(), directory, fixed_ports }
    }

    /// Opens those that are new, closes those that are gone, and gives the others what they do now.
    ///
    /// # Errors
    /// When a port that must be a certain one is in use. The others are open then.
    pub async fn update(&self, load_balancers: &[LoadBalancer], proxy: &Proxy) -> Result<(), (String, io::Error)> {
        let served = |balancer: &&LoadBalancer| balancer.kind != LoadBalancerKind::Other;
        let wanted: Vec<_> = load_balancers
            .iter()
            .filter(served)
            .flat_map(|balancer| balancer.listeners.iter().map(move |listener| (balancer, listener)))
            .collect();
        lock(&self.open).retain(|arn, _| wanted.iter().any(|(_, listener)| listener.arn == *arn));
        let mut entries = Vec::new();
        let mut outcome = Ok(());
        for (balancer, listener) in wanted {
            let route = Arc::new(Route {
                load_balancer: balancer.arn.clone(),
                name: balancer.name.clone(),
                attributes: balancer.attributes.clone(),
                listener: listener.clone(),
            });
            let known = lock(&self.open).get(&listener.arn).map(|open| {
                open.route.store(Arc::clone(&route));
                open.address
            });
            let address = match known {
                Some(address) => address,
                None => match self.open(balancer, route, proxy).await {
                    Ok(address) => address,
                    Err(error) => {
                        outcome = Err((format!("{} port {}", balancer.name, listener.port), error));
                        continue;
                    }
                },
            };
            entries.push(Entry {
                load_balancer: balancer.arn.clone(),
                name: balancer.name.clone(),
                dns_name: balancer.dns_name.clone(),
                listener: listener.arn.clone(),
                protocol: listener.protocol.clone(),
                port: listener.port,
                address,
            });
        }
        *self.directory.entries.write().unwrap_or_else(PoisonError::into_inner) = entries;
        outcome
    }

    async fn open(&self, balancer: &LoadBalancer, route: Arc<Route>, proxy: &Proxy) -> io::Result<SocketAddr> {
        let listener = &route.listener;
        let port = self.fixed_ports.get(&(balancer.name.clone(), listener.port)).copied().unwrap_or(0);
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = socket.local_addr()?;
        tracing::info!(
            target: "containers",
            "load balancer {}: port {} ({}) is http://{address}", balancer.name, listener.port, listener.protocol,
        );
        let arn = listener.arn.clone();
        let kind = balancer.kind;
        let route = Arc::new(ArcSwap::new(route));
        let task = tokio::spawn(accept(socket, kind, Arc::clone(&route), proxy.clone())).abort_handle();
        lock(&self.open).insert(arn, Open { address, kind, route, task });
        Ok(address)
    }

    /// Closes all of them, and their connections.
    pub fn close(&self) {
        let closed = std::mem::take(&mut *lock(&self.open));
        for open in closed.values() {
            tracing::debug!(target: "containers", "{} ({:?}) is closed", open.address, open.kind);
        }
        self.directory.entries.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

async fn accept(socket: TcpListener, kind: LoadBalancerKind, route: Arc<ArcSwap<Route>>, proxy: Proxy) {
    // Dropped with this future, and with it every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (route, proxy) = (Arc::clone(&route), proxy.clone());
                    connections.spawn(async move { serve(stream, peer, kind, route, proxy).await });
                }
                Err(error) => {
                    // Of the connection, or of a process with too many open files: the next one may do better.
                    tracing::warn!(target: "containers", "accept: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// After an accept that failed, so that a lasting failure does not take a whole CPU.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

async fn serve(stream: TcpStream, peer: SocketAddr, kind: LoadBalancerKind, route: Arc<ArcSwap<Route>>, proxy: Proxy) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(target: "containers", "{peer}: {error}");
    }
    match kind {
        LoadBalancerKind::Network => tcp::serve(stream, peer, &route.load(), &proxy.groups, &proxy.directory).await,
        _ => proxy.serve(stream, peer, route).await,
    }
}
