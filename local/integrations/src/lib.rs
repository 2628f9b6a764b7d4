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

mod definition;
mod explanation;
mod failure;
mod functions;
mod integrations;
mod json_path;
mod media_type;
mod method;
mod network;
mod parameters;
mod response_selection;
mod template;
mod uri;

pub use definition::{ContentHandling, Integration, Invalid, Kind, Passthrough};
pub use explanation::{Explain, Silent};
pub use failure::Failure;
pub use functions::{Functions, Invocation, Refusal};
pub use integrations::{Integrations, Outcome};
pub use media_type::BinaryMediaTypes;
pub use method::{MethodRequest, MethodResponse};
pub use network::Network;
pub use template::{Overrides, Rendered, TemplateFailure, TemplateInput, Templates};

/// A future behind a trait object.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
