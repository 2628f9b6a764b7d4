//! What happens to one event: its path, the API, the log line.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use api::{Api, Metrics};
use http::Uri;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt, Service};
use mapping::Mapping;
use proxy_event::Answer;
use tracing::info;

/// How long a client is kept waiting for a map when none was loaded during INIT, before it is told to try again.
const FIRST_MAP: Duration = Duration::from_secs(2);

/// The API, for events. API Gateway has checked the key.
#[derive(Clone)]
pub struct Handler {
    api: Api,
    mapping: Arc<Mapping>,
    metrics: Arc<Metrics>,
}

impl Handler {
    /// Answers events by `api`.
    pub fn new(api: Api, mapping: Arc<Mapping>, metrics: Arc<Metrics>) -> Self {
        Self { api, mapping, metrics }
    }

    async fn answer(self, mut request: Request) -> Result<Answer, Infallible> {
        let begun = Instant::now();
        if self.mapping.serving().is_none() {
            self.mapping.refresh_if_due(FIRST_MAP).await;
        }
        let path = proxy_event::path(&request);
        let invocation = request.lambda_context_ref();
        let request_id = invocation.map(|context| context.request_id.clone());
        let trace_id = invocation.and_then(|context| context.xray_trace_id.clone());
        let (api_request_id, client_ip) = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => {
                (context.request_id.clone(), context.identity.source_ip.clone())
            }
            _ => (None, None),
        };
        let (method, bytes_in) = (request.method().clone(), request.body().len());
        *request.uri_mut() = Uri::from(path.clone());

        let response = self.api.answer(request).await;
        let answer = Answer::of(response).await;
        let (status, bytes_out, took) = (answer.status(), answer.bytes(), begun.elapsed());
        self.metrics.answered(status, took);
        info!(
            %method,
            path = path.path(),
            status = status.as_u16(),
            milliseconds = (took.as_secs_f64() * 1e6).round() / 1e3,
            bytes_in,
            bytes_out,
            client_ip,
            request_id,
            api_request_id,
            trace_id,
            "request"
        );
        Ok(answer)
    }
}

impl Service<Request> for Handler {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(())) // the API is always ready
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

#[cfg(test)]
mod tests;
