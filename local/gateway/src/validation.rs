//! Request validation: required parameters, and bodies that their model must accept.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html>

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::context::Context;
use crate::definition::{Method, Model, ParameterPlace};
use crate::gateway_response::{Refused, ResponseType};
use crate::substitution::Variables;

/// What a body is taken for that does not say.
const DEFAULT_MEDIA_TYPE: &str = "application/json";
/// The model for every media type that has none of its own.
const ANY_MEDIA_TYPE: &str = "$default";

/// Parameters first, and then the body.
pub(crate) fn check(method: &Method, context: &Context) -> Result<(), Refused> {
    if method.validator.parameters {
        check_parameters(method, context)?;
    }
    if method.validator.body {
        check_body(method, context)?;
    }
    Ok(())
}

fn check_parameters(method: &Method, context: &Context) -> Result<(), Refused> {
    let is_missing = |(place, name): &&(ParameterPlace, String)| {
        let place = match place {
            ParameterPlace::Header => "header",
            ParameterPlace::Path => "path",
            ParameterPlace::QueryString => "querystring",
        };
        // Being there is not enough: it must not be blank.
        context.request_parameter(place, name).is_none_or(|value| value.trim().is_empty())
    };
    let missing: Vec<&str> =
        method.required_parameters.iter().filter(is_missing).map(|(_, name)| name.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("Missing required request parameters: [{}]", missing.join(", "));
    let cause = format!("Execution failed due to a bad request: {message}");
    let refused = Refused::new(ResponseType::BadRequestParameters, "", cause);
    Err(Refused { details: Some(message.clone()), validation: Some(message), ..refused })
}

fn check_body(method: &Method, context: &Context) -> Result<(), Refused> {
    // A compressed body is passed through, to be read by whoever can.
    let encoding = context.header("content-encoding").unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(encoding.as_str(), "" | "identity") {
        return Ok(());
    }
    let content_type = context.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let media_type = match content_type.split(';').next().unwrap_or_default().trim() {
        "" => DEFAULT_MEDIA_TYPE,
        media_type => media_type,
    };
    let Some(model) = model(method, media_type) else { return Ok(()) };
    let refuse = |validation: String| {
        let cause = format!(
            "Execution failed due to a bad request: Request body does not match model schema for content type {media_type}: {validation}"
        );
        let refused = Refused::new(ResponseType::BadRequestBody, "Invalid request body", cause);
        Err(Refused { validation: Some(validation), ..refused })
    };
    // An empty body stands for an empty object.
    let body: &[u8] = if context.body.is_empty() { b"{}" } else { &context.body };
    match serde_json::from_slice::<Value>(body) {
        Ok(document) => model.check(&document).or_else(refuse),
        // JSON all the same: it holds a number beyond a double, which `Value` cannot, and no model limits here.
        Err(_) if serde_json::from_slice::<IgnoredAny>(body).is_ok() => Ok(()),
        Err(error) => refuse(format!("[the body is no JSON: {error}]")),
    }
}

fn model<'a>(method: &'a Method, media_type: &str) -> Option<&'a Model> {
    let of = |wanted: &str| method.models.iter().find(|(name, _)| name == wanted).map(|(_, model)| &**model);
    of(media_type).or_else(|| of(ANY_MEDIA_TYPE))
}
