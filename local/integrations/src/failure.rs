//! Why there is no method response, in gateway response types.

/// Why an integration gave no method response. Each variant is one gateway response type; the text says what happened, for
/// the execution log: a client is sent [`Failure::message`].
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The definition cannot be carried out: an invalid endpoint address, a base64 that does not decode, no integration
    /// response that matches.
    #[error("Execution failed due to configuration error: {0}")]
    ApiConfiguration(String),
    /// The endpoint could not be reached, or what it answered cannot be used.
    #[error("Execution failed due to an integration failure: {0}")]
    IntegrationFailure(String),
    /// The endpoint did not answer within the integration's time.
    #[error("Execution failed due to a timeout error: {0}")]
    IntegrationTimeout(String),
    /// No template takes the content type, and `passthroughBehavior` forbids passing the body on.
    #[error("Execution failed: {0}")]
    UnsupportedMediaType(String),
    /// A mapping reads the request's body as JSON, which it is not. The client is told so.
    #[error("Execution failed: {0}")]
    BadRequestBody(String),
    /// A failure that has no type of its own, such as a template that does not render.
    #[error("Execution failed: {0}")]
    Default5xx(String),
}

impl Failure {
    /// The gateway response type, as `x-amazon-apigateway-gateway-responses` spells it.
    pub fn response_type(&self) -> &'static str {
        match self {
            Self::ApiConfiguration(_) => "API_CONFIGURATION_ERROR",
            Self::IntegrationFailure(_) => "INTEGRATION_FAILURE",
            Self::IntegrationTimeout(_) => "INTEGRATION_TIMEOUT",
            Self::UnsupportedMediaType(_) => "UNSUPPORTED_MEDIA_TYPE",
            Self::BadRequestBody(_) => "BAD_REQUEST_BODY",
            Self::Default5xx(_) => "DEFAULT_5XX",
        }
    }

    /// The status code unless a gateway response says otherwise.
    pub fn status(&self) -> u16 {
        match self {
            Self::ApiConfiguration(_) | Self::Default5xx(_) => 500,
            Self::IntegrationFailure(_) | Self::IntegrationTimeout(_) => 504,
            Self::UnsupportedMediaType(_) => 415,
            Self::BadRequestBody(_) => 400,
        }
    }

    /// `$context.error.message`: what AWS tells the client.
    pub fn message(&self) -> &str {
        match self {
            Self::ApiConfiguration(_) | Self::Default5xx(_) => "Internal server error",
            Self::IntegrationFailure(_) => "Network error communicating with endpoint",
            Self::IntegrationTimeout(_) => "Endpoint request timed out",
            Self::UnsupportedMediaType(_) => "Unsupported Media Type",
            Self::BadRequestBody(problem) => problem,
        }
    }
}
