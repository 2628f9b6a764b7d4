//! From what the endpoint answered to what the client is sent.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::content_handling;
use crate::definition::{ContentHandling, Integration, IntegrationResponse};
use crate::explanation::{ShownBody, ShownHeaders};
use crate::header_rules;
use crate::integration_request::{header_value, members, override_name};
use crate::media_type::{DEFAULT_MEDIA_TYPE, content_type, header_text};
use crate::parameters::Message;
use crate::response_selection::select;
use crate::template::{Rendered, TemplateInput, Templates, for_response, render};
use crate::{Explain, Failure, MethodRequest, MethodResponse};

/// What an endpoint answered.
#[derive(Debug)]
pub(crate) struct EndpointResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What patterns are matched against: the status, or a function's error message.
    pub selection: String,
}

impl EndpointResponse {
    /// An answer whose status selects the integration response.
    pub fn new(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let selection = parts.status.as_str().to_owned();
        Self { status: parts.status, headers: parts.headers, body, selection }
    }
}

/// Makes the method response of a proxy integration: the endpoint's own, but for what is API Gateway's.
pub(crate) fn passed_on(
    mut endpoint: EndpointResponse,
    request: &MethodRequest<'_>,
    explain: &dyn Explain,
) -> Result<MethodResponse, Failure> {
    let body = converted(&endpoint, None, request)?;
    header_rules::give_back(&mut endpoint.headers);
    explain.say(format_args!("Method response headers: {}", ShownHeaders(&endpoint.headers)));
    Ok(response(endpoint.status, endpoint.headers, body))
}

/// Makes the method response of the integration response that the answer selects.
pub(crate) async fn mapped(
    endpoint: EndpointResponse,
    integration: &Integration,
    request: &MethodRequest<'_>,
    templates: &dyn Templates,
    explain: &dyn Explain,
) -> Result<MethodResponse, Failure> {
    let selected = select(&integration.responses, &endpoint.selection).ok_or_else(|| {
        Failure::ApiConfiguration(format!(
            "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: {}",
            endpoint.status.as_u16()
        ))
    })?;
    explain.say(format_args!("Integration response: {} → {}", selected.name, selected.status.as_u16()));
    let declared = match &integration.method_responses {
        None => None,
        Some(declared) => Some(declared.get(&selected.status.as_u16()).ok_or_else(|| {
            let status = selected.status.as_u16();
            Failure::ApiConfiguration(format!("Output mapping refers to an invalid method response: {status}"))
        })?),
    };

    let mut headers = mapped_headers(selected, &endpoint, request, explain)?;
    let mut status = selected.status;
    let mut body = converted(&endpoint, selected.content_handling, request)?;
    let template = for_response(&selected.templates, header_text(request.headers, &ACCEPT));
    if let Some((name, template)) = template {
        explain.say(format_args!("Response template: the one for {name}"));
        let rendered = rendered(template, &body, request, templates).await?;
        override_response(&rendered.overrides.response, &mut status, &mut headers)?;
        body = rendered.text.into();
    }
    explain.say(format_args!("Method response body after transformations: {}", ShownBody(&body)));

    // Without a mapping of its own, the type is that of the template or of the first model.
    let model = || declared.and_then(|declared| declared.content_types.first().map(String::as_str));
    let named = template.map(|(name, _)| name).or_else(model).unwrap_or(DEFAULT_MEDIA_TYPE);
    if let Ok(named) = HeaderValue::try_from(named) {
        headers.entry(CONTENT_TYPE).or_insert(named);
    }
    header_rules::remap(&mut headers, integration.kind);
    explain.say(format_args!("Method response headers: {}", ShownHeaders(&headers)));
    Ok(response(status, headers, body))
}

fn mapped_headers(
    selected: &IntegrationResponse,
    endpoint: &EndpointResponse,
    request: &MethodRequest<'_>,
    explain: &dyn Explain,
) -> Result<HeaderMap, Failure> {
    let message = Message::of_response(&endpoint.headers, &endpoint.body, request);
    let mut headers = HeaderMap::new();
    for mapping in &selected.parameters {
        let values = mapping.source.values(&message);
        let values = values.map_err(|_| Failure::Default5xx("Invalid JSON in the endpoint's response".to_owned()))?;
        if values.is_empty() {
            explain.say(format_args!("Response parameter: {mapping} has no value"));
        } else {
            explain.say(format_args!("Response parameter: {mapping}"));
            headers.insert(&mapping.header, header_value(mapping.header.as_str(), &values.join(","))?);
        }
    }
    Ok(headers)
}

fn converted(
    endpoint: &EndpointResponse,
    handling: Option<ContentHandling>,
    request: &MethodRequest<'_>,
) -> Result<Bytes, Failure> {
    let accept = header_text(request.headers, &ACCEPT);
    let content_type = content_type(&endpoint.headers);
    content_handling::response_body(&endpoint.body, content_type, accept, request.binary_media_types, handling)
}

async fn rendered(
    template: &str,
    body: &Bytes,
    request: &MethodRequest<'_>,
    templates: &dyn Templates,
) -> Result<Rendered, Failure> {
    // A template that only says something of its own does not mind a binary body.
    let body = String::from_utf8_lossy(body);
    let input = TemplateInput {
        template,
        body: &body,
        context: request.context,
        stage_variables: request.stage_variables,
        path: request.path_parameters,
        querystring: &request.query.iter().cloned().collect(),
        header: &request.header_texts(),
    };
    render(templates, input).await.map_err(|failure| Failure::Default5xx(failure.to_string()))
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html>
fn override_response(overrides: &Value, status: &mut StatusCode, headers: &mut HeaderMap) -> Result<(), Failure> {
    let code = match overrides.get("status") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    // What is no status is passed over.
    let code = code.filter(|code| (100..600).contains(code)).and_then(|code| u16::try_from(code).ok());
    if let Some(code) = code.and_then(|code| StatusCode::from_u16(code).ok()) {
        *status = code;
    }
    for (name, value) in members(overrides, "header") {
        headers.insert(override_name(name)?, header_value(name, &value)?);
    }
    Ok(())
}

fn response(status: StatusCode, headers: HeaderMap, body: Bytes) -> MethodResponse {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
