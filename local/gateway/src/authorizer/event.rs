//! What an authorizer's function is asked.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html>

use crate::context::Context;
use crate::json::{Nothing, ObjectWriter};
use crate::proxy_event;

/// For a TOKEN authorizer.
pub(super) fn token(context: &Context, token: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let mut event = ObjectWriter::begin(&mut out);
    event.member("type", "TOKEN");
    event.member("methodArn", context.method_arn());
    event.member("authorizationToken", token);
    event.end();
    out
}

/// For a REQUEST authorizer: the request without its body.
pub(super) fn request(context: &Context) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    let mut event = ObjectWriter::begin(&mut out);
    event.member("type", "REQUEST");
    event.member("methodArn", context.method_arn());
    proxy_event::write_request(&mut event, context, Nothing::EmptyObject);
    event.end();
    out
}
