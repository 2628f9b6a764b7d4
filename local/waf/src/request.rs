//! What the firewall sees of a request.

use std::net::IpAddr;

use http::HeaderMap;

/// One request, borrowed from whoever received it.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The kind of resource that the request is for: it decides how much of a body is inspected.
    pub protected: Protected,
    /// As in the request line: `GET`.
    pub method: &'a str,
    /// As received, before anything is decoded, with the stage in front where the URL has it: `/prod/string/replace`.
    pub path: &'a str,
    /// What follows the `?`, as received; empty if there is none.
    pub query: &'a str,
    /// All headers, as received.
    pub headers: &'a HeaderMap,
    /// Who opened the connection.
    pub source_ip: IpAddr,
    /// The first bytes of the body, at least [`WebAcl::body_limit`](crate::WebAcl::body_limit) of them if it has so many.
    pub body: &'a [u8],
    /// Bytes of the whole body.
    pub body_length: u64,
}

/// What a web ACL may be associated with and is served here.
/// <https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protected {
    /// A stage of a REST API: `arn:aws:apigateway:{region}::/restapis/{api}/stages/{stage}`.
    ApiGatewayStage,
    /// An Application Load Balancer.
    LoadBalancer,
}
