//! The gateway itself: takes requests, and what is deployed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, request};
use http_body_util::{BodyExt, Full};
use local_integrations::{Functions, Integrations};
use local_waf::Firewall;
use tokio::sync::broadcast;

use crate::access_log;
use crate::address::{self, Address, Nowhere};
use crate::authorizer::AuthorizerCache;
use crate::context::{Context, IntegrationResult, ResponseFacts};
use crate::exchange::{Ended, Exchange, explain_end};
use crate::explanation::Explanation;
use crate::gateway_response::{self, ERROR_TYPE, Refused, ResponseType};
use crate::headers::{self, TRACE_ID};
use crate::identifiers;
use crate::journal::{FinishedRequest, Journal};
use crate::served::{ReadDefinitions, Served};
use crate::snapshot::Snapshot;
use crate::throttle::Buckets;
use crate::usage_plan::Usage;
use crate::{clock, query};

/// The longest body: 10 MB.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
pub const LONGEST_BODY: usize = 10 * 1024 * 1024;

/// With the value `true`, the answer is an execution log in place of the response.
pub const EXPLAIN: HeaderName = HeaderName::from_static("x-local-explain");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const REMAPPED_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-remapped-x-amzn-requestid");
const EXTENDED_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");

/// All REST APIs of a region. Cheap to clone: all clones are the same gateway.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

pub(crate) struct Inner {
    served: ArcSwap<Served>,
    definitions: Mutex<ReadDefinitions>,
    pub functions: Arc<dyn Functions>,
    pub integrations: Integrations,
    pub firewall: Firewall,
    pub authorizer_cache: AuthorizerCache,
    pub buckets: Buckets,
    pub usage: Usage,
    journal: Journal,
}

impl Gateway {
    /// A gateway that serves nothing yet. `functions`: for `AWS_PROXY` and authorizers; `integrations`: for all else;
    /// `firewall`: which web ACL protects which stage.
    pub fn new(functions: Arc<dyn Functions>, integrations: Integrations, firewall: Firewall) -> Self {
        let mut definitions = HashMap::new();
        let served = Served::new(Snapshot::default(), &mut definitions);
        Self(Arc::new(Inner {
            served: ArcSwap::from_pointee(served),
            definitions: Mutex::new(definitions),
            functions,
            integrations,
            firewall,
            authorizer_cache: AuthorizerCache::default(),
            buckets: Buckets::default(),
            usage: Usage::default(),
            journal: Journal::default(),
        }))
    }

    /// Serves what `snapshot` says, from the next request on. Requests on their way end as they began.
    ///
    /// Definitions of deployments that were served before are not read again. Throttles and quotas go on counting; what an
    /// authorizer said is forgotten where the stage got another deployment.
    pub fn update(&self, snapshot: Snapshot) {
        let inner = &*self.0;
        let mut definitions = inner.definitions.lock().unwrap_or_else(PoisonError::into_inner);
        let served = Arc::new(Served::new(snapshot, &mut definitions));
        let before = inner.served.swap(Arc::clone(&served));
        drop(definitions);
        let deployment = |served: &Served, api: &str, stage: &str| {
            served.stage(api, stage).map(|stage| stage.stage.deployment_id.clone())
        };
        inner.authorizer_cache.retain(|api, stage| {
            let now = deployment(&served, api, stage);
            now.is_some() && now == deployment(&before, api, stage)
        });
        inner.buckets.retain(|name| name == "account" || served.apis.keys().any(|api| name.contains(api.as_str())));
    }

    /// Whether a request is for the gateway: by its path, `/_aws/execute-api/...`, or by its host. The front port may have
    /// other answers to what is not.
    pub fn takes<B>(&self, request: &Request<B>) -> bool {
        address::is_ours(&self.0.served.load(), host(request.uri(), request.headers()).0, request.uri().path())
    }

    /// Answers one request. `peer`: who has opened the connection.
    pub async fn handle<B>(&self, request: Request<B>, peer: SocketAddr) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: std::fmt::Display,
    {
        let served = self.0.served.load_full();
        let (parts, body) = request.into_parts();
        let found = address::find(&served, host(&parts.uri, &parts.headers).0, parts.uri.path());
        let response = match found {
            Ok(address) => self.answer(&served, address, parts, body, peer).await,
            Err(nowhere) => forbidden(&nowhere),
        };
        response.map(Full::new)
    }

    /// The requests of late, the oldest first.
    pub fn recent(&self) -> Vec<Arc<FinishedRequest>> {
        self.0.journal.recent()
    }

    /// Every request from now on, when it has been answered.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<FinishedRequest>> {
        self.0.journal.subscribe()
    }

    async fn answer<B>(
        &self,
        served: &Served,
        address: Address,
        parts: request::Parts,
        body: B,
        peer: SocketAddr,
    ) -> Response<Bytes>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: std::fmt::Display,
    {
        let asked = parts.headers.get(EXPLAIN).is_some_and(|value| value == "true");
        let mut context = begin(address, parts, peer);
        let explanation = Explanation::new(&context.headers, asked);
        let received = receive(body, &context.headers).await.map(|body| context.body = body);
        let exchange = Exchange { gateway: &self.0, served, explanation: &explanation };
        let mut response = match exchange.run(&mut context, received).await {
            Ok(mut response) => {
                let trace_id = context.headers.get(TRACE_ID).cloned();
                trace_id.and_then(|trace_id| response.headers_mut().insert(TRACE_ID, trace_id));
                response
            }
            Err(Ended::Custom(response)) => *response,
            Err(Ended::Refused(refused)) => {
                context.refused = Some(refused.clone());
                let customised = &context.address.stage.api.gateway_responses;
                let accept = context.header("accept");
                gateway_response::render(&refused, customised, accept.as_deref(), &context)
            }
        };
        add_identifiers(response.headers_mut(), &context);
        let finished = self.finish(context, explanation, &response);
        if asked {
            return explained(&finished);
        }
        if finished.method == "HEAD" {
            // The client learns how long the body would have been.
            let length = HeaderValue::from(response.body().len());
            response.headers_mut().insert(CONTENT_LENGTH, length);
            *response.body_mut() = Bytes::new();
        }
        response
    }

    /// Logs the request, and puts it into the journal.
    fn finish(
        &self,
        mut context: Context,
        explanation: Explanation,
        response: &Response<Bytes>,
    ) -> Arc<FinishedRequest> {
        explain_end(&explanation, &context, response);
        let latency = context.started.elapsed();
        let status = response.status().as_u16();
        let length = if context.method == http::Method::HEAD { 0 } else { response.body().len() };
        context.response = Some(ResponseFacts { status, length, latency });
        let stage = &context.address.stage;
        if let Some(format) = &stage.stage.access_log_format {
            tracing::info!(target: "access", "{}", access_log::line(format, &context));
        }
        let refused = context.refused.as_ref();
        let microseconds = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "gateway",
            request_id = context.request_id,
            gateway_response = refused.map(|refused| refused.kind.name()),
            cause = refused.map(|refused| refused.cause.as_str()).filter(|_| status >= 500),
            "{} {} {status} {:.1} ms",
            context.method,
            context.address.context_path,
            latency.as_secs_f64() * 1000.0,
        );
        let finished = FinishedRequest {
            time: context.arrived_at,
            api_id: stage.api_id.clone(),
            api_name: stage.api_name.clone(),
            stage: stage.stage.name.clone(),
            method: context.method.to_string(),
            resource_path: context.route.as_ref().map(|route| route.resource.path.clone()),
            status,
            latency_microseconds: microseconds(latency),
            integration_latency_microseconds: context.integration.latency.map(microseconds),
            length,
            gateway_response: refused.map(|refused| refused.kind.name()),
            api_key_id: context.api_key.as_ref().map(|key| key.id.clone()),
            log: explanation.into_lines(),
            request_id: context.request_id,
            path: context.address.context_path,
        };
        let finished = Arc::new(finished);
        self.0.journal.add(Arc::clone(&finished));
        finished
    }
}

/// The host and the port that the client asked for.
fn host<'a>(uri: &'a http::Uri, headers: &'a HeaderMap) -> (&'a str, Option<&'a str>) {
    let authority = uri.authority().map(http::uri::Authority::as_str);
    let authority = authority.or_else(|| headers.get(HOST)?.to_str().ok()).unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    }
}

/// The context of a request that has just arrived; its body is still to come.
fn begin(address: Address, mut parts: request::Parts, peer: SocketAddr) -> Context {
    let arrived_at = clock::now();
    let raw_query = parts.uri.query().unwrap_or_default().to_owned();
    let port = host(&parts.uri, &parts.headers).1.unwrap_or("80").to_owned();
    parts.headers.remove(EXPLAIN);
    headers::add_forwarding(&mut parts.headers, peer.ip(), &port, || identifiers::trace_id(arrived_at));
    Context {
        address,
        request_id: identifiers::request_id(),
        extended_request_id: identifiers::extended_request_id(),
        arrived_at,
        started: Instant::now(),
        method: parts.method,
        version: parts.version,
        query: query::parse(&raw_query),
        raw_query,
        headers: parts.headers,
        spelling: parts.extensions.remove().unwrap_or_default(),
        body: Bytes::new(),
        source_ip: peer.ip(),
        route: None,
        api_key: None,
        authorizer: None,
        integration: IntegrationResult::default(),
        waf_status: None,
        refused: None,
        response: None,
    }
}

/// Reads a body, but no more of it than API Gateway takes.
async fn receive<B>(body: B, headers: &HeaderMap) -> Result<Bytes, Refused>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let too_large = || {
        Refused::new(
            ResponseType::RequestTooLarge,
            "Request Too Long",
            format!("The body has more than {LONGEST_BODY} bytes"),
        )
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LONGEST_BODY) {
        return Err(too_large());
    }
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Refused::new(ResponseType::Default4xx, "Bad Request", format!("The body could not be read: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + collected.len() + data.len() > LONGEST_BODY {
            return Err(too_large());
        }
        // Most bodies come in one piece, which need not be copied.
        if first.is_empty() && collected.is_empty() {
            first = data;
            continue;
        }
        if collected.is_empty() {
            collected.reserve(announced.unwrap_or_default());
            collected.extend_from_slice(&std::mem::take(&mut first));
        }
        collected.extend_from_slice(&data);
    }
    Ok(if collected.is_empty() { first } else { collected.freeze() })
}

/// What an endpoint calls its request is remapped, as this request has a name already.
fn add_identifiers(headers: &mut HeaderMap, context: &Context) {
    if let Some(other) = headers.remove(REQUEST_ID) {
        headers.insert(REMAPPED_REQUEST_ID, other);
    }
    for (name, value) in [(REQUEST_ID, &context.request_id), (EXTENDED_REQUEST_ID, &context.extended_request_id)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
}

/// What AWS answers where there is no stage; the log says what is missing.
fn forbidden(nowhere: &Nowhere) -> Response<Bytes> {
    tracing::warn!(target: "gateway", "403 Forbidden: {nowhere}");
    let mut response = Response::new(Bytes::from_static(br#"{"message":"Forbidden"}"#));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static("ForbiddenException"));
    if let Ok(id) = HeaderValue::from_str(&identifiers::request_id()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The execution log, in place of the response.
fn explained(finished: &FinishedRequest) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(finished.execution_log()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
