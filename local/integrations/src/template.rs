//! Mapping templates, which somebody else renders.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::BoxFuture;

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
    /// Headers, named as the client spelled them.
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

/// A template did not render.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mapping template does not render: {0}")]
pub struct TemplateFailure(pub String);
