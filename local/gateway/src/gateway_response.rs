//! What API Gateway itself answers: types, default bodies, and the responses that an API's author puts in their place.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html>

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::definition::GatewayResponses;
use crate::substitution::{self, Variables};

/// The header that names the error.
pub(crate) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

const JSON: &str = "application/json";
const DEFAULT_TEMPLATE: &str = r#"{"message":$context.error.messageString}"#;
/// To a caller that an authorizer's policy turns away, the member's name begins with a capital.
const DENIED_TEMPLATE: &str = r#"{"Message":$context.error.messageString}"#;

/// Why a request gets a gateway response.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseType {
    /// An authorizer's policy does not allow the request.
    AccessDenied,
    /// The API is defined in a way that cannot be carried out.
    ApiConfigurationError,
    /// The authorizer could not be asked, or its answer is none.
    AuthorizerConfigurationError,
    /// The authorizer failed.
    AuthorizerFailure,
    /// The body is not as its model wants it.
    BadRequestBody,
    /// A required parameter is missing.
    BadRequestParameters,
    /// Every other refusal of a request.
    Default4xx,
    /// Every other failure.
    Default5xx,
    /// The request's signature has expired.
    ExpiredToken,
    /// The endpoint could not be reached.
    IntegrationFailure,
    /// The endpoint took too long.
    IntegrationTimeout,
    /// The API key is missing, unknown, or of no usage plan of the stage.
    InvalidApiKey,
    /// The request's signature is wrong.
    InvalidSignature,
    /// There is no such path or method.
    MissingAuthenticationToken,
    /// The usage plan's quota is used up.
    QuotaExceeded,
    /// The body has more than 10 MB.
    RequestTooLarge,
    /// The request is authorized, but there is no such resource.
    ResourceNotFound,
    /// Too many requests at a time.
    Throttled,
    /// The caller did not say who it is.
    Unauthorized,
    /// No template takes the body's content type.
    UnsupportedMediaType,
    /// The web ACL blocks the request.
    WafFiltered,
}

impl ResponseType {
    const ALL: [Self; 21] = [
        Self::AccessDenied,
        Self::ApiConfigurationError,
        Self::AuthorizerConfigurationError,
        Self::AuthorizerFailure,
        Self::BadRequestBody,
        Self::BadRequestParameters,
        Self::Default4xx,
        Self::Default5xx,
        Self::ExpiredToken,
        Self::IntegrationFailure,
        Self::IntegrationTimeout,
        Self::InvalidApiKey,
        Self::InvalidSignature,
        Self::MissingAuthenticationToken,
        Self::QuotaExceeded,
        Self::RequestTooLarge,
        Self::ResourceNotFound,
        Self::Throttled,
        Self::Unauthorized,
        Self::UnsupportedMediaType,
        Self::WafFiltered,
    ];

    /// As AWS spells it.
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// The type of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The status unless a customised response says otherwise. Those of the defaults of a class are what has no type of
    /// its own.
    pub fn status(self) -> u16 {
        self.facts().1
    }

    /// What `x-amzn-ErrorType` says.
    pub(crate) fn error_type(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::AccessDenied => ("ACCESS_DENIED", 403, "AccessDeniedException"),
            Self::ApiConfigurationError => ("API_CONFIGURATION_ERROR", 500, "InternalServerErrorException"),
            Self::AuthorizerConfigurationError => {
                ("AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException")
            }
            Self::AuthorizerFailure => ("AUTHORIZER_FAILURE", 500, "AuthorizerFailureException"),
            Self::BadRequestBody => ("BAD_REQUEST_BODY", 400, "BadRequestException"),
            Self::BadRequestParameters => ("BAD_REQUEST_PARAMETERS", 400, "BadRequestException"),
            Self::Default4xx => ("DEFAULT_4XX", 400, "BadRequestException"),
            Self::Default5xx => ("DEFAULT_5XX", 500, "InternalServerErrorException"),
            Self::ExpiredToken => ("EXPIRED_TOKEN", 403, "ExpiredTokenException"),
            Self::IntegrationFailure => ("INTEGRATION_FAILURE", 504, "InternalServerErrorException"),
            Self::IntegrationTimeout => ("INTEGRATION_TIMEOUT", 504, "InternalServerErrorException"),
            Self::InvalidApiKey => ("INVALID_API_KEY", 403, "ForbiddenException"),
            Self::InvalidSignature => ("INVALID_SIGNATURE", 403, "InvalidSignatureException"),
            Self::MissingAuthenticationToken => {
                ("MISSING_AUTHENTICATION_TOKEN", 403, "MissingAuthenticationTokenException")
            }
            Self::QuotaExceeded => ("QUOTA_EXCEEDED", 429, "LimitExceededException"),
            Self::RequestTooLarge => ("REQUEST_TOO_LARGE", 413, "RequestTooLargeException"),
            Self::ResourceNotFound => ("RESOURCE_NOT_FOUND", 404, "NotFoundException"),
            Self::Throttled => ("THROTTLED", 429, "TooManyRequestsException"),
            Self::Unauthorized => ("UNAUTHORIZED", 401, "UnauthorizedException"),
            Self::UnsupportedMediaType => ("UNSUPPORTED_MEDIA_TYPE", 415, "BadRequestException"),
            Self::WafFiltered => ("WAF_FILTERED", 403, "ForbiddenException"),
        }
    }
}

/// A request that ends in a gateway response.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub kind: ResponseType,
    /// Where it is not the type's.
    pub status: Option<u16>,
    /// `$context.error.message`: what the client is told. Of an authorizer that fails, nothing.
    pub message: Option<&'static str>,
    /// The same, where it names what is wrong with this request.
    pub details: Option<String>,
    /// `$context.error.validationErrorString`.
    pub validation: Option<String>,
    /// What happened, for the execution log: the client never sees it.
    pub cause: String,
}

impl Refused {
    pub fn new(kind: ResponseType, message: &'static str, cause: impl Into<String>) -> Self {
        Self { kind, status: None, message: Some(message), details: None, validation: None, cause: cause.into() }
    }

    /// What has gone wrong behind the gateway and is none of the client's business.
    pub fn internal(status: u16, cause: impl Into<String>) -> Self {
        let refused = Self::new(ResponseType::Default5xx, "Internal server error", cause);
        Self { status: Some(status), ..refused }
    }

    /// An authorizer has failed in a way that is none of the client's business: AWS says `{"message":null}`.
    /// <https://github.com/serverless/examples/issues/305>
    pub fn by_authorizer(kind: ResponseType, cause: impl Into<String>) -> Self {
        Self { message: None, ..Self::new(kind, "", cause) }
    }

    pub fn message(&self) -> Option<&str> {
        self.details.as_deref().or(self.message)
    }

    pub fn default_status(&self) -> u16 {
        self.status.unwrap_or(self.kind.status())
    }
}

/// The response for `refused`. `variables` must know the error already.
pub(crate) fn render(
    refused: &Refused,
    customised: &GatewayResponses,
    accept: Option<&str>,
    variables: &dyn Variables,
) -> Response<Bytes> {
    let found = customised.find(refused.kind, refused.default_status());
    let status = found.and_then(|response| response.status).unwrap_or(refused.default_status());
    let default = match refused.kind {
        ResponseType::AccessDenied => DENIED_TEMPLATE,
        _ => DEFAULT_TEMPLATE,
    };
    let (content_type, template) = found
        .and_then(|response| {
            let wanted =
                accept.unwrap_or(JSON).split(',').map(|name| name.split(';').next().unwrap_or_default().trim());
            let mut templates = wanted.filter_map(|name| response.templates.get_key_value(name));
            // Whoever accepts none of them gets JSON, or the only one that there is.
            templates
                .next()
                .or_else(|| response.templates.get_key_value(JSON))
                .or_else(|| response.templates.first_key_value())
        })
        .map_or((JSON, default), |(name, template)| (name, template));
    let body = substitution::substitute(template, variables, "");
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    headers.insert(ERROR_TYPE, HeaderValue::from_static(refused.kind.error_type()));
    for (name, source) in found.iter().flat_map(|response| &response.headers) {
        let value = substitution::evaluate(source, variables);
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        if let (Some(name), Some(Ok(value))) = (name, value.map(|value| HeaderValue::from_str(&value))) {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::{Value, json};

    use super::*;
    use crate::definition::Warnings;

    struct Fixed;

    impl Variables for Fixed {
        fn context(&self, name: &str) -> Option<Cow<'_, str>> {
            match name {
                "error.message" => Some("Too bad".into()),
                "error.messageString" => Some("\"Too bad\"".into()),
                "error.responseType" => Some("THROTTLED".into()),
                "requestId" => Some("r-1".into()),
                _ => None,
            }
        }

        fn stage_variable(&self, name: &str) -> Option<&str> {
            (name == "origin").then_some("https://example.com")
        }

        fn request_parameter(&self, place: &str, name: &str) -> Option<Cow<'_, str>> {
            (place == "header" && name.eq_ignore_ascii_case("Origin")).then_some("https://other.com".into())
        }
    }

    fn rendered(kind: ResponseType, definition: &Value, accept: Option<&str>) -> (u16, String, Response<Bytes>) {
        let mut warnings = Warnings::default();
        let responses = GatewayResponses::parse(definition, &mut warnings);
        assert_eq!(warnings.0, []);
        let response = render(&Refused::new(kind, "Too bad", ""), &responses, accept, &Fixed);
        (response.status().as_u16(), String::from_utf8(response.body().to_vec()).unwrap(), response)
    }

    #[test]
    fn every_type_has_a_default() {
        for kind in ResponseType::ALL {
            let (status, body, response) = rendered(kind, &json!({}), None);
            assert_eq!(status, kind.status(), "{kind:?}");
            let member = if kind == ResponseType::AccessDenied { "Message" } else { "message" };
            assert_eq!(body, format!(r#"{{"{member}":"Too bad"}}"#), "{kind:?}");
            assert_eq!(response.headers()[ERROR_TYPE], kind.error_type(), "{kind:?}");
            assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
            assert_eq!(ResponseType::named(kind.name()), Some(kind));
        }
    }

    #[test]
    fn its_own_response_comes_before_that_of_its_class() {
        let definition = json!({
            "THROTTLED": { "statusCode": 420, "responseTemplates": { "application/json": "own" } },
            "DEFAULT_4XX": { "statusCode": "499", "responseTemplates": { "application/json": "class" } },
            "DEFAULT_5XX": { "responseTemplates": { "application/json": "$context.error.message" } },
        });
        for (kind, status, body) in [
            (ResponseType::Throttled, 420, "own"),
            (ResponseType::Unauthorized, 499, "class"),
            (ResponseType::Default4xx, 499, "class"),
            (ResponseType::IntegrationTimeout, 504, "Too bad"),
        ] {
            let (found_status, found_body, _) = rendered(kind, &definition, None);
            assert_eq!((found_status, found_body.as_str()), (status, body), "{kind:?}");
        }
    }

    #[test]
    fn headers_come_from_literals_the_request_and_the_context() {
        let definition = json!({ "DEFAULT_4XX": { "responseParameters": {
            "gatewayresponse.header.Retry-After": "'1'",
            "gatewayresponse.header.Access-Control-Allow-Origin": "method.request.header.origin",
            "gatewayresponse.header.X-Request": "context.requestId",
            "gatewayresponse.header.X-Origin": "stageVariables.origin",
            "gatewayresponse.header.X-Nothing": "method.request.header.missing",
        } } });
        let (_, body, response) = rendered(ResponseType::Throttled, &definition, None);
        assert_eq!(body, r#"{"message":"Too bad"}"#);
        for (name, value) in [
            ("retry-after", "1"),
            ("access-control-allow-origin", "https://other.com"),
            ("x-request", "r-1"),
            ("x-origin", "https://example.com"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        assert!(!response.headers().contains_key("x-nothing"));
    }

    #[test]
    fn the_accept_header_chooses_the_template() {
        let definition = json!({ "DEFAULT_4XX": { "responseTemplates": {
            "application/xml": "<error>$context.error.message</error>", "application/json": "{}" } } });
        for (accept, content_type, body) in [
            (None, "application/json", "{}"),
            (Some("*/*"), "application/json", "{}"),
            (Some("text/html, application/xml;q=0.9"), "application/xml", "<error>Too bad</error>"),
        ] {
            let (_, found, response) = rendered(ResponseType::Throttled, &definition, accept);
            assert_eq!(
                (found.as_str(), &response.headers()[CONTENT_TYPE]),
                (body, &HeaderValue::from_static(content_type))
            );
        }
    }
}
