//! API Gateway's integrations: everything between a method request and a method response, for the integration types
//! `AWS`, `HTTP`, `HTTP_PROXY` and `MOCK`. (`AWS_PROXY` is the gateway's own: it shares none of the mappings.)
//!
//! ```text
//! method request ─► parameters, template, content handling ─► service, endpoint or mock
//!                                                                      │
//! method response ◄─ parameters, template, content handling ◄─ response selection
//! ```
//!
//! [`Integration::parse`] reads an `x-amazon-apigateway-integration`; [`Integrations::call`] carries one out.

mod aws_service;
mod certificates;
mod content_handling;
mod definition;
mod explanation;
mod failure;
mod functions;
mod header_rules;
mod http_endpoint;
mod integration_request;
mod integrations;
mod json_path;
mod media_type;
mod method;
mod method_response;
mod mock;
mod network;
mod parameters;
mod response_selection;
mod template;
mod uri;

pub use definition::{ContentHandling, Integration, Invalid, Kind, Passthrough};
pub use explanation::{Explain, Silent};
pub use failure::Failure;
pub use functions::{Functions, Invocation, Refusal};
pub use integrations::{Integrations, MAX_PAYLOAD_BYTES, Outcome};
pub use media_type::BinaryMediaTypes;
pub use method::{MethodRequest, MethodResponse};
pub use network::Network;
pub use template::{ControlPlaneTemplates, Overrides, Rendered, TemplateFailure, TemplateInput, Templates};

/// A future behind a trait object.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
