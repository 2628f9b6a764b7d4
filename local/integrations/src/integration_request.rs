//! From the method request to what the endpoint is sent.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use crate::definition::{Integration, Kind};
use crate::explanation::{ShownBody, ShownHeaders};
use crate::media_type::{DEFAULT_MEDIA_TYPE, content_type};
use crate::parameters::{Message, RequestTarget, context_variable};
use crate::template::{Rendered, TemplateFailure, TemplateInput, Templates, for_request, render};
use crate::{Explain, Failure, MethodRequest, content_handling, header_rules};

const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const API_ID: HeaderName = HeaderName::from_static("x-amzn-apigateway-api-id");

/// What is sent; only the address is not filled in yet.
#[derive(Debug)]
pub(crate) struct IntegrationRequest {
    pub method: Method,
    /// Values for the URI's variables.
    pub path: BTreeMap<String, String>,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl IntegrationRequest {
    /// Applies mappings, template and conversion, in AWS's order: the template's overrides come last and win.
    pub async fn build(
        integration: &Integration,
        request: &MethodRequest<'_>,
        templates: &dyn Templates,
        explain: &dyn Explain,
    ) -> Result<Self, Failure> {
        let template = match integration.kind {
            Kind::HttpProxy => None,
            _ => for_request(&integration.request_templates, content_type(request.headers), integration.passthrough)?,
        };
        match template {
            Some(_) => explain.say(format_args!("Request template: the one for {}", content_type(request.headers))),
            None => explain.say(format_args!("Request template: none, the body is passed on")),
        }
        let body = content_handling::request_body(
            request.body,
            content_type(request.headers),
            request.binary_media_types,
            integration.content_handling,
        )?;

        let mut sent = Self {
            method: integration.method.as_ref().unwrap_or(request.method).clone(),
            path: BTreeMap::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body,
        };
        sent.map_parameters(integration, request, explain)?;
        if let Some(template) = template {
            let rendered = sent.rendered(template, request, templates).await?;
            sent.override_parameters(&rendered.overrides.request)?;
            sent.body = rendered.text.into();
        }
        header_rules::check_mapped(&sent.headers, integration.kind)?;
        if integration.kind == Kind::HttpProxy {
            sent.pass_on(request);
        }
        header_rules::send(&mut sent.headers, integration.kind);
        sent.add_own_headers(integration.kind, request);
        // As with every client, these methods have no body, whatever a template made.
        if integration.kind != Kind::Mock && matches!(sent.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            sent.body = Bytes::new();
        }
        Ok(sent)
    }

    fn map_parameters(
        &mut self,
        integration: &Integration,
        request: &MethodRequest<'_>,
        explain: &dyn Explain,
    ) -> Result<(), Failure> {
        let message = Message::of_request(request);
        for mapping in &integration.request_parameters {
            let values = mapping.source.values(&message);
            let values = values.map_err(|_| Failure::BadRequestBody("Invalid JSON in request body".to_owned()))?;
            if values.is_empty() {
                explain.say(format_args!("Request parameter: {mapping} has no value"));
                continue;
            }
            explain.say(format_args!("Request parameter: {mapping}"));
            match &mapping.target {
                RequestTarget::Path(name) => {
                    self.path.insert(name.clone(), values.join(","));
                }
                RequestTarget::QueryString(name) => {
                    self.query.extend(values.into_iter().map(|value| (name.clone(), value)));
                }
                RequestTarget::Header(name) => {
                    self.headers.insert(name, header_value(name.as_str(), &values.join(","))?);
                }
            }
        }
        Ok(())
    }

    async fn rendered(
        &self,
        template: &str,
        request: &MethodRequest<'_>,
        templates: &dyn Templates,
    ) -> Result<Rendered, Failure> {
        let body = std::str::from_utf8(&self.body)
            .map_err(|_| Failure::ApiConfiguration("Unable to transform request: the body is binary".to_owned()))?;
        let input = TemplateInput {
            template,
            body,
            context: request.context,
            stage_variables: request.stage_variables,
            path: request.path_parameters,
            querystring: &request.query.iter().cloned().collect(),
            header: &request.header_texts(),
        };
        render(templates, input).await.map_err(|failure| match failure {
            TemplateFailure::Body(message) => Failure::BadRequestBody(message),
            other => Failure::Default5xx(other.to_string()),
        })
    }

    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html>
    fn override_parameters(&mut self, overrides: &Value) -> Result<(), Failure> {
        for (name, value) in members(overrides, "path") {
            self.path.insert(name.to_owned(), value);
        }
        for (name, value) in members(overrides, "querystring") {
            self.query.retain(|(existing, _)| existing != name);
            self.query.push((name.to_owned(), value));
        }
        for (name, value) in members(overrides, "header") {
            self.headers.insert(override_name(name)?, header_value(name, &value)?);
        }
        Ok(())
    }

    /// What a proxy integration adds to the mapped parameters: everything that the client sent.
    fn pass_on(&mut self, request: &MethodRequest<'_>) {
        let mut headers = request.headers.clone();
        header_rules::pass_on(&mut headers);
        let mapped = std::mem::replace(&mut self.headers, headers);
        for (name, value) in mapped {
            // Every mapped header has one value, and with it its name.
            if let Some(name) = name {
                self.headers.insert(name, value);
            }
        }
        let mapped = std::mem::replace(&mut self.query, request.query.to_vec());
        self.query.extend(mapped);
    }

    /// Headers that every endpoint is sent.
    fn add_own_headers(&mut self, kind: Kind, request: &MethodRequest<'_>) {
        let api_id = context_variable(request.context, "apiId").unwrap_or_default();
        let headers = &mut self.headers;
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(DEFAULT_MEDIA_TYPE));
        if let Ok(agent) = HeaderValue::try_from(format!("AmazonAPIGateway_{api_id}")) {
            headers.entry(USER_AGENT).or_insert(agent);
        }
        if !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
            && let Some(named) = request.headers.get(CONTENT_TYPE)
        {
            headers.entry(CONTENT_TYPE).or_insert(named.clone());
        }
        if let Some(trace_id) = request.headers.get(&TRACE_ID) {
            headers.insert(TRACE_ID, trace_id.clone());
        }
        if kind != Kind::Aws
            && let Ok(api_id) = HeaderValue::try_from(api_id)
        {
            headers.insert(API_ID, api_id);
        }
    }

    /// Says what is about to be sent, and where.
    pub fn explain(&self, address: fmt::Arguments<'_>, explain: &dyn Explain) {
        explain.say(format_args!("Endpoint request URI: {address}"));
        explain.say(format_args!("Endpoint request headers: {}", ShownHeaders(&self.headers)));
        explain.say(format_args!("Endpoint request body after transformations: {}", ShownBody(&self.body)));
        explain.say(format_args!("Sending request to {address}"));
    }

    /// The value of `X-Amzn-Trace-Id`.
    pub fn trace_id(&self) -> &str {
        self.headers.get(&TRACE_ID).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl MethodRequest<'_> {
    /// Headers as templates see them: of several values, the last.
    pub(crate) fn header_texts(&self) -> BTreeMap<String, String> {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        self.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
    }
}

/// The members of one of an override's objects, as parameters.
pub(crate) fn members<'a>(overrides: &'a Value, name: &str) -> Vec<(&'a str, String)> {
    let members = overrides.get(name).and_then(Value::as_object);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members.into_iter().flatten().map(|(name, value)| (name.as_str(), text(value))).collect()
}

/// # Errors
/// A template may set anything; a name that is none is its mistake.
pub(crate) fn override_name(name: &str) -> Result<HeaderName, Failure> {
    let named = HeaderName::from_bytes(name.as_bytes());
    named.map_err(|_| Failure::ApiConfiguration(format!("the template overrides header '{name}', which is no name")))
}

/// # Errors
/// Line ends and control characters are not sent: they would forge another header.
pub(crate) fn header_value(name: &str, text: &str) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::from_bytes(text.as_bytes());
    value.map_err(|_| {
        Failure::ApiConfiguration(format!("the value for header {name} has characters that none can have"))
    })
}
