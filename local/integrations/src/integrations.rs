//! From a method request to a method response.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use local_aws_api::AwsApi;

use crate::aws_service::{self, Roles};
use crate::definition::{Integration, Kind, Target};
use crate::explanation::{ShownBody, ShownHeaders};
use crate::http_endpoint::{Endpoint, Endpoints, too_large};
use crate::integration_request::IntegrationRequest;
use crate::method_response::{self, EndpointResponse};
use crate::uri::{ServiceCall, UriTemplate};
use crate::{Explain, Failure, Functions, MethodRequest, MethodResponse, Network, Templates, mock};

/// How large an endpoint's response may be. (The gateway has refused a larger request already.)
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
pub const MAX_PAYLOAD_BYTES: usize = 10 * 1024 * 1024;

/// Where services say which identifier they gave a request; S3 has its own name for it.
const REQUEST_IDS: [HeaderName; 2] =
    [HeaderName::from_static("x-amzn-requestid"), HeaderName::from_static("x-amz-request-id")];

/// Carries integrations out. One for all APIs: it holds the connections to endpoints. Cheap to clone.
#[derive(Clone)]
pub struct Integrations(Arc<Inner>);

struct Inner {
    aws: AwsApi,
    functions: Arc<dyn Functions>,
    network: Arc<dyn Network>,
    templates: Arc<dyn Templates>,
    endpoints: Endpoints,
    roles: Roles,
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

/// What there is to say of the endpoint so far, also when the call fails after it.
#[derive(Debug, Default)]
struct Seen {
    status: Option<u16>,
    latency: Duration,
    request_id: Option<String>,
}

impl Integrations {
    /// `aws` is the control plane, which stands for every AWS service; `functions` invokes Lambda.
    pub fn new(
        aws: AwsApi,
        functions: Arc<dyn Functions>,
        network: Arc<dyn Network>,
        templates: Arc<dyn Templates>,
    ) -> Self {
        let (endpoints, roles) = (Endpoints::new(), Roles::default());
        Self(Arc::new(Inner { aws, functions, network, templates, endpoints, roles }))
    }

    /// Carries out one integration; `explain` hears of each step.
    pub async fn call(&self, integration: &Integration, request: &MethodRequest<'_>, explain: &dyn Explain) -> Outcome {
        let mut seen = Seen::default();
        let result = self.exchange(integration, request, explain, &mut seen).await;
        if let Err(failure) = &result {
            explain.say(format_args!("{failure}"));
        }
        Outcome { result, status: seen.status, latency: seen.latency, request_id: seen.request_id }
    }

    async fn exchange(
        &self,
        integration: &Integration,
        request: &MethodRequest<'_>,
        explain: &dyn Explain,
        seen: &mut Seen,
    ) -> Result<MethodResponse, Failure> {
        let templates = self.0.templates.as_ref();
        let sent = IntegrationRequest::build(integration, request, templates, explain).await?;

        let start = Instant::now();
        let endpoint = tokio::time::timeout(integration.timeout, self.send(integration, request, sent, explain)).await;
        seen.latency = start.elapsed();
        let endpoint = endpoint.unwrap_or_else(|_| {
            let milliseconds = integration.timeout.as_millis();
            Err(Failure::IntegrationTimeout(format!("no answer within {milliseconds} ms")))
        })?;
        seen.status = Some(endpoint.status.as_u16());
        seen.request_id = request_id(&endpoint.headers);
        if endpoint.body.len() > MAX_PAYLOAD_BYTES {
            return Err(too_large(&format!("of length {} ", endpoint.body.len())));
        }
        explain.say(format_args!(
            "Received response. Status: {}, Integration latency: {} ms",
            endpoint.status.as_u16(),
            seen.latency.as_millis()
        ));
        explain.say(format_args!("Endpoint response headers: {}", ShownHeaders(&endpoint.headers)));
        explain.say(format_args!("Endpoint response body before transformations: {}", ShownBody(&endpoint.body)));

        match integration.kind {
            Kind::HttpProxy => method_response::passed_on(endpoint, request, explain),
            _ => method_response::mapped(endpoint, integration, request, templates, explain).await,
        }
    }

    /// To whatever the integration names.
    async fn send(
        &self,
        integration: &Integration,
        request: &MethodRequest<'_>,
        sent: IntegrationRequest,
        explain: &dyn Explain,
    ) -> Result<EndpointResponse, Failure> {
        let Inner { aws, functions, network, endpoints, roles, .. } = self.0.as_ref();
        let expanded = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => UriTemplate::parse(text)
                .and_then(|template| template.expand(&sent.path, request.stage_variables))
                .map(Some)
                .map_err(Failure::ApiConfiguration),
        };
        match &integration.target {
            Target::Nowhere => {
                explain.say(format_args!("Endpoint request body after transformations: {}", ShownBody(&sent.body)));
                let status = mock::status(&sent.body)?;
                let selection = status.as_str().to_owned();
                Ok(EndpointResponse { status, headers: HeaderMap::new(), body: Bytes::new(), selection })
            }
            Target::Service(uri) => {
                // A function may have a policy that lets API Gateway in; every other service wants a role.
                if !matches!(uri.call, ServiceCall::Invoke(_)) || integration.credentials.is_some() {
                    roles.require(expanded(&integration.credentials)?.as_deref(), aws).await?;
                }
                aws_service::call(uri, sent, request.stage_variables, aws, functions.as_ref(), explain).await
            }
            Target::Endpoint(uri) => {
                let vpc_link = expanded(&integration.vpc_link)?;
                let endpoint = Endpoint {
                    uri,
                    vpc_link: vpc_link.as_deref(),
                    insecure_skip_verification: integration.insecure_skip_verification,
                };
                endpoints.send(endpoint, sent, request.stage_variables, network.as_ref(), explain).await
            }
        }
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let found = REQUEST_IDS.iter().find_map(|name| headers.get(name));
    found.and_then(|value| value.to_str().ok()).map(str::to_owned)
}
