//! REST API Gateway on a laptop, driven by deployments.
//!
//! [`read`] gets what is deployed from the account, as a [`Snapshot`]; a [`Gateway`] serves it.
//!
//! ```text
//! request ─► address ─► firewall ─► routing ─► authorizer ─► key, plan, throttles ─► validation ─┐
//!                                                                                                │
//!     response ◄─ access log, journal ◄─ gateway response, or ◄─ function (AWS_PROXY) ◄──────────┤
//!                                                             ◄─ local-integrations (all else) ◄─┘
//! ```
//!
//! Each box is a module of that name; `exchange` is their order.

mod access_log;
mod address;
mod authorizer;
mod clock;
mod context;
mod definition;
mod exchange;
mod explanation;
mod function;
mod gateway;
mod gateway_response;
mod header_spelling;
mod headers;
mod identifiers;
mod journal;
mod json;
mod policy;
mod proxy_event;
mod proxy_response;
mod query;
mod reading;
mod resource_policy;
mod routing;
mod served;
mod snapshot;
mod substitution;
mod throttle;
mod usage_plan;
mod validation;

pub use definition::{Api, Warning};
pub use gateway::{EXPLAIN, Gateway, LONGEST_BODY};
pub use gateway_response::ResponseType;
pub use header_spelling::{HeaderSpelling, HeaderSpellings, Watched};
pub use journal::FinishedRequest;
pub use local_integrations::{BoxFuture, Functions, Invocation, Network, Refusal};
pub use reading::read;
pub use snapshot::{
    ApiKey, BasePathMapping, DomainName, Period, PlanStage, Quota, RestApi, Snapshot, Stage, Throttle, UsagePlan,
};
