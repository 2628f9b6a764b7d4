//! What integrations are called with, and what they call.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use local_aws_api::AwsApi;
use local_integrations::{
    BinaryMediaTypes, BoxFuture, Explain, Failure, Functions, Integration, Integrations, Invocation, MethodRequest,
    MethodResponse, Network, Outcome, Refusal, Rendered, Silent, TemplateFailure, TemplateInput, Templates,
};
use serde_json::{Value, json};

use crate::server::{Answer, Server, response};

pub const ROLE: &str = "arn:aws:iam::123456789012:role/service/gateway";
pub const TRACE_ID: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

/// Everything around the integrations. What a field holds answers.
pub struct World {
    /// The control plane, mostly.
    pub server: Server,
    pub functions: Arc<StandInFunctions>,
    pub network: Arc<StandInNetwork>,
    pub templates: Arc<StandInTemplates>,
    pub integrations: Integrations,
}

impl World {
    /// With a control plane that knows the role, and answers services by `services`.
    pub async fn with_services(services: impl Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static) -> Self {
        Self::with_control_plane(move |request| if is_for_iam(request) { get_role(request) } else { services(request) })
            .await
    }

    pub async fn with_control_plane(answer: impl Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static) -> Self {
        let server = Server::start(answer).await;
        Self::with_control_plane_at(&server.url(), server)
    }

    /// With a control plane at this address, and a server beside.
    pub fn with_control_plane_at(address: &str, server: Server) -> Self {
        let aws = AwsApi::new(address, "eu-west-1").expect("an address on this machine");
        let functions = Arc::new(StandInFunctions::default());
        let network = Arc::new(StandInNetwork::default());
        let templates = Arc::new(StandInTemplates::default());
        let integrations = Integrations::new(aws, functions.clone(), network.clone(), templates.clone());
        Self { server, functions, network, templates, integrations }
    }

    /// Without services.
    pub async fn new() -> Self {
        Self::with_services(|_| Answer::Response(response(501, &[], "no service is wanted here"))).await
    }

    pub async fn call(&self, definition: &Value, call: &Call) -> Outcome {
        self.explained(definition, call, &Silent).await
    }

    pub async fn explained(&self, definition: &Value, call: &Call, explain: &dyn Explain) -> Outcome {
        let integration = Integration::parse(definition).expect("a definition");
        on_any_thread(self.integrations.call(&integration, &call.request(), explain)).await
    }

    /// The method response.
    pub async fn respond(&self, definition: &Value, call: &Call) -> MethodResponse {
        self.call(definition, call).await.result.expect("a method response")
    }

    /// The gateway response type instead of a method response, and what the execution log says.
    pub async fn fail(&self, definition: &Value, call: &Call) -> (&'static str, String) {
        let failure: Failure = self.call(definition, call).await.result.expect_err("no method response");
        (failure.response_type(), failure.to_string())
    }

    /// The requests that services got: all but those for roles.
    pub fn service_requests(&self) -> Vec<Request<Bytes>> {
        self.server.seen().into_iter().filter(|request| !is_for_iam(request)).collect()
    }
}

/// A server moves its requests from thread to thread: this does not compile for a call that has to stay on one.
fn on_any_thread<F: Future + Send>(call: F) -> F {
    call
}

pub fn is_for_iam(request: &Request<Bytes>) -> bool {
    header(request.headers(), "authorization").contains("/iam/")
}

fn get_role(request: &Request<Bytes>) -> Answer {
    let (status, body) = match request.body().windows(7).any(|window| window == b"gateway") {
        true => (200, "<GetRoleResponse><GetRoleResult/></GetRoleResponse>"),
        false => (404, "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>"),
    };
    Answer::Response(response(status, &[("content-type", "text/xml")], body))
}

/// The text of a header; empty when it is not there.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(|value| value.to_str().expect("a text")).unwrap_or_default()
}

/// A method request to be.
pub struct Call {
    pub method: Method,
    pub path: BTreeMap<String, String>,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub context: Value,
    pub stage_variables: BTreeMap<String, String>,
    pub binary_media_types: BinaryMediaTypes,
}

impl Call {
    pub fn new(method: Method) -> Self {
        let call = Self {
            method,
            path: BTreeMap::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            context: json!({"requestId": "request-1", "apiId": "api1", "identity": {"sourceIp": "192.0.2.1"}}),
            stage_variables: BTreeMap::new(),
            binary_media_types: BinaryMediaTypes::default(),
        };
        call.header("x-amzn-trace-id", TRACE_ID)
    }

    pub fn get() -> Self {
        Self::new(Method::GET)
    }

    pub fn post(content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::new(Method::POST).header("content-type", content_type) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a name");
        self.headers.append(name, HeaderValue::try_from(value).expect("a value"));
        self
    }

    pub fn path(mut self, name: &str, value: &str) -> Self {
        self.path.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn stage_variable(mut self, name: &str, value: &str) -> Self {
        self.stage_variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn binary(self, types: &[&str]) -> Self {
        Self { binary_media_types: BinaryMediaTypes::new(types.iter().copied()), ..self }
    }

    pub fn request(&self) -> MethodRequest<'_> {
        MethodRequest {
            method: &self.method,
            path_parameters: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
            context: &self.context,
            stage_variables: &self.stage_variables,
            binary_media_types: &self.binary_media_types,
        }
    }
}

/// An invocation as Lambda got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoked {
    pub arn: String,
    pub payload: Bytes,
    pub trace_id: String,
    pub event: bool,
}

/// Functions that answer what they are told to.
pub struct StandInFunctions {
    pub answer: Mutex<Result<Invocation, Refusal>>,
    pub invoked: Mutex<Vec<Invoked>>,
}

impl Default for StandInFunctions {
    fn default() -> Self {
        let answer = Invocation { payload: Bytes::from_static(b"{}"), function_error: false };
        Self { answer: Mutex::new(Ok(answer)), invoked: Mutex::default() }
    }
}

impl StandInFunctions {
    pub fn answer(&self, payload: &str, function_error: bool) {
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        *self.answer.lock().expect("no panic") = Ok(Invocation { payload, function_error });
    }

    pub fn refuse(&self, status: u16, code: &str) {
        let refusal = Refusal { status, code: code.to_owned(), message: "not now".to_owned() };
        *self.answer.lock().expect("no panic") = Err(refusal);
    }
}

impl Functions for StandInFunctions {
    fn invoke<'a>(
        &'a self,
        arn: &'a str,
        payload: Bytes,
        trace_id: &'a str,
        event_invocation: bool,
    ) -> BoxFuture<'a, Result<Invocation, Refusal>> {
        let invoked = Invoked { arn: arn.to_owned(), payload, trace_id: trace_id.to_owned(), event: event_invocation };
        self.invoked.lock().expect("no panic").push(invoked);
        let answer = self.answer.lock().expect("no panic").clone();
        Box::pin(async move { answer })
    }
}

/// Host, port and VPC link.
type Place = (String, u16, Option<String>);

/// Places, and where they are.
#[derive(Default)]
pub struct StandInNetwork(Mutex<BTreeMap<Place, SocketAddr>>);

impl StandInNetwork {
    pub fn put(&self, host: &str, port: u16, vpc_link: Option<&str>, address: SocketAddr) {
        let place = (host.to_owned(), port, vpc_link.map(str::to_owned));
        self.0.lock().expect("no panic").insert(place, address);
    }
}

impl Network for StandInNetwork {
    fn resolve(&self, host: &str, port: u16, vpc_link: Option<&str>) -> Option<SocketAddr> {
        let place = (host.to_owned(), port, vpc_link.map(str::to_owned));
        self.0.lock().expect("no panic").get(&place).copied()
    }
}

/// Templates that know `$body` and `$requestId`, and otherwise do what they are told to.
#[derive(Default)]
pub struct StandInTemplates {
    /// Told: the overrides of each template that is rendered, or the failure.
    pub outcome: Mutex<Option<Result<(Value, Value), TemplateFailure>>>,
    /// The parameters of the last template: path, query string, headers.
    pub parameters: Mutex<Value>,
    pub rendered: Mutex<usize>,
}

impl StandInTemplates {
    pub fn set(&self, request: Value, response: Value) {
        *self.outcome.lock().expect("no panic") = Some(Ok((request, response)));
    }

    pub fn fail(&self, failure: TemplateFailure) {
        *self.outcome.lock().expect("no panic") = Some(Err(failure));
    }
}

impl Templates for StandInTemplates {
    fn render<'a>(&'a self, input: TemplateInput<'a>) -> BoxFuture<'a, Result<Rendered, TemplateFailure>> {
        *self.rendered.lock().expect("no panic") += 1;
        *self.parameters.lock().expect("no panic") =
            json!({"path": input.path, "querystring": input.querystring, "header": input.header});
        let request_id = input.context["requestId"].as_str().unwrap_or_default();
        let text = input.template.replace("$body", input.body).replace("$requestId", request_id);
        let outcome = self.outcome.lock().expect("no panic").clone().unwrap_or(Ok((Value::Null, Value::Null)));
        Box::pin(async move {
            let (request, response) = outcome?;
            Ok(Rendered { text, overrides: local_integrations::Overrides { request, response } })
        })
    }
}

/// An execution log.
#[derive(Default)]
pub struct Log(Mutex<Vec<String>>);

impl Log {
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}

impl Explain for Log {
    fn say(&self, line: fmt::Arguments<'_>) {
        self.0.lock().expect("no panic").push(line.to_string());
    }
}
