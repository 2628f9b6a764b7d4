//! An Application Load Balancer's listener: an HTTP/1.1 proxy that keeps nothing of a body.
//!
//! Each piece of a request goes to the target as it comes, and each piece of the response to the client, both at the same
//! time; the slower side holds up the faster one.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, SERVER, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use local_waf::{Action as Verdict, Firewall, Protected, RequestView};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::idle::Progress;
use crate::listener::{Directory, Route};
use crate::rule::{self, Action, Facts};
use crate::snapshot::ForwardedFor;
use crate::target_group::{Address, Lease, TargetGroups};
use crate::tcp::by_weight;

/// Limits of AWS's: request line, one header, all headers of a request.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>
const REQUEST_LINE_BYTES: usize = 16 * 1024;
const HEADER_BYTES: usize = 16 * 1024;
const HEADERS_BYTES: usize = 64 * 1024;
/// More than the limits, so that it is us who refuse.
const READ_BUFFER_BYTES: usize = 128 * 1024;

/// How long a load balancer waits for a target to take a connection.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections to a target are kept for a while. A target that closes its own later is never asked on a closing one.
const KEEP_CONNECTION: Duration = Duration::from_secs(30);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// What the load balancer says of itself in the answers that are its own.
const SERVER_NAME: HeaderValue = HeaderValue::from_static("awselb/2.0");

/// Headers that are about one connection, not about the message.
const CONNECTION_HEADERS: [HeaderName; 7] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

type BoxError = Box<dyn StdError + Send + Sync>;
type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;

/// What all listeners share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Who can be forwarded to.
    pub groups: Arc<TargetGroups>,
    /// Where load balancers are.
    pub directory: Arc<Directory>,
    client: Client<HttpConnector, RequestBody>,
    firewall: Firewall,
}

/// A request that was refused, and what the load balancer says to that.
#[derive(Debug)]
enum Refusal {
    /// The load balancer's own page.
    Status(StatusCode),
    /// The firewall's custom response.
    Custom(local_waf::CustomResponse),
}

impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Self {
        Self::Status(status)
    }
}

impl Proxy {
    /// In front of `groups`, behind `firewall`.
    pub fn new(groups: Arc<TargetGroups>, directory: Arc<Directory>, firewall: Firewall) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .http1_preserve_header_case(true)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_CONNECTION)
            .build(connector);
        Self { groups, directory, client, firewall }
    }

    /// Serves a connection to its end.
    pub async fn serve(self, stream: TcpStream, peer: SocketAddr, route: Arc<ArcSwap<Route>>) {
        let idle_timeout = route.load().attributes.idle_timeout;
        let service = service_fn(|request| {
            let (proxy, route) = (self.clone(), route.load_full());
            async move { Ok::<_, Infallible>(proxy.answer(request, peer, &route).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .preserve_header_case(true)
            .max_buf_size(READ_BUFFER_BYTES)
            .timer(TokioTimer::new())
            // Also the longest that a connection may wait for its next request.
            .header_read_timeout(idle_timeout)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(target: "containers", "{}: {peer}: {error}", route.load().name);
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr, route: &Arc<Route>) -> Response<AnswerBody> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let begin = Instant::now();
        let answer = self.route(request, peer, route).await.unwrap_or_else(|refusal| match refusal {
            Refusal::Status(status) => page(status),
            Refusal::Custom(custom) => custom_response(custom),
        });
        tracing::debug!(
            target: "containers",
            load_balancer = route.name, port = route.listener.port, %method, path, status = answer.status().as_u16(),
            milliseconds = begin.elapsed().as_millis() as u64, "request",
        );
        answer
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        route: &Arc<Route>,
    ) -> Result<Response<AnswerBody>, Refusal> {
        let (mut parts, body) = request.into_parts();
        check_limits(&parts)?;
        if route.attributes.drop_invalid_header_fields {
            drop_invalid_header_fields(&mut parts.headers);
        }
        let progress = Arc::new(Progress::new());
        let mut body = RequestBody { first: None, rest: body, progress: Arc::clone(&progress) };
        self.ask_firewall(&mut parts, &mut body, peer.ip(), &route.load_balancer).await?;

        let host = host(&parts);
        let facts = Facts {
            host: &host,
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            method: &parts.method,
            headers: &parts.headers,
            source_ip: peer.ip(),
        };
        let listener = &route.listener;
        match rule::choose(&listener.rules, &listener.default_action, &facts) {
            Action::Redirect(redirect) => {
                let location = redirect.location(&facts, &listener.protocol, listener.port);
                let mut answer = page(StatusCode::from_u16(redirect.status).unwrap_or(StatusCode::FOUND));
                // What the client sent, which is visible ASCII or was refused before.
                let location = HeaderValue::try_from(location).map_err(|_| StatusCode::BAD_REQUEST)?;
                answer.headers_mut().insert(LOCATION, location);
                Ok(answer)
            }
            Action::FixedResponse { status, content_type, body } => Ok(fixed(*status, content_type.as_deref(), body)),
            Action::Unsupported(action) => {
                tracing::error!(target: "containers", "{}: the action {action} is not carried out here", route.name);
                Err(StatusCode::INTERNAL_SERVER_ERROR.into())
            }
            Action::Forward(weighted) => {
                let group = by_weight(weighted).and_then(|group| self.groups.get(&group.arn));
                let lease = group.and_then(|group| group.pick()).ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
                forwarded_headers(&mut parts.headers, peer, route);
                self.forward(Request::from_parts(parts, body), lease, &progress, route).await
            }
        }
    }

    /// What the web ACL before the load balancer says. It sees the first piece of the body, up to its limit: waiting for
    /// more would hold up a client that waits for an answer to its first piece.
    async fn ask_firewall(
        &self,
        parts: &mut http::request::Parts,
        body: &mut RequestBody,
        source_ip: IpAddr,
        load_balancer: &str,
    ) -> Result<(), Refusal> {
        let Some(web_acl) = self.firewall.web_acl(load_balancer) else { return Ok(()) };
        if !body.rest.is_end_stream() {
            body.read_first().await.map_err(|_| StatusCode::BAD_REQUEST)?;
        }
        let first = body.first.clone().unwrap_or_default();
        let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let verdict = web_acl.evaluate(&RequestView {
            protected: Protected::LoadBalancer,
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            source_ip,
            body: &first,
            body_length: announced.unwrap_or(first.len() as u64),
        });
        match verdict.action {
            Verdict::Allow => {}
            Verdict::Block => return Err(StatusCode::FORBIDDEN.into()),
            Verdict::Respond(custom) => return Err(Refusal::Custom(custom)),
        }
        for (name, value) in verdict.inserted_headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                parts.headers.insert(name, value);
            }
        }
        Ok(())
    }

    async fn forward(
        &self,
        mut request: Request<RequestBody>,
        lease: Lease,
        progress: &Arc<Progress>,
        route: &Route,
    ) -> Result<Response<AnswerBody>, Refusal> {
        let target = lease.target();
        let Address::Socket(address) = target.address else { return Err(StatusCode::BAD_GATEWAY.into()) };
        let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let authority = Authority::try_from(address.to_string()).map_err(|_| StatusCode::BAD_GATEWAY)?;
        *request.uri_mut() = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(authority)
            .path_and_query(path)
            .build()
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        *request.version_mut() = Version::HTTP_11;
        let idle_timeout = route.attributes.idle_timeout;
        let answer = tokio::select! {
            answer = self.client.request(request) => answer.map_err(|error| {
                let cause = last_cause(&error);
                tracing::warn!(target: "containers", "{}: {}:{}: {cause}", route.name, target.id, target.port);
                let is_timeout = error.is_connect() && cause.contains("timed out");
                if is_timeout { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY }
            })?,
            () = progress.quiet_for(idle_timeout) => {
                let (id, port) = (&target.id, target.port);
                tracing::warn!(target: "containers", "{}: {id}:{port}: nothing for {idle_timeout:?}", route.name);
                return Err(StatusCode::GATEWAY_TIMEOUT.into());
            }
        };
        let (mut parts, body) = answer.into_parts();
        remove_connection_headers(&mut parts.headers);
        parts.version = Version::HTTP_11;
        let body = ResponseBody {
            inner: body,
            progress: Arc::clone(progress),
            idle_timeout,
            timer: Box::pin(tokio::time::sleep(idle_timeout)),
            _lease: lease,
        };
        Ok(Response::from_parts(parts, body.boxed_unsync()))
    }
}

fn last_cause(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn check_limits(parts: &http::request::Parts) -> Result<(), StatusCode> {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target + parts.method.as_str().len() > REQUEST_LINE_BYTES {
        return Err(StatusCode::URI_TOO_LONG);
    }
    let sizes = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    let (largest, sum) = sizes.fold((0, 0), |(largest, sum), size| (size.max(largest), sum + size));
    if largest > HEADER_BYTES || sum > HEADERS_BYTES { Err(StatusCode::BAD_REQUEST) } else { Ok(()) }
}

/// What is not made of letters, digits and hyphens is taken out.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
fn drop_invalid_header_fields(headers: &mut HeaderMap) {
    let is_invalid =
        |name: &&HeaderName| !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let invalid: Vec<_> = headers.keys().filter(is_invalid).cloned().collect();
    for name in invalid {
        headers.remove(name);
    }
}

fn host(parts: &http::request::Parts) -> String {
    let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| parts.uri.authority().map(Authority::as_str)).unwrap_or_default().to_owned()
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html>
fn forwarded_headers(headers: &mut HeaderMap, peer: SocketAddr, route: &Route) {
    remove_connection_headers(headers);
    // Answered by hyper with 100 as soon as the target is sent the body, whatever the target makes of it: as on AWS.
    headers.remove(EXPECT);
    match route.attributes.forwarded_for {
        ForwardedFor::Append => {
            let client = if route.attributes.forwarded_port { peer.to_string() } else { peer.ip().to_string() };
            let before = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
            let list = before.chain([client.as_bytes()]).collect::<Vec<_>>().join(&b", "[..]);
            if let Ok(list) = HeaderValue::from_bytes(&list) {
                headers.insert(FORWARDED_FOR, list);
            }
        }
        ForwardedFor::Preserve => {}
        ForwardedFor::Remove => _ = headers.remove(FORWARDED_FOR),
    }
    let protocol = if route.listener.protocol == "HTTPS" { "https" } else { "http" };
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(protocol));
    headers.insert(FORWARDED_PORT, HeaderValue::from(route.listener.port));
    let given = headers.get(TRACE_ID).and_then(|id| id.to_str().ok());
    if let Ok(id) = HeaderValue::try_from(trace_id(given)) {
        headers.insert(TRACE_ID, id);
    }
}

/// A request without a root gets one; one that has a root gets this load balancer's own id before it.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html>
fn trace_id(given: Option<&str>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let own = format!("1-{now:08x}-{:024x}", fastrand::u128(..) >> 32);
    let fields = given.into_iter().flat_map(|given| given.split(';')).map(str::trim);
    let kept: Vec<_> = fields.filter(|field| !field.is_empty() && !field.starts_with("Self=")).collect();
    let name = if kept.iter().any(|field| field.starts_with("Root=")) { "Self" } else { "Root" };
    if kept.is_empty() { format!("{name}={own}") } else { format!("{name}={own};{}", kept.join(";")) }
}

fn remove_connection_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&CONNECTION_HEADERS) {
        headers.remove(name);
    }
}

/// What a load balancer answers itself.
fn page(status: StatusCode) -> Response<AnswerBody> {
    let reason = match status {
        // Two that it words in its own way.
        StatusCode::SERVICE_UNAVAILABLE => "Service Temporarily Unavailable",
        StatusCode::GATEWAY_TIMEOUT => "Gateway Time-out",
        other => other.canonical_reason().unwrap_or_default(),
    };
    let line = format!("{} {reason}", status.as_u16());
    let html = format!(
        "<html>\r\n<head><title>{line}</title></head>\r\n<body>\r\n<center><h1>{line}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    fixed(status.as_u16(), Some("text/html"), &html)
}

fn fixed(status: u16, content_type: Option<&str>, body: &str) -> Response<AnswerBody> {
    let mut answer = Response::new(whole(Bytes::from(body.to_owned())));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    answer.headers_mut().insert(SERVER, SERVER_NAME);
    if let Some(content_type) = content_type.and_then(|content_type| HeaderValue::try_from(content_type).ok()) {
        answer.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    answer
}

fn custom_response(custom: local_waf::CustomResponse) -> Response<AnswerBody> {
    let mut answer = fixed(custom.status, None, "");
    for (name, value) in &custom.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    *answer.body_mut() = whole(custom.body);
    answer
}

fn whole(body: Bytes) -> AnswerBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// The client's body on its way to the target. Each piece counts as progress.
#[derive(Debug)]
struct RequestBody {
    /// What the firewall has seen.
    first: Option<Bytes>,
    rest: Incoming,
    progress: Arc<Progress>,
}

impl RequestBody {
    async fn read_first(&mut self) -> Result<(), hyper::Error> {
        if let Some(frame) = self.rest.frame().await {
            self.first = frame?.into_data().ok();
            self.progress.made();
        }
        Ok(())
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = match self.first.take() {
            Some(first) => Some(Ok(Frame::data(first))),
            None => ready!(Pin::new(&mut self.rest).poll_frame(context)),
        };
        self.progress.made();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let ahead = self.first.as_ref().map_or(0, |first| first.len() as u64);
        let mut hint = self.rest.size_hint();
        match hint.upper() {
            Some(upper) => {
                let lower = hint.lower() + ahead;
                hint.set_upper(upper + ahead);
                hint.set_lower(lower);
            }
            None => hint.set_lower(hint.lower() + ahead),
        }
        hint
    }
}

/// The target's body on its way to the client. The target is busy until its end. It breaks off when nothing came for the
/// idle time-out in either direction.
struct ResponseBody {
    inner: Incoming,
    progress: Arc<Progress>,
    idle_timeout: Duration,
    timer: Pin<Box<Sleep>>,
    _lease: Lease,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.progress.made();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        while self.timer.as_mut().poll(context).is_ready() {
            let until = self.progress.last() + self.idle_timeout;
            if until <= Instant::now() {
                return Poll::Ready(Some(Err("nothing came for the idle time-out".into())));
            }
            self.timer.as_mut().reset(until);
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_keeps_its_root_and_gets_our_own() {
        let is_id = |id: &str| {
            let parts: Vec<_> = id.split('-').map(str::len).collect();
            parts == [1, 8, 24] && id.starts_with("1-")
        };
        let made = trace_id(None);
        assert!(made.strip_prefix("Root=").is_some_and(is_id), "{made}");
        let (own, rest) = trace_id(Some("Self=1-a-b;Root=1-x-y;Sampled=1"))
            .split_once(';')
            .map(|(own, rest)| (own.to_owned(), rest.to_owned()))
            .unwrap();
        assert!(own.strip_prefix("Self=").is_some_and(is_id), "{own}");
        assert_eq!(rest, "Root=1-x-y;Sampled=1");
        let rootless = trace_id(Some("CalledFrom=app"));
        assert!(rootless.starts_with("Root=1-") && rootless.ends_with(";CalledFrom=app"), "{rootless}");
    }

    #[test]
    fn headers_of_the_connection_stay_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("connection", "close, X-Hop"), ("x-hop", "1"), ("te", "trailers"), ("x-stays", "1")] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        remove_connection_headers(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-stays"]);
    }

    #[test]
    fn invalid_header_fields_are_dropped() {
        let mut headers = HeaderMap::new();
        for name in ["x_under", "x.dot", "x-good-1"] {
            headers.insert(name, HeaderValue::from_static("1"));
        }
        drop_invalid_header_fields(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-good-1"]);
    }

    #[test]
    fn limits_are_aws_s() {
        let parts = |uri: &str, headers: usize, bytes: usize| {
            let mut request = Request::builder().uri(uri);
            for number in 0..headers {
                request = request.header(format!("x-{number:02}"), "v".repeat(bytes));
            }
            request.body(()).unwrap().into_parts().0
        };
        assert_eq!(check_limits(&parts("/", 4, 16_000)), Ok(()));
        assert_eq!(check_limits(&parts("/", 1, HEADER_BYTES)), Err(StatusCode::BAD_REQUEST));
        assert_eq!(check_limits(&parts("/", 5, 14_000)), Err(StatusCode::BAD_REQUEST));
        let long = format!("/{}", "a".repeat(REQUEST_LINE_BYTES));
        assert_eq!(check_limits(&parts(&long, 0, 0)), Err(StatusCode::URI_TOO_LONG));
    }
}
