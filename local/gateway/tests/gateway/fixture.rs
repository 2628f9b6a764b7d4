//! A gateway that serves one API at the stage `test`, and all that it calls.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use local_aws_api::AwsApi;
use local_gateway::{
    ApiKey, BoxFuture, Functions, Gateway, Invocation, Network, PlanStage, Refusal, RestApi, Snapshot, Stage, UsagePlan,
};
use local_integrations::{Integrations, Rendered, TemplateFailure, TemplateInput, Templates};
use local_waf::Firewall;
use serde_json::{Value, json};

pub const PREFIX: &str = "/_aws/execute-api/a1b2c3d4e5/test";
pub const KEY: &str = "0123456789abcdefghij";

type Behaviour = Box<dyn Fn(&str, &Value) -> Result<Invocation, Refusal> + Send + Sync>;

/// Stands for Lambda: remembers who was invoked with what.
pub struct Lambda {
    behaviour: Behaviour,
    invocations: Mutex<Vec<(String, Value)>>,
    pub hangs: bool,
}

impl Functions for Lambda {
    fn invoke<'a>(
        &'a self,
        arn: &'a str,
        payload: Bytes,
        _trace_id: &'a str,
        _event_invocation: bool,
    ) -> BoxFuture<'a, Result<Invocation, Refusal>> {
        let event: Value = serde_json::from_slice(&payload).expect("an event is JSON");
        let answer = (self.behaviour)(arn, &event);
        self.invocations.lock().unwrap().push((arn.to_owned(), event));
        let hangs = self.hangs;
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            answer
        })
    }
}

impl Lambda {
    /// Function (the last part of its ARN) and event of every invocation.
    pub fn invocations(&self) -> Vec<(String, Value)> {
        self.invocations.lock().unwrap().clone()
    }

    pub fn last_event(&self) -> Value {
        self.invocations().pop().expect("a function was invoked").1
    }

    pub fn count(&self, function: &str) -> usize {
        self.invocations().iter().filter(|(arn, _)| arn.ends_with(function)).count()
    }
}

/// Renders no template: the text is the result.
struct AsItStands;

impl Templates for AsItStands {
    fn render<'a>(&'a self, input: TemplateInput<'a>) -> BoxFuture<'a, Result<Rendered, TemplateFailure>> {
        Box::pin(async move { Ok(Rendered { text: input.template.to_owned(), ..Rendered::default() }) })
    }
}

struct Nowhere;

impl Network for Nowhere {
    fn resolve(&self, _: &str, _: u16, _: Option<&str>) -> Option<SocketAddr> {
        None
    }
}

pub fn payload(answer: &Value) -> Result<Invocation, Refusal> {
    Ok(Invocation { payload: Bytes::from(answer.to_string()), function_error: false })
}

pub fn function_error(message: &str) -> Result<Invocation, Refusal> {
    let payload = json!({ "errorMessage": message, "errorType": "Error" }).to_string();
    Ok(Invocation { payload: Bytes::from(payload), function_error: true })
}

/// A function that answers with the event it got.
pub fn echo(_: &str, event: &Value) -> Result<Invocation, Refusal> {
    payload(&json!({ "statusCode": 200, "body": event.to_string() }))
}

pub fn uri(function: &str) -> String {
    format!(
        "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
         arn:aws:lambda:eu-west-1:123456789012:function:{function}/invocations"
    )
}

/// An operation of an `AWS_PROXY` integration.
pub fn proxied(function: &str) -> Value {
    json!({ "x-amazon-apigateway-integration": { "type": "aws_proxy", "httpMethod": "POST", "uri": uri(function) } })
}

/// `ANY /{proxy+}` and `ANY /`, to the function `backend`.
pub fn proxy_api() -> Value {
    let any = json!({ "x-amazon-apigateway-any-method": proxied("backend") });
    json!({ "openapi": "3.0.1", "paths": { "/": any, "/{proxy+}": any } })
}

pub struct Fixture {
    pub gateway: Gateway,
    pub lambda: Arc<Lambda>,
}

impl Fixture {
    pub fn new(
        definition: Value,
        behaviour: impl Fn(&str, &Value) -> Result<Invocation, Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self::with(snapshot(definition), Firewall::default(), false, behaviour)
    }

    pub fn with(
        snapshot: Snapshot,
        firewall: Firewall,
        hangs: bool,
        behaviour: impl Fn(&str, &Value) -> Result<Invocation, Refusal> + Send + Sync + 'static,
    ) -> Self {
        let lambda = Arc::new(Lambda { behaviour: Box::new(behaviour), invocations: Mutex::default(), hangs });
        // No integration here is one with AWS: nothing is listening at that port.
        let aws = AwsApi::new("http://127.0.0.1:9", "eu-west-1").unwrap();
        let integrations = Integrations::new(aws, lambda.clone(), Arc::new(Nowhere), Arc::new(AsItStands));
        let gateway = Gateway::new(lambda.clone(), integrations, firewall);
        gateway.update(snapshot);
        Self { gateway, lambda }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// `path`: below the stage, or a whole one that begins with the gateway's prefix.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let path = if path.starts_with("/_aws/") { path.to_owned() } else { format!("{PREFIX}{path}") };
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        request = request.header("host", "127.0.0.1:4566");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response = self.gateway.handle(request, SocketAddr::from(([127, 0, 0, 1], 54321))).await;
        Answer::of(response).await
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    async fn of(response: Response<Full<Bytes>>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub fn snapshot(definition: Value) -> Snapshot {
    Snapshot {
        region: "eu-west-1".into(),
        account_id: "123456789012".into(),
        rest_apis: vec![RestApi {
            id: "a1b2c3d4e5".into(),
            name: "strings".into(),
            definitions: HashMap::from([("d1e2f3".into(), Arc::new(definition))]),
            stages: vec![Stage {
                name: "test".into(),
                deployment_id: "d1e2f3".into(),
                variables: BTreeMap::from([("alias".into(), "test".into())]),
                ..Stage::default()
            }],
        }],
        ..Snapshot::default()
    }
}

/// The same with one key, in one plan.
pub fn with_plan(definition: Value, plan: UsagePlan) -> Snapshot {
    let stage = plan.stages.first().cloned().unwrap_or_default();
    let stage = PlanStage { api_id: "a1b2c3d4e5".into(), stage: "test".into(), ..stage };
    Snapshot {
        api_keys: vec![ApiKey { id: "k1e2y3".into(), name: "mine".into(), value: KEY.into(), enabled: true }],
        usage_plans: vec![UsagePlan { id: "p1".into(), key_ids: vec!["k1e2y3".into()], stages: vec![stage], ..plan }],
        ..snapshot(definition)
    }
}
