//! Keeping the map fresh in a process that is frozen between its events.
//!
//! A task that refreshes beside the invocations would be frozen half-way when the last response is out, wake up minutes
//! later with its connection dead and its time-outs run out, and on a quiet function never get anywhere. So the refresh
//! runs between the response, which goes out as fast as ever, and the request for the next event.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::Metrics;
use lambda_http::Service;
use lambda_http::lambda_runtime::LambdaInvocation;
use lambda_http::tower::Layer;
use mapping::Mapping;

/// The longest that reading the map may take, be it 100,000 rules from a table. Lambda gives INIT 10 s.
const LONGEST: Duration = Duration::from_secs(8);

/// What is left of an invocation's time when a refresh gives up, so that the function is not stopped in it.
const RESERVE: Duration = Duration::from_millis(500);

/// Less time than this is not worth a beginning.
const SHORTEST: Duration = Duration::from_millis(200);

/// Refreshes the map after the response to each event, when that is due, and then tells the metrics.
#[derive(Clone)]
pub struct Refresh {
    mapping: Arc<Mapping>,
    metrics: Arc<Metrics>,
    service: Arc<str>,
}

impl Refresh {
    /// `metrics` are told after a refresh, as those of `service`.
    pub fn new(mapping: Arc<Mapping>, metrics: Arc<Metrics>, service: &str) -> Self {
        Self { mapping, metrics, service: service.into() }
    }

    /// Loads the first map. If there is none to be had, the function starts all the same, and answers 503.
    pub async fn during_init(&self) {
        self.mapping.refresh_if_due(LONGEST).await;
    }

    /// `deadline`: when the invocation's time is up, in milliseconds since 1970.
    async fn after_the_response(&self, deadline: u64) {
        let now = SystemTime::now();
        let left = Duration::from_millis(deadline)
            .saturating_sub(now.duration_since(UNIX_EPOCH).unwrap_or_default())
            .saturating_sub(RESERVE);
        if left >= SHORTEST && self.mapping.refresh_if_due(left.min(LONGEST)).await {
            println!("{}", self.metrics.take_line(&self.service, &self.mapping, now));
        }
    }
}

impl<S> Layer<S> for Refresh {
    type Service = Refreshing<S>;

    fn layer(&self, inner: S) -> Refreshing<S> {
        Refreshing { inner, refresh: self.clone() }
    }
}

/// The runtime's own service, which answers one event, and the refresh after it.
pub struct Refreshing<S> {
    inner: S,
    refresh: Refresh,
}

impl<S> Service<LambdaInvocation> for Refreshing<S>
where
    S: Service<LambdaInvocation, Response = ()>,
    S::Future: 'static,
    S::Error: 'static,
{
    type Response = ();
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), S::Error>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let deadline = invocation.context.deadline;
        let answered = self.inner.call(invocation);
        let refresh = self.refresh.clone();
        Box::pin(async move {
            answered.await?;
            refresh.after_the_response(deadline).await;
            Ok(())
        })
    }
}
