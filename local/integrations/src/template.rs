//! Mapping templates, which somebody else renders.

use std::collections::BTreeMap;
use std::fmt::Display;

use http::header::CONTENT_TYPE;
use local_aws_api::AwsApi;
use serde_json::{Value, json};

use crate::definition::Passthrough;
use crate::media_type::{DEFAULT_MEDIA_TYPE, essence};
use crate::{BoxFuture, Failure};

/// Renders templates in Apache Velocity with API Gateway's `$input`, `$context`, `$stageVariables` and `$util`.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>
pub trait Templates: Send + Sync {
    /// Renders one template.
    ///
    /// # Errors
    /// The template is no Velocity, or the engine cannot be reached.
    fn render<'a>(&'a self, input: TemplateInput<'a>) -> BoxFuture<'a, Result<Rendered, TemplateFailure>>;
}

/// What a template can refer to.
#[derive(Debug, Clone, Copy)]
pub struct TemplateInput<'a> {
    /// The template.
    pub template: &'a str,
    /// `$input.body`: the request's or the endpoint's body.
    pub body: &'a str,
    /// `$context`.
    pub context: &'a Value,
    /// `$stageVariables`.
    pub stage_variables: &'a BTreeMap<String, String>,
    /// `$input.params()`, each name with the value that the mapping sees.
    pub path: &'a BTreeMap<String, String>,
    /// Query-string parameters.
    pub querystring: &'a BTreeMap<String, String>,
    /// Headers, in lower case, as HTTP/2 sends them.
    pub header: &'a BTreeMap<String, String>,
}

/// What a template gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// The new body.
    pub text: String,
    /// What it set in `$context.requestOverride` and `$context.responseOverride`.
    pub overrides: Overrides,
}

/// What a template set beside the body.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// `$context.requestOverride`: `{"header": {}, "path": {}, "querystring": {}}`.
    pub request: Value,
    /// `$context.responseOverride`: `{"status": 200, "header": {}}`.
    pub response: Value,
}

/// Why a template did not render.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFailure {
    /// The template reads the body as JSON, and it is none.
    #[error("{0}")]
    Body(String),
    /// The template cannot be parsed or evaluated.
    #[error("Unable to transform: {0}")]
    Template(String),
    /// Whoever renders templates does not answer.
    #[error("{0}")]
    Unreachable(String),
}

/// The template for a request body of this `Content-Type`, if there is one.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html>
///
/// # Errors
/// 415, when there is none and the body may not be passed on.
pub(crate) fn for_request<'a>(
    templates: &'a BTreeMap<String, String>,
    content_type: &str,
    passthrough: Passthrough,
) -> Result<Option<&'a str>, Failure> {
    let wanted = essence(content_type);
    let named = templates.iter().find(|(name, _)| essence(name) == wanted);
    let template = named.map(|(_, template)| template).or_else(|| templates.get("$default"));
    match (template, passthrough) {
        (Some(template), _) => Ok(Some(template)),
        (None, Passthrough::WhenNoMatch) => Ok(None),
        (None, Passthrough::WhenNoTemplates) if templates.is_empty() => Ok(None),
        (None, _) => Err(Failure::UnsupportedMediaType(format!(
            "No match for content type {wanted}, and passthroughBehavior does not let the body pass"
        ))),
    }
}

/// The template for a response, and its media type: the one that the client accepts, else that for JSON, else the first.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html>
pub(crate) fn for_response<'a>(templates: &'a BTreeMap<String, String>, accept: &str) -> Option<(&'a str, &'a str)> {
    let accepted = accept.split(',').map(essence).find_map(|wanted| templates.get_key_value(&wanted));
    accepted
        .or_else(|| templates.get_key_value(DEFAULT_MEDIA_TYPE))
        .or_else(|| templates.first_key_value())
        .map(|(name, template)| (name.as_str(), template.as_str()))
}

/// Renders, without an engine where there is nothing to render: Velocity copies all but `$` and `#`.
pub(crate) async fn render(engine: &dyn Templates, input: TemplateInput<'_>) -> Result<Rendered, TemplateFailure> {
    if input.template.contains(['$', '#']) {
        engine.render(input).await
    } else {
        Ok(Rendered { text: input.template.to_owned(), overrides: Overrides::default() })
    }
}

/// The control plane's page that renders templates.
#[derive(Debug, Clone)]
pub struct ControlPlaneTemplates(AwsApi);

impl ControlPlaneTemplates {
    const PAGE: &'static str = "/_control_plane/vtl";

    /// With the control plane of this client.
    pub fn new(aws: AwsApi) -> Self {
        Self(aws)
    }

    async fn ask(&self, input: TemplateInput<'_>) -> Result<Rendered, TemplateFailure> {
        let unusable = |cause: &dyn Display| TemplateFailure::Unreachable(format!("{}: {cause}", Self::PAGE));
        let question = json!({
            "template": input.template,
            "body": input.body,
            "context": input.context,
            "stageVariables": input.stage_variables,
            "params": {"path": input.path, "querystring": input.querystring, "header": input.header},
        });
        let request = http::Request::post(Self::PAGE).header(CONTENT_TYPE, DEFAULT_MEDIA_TYPE);
        let request = request.body(question.to_string().into()).map_err(|cause| unusable(&cause))?;
        let answer = self.0.send("apigateway", request).await.map_err(|cause| unusable(&cause))?;
        let page: Value = serde_json::from_slice(answer.body()).map_err(|cause| unusable(&cause))?;
        let text = |name: &str| page.get(name).and_then(Value::as_str).map(str::to_owned);
        if answer.status().is_success() {
            let set = |name: &str| page.pointer(&format!("/context/{name}")).cloned().unwrap_or_default();
            let overrides = Overrides { request: set("requestOverride"), response: set("responseOverride") };
            return match text("rendered") {
                Some(text) => Ok(Rendered { text, overrides }),
                None => Err(unusable(&"the answer has no `rendered`")),
            };
        }
        let message = text("message").unwrap_or_else(|| answer.status().to_string());
        match text("reason").as_deref() {
            Some("body") => Err(TemplateFailure::Body(message)),
            _ => Err(TemplateFailure::Template(message)),
        }
    }
}

impl Templates for ControlPlaneTemplates {
    fn render<'a>(&'a self, input: TemplateInput<'a>) -> BoxFuture<'a, Result<Rendered, TemplateFailure>> {
        Box::pin(self.ask(input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates(names: &[&str]) -> BTreeMap<String, String> {
        names.iter().map(|name| ((*name).to_owned(), format!("for {name}"))).collect()
    }

    /// https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
    #[test]
    fn a_request_is_transformed_passed_on_or_refused() {
        use Passthrough::{Never, WhenNoMatch, WhenNoTemplates};
        let (json, none) = (&["application/json"][..], &[][..]);
        let both = &["application/json", "application/xml"][..];
        let (transformed, passed, refused) = (Ok(true), Ok(false), Err("UNSUPPORTED_MEDIA_TYPE"));
        for (defined, content_type, passthrough, expected) in [
            (json, "application/json", WhenNoMatch, transformed),
            (json, "application/json", WhenNoTemplates, transformed),
            (json, "application/json", Never, transformed),
            (json, "application/xml", WhenNoMatch, passed),
            (json, "application/xml", WhenNoTemplates, refused),
            (json, "application/xml", Never, refused),
            (both, "application/xml", Never, transformed),
            (both, "text/plain", WhenNoMatch, passed),
            (both, "text/plain", WhenNoTemplates, refused),
            (both, "text/plain", Never, refused),
            (none, "application/json", WhenNoMatch, passed),
            (none, "application/json", WhenNoTemplates, passed),
            (none, "application/json", Never, refused),
            (json, "Application/JSON; charset=utf-8", Never, transformed),
            (&["$default"], "text/plain", Never, transformed),
        ] {
            let chosen = templates(defined);
            let chosen = for_request(&chosen, content_type, passthrough);
            let outcome = chosen.map(|template| template.is_some()).map_err(|failure| failure.response_type());
            assert_eq!(outcome, expected, "{defined:?} {content_type} {passthrough:?}");
        }
    }

    #[test]
    fn a_response_has_the_template_that_the_client_accepts() {
        for (defined, accept, expected) in [
            (&["application/json", "text/html"][..], "text/html", Some("text/html")),
            (&["application/json", "text/html"], "image/webp, text/html;q=0.9", Some("text/html")),
            (&["application/json", "text/html"], "*/*", Some("application/json")),
            (&["application/xml", "text/html"], "", Some("application/xml")),
            (&[], "text/html", None),
        ] {
            let defined = templates(defined);
            assert_eq!(for_response(&defined, accept).map(|(name, _)| name), expected, "{defined:?} {accept}");
        }
    }
}
