//! HTTP and HTTP_PROXY: a request to an endpoint, over the internet or through a VPC link.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/setup-http-integrations.html>

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use crate::certificates::without_verification;
use crate::integration_request::IntegrationRequest;
use crate::integrations::MAX_PAYLOAD_BYTES;
use crate::method_response::EndpointResponse;
use crate::uri::{HttpUri, with_query};
use crate::{Explain, Failure, Network};

/// A connection that is idle for longer is not used again: the endpoint may be about to close it.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);

type Plain = Client<HttpConnector<Resolver>, Full<Bytes>>;
type Tls = Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// The connections to endpoints. Those with TLS are set up when the first one is needed: reading the machine's root
/// certificates takes a while.
pub(crate) struct Endpoints {
    plain: Plain,
    tls: OnceLock<Result<Tls, String>>,
    unverified: OnceLock<Result<Tls, String>>,
}

/// One integration's endpoint.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    pub uri: &'a HttpUri,
    /// The VPC link's identifier.
    pub vpc_link: Option<&'a str>,
    pub insecure_skip_verification: bool,
}

impl Endpoints {
    pub fn new() -> Self {
        let builder = Self::builder();
        Self { plain: builder.build(connector()), tls: OnceLock::new(), unverified: OnceLock::new() }
    }

    fn builder() -> hyper_util::client::legacy::Builder {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE_CONNECTION).pool_timer(TokioTimer::new());
        builder
    }

    fn verified(&self) -> Result<&Tls, Failure> {
        let tls = self.tls.get_or_init(|| {
            let provider = rustls::crypto::ring::default_provider();
            let https = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider);
            let https = https.map_err(|cause| format!("no root certificates can be read: {cause}"))?;
            let https = https.https_only().enable_http1().wrap_connector(tls_connector());
            Ok(Self::builder().build(https))
        });
        tls.as_ref().map_err(|cause| Failure::IntegrationFailure(cause.clone()))
    }

    fn unverified(&self) -> Result<&Tls, Failure> {
        let tls = self.unverified.get_or_init(|| {
            let https = HttpsConnectorBuilder::new().with_tls_config(without_verification()?);
            let https = https.https_only().enable_http1().wrap_connector(tls_connector());
            Ok(Self::builder().build(https))
        });
        tls.as_ref().map_err(|cause| Failure::IntegrationFailure(cause.clone()))
    }

    /// Sends the request, and reads all of the answer.
    ///
    /// # Errors
    /// An address that is none, a name that nobody knows, a certificate that does not hold, and a VPC link behind which
    /// nothing listens are mistakes in the API; whatever else happens on the way is an integration failure.
    /// <https://repost.aws/knowledge-center/api-gateway-500-error-vpc>
    pub async fn send(
        &self,
        endpoint: Endpoint<'_>,
        request: IntegrationRequest,
        stage_variables: &BTreeMap<String, String>,
        network: &dyn Network,
        explain: &dyn Explain,
    ) -> Result<EndpointResponse, Failure> {
        let address = endpoint.uri.0.expand(&request.path, stage_variables).map_err(Failure::ApiConfiguration)?;
        let address = with_query(address, &request.query);
        request.explain(format_args!("{address}"), explain);
        let uri = valid(&address)?;

        let mut sent = Request::new(Full::new(request.body));
        *sent.method_mut() = request.method;
        *sent.headers_mut() = request.headers;
        let answer = match local(&uri, endpoint.vpc_link, network)? {
            Some(local) => {
                // What is local speaks plain HTTP, and is told the name by which it was called.
                let authority = uri.authority().map_or("", |authority| authority.as_str());
                if let Ok(host) = HeaderValue::from_str(authority) {
                    sent.headers_mut().entry(HOST).or_insert(host);
                }
                *sent.uri_mut() = local;
                self.plain.request(sent).await
            }
            None => {
                let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
                *sent.uri_mut() = uri;
                match (is_tls, endpoint.insecure_skip_verification) {
                    (false, _) => self.plain.request(sent).await,
                    (true, false) => self.verified()?.request(sent).await,
                    (true, true) => self.unverified()?.request(sent).await,
                }
            }
        };
        let answer = answer.map_err(|cause| match endpoint.vpc_link {
            Some(link) if cause.is_connect() => nothing_behind(link, innermost(&cause)),
            _ => failed(&cause),
        });
        read(answer?).await
    }
}

fn connector() -> HttpConnector<Resolver> {
    let mut connector = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
    connector.set_nodelay(true);
    connector
}

/// For TLS: the scheme is then `https`, which a plain connector refuses.
fn tls_connector() -> HttpConnector<Resolver> {
    let mut connector = connector();
    connector.enforce_http(false);
    connector
}

fn valid(address: &str) -> Result<Uri, Failure> {
    let wrong =
        |cause: &dyn fmt::Display| Failure::ApiConfiguration(format!("Invalid endpoint address {address}: {cause}"));
    let uri: Uri = address.parse().map_err(|cause| wrong(&cause))?;
    let is_http = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    if is_http && uri.host().is_some_and(|host| !host.is_empty()) {
        Ok(uri)
    } else {
        Err(wrong(&"it should be http://HOST/PATH or https://HOST/PATH"))
    }
}

/// The address on this machine, if the endpoint has one.
///
/// # Errors
/// What a VPC link leads to is on this machine, or nowhere.
fn local(uri: &Uri, vpc_link: Option<&str>, network: &dyn Network) -> Result<Option<Uri>, Failure> {
    let host = uri.host().unwrap_or_default();
    let default_port = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    let port = uri.port_u16().unwrap_or(default_port);
    let Some(address) = network.resolve(host, port, vpc_link) else {
        return match vpc_link {
            Some(link) => Err(nothing_behind(link, format!("no listener for {host}:{port}"))),
            None => Ok(None),
        };
    };
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let local = Uri::builder().scheme(Scheme::HTTP).authority(address.to_string()).path_and_query(path).build();
    local.map(Some).map_err(|cause| Failure::IntegrationFailure(cause.to_string()))
}

fn nothing_behind(vpc_link: &str, cause: impl fmt::Display) -> Failure {
    let error = "There was an internal error while executing your request";
    Failure::ApiConfiguration(format!("{error}: VPC link {vpc_link}: {cause}"))
}

async fn read(answer: Response<Incoming>) -> Result<EndpointResponse, Failure> {
    let (parts, body) = answer.into_parts();
    if let Some(length) = body.size_hint().exact().filter(|length| *length > MAX_PAYLOAD_BYTES as u64) {
        return Err(too_large(&format!("of reported length {length} ")));
    }
    let body = Limited::new(body, MAX_PAYLOAD_BYTES)
        .collect()
        .await
        .map_err(|cause| if cause.is::<LengthLimitError>() { too_large("") } else { failed(cause.as_ref()) })?;
    Ok(EndpointResponse::new(Response::from_parts(parts, body.to_bytes())))
}

pub(crate) fn too_large(which: &str) -> Failure {
    Failure::ApiConfiguration(format!(
        "Integration response {which}is larger than allowed maximum of {MAX_PAYLOAD_BYTES} bytes."
    ))
}

fn failed(cause: &(dyn Error + 'static)) -> Failure {
    let cause = innermost(cause);
    if cause.is::<UnknownHost>() {
        return Failure::ApiConfiguration(format!("Invalid endpoint address: {cause}"));
    }
    if let Some(rustls::Error::InvalidCertificate(problem)) = cause.downcast_ref() {
        return Failure::ApiConfiguration(format!("the endpoint's certificate does not hold: {problem}"));
    }
    Failure::IntegrationFailure(cause.to_string())
}

/// What hyper says first is "client error (Connect)"; what happened is at the end of the chain.
fn innermost<'a>(cause: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    std::iter::successors(Some(cause), |cause| beneath(*cause)).last().unwrap_or(cause)
}

/// What an error was made of. An I/O error does not name what it wraps as its source.
fn beneath<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The system's resolver, but a name without an address has an error of its own.
#[derive(Clone)]
struct Resolver(GaiResolver);

#[derive(Debug)]
struct UnknownHost {
    name: String,
    cause: std::io::Error,
}

impl fmt::Display for UnknownHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "host {} has no address: {}", self.name, self.cause)
    }
}

impl Error for UnknownHost {}

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = UnknownHost;
    type Future = Pin<Box<dyn Future<Output = Result<GaiAddrs, UnknownHost>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), UnknownHost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let text = name.as_str().to_owned();
        let found = self.0.call(name);
        Box::pin(async move { found.await.map_err(|cause| UnknownHost { name: text, cause }) })
    }
}
