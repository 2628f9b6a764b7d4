//! Web ACLs of WAFv2, evaluated.
//!
//! A [`Firewall`] knows which [`WebAcl`] protects which resource; a web ACL says what becomes of a request:
//!
//! ```
//! # use std::net::{IpAddr, Ipv4Addr};
//! # let headers = http::HeaderMap::new();
//! use local_waf::{Firewall, Protected, RequestView};
//!
//! let firewall = Firewall::default();
//! let request = RequestView {
//!     protected: Protected::ApiGatewayStage,
//!     method: "GET",
//!     path: "/prod/status/live",
//!     query: "",
//!     headers: &headers,
//!     source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
//!     body: b"",
//!     body_length: 0,
//! };
//! if let Some(web_acl) = firewall.web_acl("arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5/stages/prod") {
//!     assert!(web_acl.evaluate(&request).allows());
//! }
//! ```
//!
//! What cannot be evaluated without AWS (countries, managed rule groups, SQL injection ...) never matches, and is said once,
//! as a warning with the target `waf`.

mod account;
mod component;
mod firewall;
mod forwarded;
mod ip_set;
mod labels;
mod matched;
mod rate;
mod rate_based;
mod request;
mod rule;
mod statement;
mod transformation;
mod verdict;
mod web_acl;

pub use firewall::Firewall;
pub use request::{Protected, RequestView};
pub use verdict::{Action, CustomResponse, Verdict};
pub use web_acl::WebAcl;
