//! The event that a function gets from an `AWS_PROXY` integration, and from it the one for a REQUEST authorizer.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format>

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::context::Context;
use crate::headers;
use crate::json::{Nothing, ObjectWriter};

/// Bytes of an event beside headers and body.
const USUAL_LENGTH: usize = 4096;

/// The event, as JSON.
pub(crate) fn write(context: &Context) -> Vec<u8> {
    let mut out = Vec::with_capacity(USUAL_LENGTH + context.body.len() * 3 / 2);
    let mut event = ObjectWriter::begin(&mut out);
    write_request(&mut event, context, Nothing::Null);
    let is_binary = is_binary(context);
    if context.body.is_empty() {
        event.member("body", ());
    } else if is_binary {
        event.member("body", BASE64_STANDARD.encode(&context.body));
    } else {
        // What is no binary media type is read as UTF-8, whatever it is.
        event.member("body", String::from_utf8_lossy(&context.body));
    }
    event.member("isBase64Encoded", is_binary && !context.body.is_empty());
    event.end();
    out
}

/// Whether the body is of a binary media type of the API.
fn is_binary(context: &Context) -> bool {
    let types = &context.address.stage.api.binary_media_types;
    // A body without a content type is binary only where all are.
    !types.is_empty() && types.holds(&context.header("content-type").unwrap_or_default())
}

/// Everything but the body: a REQUEST authorizer sees the same.
pub(crate) fn write_request(event: &mut ObjectWriter<'_>, context: &Context, nothing: Nothing) {
    let stage = &context.address.stage;
    event.member("resource", context.route.as_ref().map(|route| &route.resource.path));
    event.member("path", &context.address.event_path);
    event.member("httpMethod", context.method.as_str());
    let names = || context.headers.keys().filter(|name| headers::reaches_functions(name));
    event.object("headers", nothing, names().next().is_none(), |object| {
        for name in names() {
            object.member(headers::spelled(name, &context.spelling), headers::last(&context.headers, name.as_str()));
        }
    });
    event.object("multiValueHeaders", nothing, names().next().is_none(), |object| {
        for name in names() {
            let values: Vec<_> = context.headers.get_all(name).iter().map(headers::text).collect();
            object.member(headers::spelled(name, &context.spelling), values);
        }
    });
    let query = &context.query;
    let is_first = |index: usize, name: &str| query[..index].iter().all(|(before, _)| before != name);
    event.object("queryStringParameters", nothing, query.is_empty(), |object| {
        for (index, (name, _)) in query.iter().enumerate().filter(|(index, (name, _))| is_first(*index, name)) {
            // Of several values the last one.
            let last = query[index..].iter().rev().find(|(other, _)| other == name).map(|(_, value)| value);
            object.member(name, last);
        }
    });
    event.object("multiValueQueryStringParameters", nothing, query.is_empty(), |object| {
        for (index, (name, _)) in query.iter().enumerate().filter(|(index, (name, _))| is_first(*index, name)) {
            let values: Vec<_> =
                query[index..].iter().filter(|(other, _)| other == name).map(|(_, value)| value).collect();
            object.member(name, values);
        }
    });
    let parameters = context.route.as_ref().map(|route| &route.parameters);
    event.object("pathParameters", nothing, parameters.is_none_or(|parameters| parameters.is_empty()), |object| {
        for (name, value) in parameters.into_iter().flatten() {
            object.member(name, value);
        }
    });
    event.object("stageVariables", nothing, stage.stage.variables.is_empty(), |object| {
        for (name, value) in &stage.stage.variables {
            object.member(name, value);
        }
    });
    event.nested("requestContext", |out| context.write_request_context(out));
}
