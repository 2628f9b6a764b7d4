//! From a method request to a method response.

use std::sync::Arc;
use std::time::Duration;

use local_aws_api::AwsApi;

use crate::definition::Integration;
use crate::{Explain, Failure, Functions, MethodRequest, MethodResponse, Network, Templates};

/// Carries integrations out. One for all APIs: it holds the connections to endpoints.
#[derive(Clone)]
pub struct Integrations(Arc<Inner>);

struct Inner {
    aws: AwsApi,
    functions: Arc<dyn Functions>,
    network: Arc<dyn Network>,
    templates: Arc<dyn Templates>,
}

/// What became of a call, and what access logs say of its endpoint.
#[derive(Debug)]
pub struct Outcome {
    /// The method response, or why there is none.
    pub result: Result<MethodResponse, Failure>,
    /// `$context.integration.status`: the endpoint's, if it answered.
    pub status: Option<u16>,
    /// `$context.integration.latency`: how long the endpoint took.
    pub latency: Duration,
    /// `$context.integration.requestId`: the identifier that an AWS service gave the request.
    pub request_id: Option<String>,
}

impl Integrations {
    /// `aws` is the control plane, which stands for every AWS service; `functions` invokes Lambda.
    pub fn new(
        aws: AwsApi,
        functions: Arc<dyn Functions>,
        network: Arc<dyn Network>,
        templates: Arc<dyn Templates>,
    ) -> Self {
        Self(Arc::new(Inner { aws, functions, network, templates }))
    }

    /// Carries out one integration; `explain` hears of each step.
    pub async fn call(&self, _: &Integration, _: &MethodRequest<'_>, explain: &dyn Explain) -> Outcome {
        let _ = (&self.0.aws, &self.0.functions, &self.0.network, &self.0.templates);
        explain.say(format_args!("Not carried out"));
        let result = Err(Failure::Default5xx("integrations are not carried out yet".to_owned()));
        Outcome { result, status: None, latency: Duration::ZERO, request_id: None }
    }
}
