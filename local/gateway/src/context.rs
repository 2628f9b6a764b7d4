//! A request on its way, and all that `$context` says of it.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html>

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Version};
use serde_json::Value;

use crate::address::Address;
use crate::authorizer::Identity;
use crate::clock::Civil;
use crate::gateway_response::Refused;
use crate::header_spelling::HeaderSpelling;
use crate::headers;
use crate::json::ObjectWriter;
use crate::routing::Route;
use crate::snapshot::ApiKey;
use crate::substitution::Variables;

/// Members of `$context.identity` that only signed and Cognito callers have.
const ABSENT_IDENTITY: [&str; 10] = [
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "user",
];

/// A request that has reached a stage.
#[derive(Debug)]
pub(crate) struct Context {
    pub address: Address,
    pub request_id: String,
    pub extended_request_id: String,
    /// Milliseconds since 1970.
    pub arrived_at: u64,
    pub started: Instant,
    pub method: http::Method,
    pub version: Version,
    /// As it came, without `?`.
    pub raw_query: String,
    pub query: Vec<(String, String)>,
    /// With those that API Gateway adds.
    pub headers: HeaderMap,
    pub spelling: HeaderSpelling,
    pub body: Bytes,
    pub source_ip: IpAddr,
    pub route: Option<Route>,
    pub api_key: Option<Arc<ApiKey>>,
    pub authorizer: Option<AuthorizerResult>,
    pub integration: IntegrationResult,
    pub waf_status: Option<u16>,
    pub refused: Option<Refused>,
    pub response: Option<ResponseFacts>,
}

#[derive(Debug)]
pub(crate) struct AuthorizerResult {
    pub identity: Option<Arc<Identity>>,
    pub status: u16,
    pub latency: Duration,
}

/// What became of the integration; empty until it has answered.
#[derive(Debug, Default)]
pub(crate) struct IntegrationResult {
    /// Of the endpoint; of the function's own answer with `AWS_PROXY`.
    pub status: Option<u16>,
    /// Of Lambda, where there is one.
    pub service_status: Option<u16>,
    pub latency: Option<Duration>,
    pub error: Option<String>,
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ResponseFacts {
    pub status: u16,
    pub length: usize,
    pub latency: Duration,
}

impl Context {
    pub fn user_agent(&self) -> Option<Cow<'_, str>> {
        headers::last(&self.headers, "user-agent")
    }

    pub fn trace_id(&self) -> Cow<'_, str> {
        headers::last(&self.headers, headers::TRACE_ID.as_str()).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        headers::last(&self.headers, name)
    }

    /// The last value of a query-string parameter.
    pub fn query_parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn method_arn(&self) -> String {
        self.address.stage.method_arn(self.method.as_str(), &self.address.path)
    }

    fn protocol(&self) -> &'static str {
        match self.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/1.1",
        }
    }

    fn domain_prefix(&self) -> &str {
        self.address.domain_name.split('.').next().unwrap_or_default()
    }

    /// Writes `requestContext` of an event.
    pub fn write_request_context(&self, out: &mut Vec<u8>) {
        let stage = &self.address.stage;
        let mut object = ObjectWriter::begin(out);
        if let Some(route) = &self.route {
            object.member("resourceId", &route.resource.id);
            object.member("resourcePath", &route.resource.path);
        }
        if let Some(name) = self.route.as_ref().and_then(|route| route.method.operation_name.as_ref()) {
            object.member("operationName", name);
        }
        object.member("httpMethod", self.method.as_str());
        object.member("extendedRequestId", &self.extended_request_id);
        object.member("requestTime", Civil::at(self.arrived_at).common_log_format());
        object.member("path", &self.address.context_path);
        object.member("accountId", &stage.account_id);
        object.member("protocol", self.protocol());
        object.member("stage", &stage.stage.name);
        object.member("domainPrefix", self.domain_prefix());
        object.member("requestTimeEpoch", self.arrived_at);
        object.member("requestId", &self.request_id);
        object.nested("identity", |out| self.write_identity(out));
        object.member("domainName", &self.address.domain_name);
        object.member("deploymentId", &stage.stage.deployment_id);
        object.member("apiId", &stage.api_id);
        if let Some(result) = &self.authorizer
            && let Some(identity) = &result.identity
        {
            object.nested("authorizer", |out| {
                let mut authorizer = ObjectWriter::begin(out);
                for (name, value) in &identity.context {
                    authorizer.member(name, value);
                }
                authorizer.member("principalId", &identity.principal_id);
                authorizer.member("integrationLatency", milliseconds(result.latency));
                authorizer.end();
            });
        }
        object.end();
    }

    fn write_identity(&self, out: &mut Vec<u8>) {
        let mut identity = ObjectWriter::begin(out);
        for name in ABSENT_IDENTITY {
            identity.member(name, ());
        }
        if let Some(key) = &self.api_key {
            identity.member("apiKey", &key.value);
            identity.member("apiKeyId", &key.id);
        }
        identity.member("sourceIp", self.source_ip);
        identity.member("userAgent", self.user_agent());
        identity.end();
    }

    /// `$context` for mappings and templates.
    pub fn as_value(&self) -> Value {
        let mut out = Vec::with_capacity(1024);
        self.write_request_context(&mut out);
        // What has just been written is JSON.
        serde_json::from_slice(&out).unwrap_or_default()
    }

    fn identity(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "sourceIp" => Some(self.source_ip.to_string().into()),
            "userAgent" => self.user_agent(),
            "apiKeyId" => Some(self.api_key.as_ref()?.id.as_str().into()),
            "apiKey" => Some(self.api_key.as_ref()?.value.as_str().into()),
            _ => None,
        }
    }

    fn authorizer_variable(&self, name: &str) -> Option<Cow<'_, str>> {
        let result = self.authorizer.as_ref()?;
        match name {
            "latency" | "integrationLatency" => return Some(milliseconds(result.latency).to_string().into()),
            "status" | "integrationStatus" => return Some(result.status.to_string().into()),
            _ => {}
        }
        let identity = result.identity.as_ref()?;
        match name {
            "principalId" => Some(identity.principal_id.as_str().into()),
            _ => identity.context.get(name).map(|value| value.as_str().into()),
        }
    }

    fn error(&self, name: &str) -> Option<Cow<'_, str>> {
        let refused = self.refused.as_ref()?;
        match name {
            "message" => refused.message().map(Cow::Borrowed),
            "messageString" => Some(Value::from(refused.message()).to_string().into()),
            "responseType" => Some(refused.kind.name().into()),
            "validationErrorString" => refused.validation.as_deref().map(Cow::Borrowed),
            _ => None,
        }
    }

    fn integration_variable(&self, name: &str) -> Option<Cow<'_, str>> {
        let integration = &self.integration;
        let number = |number: Option<u16>| number.map(|number| number.to_string().into());
        match name {
            "status" => number(integration.status),
            "integrationStatus" => number(integration.service_status.or(integration.status)),
            "latency" => integration.latency.map(|latency| milliseconds(latency).to_string().into()),
            "error" => integration.error.as_deref().map(Cow::Borrowed),
            "requestId" => integration.request_id.as_deref().map(Cow::Borrowed),
            _ => None,
        }
    }
}

impl Variables for Context {
    fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some((group, rest)) = name.split_once('.') {
            return match (group, rest) {
                ("identity", name) => self.identity(name),
                ("authorizer", name) => self.authorizer_variable(name),
                ("error", name) => self.error(name),
                ("integration", name) => self.integration_variable(name),
                ("customDomain", "basePathMatched") => self.address.base_path.as_deref().map(Cow::Borrowed),
                ("waf", "status") => self.waf_status.map(|status| status.to_string().into()),
                _ => None,
            };
        }
        let stage = &self.address.stage;
        let borrowed = |text: &'static str| Some(Cow::Borrowed(text));
        match name {
            "accountId" => Some(stage.account_id.as_str().into()),
            "apiId" => Some(stage.api_id.as_str().into()),
            "deploymentId" => Some(stage.stage.deployment_id.as_str().into()),
            "domainName" => Some(self.address.domain_name.as_str().into()),
            "domainPrefix" => Some(self.domain_prefix().into()),
            "endpointType" => borrowed("REGIONAL"),
            "extendedRequestId" => Some(self.extended_request_id.as_str().into()),
            "httpMethod" => Some(self.method.as_str().into()),
            "integrationLatency" => self.integration_variable("latency"),
            "integrationStatus" | "integrationErrorMessage" => {
                self.integration_variable(if name == "integrationStatus" { name } else { "error" })
            }
            "isCanaryRequest" => borrowed("false"),
            "operationName" => self.route.as_ref()?.method.operation_name.as_deref().map(Cow::Borrowed),
            "path" => Some(self.address.context_path.as_str().into()),
            "protocol" => borrowed(self.protocol()),
            "requestId" => Some(self.request_id.as_str().into()),
            "requestTime" => Some(Civil::at(self.arrived_at).common_log_format().into()),
            "requestTimeEpoch" => Some(self.arrived_at.to_string().into()),
            "resourceId" => Some(self.route.as_ref()?.resource.id.as_str().into()),
            "resourcePath" => Some(self.route.as_ref()?.resource.path.as_str().into()),
            "responseLatency" => Some(milliseconds(self.response?.latency).to_string().into()),
            "responseLength" => Some(self.response?.length.to_string().into()),
            "stage" => Some(stage.stage.name.as_str().into()),
            "status" => Some(self.response?.status.to_string().into()),
            "wafResponseCode" => borrowed(match self.waf_status? {
                200 => "WAF_ALLOW",
                _ => "WAF_BLOCK",
            }),
            "xrayTraceId" => headers::last(&self.headers, headers::TRACE_ID.as_str()),
            _ => None,
        }
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.address.stage.stage.variables.get(name).map(String::as_str)
    }

    fn request_parameter(&self, place: &str, name: &str) -> Option<Cow<'_, str>> {
        match place {
            "header" => self.header(name),
            "querystring" => self.query_parameter(name).map(Cow::Borrowed),
            "path" => self.route.as_ref()?.parameters.get(name).map(|value| value.as_str().into()),
            _ => None,
        }
    }
}

/// Whole milliseconds, as every latency in `$context` is given.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
