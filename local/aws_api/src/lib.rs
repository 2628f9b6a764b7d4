//! A client of AWS's wire protocols, for the control plane on this machine.
//!
//! The data plane reads what is deployed as any tool would: by the AWS API. It needs few operations of many services, all
//! of one process on the loopback interface, and passes on requests to services that it knows nothing about (an API
//! Gateway integration may name any). One small client for the three protocols serves all of that; an SDK per service
//! would be minutes of building for a dozen calls.
//!
//! | protocol | services | call |
//! |---|---|---|
//! | JSON 1.0 / 1.1 | ECS, CodeDeploy, WAFv2, SSM, SQS ... | [`AwsApi::json`] |
//! | REST-JSON | Lambda, API Gateway | [`AwsApi::rest`] |
//! | query | Elastic Load Balancing, SNS, IAM | [`AwsApi::query`] |
//! | whatever it is | what an integration names | [`AwsApi::send`] |
//!
//! Nothing is signed: the control plane looks at the scope in the Authorization header, which says the service and the
//! region, and never at the signature. So this client must not be pointed at AWS, and refuses anything but loopback.

mod client;
mod error;
mod xml;

pub use client::AwsApi;
pub use error::Error;
pub use xml::Element;
