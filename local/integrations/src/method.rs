//! Both ends of an integration: the request as the method got it, and the response that it gives.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::BinaryMediaTypes;

/// The request, checked and authorized, as a method's integration takes it.
#[derive(Debug, Clone)]
pub struct MethodRequest<'a> {
    /// The method that the client used, also where the API defines `ANY`.
    pub method: &'a Method,
    /// Path parameters, percent-decoded; a greedy one (`{proxy+}`) keeps its slashes and is named `proxy`.
    pub path_parameters: &'a BTreeMap<String, String>,
    /// Query-string parameters, percent-decoded, as the client ordered them; a name may come several times.
    pub query: &'a [(String, String)],
    /// The client's headers, and those that API Gateway adds to a request (`X-Forwarded-For`, `X-Forwarded-Port`,
    /// `X-Forwarded-Proto`, `X-Amzn-Trace-Id`).
    pub headers: &'a HeaderMap,
    /// The body as it came.
    pub body: &'a Bytes,
    /// `$context` as nested objects: `{"requestId": ..., "apiId": ..., "identity": {"sourceIp": ...}, "authorizer": ...}`.
    pub context: &'a Value,
    /// The stage's variables.
    pub stage_variables: &'a BTreeMap<String, String>,
    /// The API's binary media types.
    pub binary_media_types: &'a BinaryMediaTypes,
}

/// What the client is sent.
pub type MethodResponse = http::Response<Bytes>;
